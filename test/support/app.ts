/**
 * The real app for one test file: started as `polyad start` starts it, on a data directory of its own, beside one
 * simulator in the same process. Time is the machine's, or one virtual time that app and simulator share.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, startApp } from '../../src/app/start.ts';
import { Meter, type Scope } from '../../src/core/calls/scope.ts';
import { systemClock } from '../../src/core/clock.ts';
import { loadConfig } from '../../src/core/config.ts';
import type { Environment, Platform } from '../../src/core/connector/types.ts';
import { PgliteClient } from '../../src/core/store/pglite/client.ts';
import { createApiKey, createWorkspace, getConnection } from '../../src/core/store/repositories/index.ts';
import type { WorkspaceRow } from '../../src/core/store/schema.ts';
import { startSimulators } from '../../src/simulators/kit/host.ts';
import type { LoggedRequest, RunningSimulator, VirtualClock } from '../../src/simulators/kit/types.ts';
import { JumpingClock, OpenRequests } from './jumping-clock.ts';
import { startTap, type Tap } from './tap.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
export type Json = any;

export interface Answer {
  status: number;
  headers: Headers;
  body: Json;
}

export interface TestApp {
  app: App;
  url: string;
  platform: Platform;
  workspace: WorkspaceRow;
  simulator: RunningSimulator;
  /** The proxy between app and simulator, if one was asked for. */
  tap: Tap;
  /** Every log line of the app as JSON text. */
  lines: string[];
  now(): Date;
  /** Moves the virtual time of app and simulator. */
  advance(ms: number): void;
  /** Stops the virtual time until the function it answers is called: nobody's wait ends meanwhile. */
  hold(): () => void;
  /** Resolves when `count` calls wait for a quota; a function is asked again and again. */
  queued(count: number | (() => number)): Promise<void>;
  /** API key of the workspace. */
  key: string;
  /** A request to the app with the workspace's key. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The same, for calls that must succeed: the body. */
  ok(method: string, path: string, body?: unknown): Promise<Json>;
  /** The simulator's control API; throws for its errors. */
  control(method: string, path: string, body?: unknown): Promise<Json>;
  /** What the simulator was asked since the last `clearLog`. */
  requests(path?: string, method?: string): Promise<LoggedRequest[]>;
  clearLog(): Promise<void>;
  /** The simulator as at its first start, at the present time. */
  reset(): Promise<void>;
  /** The whole connect flow by HTTP; answers the query of the last redirect (`id`, `state` or `error`). */
  connect(options?: ConnectOptions): Promise<URLSearchParams>;
  /** What services inside the app are called with. */
  scope(connectionId: string): Promise<Scope>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** More of the auth address: `grant`, `connection_id`, `reauth_token`, `external_xref` ... */
  query?: Record<string, string>;
  /** What the person at the consent page decides, put over what the authorize address asked. */
  consent?: Record<string, unknown>;
}

export interface TestAppOptions {
  /** Folder name under platforms/ and simulators/. */
  platform: string;
  /** `virtual`: stands still while anyone works, and every wait of the app passes at once. */
  clock?: 'virtual' | 'real';
  /** `on`: the simulator refuses whoever calls too often. Default: off. */
  limits?: 'on' | 'off';
  /** Puts a proxy between app and simulator, which can change requests and answers. */
  tap?: boolean;
  /** More configuration variables. */
  variables?: Record<string, string>;
}

/** Queries of the embedded database that are under way in this process: work that no virtual time may overtake. */
let queries = 0;
const { query } = PgliteClient.prototype;
type Query = (sql: string, params?: readonly unknown[]) => Promise<unknown>;
Object.assign(PgliteClient.prototype, {
  async query(this: PgliteClient, ...given: Parameters<Query>): Promise<unknown> {
    queries += 1;
    try {
      return await (query as Query).apply(this, given);
    } finally {
      queries -= 1;
    }
  },
});

/**
 * The simulator's virtual clock as the app's: one time, so that quotas, tokens and reviews of both agree. It stands still
 * while a call to platform or database is under way.
 */
class SharedClock extends JumpingClock {
  readonly #clock: VirtualClock;
  readonly #calls: OpenRequests;
  protected override readonly patientTurns = 24;
  held = false;

  constructor(clock: VirtualClock, platformUrl: string) {
    super();
    this.#clock = clock;
    this.#calls = new OpenRequests(new URL(platformUrl).origin);
  }

  close(): void {
    this.#calls.close();
  }

  now(): Date {
    return this.#clock.now();
  }

  protected jump(end: Date): void {
    this.#clock.set(end);
  }

  protected busy(): boolean {
    return this.#calls.some || queries > 0 || this.held;
  }
}

/** Midday in UTC, so that both sides of UTC have the same date on the day it begins. */
const START = new Date('2026-11-22T12:00:00Z');

