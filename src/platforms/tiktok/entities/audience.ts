/** Fields of a custom audience. Sources: dmp/custom_audience/{list,get,create} of the TikTok API for Business docs. */
import { boolean, custom, id, integer, number, text, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import type { Native } from '../../../core/connector/types.ts';

/** Fewer matched people than this, and TikTok refuses the audience in an ad group with 40002. */
const SMALLEST = 1000;

/** What an audience is. TikTok's words for the types of lists are not documented; the rest follows from its members. */
export function typeOf(row: Native): 'STREAM' | 'FILE' | 'RULE' | 'LOOKALIKE' {
  const spec = row['lookalike_spec'] as Native | null | undefined;
  const native = String(row['audience_type'] ?? row['type'] ?? '');
  if (/LOOKALIKE/i.test(native) || (spec?.['source_audience_id'] ?? null) !== null) return 'LOOKALIKE';
  if ((row['rule'] ?? null) !== null && row['rule'] !== '') return 'RULE';
  return /STREAM/i.test(native) ? 'STREAM' : 'FILE';
}

/** Members of a write that the creation turns into TikTok's own. */
export const WANTED_TYPE = 'wanted_type';
export const WANTED_LOOKALIKE = 'wanted_lookalike';
export const WANTED_RULE = 'wanted_rule';
export const RETENTION = 'retention_in_days';

const type = custom({
  name: 'tiktok.audience_type',
  decode: (_native, { row }) => typeOf(row ?? {}),
  encode: (unified) => ({ [WANTED_TYPE]: unified }),
  allowed: ['STREAM', 'RULE', 'LOOKALIKE'],
});

const rule = custom({
  name: 'tiktok.audience_rule',
  decode(native) {
    const text = (native as Native)['rule'];
    if (typeof text !== 'string' || text === '') return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  },
  encode: (unified) => ({ [WANTED_RULE]: unified }),
});

const availability = custom({
  name: 'tiktok.audience_availability',
  decode(native) {
    const { is_valid: valid, error_msg: error, cover_num: size, msg } = native as Native;
    if (typeof error === 'string' && error !== '') return 'FAILED';
    if (valid === true) return 'READY';
    if (typeof msg === 'string' && /calculat|process/i.test(msg)) return 'PROCESSING';
    return Number(size ?? 0) < SMALLEST ? 'TOO_SMALL' : 'PROCESSING';
  },
});

const identifiers = custom({
  name: 'tiktok.audience_identifiers',
  decode(native) {
    const kind = String(native ?? '');
    if (kind === 'MULTIPLE_TYPES') return ['EMAIL', 'PHONE', 'IDFA', 'GAID'];
    const [first] = kind.split('_');
    return first === undefined || first === '' || first === 'FIRST' ? undefined : [first];
  },
});

const message = custom({
  name: 'tiktok.audience_message',
  decode(native) {
    const { error_msg: error, msg } = native as Native;
    return [error, msg].find((one): one is string => typeof one === 'string' && one !== '');
  },
});

const lookalike = custom({
  name: 'tiktok.lookalike',
  decode(native) {
    const spec = ((native as Native)['lookalike_spec'] ?? {}) as Native;
    if ((spec['source_audience_id'] ?? null) === null) return undefined;
    return Object.fromEntries(
      Object.entries({
        source_id: String(spec['source_audience_id']),
        include_source: spec['include_source'],
        operating_system: spec['mobile_os'],
        placements: spec['placements'],
        location_ids: spec['location_ids'],
        reach: spec['audience_size'],
      }).filter(([, value]) => value !== undefined && value !== null),
    );
  },
  encode: (unified) => ({ [WANTED_LOOKALIKE]: unified }),
});

const WRITE_ONCE = 'create' as const;

/** Field rules of the audience. */
export const audienceFields: readonly FieldRule[] = [
  { unified: 'id', native: 'audience_id', codec: id, access: 'read' },
  { unified: 'name', native: 'name', codec: text({ max: 128 }), access: WRITE_ONCE, required: true },
  { unified: 'type', native: ['audience_type', WANTED_TYPE], codec: type, access: WRITE_ONCE, required: true },
  { unified: 'native_type', native: 'audience_type', codec: text(), access: 'read' },
  {
    unified: 'availability',
    native: ['is_valid', 'error_msg', 'cover_num', 'msg'],
    codec: availability,
    access: 'read',
  },
  { unified: 'identifiers', native: 'calculate_type', codec: identifiers, access: 'read' },
  { unified: 'size', native: 'cover_num', codec: number(), access: 'read' },
  { unified: 'message', native: ['error_msg', 'msg'], codec: message, access: 'read' },
  { unified: 'expiring', native: 'is_expiring', codec: boolean, access: 'read' },
  { unified: 'shared', native: 'shared', codec: boolean, access: 'read' },
  { unified: 'owner_id', native: 'owner_id', codec: id, access: 'read' },
  { unified: 'lookalike', native: ['lookalike_spec', WANTED_LOOKALIKE], codec: lookalike, access: WRITE_ONCE },
  { unified: 'rule', native: ['rule', WANTED_RULE], codec: rule, access: WRITE_ONCE },
  { unified: 'retention_days', native: RETENTION, codec: integer({ min: 1, max: 365 }), access: 'create_only' },
  { unified: 'created_at', native: 'create_time', codec: time.utcText, access: 'read' },
  { unified: 'expires_at', native: 'expired_time', codec: time.utcText, access: 'read' },
];
