import { reads, textsOf, writes } from '../declared.ts';
import { checkExport, createExport, finishedExport } from '../export-tasks.ts';
import type { DeliveryState, Past } from '../history.ts';
import { advertiserIdOf } from '../params.ts';
import { invalid, readTime } from '../rules.ts';
import { parseStamp } from '../stamp.ts';
import type { Call, Endpoint, Native } from '../types.ts';

/**
 * The change log: changelog/task/{create,check,download}. It tells what the simulator remembers of its objects: when they
 * were made, switched, and given another budget or schedule. Facts: an independent transcription of the reference; the
 * words of object types and activities are (unverified).
 */

const KIND = 'changelog';
const LEVELS = [
  ['CAMPAIGN', 'campaigns', 'campaign_name'],
  ['ADGROUP', 'adgroups', 'adgroup_name'],
  ['AD', 'ads', 'ad_name'],
] as const;

interface Line {
  at: number;
  type: string;
  row: Native;
  name: unknown;
  action: string;
  detail: string;
  before: string | null;
  after: string | null;
}

const WATCHED = [
  ['on', 'status', 'Status'],
  ['budget', 'budget', 'Budget'],
  ['schedule_end_time', 'schedule', 'End time'],
] as const;

/** What changed between two states of an object. */
function changes(before: DeliveryState, after: DeliveryState): Pick<Line, 'action' | 'detail' | 'before' | 'after'>[] {
  const text = (value: unknown) =>
    value === null ? null : typeof value === 'boolean' ? (value ? 'ENABLE' : 'DISABLE') : String(value);
  return WATCHED.filter(([name]) => before[name] !== after[name]).map(([name, action, detail]) => ({
    action,
    detail,
    before: text(before[name]),
    after: text(after[name]),
  }));
}

function stateOf(row: Native): DeliveryState {
  return {
    on: (row['operation_status'] ?? 'ENABLE') === 'ENABLE',
    budget: Number(row['budget'] ?? 0),
    budget_mode: String(row['budget_mode'] ?? ''),
    schedule_start_time: (row['schedule_start_time'] as string | undefined) ?? null,
    schedule_end_time: (row['schedule_end_time'] as string | undefined) ?? null,
  };
}

function linesOf(call: Call, wanted: readonly string[] | undefined): Line[] {
  const { world } = call;
  const past = world.store.collection<Past>('past');
  const lines: Line[] = [];
  for (const [type, rows, nameField] of LEVELS) {
    for (const row of world[rows].by('advertiser', advertiserIdOf(call))) {
      if (wanted && !wanted.includes(row.id)) continue;
      const common = { type, row, name: row[nameField] };
      const created = parseStamp(String(row['create_time']))?.getTime() ?? 0;
      lines.push({ ...common, at: created, action: 'create', detail: 'Created', before: null, after: null });
      const states = past.get(row.id)?.states ?? [];
      for (const [i, state] of states.entries()) {
        for (const change of changes(state, states[i + 1] ?? stateOf(row))) {
          lines.push({ ...common, at: state.until, ...change });
        }
      }
    }
  }
  return lines;
}

const period = (params: Record<string, unknown>) => {
  const from = readTime('start_time', params['start_time']).getTime();
  const to = readTime('end_time', params['end_time']).getTime();
  if (to < from) invalid('end_time: It must not be earlier than start_time.');
  return { from, to };
};

function download(call: Call): unknown {
  const params = finishedExport(call, KIND);
  const { from, to } = period(params);
  const type = params['object_type'];
  const lines = linesOf(call, params['object_ids'] as string[] | undefined)
    .filter(({ at }) => at >= from && at <= to)
    .filter((line) => type === undefined || line.type === type)
    .toSorted((a, b) => b.at - a.at);
  const count = (action: string) => lines.filter((line) => line.action === action).length;
  return {
    status: 'SUCCESS',
    changelog: {
      file_name: `changelog_${advertiserIdOf(call)}.csv`,
      file_data: {
        changes: { budget: count('budget'), bid: 0, status: count('status'), targeting: 0 },
        logs: lines.map((line) => ({
          time: call.world.stamp(new Date(line.at)),
          log_object_type: line.type,
          object_id: line.row.id,
          object: line.name,
          operator: 'API',
          source: 'API',
          app_id: call.app?.id ?? null,
          activity_details: [
            {
              action: line.action,
              name: line.detail,
              before_after: line.after === null ? [] : [line.before, line.after],
            },
          ],
        })),
      },
    },
  };
}

/** The change log. */
export const endpoints: Endpoint[] = [
  writes(
    'changelog/task/create',
    (call) => {
      period(call.params);
      textsOf(call, 'object_ids');
      return createExport(call, KIND);
    },
    { write: false },
  ),
  reads('changelog/task/check', (call) => ({ status: checkExport(call, KIND).status })),
  reads('changelog/task/download', download),
];
