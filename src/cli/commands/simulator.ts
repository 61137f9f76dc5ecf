/** `polyad simulator`: the control API of running simulators. */
import { readConfig } from '../../app/config-file.ts';
import { readDemoFile } from '../../app/demo-file.ts';
import { reach, type TargetFlags } from '../client.ts';
import { CliError, EXIT, usage } from '../errors.ts';
import { readDuration, readPair, readWhole } from '../flags.ts';
import { print, readFormat } from '../output.ts';
import { stdoutStyle, withProgress } from '../terminal.ts';

export interface SimulatorFlags extends TargetFlags {
  output?: string;
  /** Base or control address; else the demo's simulators, else the configured port. */
  url?: string;
  /** Id, where several run. */
  simulator?: string;
}

/** Control addresses of simulators that may be running, by id. */
async function controls(flags: SimulatorFlags): Promise<Record<string, string>> {
  const named = flags.url ?? (process.env['POLYAD_SIMULATOR_URL'] || undefined);
  if (named !== undefined) {
    if (!URL.canParse(named)) throw usage(`\`${named}\` is not an address.`);
    const base = named.replace(/\/+$/, '').replace(/\/_control$/, '');
    return { [flags.simulator ?? '']: `${base}/_control` };
  }
  const config = await readConfig(process.env, { POLYAD_DATA_DIR: flags.dataDir });
  const known = readDemoFile(config.dataDir)?.simulators;
  if (known !== undefined && Object.keys(known).length > 0)
    return Object.fromEntries(Object.entries(known).map(([id, { control_url: control }]) => [id, control]));
  return { '': `http://127.0.0.1:${config.simulatorPort}/_control` };
}

/** The one control address that a command is for. */
async function controlOf(flags: SimulatorFlags): Promise<string> {
  const all = await controls(flags);
  const ids = Object.keys(all);
  if (flags.simulator !== undefined && all[flags.simulator] !== undefined) return all[flags.simulator] as string;
  if (ids.length === 1 && (flags.simulator === undefined || ids[0] === '')) return Object.values(all)[0] as string;
  throw usage(
    flags.simulator === undefined ? 'Several simulators run.' : `There is no simulator \`${flags.simulator}\`.`,
    `Choose one with --simulator: ${ids.join(', ')}.`,
  );
}

/** One control call. @throws CliError with the simulator's own words. */
export async function control<T = unknown>(base: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await reach(
    `${base}${path}`,
    { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
    'The simulator',
  );
  const text = await response.text();
  let answer: { error?: { message?: string } };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    answer = {};
  }
  if (response.ok) return answer as T;
  throw new CliError(`The simulator answered ${response.status}: ${answer.error?.message ?? text.slice(0, 300)}`, {
    exitCode: EXIT.refused,
    code: 'simulator_refused',
    fix: `GET ${base} lists what it takes.`,
  });
}

/** Calls the control API and prints what it answers. */
async function run(flags: SimulatorFlags, method: string, path: string, body?: unknown, rows?: string): Promise<void> {
  const format = readFormat(flags.output);
  const answer = await control<Record<string, unknown>>(await controlOf(flags), method, path, body);
  print(rows === undefined || format === 'json' ? answer : answer[rows], format);
}

export async function list(flags: SimulatorFlags): Promise<void> {
  const format = readFormat(flags.output);
  const found = [];
  for (const [id, base] of Object.entries(await controls(flags))) {
    const url = base.replace(/\/_control$/, '');
    try {
      const state = await control<{ id: string; now: string; counts?: unknown }>(base, 'GET', '/state');
      found.push({ id: state.id, state: 'running', url, control_url: base, clock: state.now, records: state.counts });
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
      found.push({ id: id || '?', state: 'not reachable', url, control_url: base });
    }
  }
  print(found, format);
  if (found.every((one) => one.state !== 'running')) process.exitCode = EXIT.unreachable;
}

export const clock = {
  get: (flags: SimulatorFlags) => run(flags, 'GET', '/clock'),
  advance: (by: string, flags: SimulatorFlags) => run(flags, 'POST', '/clock/advance', { ms: readDuration(by) }),
  set: (at: string, flags: SimulatorFlags) => run(flags, 'POST', '/clock/set', { at }),
  freeze: (flags: SimulatorFlags & { off?: boolean }) =>
    run(flags, 'POST', '/clock/freeze', { frozen: flags.off !== true }),
  reset: (flags: SimulatorFlags) => run(flags, 'POST', '/clock/reset', {}),
};

export interface FaultFlags extends SimulatorFlags {
  path?: string;
  method?: string;
  rate?: string;
  times?: string;
  ms?: string;
}

export const fault = {
  add(kind: string, flags: FaultFlags): Promise<void> {
    const { path, method, rate, times, ms } = flags;
    if (rate !== undefined && !(Number(rate) >= 0 && Number(rate) <= 1)) throw usage('--rate must be from 0 to 1.');
    return run(flags, 'POST', '/faults', {
      kind,
      ...(path === undefined ? {} : { path }),
      ...(method === undefined ? {} : { method: method.toUpperCase() }),
      ...(rate === undefined ? {} : { rate: Number(rate) }),
      ...(times === undefined ? {} : { times: readWhole('--times', times) }),
      ...(ms === undefined ? {} : { ms: readDuration(/^\d+$/.test(ms) ? `${ms}ms` : ms) }),
    });
  },
  list: (flags: SimulatorFlags) => run(flags, 'GET', '/faults', undefined, 'faults'),
  remove: (id: string, flags: SimulatorFlags) =>
    run(flags, 'DELETE', `/faults/${encodeURIComponent(id)}`, undefined, 'faults'),
  clear: (flags: SimulatorFlags) => run(flags, 'DELETE', '/faults', undefined, 'faults'),
};

