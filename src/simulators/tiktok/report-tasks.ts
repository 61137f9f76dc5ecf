/**
 * Asynchronous reports: create, check, download, cancel. Only apps on TikTok's allow list may use them (40118), which
 * is what a new app meets; the setting `async_reports` puts the apps of the simulator on it. Facts: TikTok docs
 * 1740302766489602 (create), 1740302781443073 (check), 1738864800380930 (guide). A task moves on the virtual clock.
 */
import { hex } from '../kit/random.ts';
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
import { type ReportQuery, readQuery } from './report-query.ts';
import { type ReportResult, runReport } from './report-run.ts';
import { workbook } from './report-workbook.ts';
import { statusContext } from './status.ts';
import { type Call, type Endpoint, type Grant, RawAnswer, TikTokError, type World } from './types.ts';

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
  /** Base64 of a workbook; a CSV file is made from its task while it is sent. */
  content?: string;
  task: Task;
  /** Whose report it is. */
  user_id: string;
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

const CREATE = { path: 'report/task/create' } as Endpoint;

/** The checked report of a task: it says what was known when it was done, however late it is fetched. */
const queryOf = (task: Task, call: Pick<Call, 'world' | 'host' | 'grant'>): ReportQuery =>
  readQuery({
    ...call,
    endpoint: CREATE,
    params: task.params,
    now: new Date(task.created + task.delay),
  } as Call);

const titles = (task: Task, query: ReportQuery): string[] => {
  const translate = task.params['enable_report_title_translation'] !== false;
  return [...query.dimensions, ...query.metrics].map((name) => (translate ? title(name) : name));
};

const lines = (result: ReportResult, query: ReportQuery): string[][] =>
  result
    .rows(0, result.length)
    .map((row) => [...Object.values(row.dimensions), ...query.metrics.map((name) => row.metrics[name] ?? '')]);

const csvCell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = (rows: readonly (readonly string[])[]) => rows.map((line) => `${line.map(csvCell).join(',')}\r\n`).join('');

/** Parts of the CSV text are collected up to this length before they are sent. */
const PART = 256 * 1024;

/**
 * The CSV of a report, made while it is sent: campaign by campaign, so that a report of millions of rows is never held.
 * Reports without an id of their objects, and ordered ones, are made in one piece.
 */
async function* csvParts(world: World, task: Task, query: ReportQuery): AsyncGenerator<string> {
  let text = csv([titles(task, query)]);
  const whole = query.level === 'advertiser' || query.idDimension === undefined || query.order !== undefined;
  // Taken before the first part is sent: what is made or deleted meanwhile does not tear the report.
  const campaigns = query.advertisers.flatMap(({ id }) => world.campaigns.by('advertiser', id));
  const pieces = whole ? [query] : [...campaigns].reverse().map((row) => ({ ...query, campaigns: [row] }));
  const contexts = new Map(query.advertisers.map(({ id }) => [id, statusContext(world, id)]));
  for (const piece of pieces) {
    text += csv(lines(runReport(world, piece, contexts), query));
    if (text.length < PART) continue;
    yield text;
    text = '';
    // Others are answered between two parts.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (text !== '') yield text;
}

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
  const query = queryOf(task, call);
  if (format === 'CSV_STRING') return new RawAnswer(200, CSV, csvParts(call.world, task, query));
  const given = String(task.params['file_name'] ?? '').trim();
  const extension = format === 'XLSX_DOWNLOAD' ? 'xlsx' : 'csv';
  // A workbook is made in memory and kept; a CSV file is made when it is fetched, as it was asked for now.
  const content =
    format === 'XLSX_DOWNLOAD'
      ? workbook([titles(task, query), ...lines(runReport(call.world, query), query)])
      : undefined;
  const files = filesOf(call.world);
  for (const old of [...files.values()]) if (old.expires <= now) files.delete(old.id);
  const file: ReportFile = {
    id: hex(40, 'report file', task.id, now),
    name: `${given || `report_${task.id}`}.${extension}`,
    expires: now + LINK_MS,
    ...(content === undefined ? {} : { content: content.toString('base64') }),
    task,
    user_id: call.grant!.user_id,
    type: format === 'XLSX_DOWNLOAD' ? XLSX : CSV,
  };
  files.put(file);
  return {
    download_url: `${call.origin}/report_files/${file.id}.${extension}`,
    file_name: file.name,
    output_format: format,
  };
}

/** The right to read the report as its user has it now: with the ad accounts of the task. */
const grantOf = ({ task, user_id }: ReportFile) => ({ user_id, advertiser_ids: task.advertiser_ids }) as Grant;

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
    body:
      file.content === undefined
        ? csvParts(world, file.task, queryOf(file.task, { world, host: 'production', grant: grantOf(file) }))
        : Buffer.from(file.content, 'base64'),
    code: null,
  };
}
