/** Instant forms and their leads: page/get, page/lead/task (begun and asked by the same endpoint), page/lead/task/download. */

import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { Lead, LeadForm, LeadSpec } from '../../core/connector/lead-spec.ts';
import type { OperationInput } from '../../core/connector/object-spec.ts';
import type { Native } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { call, pages, write as send } from './request.ts';

/** Columns that are about the lead; all others are what was filled in. */
const COLUMNS: Readonly<Record<string, keyof Omit<Lead, 'fields'>>> = {
  lead_id: 'id',
  create_time: 'created_at',
  page_id: 'form_id',
  campaign_id: 'campaign_id',
  campaign_name: 'campaign_name',
  adgroup_id: 'group_id',
  adgroup_name: 'group_name',
  ad_id: 'ad_id',
  ad_name: 'ad_name',
};

const instant = (value: unknown): string | undefined => {
  const at = typeof value === 'string' ? Date.parse(`${value.replace(' ', 'T')}Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
};

const task = (input: OperationInput, members: Native): Promise<Native> => send(input, 'page/lead/task', members, true);

async function* forms(input: OperationInput): AsyncGenerator<LeadForm> {
  for await (const row of pages(input, 'page/get', { rows: 'list', size: 50, query: { business_type: 'LEAD_GEN' } })) {
    const [created, updated] = [instant(row['create_time']), instant(row['update_time'])];
    yield {
      id: String(row['page_id']),
      ...(typeof row['title'] === 'string' ? { name: row['title'] } : {}),
      ...(typeof row['status'] === 'string' ? { native_status: row['status'] } : {}),
      ...(created === undefined ? {} : { created_at: created }),
      ...(updated === undefined ? {} : { updated_at: updated }),
    };
  }
}

/** One row of the file. Members that are empty are left out. */
function leadOf(row: Record<string, string>): Lead {
  const lead: Lead = { id: '', fields: [] };
  for (const [name, value] of Object.entries(row)) {
    const known = COLUMNS[name];
    if (known === undefined) lead.fields.push({ name, value });
    else if (value !== '') lead[known] = known === 'created_at' ? (instant(value) ?? value) : value;
  }
  return lead;
}

async function* download({ ctx, organization }: OperationInput, { task_id }: Native): AsyncGenerator<Lead> {
  const { headers, body } = await ctx.stream(
    call(ctx, {
      endpoint: 'page/lead/task/download',
      organizationId: organization.id,
      query: { advertiser_id: organization.id, task_id },
    }),
  );
  // TikTok may answer an archive; when it does is not documented.
  if (/zip/.test(headers['content-type'] ?? ''))
    throw new PolyadError('platform_unknown_error', {
      message: 'TikTok answered the leads as an archive, which is not read here.',
    });
  const rows = Readable.from(body).pipe(parse({ columns: true, bom: true, skip_empty_lines: true }));
  for await (const row of rows) yield leadOf(row as Record<string, string>);
}

/** TikTok's leads. */
export const leads: LeadSpec = {
  forms,
  begin: (input, formId) => task(input, { page_id: formId }),
  async ready(input, { task_id }) {
    const { status } = await task(input, { task_id });
    if (status === 'FAILED')
      throw new PolyadError('platform_rejected', { message: 'TikTok could not make the export of leads.' });
    return status === 'SUCCEED';
  },
  download,
};
