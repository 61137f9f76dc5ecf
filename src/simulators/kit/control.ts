import { FAULT_KINDS, type Faults } from './faults.ts';
import type { RequestLog } from './request-log.ts';
import type { Fault, VirtualClock } from './types.ts';

/** One call of the control API. */
export interface ControlCall {
  /** Values of `:name` parts of the path. */
  params: Record<string, string>;
  query: Record<string, string>;
  /** The JSON body; `{}` if there was none. */
  body: Record<string, unknown>;
}

/** One route below `/_control`. */
export interface ControlRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With leading slash and `:name` parts: `/faults/:id`. */
  path: string;
  /** One line for the list that `GET /_control` gives. */
  summary: string;
  /** Returns the JSON answer (200), or throws `ControlError`. */
  handle(call: ControlCall): unknown | Promise<unknown>;
}

/** A refusal of the control API: answered as `{ "error": { "message" } }`. */
export class ControlError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
  }
}

/** Refuses a body or query: answered with 400 and the message. */
export function bad(message: string): never {
  throw new ControlError(400, message);
}

/** The row that a route names, or 404 `no <what>`. */
export function found<T>(row: T | undefined, what: string): T {
  if (row === undefined) throw new ControlError(404, `no ${what}`);
  return row;
}

/** Typed readers of a body; each refuses a wrong type by name. */
export function reader(body: Record<string, unknown>) {
  const read = <T>(name: string, what: string, is: (value: unknown) => boolean): T | undefined => {
    const value = body[name];
    if (value === undefined || value === null) return undefined;
    return is(value) ? (value as T) : bad(`${name} must be ${what}`);
  };
  const isText = (value: unknown) => typeof value === 'string';
  return {
    text: (name: string) => read<string>(name, 'a text', isText),
    texts: (name: string) =>
      read<string[]>(name, 'a list of texts', (value) => Array.isArray(value) && value.every(isText)),
    /** A list of ids that may be written as numbers, as long as those are exact. */
    ids: (name: string) =>
      read<(string | number)[]>(
        name,
        'a list of texts or whole numbers',
        (value) => Array.isArray(value) && value.every((id) => isText(id) || Number.isSafeInteger(id)),
      )?.map(String),
    number: (name: string) => read<number>(name, 'a number', (value) => Number.isFinite(value)),
    flag: (name: string) => read<boolean>(name, 'true or false', (value) => typeof value === 'boolean'),
    need: (name: string) => read<string>(name, 'a text', isText) ?? bad(`${name} is missing`),
  };
}

/** One of a list, or a refusal that names the list. */
export function oneOf<T extends string>(name: string, value: string | undefined, known: readonly T[], fallback: T): T {
  if (value === undefined) return fallback;
  return known.find((item) => item === value) ?? bad(`${name} must be one of ${known.join(', ')}`);
}

const UNITS: Record<string, number> = { ms: 1, seconds: 1e3, minutes: 6e4, hours: 36e5, days: 864e5 };

const readClock = (clock: VirtualClock) => ({ now: clock.now().toISOString() });

function advance(clock: VirtualClock, body: Record<string, unknown>) {
  const given = Object.keys(UNITS).filter((unit) => body[unit] !== undefined);
  if (given.length === 0) throw new ControlError(400, `give one or more of ${Object.keys(UNITS).join(', ')}`);
  let ms = 0;
  for (const unit of given) {
    const value = body[unit];
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new ControlError(400, `${unit} must be a number`);
    ms += value * UNITS[unit]!;
  }
  try {
    clock.advance(ms);
  } catch {
    throw new ControlError(400, 'that is beyond the times a clock can show');
  }
  return readClock(clock);
}

