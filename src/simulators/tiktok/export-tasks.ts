/**
 * Exports that run in the background: comments, blocked words, change logs. They share the pattern of TikTok's tasks:
 * create, check, download; not ready is 40201. The words of the statuses are documented for change logs alone.
 */
import { type Call, TikTokError } from './types.ts';

interface ExportTask {
  id: string;
  kind: string;
  advertiser_id: string;
  params: Record<string, unknown>;
  /** Epoch milliseconds. */
  created: number;
  delay: number;
}

const tasks = (call: Call) => call.world.store.collection<ExportTask>('export_tasks');

/** Queues an export of the call's parameters. */
export function createExport(call: Call, kind: string): { task_id: string } {
  const task: ExportTask = {
    id: call.world.nextId(),
    kind,
    advertiser_id: String(call.params['advertiser_id']),
    params: call.params,
    created: call.now.getTime(),
    delay: call.world.settings.report_delay_ms,
  };
  tasks(call).put(task);
  return { task_id: task.id };
}

function find(call: Call, kind: string): ExportTask {
  const task = tasks(call).get(String(call.params['task_id']));
  if (task?.kind !== kind || task.advertiser_id !== call.params['advertiser_id']) {
    throw new TikTokError(40007, `The task ${String(call.params['task_id'])} does not exist.`);
  }
  return task;
}

const isReady = (call: Call, task: ExportTask) => call.now.getTime() >= task.created + task.delay;

/** Status of an export. */
export function checkExport(call: Call, kind: string): { task_id: string; status: 'PROCESSING' | 'SUCCESS' } {
  const task = find(call, kind);
  return { task_id: task.id, status: isReady(call, task) ? 'SUCCESS' : 'PROCESSING' };
}

/** The parameters of an export that is ready. @throws TikTokError 40201 while it is not */
export function finishedExport(call: Call, kind: string): Record<string, unknown> {
  const task = find(call, kind);
  if (!isReady(call, task)) throw new TikTokError(40201, 'The task is not ready. Status: PROCESSING.');
  return task.params;
}

const cell = (value: unknown): string => {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Lines of cells as CSV. */
export const csvText = (lines: readonly (readonly unknown[])[]): string =>
  `${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
