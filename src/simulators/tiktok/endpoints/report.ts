/**
 * `report/integrated/get` and `report/task/*`. Parameters: official SDK yml `report_integrated_get.yml`,
 * `report_task_*.yml`; rules: TikTok docs 1740302848100353, 1740302766489602.
 */

import { spendingOf } from '../delivery.ts';
import { pageParams } from '../paging.ts';
import { readQuery } from '../report-query.ts';
import { cachedReport } from '../report-run.ts';
import { cancelTask, checkTask, createTask, downloadTask, reportFiles } from '../report-tasks.ts';
import { useSpending } from '../status.ts';
import type { Call, Endpoint, Page, Param } from '../types.ts';

useSpending(spendingOf);

const LEVELS = ['ADVERTISER', 'CAMPAIGN', 'ADGROUP', 'AD'];

const FILTER: readonly Param[] = [
  { name: 'field_name', type: 'string', required: true },
  {
    name: 'filter_type',
    type: 'string',
    required: true,
    enum: ['BETWEEN', 'GREATER_EQUAL', 'GREATER_THAN', 'IN', 'LOWER_EQUAL', 'LOWER_THAN', 'MATCH', 'RANGE'],
  },
  { name: 'filter_value', type: 'string', required: true },
];

const COMMON: readonly Param[] = [
  { name: 'advertiser_id', type: 'string' },
  { name: 'advertiser_ids', type: 'array', items: { type: 'string' } },
  { name: 'service_type', type: 'string', enum: ['AUCTION', 'RESERVATION'] },
  {
    name: 'data_level',
    type: 'string',
    enum: [...LEVELS.map((level) => `AUCTION_${level}`), ...LEVELS.map((level) => `RESERVATION_${level}`)],
  },
  { name: 'metrics', type: 'array', items: { type: 'string' } },
  { name: 'start_date', type: 'string' },
  { name: 'end_date', type: 'string' },
  { name: 'query_lifetime', type: 'boolean' },
  { name: 'order_field', type: 'string' },
  { name: 'order_type', type: 'string', enum: ['ASC', 'DESC'] },
  { name: 'filtering', type: 'array', items: { type: 'object', fields: FILTER } },
];

const TASK: readonly Param[] = [
  { name: 'advertiser_id', type: 'string', required: true },
  { name: 'task_id', type: 'string', required: true },
];

function integratedGet(call: Call) {
  const query = readQuery(call);
  const { page, page_size } = pageParams(call);
  const { page: _page, page_size: _size, ...asked } = call.params;
  const report = cachedReport(call.world, query, [call.host, asked]);
  if (report.truncated) call.setHeader('X-Tt-Ads-Throttle', 'true');
  return {
    list: report.rows((page - 1) * page_size, page * page_size),
    page_info: {
      page,
      page_size,
      total_number: report.length,
      total_page: Math.ceil(report.length / page_size),
    },
    // The yml names the member and does not have nulls dropped; that it is null when not asked for is unverified.
    total_metrics: report.totals ?? null,
  };
}

export const endpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: 'report/integrated/get',
    auth: 'token',
    sandbox: true,
    params: [
      ...COMMON,
      { name: 'bc_id', type: 'string' },
      {
        name: 'report_type',
        type: 'string',
        required: true,
        enum: ['AUDIENCE', 'BASIC', 'BC', 'CATALOG', 'PLAYABLE_MATERIAL', 'TT_SHOP'],
      },
      { name: 'dimensions', type: 'array', items: { type: 'string' } },
      { name: 'enable_total_metrics', type: 'boolean' },
      { name: 'multi_adv_report_in_utc_time', type: 'boolean' },
      { name: 'query_mode', type: 'string', enum: ['REGULAR', 'CHUNK'] },
      { name: 'page', type: 'integer', min: 1 },
      { name: 'page_size', type: 'integer', min: 1, max: 1000 },
    ],
    handle: integratedGet,
  },
  {
    method: 'POST',
    path: 'report/task/create',
    auth: 'token',
    params: [
      ...COMMON,
      { name: 'report_type', type: 'string', required: true, enum: ['AUDIENCE', 'BASIC', 'CATALOG'] },
      { name: 'dimensions', type: 'array', required: true, items: { type: 'string' } },
      { name: 'enable_report_title_translation', type: 'boolean' },
      { name: 'file_name', type: 'string' },
      { name: 'output_format', type: 'string', enum: ['CSV_DOWNLOAD', 'CSV_STRING', 'XLSX_DOWNLOAD'] },
    ],
    handle: createTask,
  },
  { method: 'GET', path: 'report/task/check', auth: 'token', params: TASK, handle: checkTask },
  { method: 'GET', path: 'report/task/download', auth: 'token', params: TASK, handle: downloadTask },
  { method: 'POST', path: 'report/task/cancel', auth: 'token', params: TASK, handle: cancelTask },
];

/** Serves the files behind `download_url`. */
export const pages: readonly Page[] = [reportFiles];