function readFault(body: Record<string, unknown>): Omit<Fault, 'id'> & { id?: string } {
  const kind = FAULT_KINDS.find((known) => known === body['kind']);
  if (!kind) throw new ControlError(400, `kind must be one of ${FAULT_KINDS.join(', ')}`);
  const fault: Omit<Fault, 'id'> & { id?: string } = { kind };
  for (const name of ['id', 'path', 'method'] as const) {
    const value = body[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value === '') throw new ControlError(400, `${name} must be a text`);
    fault[name] = value;
  }
  for (const name of ['rate', 'times', 'ms'] as const) {
    const value = body[name];
    if (value === undefined) continue;
    const wrong = typeof value !== 'number' || value < 0 || (name === 'rate' && value > 1);
    if (wrong || (name === 'times' && (!Number.isInteger(value) || value < 1))) {
      throw new ControlError(400, `${name} must be a number${name === 'rate' ? ' from 0 to 1' : ''}`);
    }
    fault[name] = value;
  }
  return fault;
}

/** A whole number of a query, or an error naming it. */
function whole(query: Record<string, string>, name: string): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new ControlError(400, `${name} must be a whole number`);
  return Number(text);
}

/** What every simulator hands to `kitRoutes`. */
export interface ControlParts {
  id: string;
  clock: VirtualClock;
  faults: Faults;
  log: RequestLog;
  /** Forgets everything and makes the base seed again. */
  reset(): void;
  /** A summary of the state: how many of what. */
  state(): Record<string, unknown>;
  /** Makes more data. Body and answer are the simulator's own; throws `ControlError` for names it does not know. */
  seed(body: Record<string, unknown>): unknown | Promise<unknown>;
  settings: {
    read(): Record<string, unknown>;
    /** Throws `ControlError` 400 for a name or value it does not know. */
    update(patch: Record<string, unknown>): void;
  };
}

/**
 * The routes that every simulator has:
 * - `GET /clock` → `{ now }`; `POST /clock/advance` `{ ms?, seconds?, minutes?, hours?, days? }` (added up, may be
 *   negative); `POST /clock/set` `{ at }` (ISO 8601); `POST /clock/freeze` `{ frozen = true }`; `POST /clock/reset`.
 * - `GET /faults`; `POST /faults` a `Fault` without id → the switch with its id; `DELETE /faults/:id`;
 *   `DELETE /faults` (or `POST /faults/clear`) removes all.
 * - `GET /log?since=&path=&method=&limit=` → `{ requests, last }`; `DELETE /log` (or `POST /log/clear`).
 * - `GET /settings`; `PATCH /settings` (or `POST`) with the settings to change → all settings.
 * - `POST /seed` → the simulator's own; `POST /reset` → everything as at the first start, machine time; `GET /state`.
 */