export interface LogFlags extends SimulatorFlags {
  follow?: boolean;
  path?: string;
  method?: string;
  limit?: string;
  clear?: boolean;
  interval?: string;
}

interface Logged {
  seq: number;
  at: string;
  method: string;
  path: string;
  status: number;
  code: string | number | null;
  durationMs: number;
  fault?: string;
}

/** How often `--follow` asks, in ms. */
const FOLLOW_MS = 500;

export async function log(flags: LogFlags): Promise<void> {
  const base = await controlOf(flags);
  if (flags.clear === true) return run(flags, 'DELETE', '/log');
  const format = readFormat(flags.output ?? (flags.follow === true ? 'ndjson' : undefined));
  const query = new URLSearchParams();
  if (flags.path !== undefined) query.set('path', flags.path);
  if (flags.method !== undefined) query.set('method', flags.method.toUpperCase());
  query.set('limit', String(readWhole('--limit', flags.limit ?? '50')));
  type Answer = { requests: Logged[]; last: number };
  const first = await control<Answer>(base, 'GET', `/log?${query}`);
  if (flags.follow !== true) {
    print(
      first.requests,
      format,
      format === 'table' ? ['seq', 'at', 'method', 'path', 'status', 'code', 'durationMs', 'fault'] : undefined,
    );
    return;
  }
  const show = (rows: readonly Logged[]): void => {
    for (const row of rows)
      process.stdout.write(
        process.stdout.isTTY && flags.output === undefined ? `${line(row)}\n` : `${JSON.stringify(row)}\n`,
      );
  };
  show(first.requests);
  query.set('limit', '1000');
  for (let { last } = first; ; ) {
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    query.set('since', String(last));
    const next = await control<Answer>(base, 'GET', `/log?${query}`);
    show(next.requests);
    // A reset log counts from the beginning again.
    last = next.last;
  }
}

function line(row: Logged): string {
  const style = stdoutStyle();
  const failed = row.status >= 400 || (typeof row.code === 'number' && row.code !== 0);
  const result = `${row.status}${row.code === null ? '' : ` ${row.code}`}`;
  return [
    style.dim(row.at.slice(11, 23)),
    row.method.padEnd(6),
    row.path,
    failed ? style.red(result) : style.green(result),
    style.dim(`${Math.round(row.durationMs)} ms`),
    row.fault === undefined ? '' : style.yellow(`fault: ${row.fault}`),
  ].join(' ');
}

export interface SeedFlags extends SimulatorFlags {
  ads?: string;
  accounts?: string;
  advertiser?: string;
  days?: string;
  set?: string[];
}

/** Names of what can be seeded. */
export async function seed(name: string, flags: SeedFlags): Promise<void> {
  const extra = Object.fromEntries((flags.set ?? []).map(readPair).map(([key, value]) => [key, scalar(value)]));
  const number = (flag: string, text: string | undefined) => (text === undefined ? undefined : readWhole(flag, text));
  const bodies: Record<string, () => Record<string, unknown>> = {
    volume: () => ({
      volume: number('--ads', flags.ads ?? '25000'),
      advertiser_id: flags.advertiser,
      days: number('--days', flags.days),
    }),
    accounts: () => ({ advertisers: number('--accounts', flags.accounts ?? '10') }),
  };
  const make = bodies[name];
  if (make === undefined) throw usage(`There is no seed \`${name}\`.`, `Known are ${Object.keys(bodies).join(', ')}.`);
  const format = readFormat(flags.output);
  const base = await controlOf(flags);
  const answer = await withProgress(`seeding ${name}`, () => control(base, 'POST', '/seed', { ...make(), ...extra }));
  print(answer, format);
}

const scalar = (text: string): unknown => {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) && text.length < 16 ? Number(text) : text;
};

export async function reset(flags: SimulatorFlags): Promise<void> {
  const format = readFormat(flags.output);
  const base = await controlOf(flags);
  print(await withProgress('resetting', () => control(base, 'POST', '/reset', {})), format);
}

/** Without pairs: shows the settings. */
export function settings(pairs: string[], flags: SimulatorFlags): Promise<void> {
  if (pairs.length === 0) return run(flags, 'GET', '/settings');
  return run(
    flags,
    'PATCH',
    '/settings',
    Object.fromEntries(pairs.map(readPair).map(([name, value]) => [name, scalar(value)])),
  );
}

/** Any route of the control API. */
export async function raw(method: string, path: string, flags: SimulatorFlags & { data?: string }): Promise<void> {
  const { readData } = await import('../flags.ts');
  const clean = `/${path.replace(/^\/+/, '').replace(/^_control\/?/, '')}`;
  return run(
    flags,
    method.toUpperCase(),
    clean === '/' ? '' : clean,
    flags.data === undefined ? undefined : await readData(flags.data),
    clean === '/' ? 'routes' : undefined,
  );
}
