/**
 * Copies of campaigns, which TikTok makes step by step: campaign/copy/task/{create,check}, and the same of Smart+. The id
 * of a copy is that of its task, with the generation in front where it is Smart+: each has a check of its own.
 */
import { type Codec, custom, enums, id, money, text, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import type { ObjectSpec } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { nameLength } from '../entities/campaign.ts';
import { read, rowsOf, write as send } from '../request.ts';
import { generationOfCampaign } from './automation.ts';

const SMART = 'smart_plus.';

const object = (value: unknown): Native => (value !== null && typeof value === 'object' ? (value as Native) : {});
const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))) : [];

/** Everything that could not be copied: of the campaign, its ad groups and their ads. */
function errorsOf(result: Native): string[] {
  return [
    ...strings(result['campaign_error_infos']),
    ...rowsOf(result, 'adgroup_result_list').flatMap((group) => [
      ...strings(group['adgroup_error_list']),
      ...[...rowsOf(group, 'ad_list_result'), ...rowsOf(group, 'ad_result_list')].flatMap((ad) =>
        strings(ad['ad_error_list']),
      ),
    ]),
  ];
}

const failures: Codec = custom({
  name: 'tiktok.copyErrors',
  decode(native) {
    const { task_result: result, adgroup_error_list: early } = native as Native;
    const found = [...errorsOf(object(result)), ...strings(early)];
    return found.length === 0 ? undefined : found;
  },
});

const fields: readonly FieldRule[] = [
  { unified: 'id', native: 'copy_id', codec: id, access: 'read' },
  { unified: 'campaign_id', native: 'campaign_id', codec: id, access: 'create', required: true },
  {
    unified: 'name',
    native: 'campaign_name',
    codec: text({ max: 512, length: nameLength }),
    access: 'create',
    required: true,
  },
  {
    unified: 'status',
    native: 'operation_status',
    codec: enums({ ENABLE: 'ACTIVE', DISABLE: 'PAUSED' }),
    access: 'create',
    note: 'PAUSED unless you say otherwise.',
  },
  { unified: 'budget_amount', native: 'budget', codec: money.decimal({ unset: 0 }), access: 'create' },
  { unified: 'start_at', native: 'schedule_start_time', codec: time.utcText, access: 'create' },
  { unified: 'end_at', native: 'schedule_end_time', codec: time.utcText, access: 'create' },
  {
    unified: 'state',
    native: 'task_status',
    codec: enums({ RUNNING: 'RUNNING', SUCCESS: 'DONE', FAILURE: 'FAILED' }),
    access: 'read',
  },
  { unified: 'new_campaign_id', native: 'task_result.campaign_id', codec: id, access: 'read' },
  { unified: 'automation', native: 'generation', codec: text(), access: 'read' },
  { unified: 'errors', native: ['task_result', 'adgroup_error_list'], codec: failures, access: 'read' },
];

/** Copies of TikTok's campaigns. */
export const campaignCopy: ObjectSpec = {
  native: 'campaign/copy/task',
  scope: 'organization',
  fields,
  async get(input, copyId) {
    const smart = copyId.startsWith(SMART);
    const task_id = smart ? copyId.slice(SMART.length) : copyId;
    if (!/^\d{1,20}$/.test(task_id)) return undefined;
    const row = await read(input, `${smart ? 'smart_plus/' : ''}campaign/copy/task/check`, { task_id });
    return { ...row, copy_id: copyId, generation: smart ? 'smart_plus' : undefined };
  },
  async create(input, native, { requestToken }) {
    const smart = (await generationOfCampaign(input, String(native['campaign_id']))) === 'smart_plus';
    const { schedule_start_time: start, schedule_end_time: end } = native;
    const schedule =
      start === undefined && end === undefined
        ? {}
        : { schedule_type: end === undefined ? 'SCHEDULE_FROM_NOW' : 'SCHEDULE_START_END' };
    const body = { operation_status: 'DISABLE', ...schedule, ...native, request_id: requestToken };
    const data = await send(input, `${smart ? 'smart_plus/' : ''}campaign/copy/task/create`, body);
    const taskId = String(data['task_id']);
    return {
      row: {
        ...native,
        ...data,
        copy_id: smart ? `${SMART}${taskId}` : taskId,
        generation: smart ? 'smart_plus' : undefined,
        task_status: 'RUNNING',
      },
    };
  },
  refusals: {
    list: 'TikTok lists no copies: keep the id that the creation answers.',
    update: 'A copy that has begun cannot be changed: change the new campaign.',
    remove: 'A copy that has begun cannot be stopped: remove the new campaign.',
  },
};