export function kitRoutes(parts: ControlParts): ControlRoute[] {
  const { clock, faults, log } = parts;
  const route = (
    method: ControlRoute['method'],
    path: string,
    summary: string,
    handle: ControlRoute['handle'],
  ): ControlRoute => ({ method, path, summary, handle });

  const clearFaults = () => {
    faults.clear();
    return { faults: [] };
  };
  const clearLog = () => {
    log.clear();
    return { requests: [], last: log.last };
  };
  const changeSettings = ({ body }: ControlCall) => {
    parts.settings.update(body);
    return parts.settings.read();
  };

  return [
    route('GET', '/clock', 'the virtual time', () => readClock(clock)),
    route('POST', '/clock/advance', 'jump by ms, seconds, minutes, hours, days', ({ body }) => advance(clock, body)),
    route('POST', '/clock/set', 'set the time: { at }', ({ body }) => {
      const at = typeof body['at'] === 'string' ? new Date(body['at']) : new Date(Number.NaN);
      if (Number.isNaN(at.getTime())) throw new ControlError(400, 'at must be an ISO 8601 time');
      clock.set(at);
      return readClock(clock);
    }),
    route('POST', '/clock/freeze', 'stop the clock: { frozen } (default true; false lets it run)', ({ body }) => {
      clock.freeze(body['frozen'] !== false);
      return readClock(clock);
    }),
    route('POST', '/clock/reset', "back to the machine's time", () => {
      clock.reset();
      return readClock(clock);
    }),
    route('GET', '/faults', 'the fault switches', () => ({ faults: faults.list() })),
    route('POST', '/faults', 'add a switch: { kind, path?, method?, rate?, times?, ms? }', ({ body }) =>
      faults.add(readFault(body)),
    ),
    route('POST', '/faults/clear', 'remove all switches', clearFaults),
    route('DELETE', '/faults', 'remove all switches', clearFaults),
    route('DELETE', '/faults/:id', 'remove one switch', ({ params }) => {
      if (!faults.remove(params['id']!)) throw new ControlError(404, `no fault ${params['id']}`);
      return { faults: faults.list() };
    }),
    route('GET', '/log', 'the requests answered: ?since=&path=&method=&limit=', ({ query }) => {
      const since = whole(query, 'since');
      const limit = whole(query, 'limit');
      const { path, method } = query;
      return {
        requests: log.list({
          ...(since === undefined ? {} : { since }),
          ...(limit === undefined ? {} : { limit }),
          ...(path === undefined ? {} : { path }),
          ...(method === undefined ? {} : { method }),
        }),
        last: log.last,
      };
    }),
    route('DELETE', '/log', 'empty the log', clearLog),
    route('POST', '/log/clear', 'empty the log', clearLog),
    route('GET', '/settings', 'the switches of this simulator', () => parts.settings.read()),
    route('PATCH', '/settings', 'change switches', changeSettings),
    route('POST', '/settings', 'change switches', changeSettings),
    route('POST', '/seed', 'make more data', ({ body }) => parts.seed(body)),
    route('POST', '/reset', 'everything as at the first start', () => {
      faults.clear();
      log.clear();
      clock.reset();
      parts.reset();
      return parts.state();
    }),
    route('GET', '/state', 'what there is', () => ({ id: parts.id, ...readClock(clock), ...parts.state() })),
  ];
}

interface CompiledRoute {
  route: ControlRoute;
  names: string[];
  pattern: RegExp;
}

/**
 * The control API as one function of method, path below `/_control`, query and body text.
 * Never throws: an error is an answer `{ error: { message } }` with its status.
 */
export function createControl(routes: readonly ControlRoute[]) {
  const compiled: CompiledRoute[] = routes.map((route) => {
    const names: string[] = [];
    const source = route.path.replace(/:(\w+)/g, (_, name: string) => {
      names.push(name);
      return '([^/]+)';
    });
    return { route, names, pattern: new RegExp(`^${source}/?$`) };
  });

  const readBody = (text: string): Record<string, unknown> => {
    if (text.trim() === '') return {};
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      throw new ControlError(400, 'the body is no JSON');
    }
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new ControlError(400, 'the body must be a JSON object');
    }
    return body as Record<string, unknown>;
  };

  const answer = async (method: string, path: string, query: Record<string, string>, body: string) => {
    if (path === '' || path === '/') {
      return { routes: routes.map(({ method, path, summary }) => ({ method, path: `/_control${path}`, summary })) };
    }
    const onPath = compiled.filter(({ pattern }) => pattern.test(path));
    if (onPath.length === 0) throw new ControlError(404, `no control route ${path}; GET /_control lists them`);
    const found = onPath.find(({ route }) => route.method === method);
    if (!found) {
      throw new ControlError(405, `${path} takes ${onPath.map(({ route }) => route.method).join(', ')}`);
    }
    const values = found.pattern.exec(path)!.slice(1).map(decodeURIComponent);
    const params = Object.fromEntries(found.names.map((name, i) => [name, values[i] ?? '']));
    return await found.route.handle({ params, query, body: readBody(body) });
  };

  return async (
    method: string,
    path: string,
    query: Record<string, string>,
    body: string,
  ): Promise<{ status: number; body: unknown }> => {
    try {
      return { status: 200, body: (await answer(method, path, query, body)) ?? {} };
    } catch (error) {
      const status = error instanceof ControlError ? error.status : 500;
      return { status, body: { error: { message: error instanceof Error ? error.message : String(error) } } };
    }
  };
}
