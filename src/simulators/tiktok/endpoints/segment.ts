import { audienceMembers, type MemberAction, memberDigest } from '../audience-members.ts';
import { audiencesOf, changing, newAudience, ownAudience, withHistory } from '../audiences.ts';
import { requireAdvertiser } from '../auth.ts';
import { writes } from '../declared.ts';
import { advertiserIdOf } from '../params.ts';
import { given, invalid, missing } from '../rules.ts';
import type { Call, Endpoint, Native } from '../types.ts';

/**
 * Streaming audiences: segment/audience makes and deletes them, segment/mapping adds and removes people. Facts: an
 * independent transcription of the reference and what two independent clients send; how large a mapping may be is not
 * documented.
 */

const SCHEMA = ['EMAIL_SHA256', 'PHONE_SHA256', 'IDFA_SHA256', 'AAID_SHA256', 'IDFA_MD5', 'AAID_MD5'];
/** Clients shorten names to this. */
const LONGEST_NAME = 70;

function segment(call: Call): unknown {
  const { world, params } = call;
  const action = String(params['action'] ?? 'create');
  if (action === 'create') {
    const name = params['custom_audience_name'];
    if (typeof name !== 'string' || name === '') return missing('custom_audience_name');
    if ([...name].length > LONGEST_NAME) invalid(`custom_audience_name: Longer than maximum length ${LONGEST_NAME}.`);
    const row = newAudience(call, 'STREAMING', { name, calculate_type: 'MULTIPLE_TYPES' });
    audiencesOf(world).put(row);
    return { audience_id: row.id };
  }
  if (action !== 'delete') return invalid(`action: Invalid value: ${action}. It should be one of [create, delete].`);
  if (!given(params, 'delete_audience_id')) missing('delete_audience_id');
  const row = ownAudience(world, params['delete_audience_id'], advertiserIdOf(call));
  if (row['type'] !== 'STREAMING') invalid(`delete_audience_id: ${row.id} is not a streaming audience.`);
  audienceMembers(world).change(row.id, 'REPLACE', []);
  audiencesOf(world).delete(row.id);
  return { audience_id: row.id };
}

type Cell = { id?: unknown; audience_ids?: unknown };

/** Digests by audience. Identifiers that are no hash of the column's kind match nobody. */
function readBatch(call: Call, schema: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [r, row] of (call.params['batch_data'] as unknown[]).entries()) {
    if (!Array.isArray(row)) return invalid(`batch_data.${r}: Not a valid list`);
    if (row.length !== schema.length) {
      invalid(`batch_data.${r}: It must have as many members as id_schema, which has ${schema.length}.`);
    }
    for (const [c, value] of row.entries()) {
      const path = `batch_data.${r}.${c}`;
      if (typeof value !== 'object' || value === null) return invalid(`${path}: Not a valid object`);
      const { id, audience_ids } = value as Cell;
      // An empty object fills the place of an identifier that is not known.
      if (id === undefined) continue;
      if (typeof id !== 'string') return invalid(`${path}.id: Not a valid string`);
      if (!Array.isArray(audience_ids) || audience_ids.length === 0) return missing(`${path}.audience_ids`);
      const kind = schema[c]!;
      const hash = id.trim().toLowerCase();
      const shape = kind.endsWith('_MD5') ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{64}$/;
      for (const audience of audience_ids.map(String)) {
        const digests = found.get(audience) ?? [];
        if (shape.test(hash)) digests.push(memberDigest(kind.replace(/_(SHA256|MD5)$/, ''), hash));
        found.set(audience, digests);
      }
    }
  }
  return found;
}

function mapping(call: Call): unknown {
  const { world, params } = call;
  const accounts = params['advertiser_ids'] as string[];
  for (const id of accounts) requireAdvertiser(call, id, true);
  const action = String(params['action']);
  if (action !== 'add' && action !== 'delete') {
    invalid(`action: Invalid value: ${action}. It should be one of [add, delete].`);
  }
  const schema = (params['id_schema'] as string[]).map((name) => name.toUpperCase());
  for (const [i, name] of schema.entries()) {
    if (!SCHEMA.includes(name))
      invalid(`id_schema.${i}: Invalid value: ${name}. It should be one of [${SCHEMA.join(', ')}].`);
    if (schema.indexOf(name) !== i) invalid(`id_schema: ${name} occurs twice.`);
  }
  const batch = readBatch(call, schema);
  const rows = new Map<string, Native>();
  for (const id of batch.keys()) {
    const row = audiencesOf(world).get(id);
    if (!row || !accounts.includes(row.advertiser_id) || row['type'] !== 'STREAMING') {
      invalid(`batch_data: The streaming audience ${id} does not exist.`);
    } else {
      rows.set(id, row);
    }
  }
  const change: MemberAction = action === 'add' ? 'APPEND' : 'REMOVE';
  for (const [id, digests] of batch) {
    const row = changing(call, rows.get(id)!);
    audienceMembers(world).change(id, change, digests);
    audiencesOf(world).put(withHistory(call, row, change, `${change} of ${digests.length} identifier(s)`));
  }
  return {};
}

/** Streaming audiences. */
export const endpoints: Endpoint[] = [writes('segment/audience', segment), writes('segment/mapping', mapping)];
