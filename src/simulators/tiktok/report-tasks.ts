/**
 * Asynchronous reports: create, check, download, cancel. Only apps on TikTok's allow list may use them (40118), which
 * is what a new app meets; the setting `async_reports` puts the apps of the simulator on it. Facts: TikTok docs
 * 1740302766489602 (create), 1740302781443073 (check), 1738864800380930 (guide). A task moves on the virtual clock.
 */
import { hex } from '../kit/random.ts';
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
import { readQuery } from './report-query.ts';
import { type ReportResult, runReport } from './report-run.ts';
import { workbook } from './report-workbook.ts';
import { type Call, RawAnswer, TikTokError, type World } from './types.ts';

type TaskStatus = 'QUEUING' | 'PROCESSING' | 'SUCCESS' | 'FAILED' | 'CANCELED';
type Format = 'CSV_STRING' | 'CSV_DOWNLOAD' | 'XLSX_DOWNLOAD';

/** A task as kept. Times are epoch milliseconds of the virtual clock. */
interface Task {
  id: string;
  advertiser_ids: string[];
  params: Record<string, unknown>;
  created: number;
  delay: number;
  fails: boolean;
  canceled: boolean;
}

/** A finished file behind a `download_url`. */
interface ReportFile {
  id: string;
  name: string;
  expires: number;
  /** Base64. */
  content: string;
  type: string;
}

/** How long a `download_url` works (TikTok docs 1738864800380930). */
const LINK_MS = 3_600_000;
const CSV = 'text/csv; charset=utf-8';
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

const tasksOf = (world: World) => world.store.collection<Task>('report_tasks');
const filesOf = (world: World) => world.store.collection<ReportFile>('report_files');

function requireAllowList(call: Call): void {
  if (!call.world.settings.async_reports) {
    throw new TikTokError(40118, `Your app is not on the allowlist for /${call.endpoint.path}/.`);
  }
}

function statusOf(task: Task, now: number): TaskStatus {
  if (task.canceled) return 'CANCELED';
  const age = now - task.created;
  if (age < task.delay / 2) return 'QUEUING';
  if (age < task.delay) return 'PROCESSING';
  return task.fails ? 'FAILED' : 'SUCCESS';
}

function readTask(call: Call): Task {
  const task = tasksOf(call.world).get(String(call.params['task_id']));
  if (!task?.advertiser_ids.includes(String(call.params['advertiser_id']))) {
    throw new TikTokError(40007, `The task ${String(call.params['task_id'])} does not exist.`);
  }
  return task;
}

/** Filters that asynchronous reports know (TikTok docs 1740302766489602). */
const TASK_FILTERS = ['campaign_ids', 'adgroup_ids', 'ad_ids'];

/** `report/task/create`: checks the report and queues it. */
export function createTask(call: Call): { task_id: string } {
  requireAllowList(call);
  const filtering = call.params['filtering'];
  for (const filter of Array.isArray(filtering) ? (filtering as Record<string, unknown>[]) : []) {
    if (!TASK_FILTERS.includes(String(filter['field_name']))) {
      throw new TikTokError(40002, `filtering: Invalid field_name: ${String(filter['field_name'])}.`);
    }
  }
  const query = readQuery(call);
  const { settings } = call.world;
  const task: Task = {
    id: call.world.nextId(),
    advertiser_ids: query.advertisers.map(({ id }) => id),
    params: call.params,
    created: call.now.getTime(),
    delay: settings.report_delay_ms,
    fails: settings.report_fails,
    canceled: false,
  };
  tasksOf(call.world).put(task);
  return { task_id: task.id };
}

/** `report/task/check`. */
export function checkTask(call: Call): { status: TaskStatus; message: string } {
  requireAllowList(call);
  const status = statusOf(readTask(call), call.now.getTime());
  return { status, message: status === 'FAILED' ? 'The report could not be generated. Create a new task.' : '' };
}

/** `report/task/cancel`: a task that has ended cannot be canceled. */
export function cancelTask(call: Call): { status: TaskStatus; message: string } {
  requireAllowList(call);
  const task = readTask(call);
  const status = statusOf(task, call.now.getTime());
  if (status === 'SUCCESS' || status === 'FAILED') {
    throw new TikTokError(40002, `The task ${task.id} has ended with the status ${status} and cannot be canceled.`);
  }
  tasksOf(call.world).put({ ...task, canceled: true });
  return { status: 'CANCELED', message: '' };
}