export async function startTestApp(options: TestAppOptions): Promise<TestApp> {
  const id = options.platform;
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-app-'));
  const host = await startSimulators({ ids: [id], port: 0 });
  const simulator = host.simulators[id] as RunningSimulator;
  const control = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${simulator.controlUrl}${path}`, { method, ...init });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  const virtual = options.clock === 'virtual';
  /** Never back: the seed was made by the machine's clock, and objects of the future are in no list. */
  const settle = async (at: Date): Promise<void> => {
    await control('PATCH', '/settings', { limits: options.limits ?? 'off' });
    if (!virtual) return;
    simulator.clock.freeze(true);
    const time = Math.max(at.getTime(), simulator.clock.now().getTime());
    simulator.clock.set(new Date(Math.ceil(time / 1000) * 1000));
  };
  await settle(START);
  const tap = options.tap === true ? await startTap(simulator.url) : undefined;
  const upper = id.toUpperCase().replaceAll('-', '_');
  const base = tap?.url ?? simulator.url;
  const config = loadConfig({
    POLYAD_DATA_DIR: dataDir,
    POLYAD_PORT: '0',
    POLYAD_SIMULATORS: 'off',
    POLYAD_RATE_LIMIT_PER_MINUTE: '1000000',
    [`POLYAD_${upper}_SIMULATOR_URL`]: base,
    [`POLYAD_${upper}_SANDBOX_URL`]: `${base}/sandbox`,
    ...options.variables,
  });
  const lines: string[] = [];
  const line = (facts: unknown, text?: string): void => void lines.push(JSON.stringify({ facts, text }));
  const log = { debug: line, info: line, warn: line, error: line };
  const clock = virtual ? new SharedClock(simulator.clock, base) : undefined;
  const app = await startApp({
    config,
    clock: clock ?? systemClock,
    log: log as unknown as NonNullable<Parameters<typeof startApp>[0]['log']>,
    // Tests say themselves when tokens are looked after: `app.tokenSweep.run()`.
    rounds: false,
  });
  const { db } = app.store;
  const workspace = await createWorkspace(db, { name: 'Acme', default_environment: 'simulator' });
  const { key } = await createApiKey(db, workspace.id, { name: 'test', scopes: ['admin'] });
  const platform = app.registry.get(id);
  const { type } = platform.manifest;

  const call: TestApp['call'] = async (method, path, body, headers = {}) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(`${app.url}${path}`, {
      method,
      headers: { authorization: key, ...json, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    let parsed: Json = text;
    try {
      parsed = text === '' ? undefined : JSON.parse(text);
    } catch {}
    return { status: answer.status, headers: answer.headers, body: parsed };
  };
  const ok: TestApp['ok'] = async (method, path, body) => {
    const answer = await call(method, path, body);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const connect: TestApp['connect'] = async ({ query = {}, consent = {} } = {}) => {
    const back = `${app.url}/dashboard`;
    const search = new URLSearchParams({ success_redirect: back, failure_redirect: back, state: 'abc', ...query });
    const link = await (await fetch(`${app.url}/unified/integration/auth/${workspace.id}/${type}?${search}`)).text();
    if (!link.startsWith(app.url)) throw new Error(`no auth address: ${link}`);
    const page = await fetch(link);
    const cookie = page.headers
      .getSetCookie()
      .map((one) => one.split(';', 1)[0])
      .join('; ');
    const going = await fetch(link, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'action=continue',
    });
    const authorize = going.headers.get('location');
    if (authorize === null) throw new Error(`Continue: ${going.status} ${await going.text()}`);
    const asked = Object.fromEntries(new URL(authorize).searchParams);
    const { redirect_url } = await control('POST', '/authorize', { ...asked, ...consent });
    const done = await fetch(redirect_url, { redirect: 'manual', headers: { cookie } });
    const location = done.headers.get('location');
    if (location === null) throw new Error(`callback: ${done.status} ${await done.text()}`);
    return new URL(location).searchParams;
  };

  const { ready } = simulator;
  const aliases = Object.keys(platform.auth.credentialAliases).filter((name) => typeof ready[name] === 'string');
  const credentials = Object.fromEntries(aliases.map((name) => [name, ready[name]]));
  for (const environment of ['simulator', ...(platform.manifest.hosts.sandbox === undefined ? [] : ['sandbox'])])
    await ok('PUT', `/v1/integrations/${type}/${environment as Environment}`, credentials);

  return {
    app,
    url: app.url,
    key,
    platform,
    workspace,
    simulator,
    get tap() {
      if (tap === undefined) throw new Error('this app was started without a tap');
      return tap;
    },
    lines,
    now: () => (virtual ? simulator.clock.now() : new Date()),
    advance: (ms) => simulator.clock.advance(ms),
    hold() {
      if (clock === undefined) throw new Error('only virtual time can be held');
      clock.held = true;
      return () => {
        clock.held = false;
      };
    },
    async queued(count) {
      const needed = typeof count === 'number' ? () => count : count;
      while (app.runtime.pacer.waiting() < needed()) await new Promise((resolve) => setImmediate(resolve));
    },
    call,
    ok,
    control,
    requests: async (path, method) => {
      const query = new URLSearchParams({ limit: '20000', ...(path && { path }), ...(method && { method }) });
      return (await control('GET', `/log?${query}`)).requests;
    },
    clearLog: async () => void (await control('DELETE', '/log')),
    async reset() {
      const at = simulator.clock.now();
      await control('POST', '/reset');
      await settle(at);
    },
    connect,
    async scope(connectionId) {
      const connection = await getConnection(db, workspace.id, connectionId);
      if (connection === undefined) throw new Error(`no connection ${connectionId}`);
      const signal = new AbortController().signal;
      return { workspace, connection, requestId: 'test', signal, meter: new Meter() };
    },
    async close() {
      await app.close(1_000);
      clock?.close();
      await tap?.close();
      await host.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
