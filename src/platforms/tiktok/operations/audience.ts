/**
 * Custom audiences: made from rules, from other audiences, from files, or empty to be filled by stream. Sources: dmp/* and
 * segment/* of the TikTok API for Business docs.
 */
import { createHash } from 'node:crypto';
import type { AudienceSpec } from '../../../core/connector/audience-spec.ts';
import type { ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { audienceFields, RETENTION, typeOf, WANTED_LOOKALIKE, WANTED_RULE, WANTED_TYPE } from '../entities/audience.ts';
import { call, dataOf, pages, read as request, rowsOf, write as send } from '../request.ts';
import { numberedList } from './shared.ts';

/** Most rows of a page of dmp/custom_audience/list. */
const PAGE = 100;

const missing = (field: string, reason: string): PolyadError =>
  new PolyadError('input_field_required', { message: reason, details: { missing: [field] } });

async function find(input: OperationInput, id: string): Promise<Native | undefined> {
  try {
    const data = await request(input, 'dmp/custom_audience/get', { custom_audience_ids: [id] });
    const [row] = rowsOf(data, 'list');
    return row === undefined ? undefined : ((row['audience_details'] as Native | undefined) ?? row);
  } catch (error) {
    if (error instanceof PolyadError && error.code === 'platform_not_found') return undefined;
    throw error;
  }
}

function lookalikeSpec(wanted: Native | undefined): Native {
  if (wanted?.['source_id'] === undefined || wanted['location_ids'] === undefined)
    throw missing('lookalike', 'A lookalike audience needs `lookalike.source_id` and `lookalike.location_ids`.');
  return {
    source_audience_id: wanted['source_id'],
    include_source: wanted['include_source'] ?? false,
    mobile_os: wanted['operating_system'] ?? 'ALL',
    placements: wanted['placements'] ?? ['TikTok'],
    location_ids: wanted['location_ids'],
    audience_size: wanted['reach'] ?? 'BALANCED',
  };
}

/** Sends the creation of whichever kind; answers the new id. */
async function create(input: OperationInput, native: Native): Promise<string> {
  const name = native['name'];
  switch (native[WANTED_TYPE]) {
    case 'STREAM': {
      const { audience_id: id } = await send(input, 'segment/audience', {
        action: 'create',
        custom_audience_name: name,
      });
      return String(id);
    }
    case 'LOOKALIKE': {
      const { custom_audience_id: id } = await send(input, 'dmp/custom_audience/lookalike/create', {
        custom_audience_name: name,
        lookalike_spec: lookalikeSpec(native[WANTED_LOOKALIKE] as Native | undefined),
      });
      return String(id);
    }
    case 'RULE': {
      const rule = native[WANTED_RULE] as Native | undefined;
      if (rule?.['audience_type'] === undefined || rule['rule_spec'] === undefined)
        throw missing('rule', 'An audience by rule needs `rule.audience_type` and `rule.rule_spec`, in TikTok’s form.');
      const { custom_audience_id: id } = await send(input, 'dmp/custom_audience/rule/create', {
        ...rule,
        custom_audience_name: name,
        ...(native[RETENTION] === undefined ? {} : { retention_in_days: native[RETENTION] }),
      });
      return String(id);
    }
    default:
      throw new PolyadError('input_value_unsupported', {
        message: 'An audience of the type FILE is made from its members: POST /ads/{connection_id}/audience/from_file.',
        details: { field: 'type', allowed: ['STREAM', 'RULE', 'LOOKALIKE'] },
      });
  }
}

/** Audiences as unified objects. */
export const audience: ObjectSpec = {
  native: 'custom audience',
  scope: 'organization',
  fields: audienceFields,
  list: {
    ...numberedList('dmp/custom_audience/list', PAGE),
    filters: { type: { kind: 'local' }, query: { kind: 'local' } },
  },
  get: find,
  async create(input, native) {
    const id = await create(input, native);
    return { row: (await find(input, id)) ?? { ...native, audience_id: id } };
  },
  async remove(input, id, write) {
    const row = await write.current();
    if (typeOf(row) === 'STREAM')
      await send(input, 'segment/audience', { action: 'delete', delete_audience_id: id }, true);
    else await send(input, 'dmp/custom_audience/delete', { custom_audience_ids: [id] }, true);
  },
  refusals: {
    update: 'What an audience is cannot be changed; its members can: POST /ads/{connection_id}/audience/{id}/members.',
  },
  idempotency: {
    async find(input, { unified, since }) {
      const found: Native[] = [];
      for await (const row of pages(input, 'dmp/custom_audience/list', { rows: 'list', size: PAGE })) {
        const made = Date.parse(`${String(row['create_time']).replace(' ', 'T')}Z`);
        if (row['name'] === unified['name'] && !(made < since.getTime())) found.push(row);
      }
      return found;
    },
    check: 'In TikTok Ads Manager, under Assets, Audiences: an audience of that name made at that time.',
  },
};

/** Formats of advertising ids: IDFA upper case, GAID lower case (TikTok Events API docs; audiences say no more). */
export const audiences: AudienceSpec = {
  identifiers: {
    email: { steps: ['trim', 'lowercase'], stream: 'EMAIL_SHA256', file: 'EMAIL_SHA256' },
    phone: { steps: ['trim', 'e164'], stream: 'PHONE_SHA256', file: 'PHONE_SHA256' },
    idfa: { steps: ['trim', 'uppercase'], stream: 'IDFA_SHA256', file: 'IDFA_SHA256' },
    gaid: { steps: ['trim', 'lowercase'], stream: 'AAID_SHA256', file: 'GAID_SHA256' },
  },
  method: (row) =>
    ({ STREAM: 'stream', FILE: 'file', RULE: 'none', LOOKALIKE: 'none' })[typeOf(row)] as 'stream' | 'file' | 'none',
  fileKind: (row) => (typeof row['calculate_type'] === 'string' ? row['calculate_type'] : undefined),
  stream: {
    // No limit is documented for batch_data (unverified); integrators send a thousand rows and less.
    maxRows: 1_000,
    async send(input, audienceId, action, { columns, rows }) {
      const ids = [audienceId];
      await input.ctx.request({
        ...call(input.ctx, {
          method: 'POST',
          endpoint: 'segment/mapping',
          organizationId: input.organization.id,
          json: {
            advertiser_ids: [input.organization.id],
            action: action === 'add' ? 'add' : 'delete',
            id_schema: columns,
            batch_data: rows.map((row) =>
              row.map((value) => (value === undefined ? {} : { id: value, audience_ids: ids })),
            ),
          },
          // Adding who is there, or taking out who is not, changes nothing.
          idempotent: true,
        }),
      });
    },
  },
  file: {
    maxRows: 100_000,
    // Advised by TikTok for one creation.
    maxFiles: 50,
    async upload({ ctx, organization }, kind, text) {
      const data = dataOf(
        await ctx.request(
          call(ctx, {
            method: 'POST',
            endpoint: 'dmp/custom_audience/file/upload',
            organizationId: organization.id,
            multipart: [
              { name: 'advertiser_id', value: organization.id },
              { name: 'calculate_type', value: kind },
              { name: 'file_signature', value: createHash('md5').update(text).digest('hex') },
              { name: 'file', value: { filename: 'members.csv', contentType: 'text/csv', data: text } },
            ],
            // A file that nobody names in an audience does nothing.
            idempotent: true,
          }),
        ),
      );
      return String(data['file_path']);
    },
    async create(input, { name, kind, retentionDays }, files) {
      const { custom_audience_id: id } = await send(input, 'dmp/custom_audience/create', {
        custom_audience_name: name,
        calculate_type: kind,
        file_paths: files,
        ...(retentionDays === undefined ? {} : { retention_in_days: retentionDays }),
      });
      return String(id);
    },
    async update(input, audienceId, action, files) {
      await send(
        input,
        'dmp/custom_audience/update',
        {
          custom_audience_id: audienceId,
          action: { add: 'APPEND', remove: 'REMOVE', replace: 'REPLACE' }[action],
          file_paths: files,
        },
        true,
      );
    },
  },
  async apply(input, audienceId, { groupIds, action, usage }) {
    await send(
      input,
      'dmp/custom_audience/apply',
      {
        custom_audience_id: audienceId,
        adgroup_ids: groupIds,
        // These words are case-sensitive.
        action_mode: action === 'apply' ? 'Apply' : 'Disconnect',
        usage_mode: usage === 'include' ? 'Include' : 'Exclude',
      },
      true,
    );
  },
  async share(input, audienceId, { organizationIds, action }) {
    if (action === 'share') {
      await send(
        input,
        'dmp/custom_audience/share',
        { custom_audience_ids: [audienceId], shared_advertiser_ids: organizationIds },
        true,
      );
      return;
    }
    for (const id of organizationIds)
      await send(
        input,
        'dmp/custom_audience/share/cancel',
        { custom_audience_id: audienceId, shared_advertiser_id: id },
        true,
      );
  },
};