/** Titles that are more than the name with capitals (unverified). */
const TITLES: Readonly<Record<string, string>> = {
  stat_time_day: 'By Day',
  stat_time_hour: 'By Hour',
  spend: 'Cost',
  impressions: 'Impressions',
  ctr: 'CTR (Destination)',
  cpc: 'CPC (Destination)',
  cpm: 'CPM',
  clicks: 'Clicks (Destination)',
  conversion: 'Conversions',
};

const title = (name: string): string =>
  TITLES[name] ??
  name
    .split('_')
    .map((word) => (word === 'id' ? 'ID' : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ');

/** The report as lines of cells, the first one with the titles. */
function cells(task: Task, call: Call): string[][] {
  // The report says what was known when it was done, however late it is fetched.
  const at = new Date(task.created + task.delay);
  const query = readQuery({
    ...call,
    endpoint: { ...call.endpoint, path: 'report/task/create' },
    params: task.params,
    now: at,
  });
  const result: ReportResult = runReport(call.world, query);
  const columns = [...query.dimensions, ...query.metrics];
  const translate = task.params['enable_report_title_translation'] !== false;
  return [
    columns.map((name) => (translate ? title(name) : name)),
    ...result
      .rows(0, result.length)
      .map((row) => [...Object.values(row.dimensions), ...query.metrics.map((name) => row.metrics[name] ?? '')]),
  ];
}

const csvCell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = (lines: readonly (readonly string[])[]) =>
  `${lines.map((line) => line.map(csvCell).join(',')).join('\r\n')}\r\n`;

/**
 * `report/task/download`: the CSV text itself for CSV_STRING, a link of one hour otherwise.
 * @throws TikTokError 40201 while the task is under way, 40200 if it failed or was canceled.
 */
export function downloadTask(call: Call): unknown {
  requireAllowList(call);
  const task = readTask(call);
  const now = call.now.getTime();
  const status = statusOf(task, now);
  if (status === 'QUEUING' || status === 'PROCESSING') {
    throw new TikTokError(40201, `The task is not ready. Status: ${status}.`);
  }
  if (status !== 'SUCCESS') throw new TikTokError(40200, `The task has no result. Status: ${status}.`);
  const format = (task.params['output_format'] ?? 'CSV_STRING') as Format;
  const lines = cells(task, call);
  if (format === 'CSV_STRING') return new RawAnswer(200, CSV, csv(lines));
  const given = String(task.params['file_name'] ?? '').trim();
  const extension = format === 'XLSX_DOWNLOAD' ? 'xlsx' : 'csv';
  const content = format === 'XLSX_DOWNLOAD' ? workbook(lines) : Buffer.from(csv(lines));
  const files = filesOf(call.world);
  for (const old of [...files.values()]) if (old.expires <= now) files.delete(old.id);
  const file: ReportFile = {
    id: hex(40, 'report file', task.id, now),
    name: `${given || `report_${task.id}`}.${extension}`,
    expires: now + LINK_MS,
    content: content.toString('base64'),
    type: format === 'XLSX_DOWNLOAD' ? XLSX : CSV,
  };
  files.put(file);
  return {
    download_url: `${call.origin}/report_files/${file.id}.${extension}`,
    file_name: file.name,
    output_format: format,
  };
}

/** Serves a `download_url`; 403 once its hour is over, as storage hosts do with links that have run out (unverified). */
export function reportFiles(request: SimulatorRequest, world: World): SimulatorAnswer | undefined {
  const match = /^\/report_files\/([0-9a-f]+)\.(csv|xlsx)$/.exec(request.path);
  if (!match || request.method !== 'GET') return undefined;
  const file = filesOf(world).get(match[1]!);
  if (!file || file.expires <= world.clock.now().getTime()) {
    return { status: 403, headers: { 'content-type': 'text/plain' }, body: 'The link has expired.', code: null };
  }
  return {
    status: 200,
    headers: {
      'content-type': file.type,
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
    },
    body: Buffer.from(file.content, 'base64'),
    code: null,
  };
}
