/** The core with its real store, over the test platform, on a virtual clock; and a browser that keeps cookies. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectFlow } from '../../../src/core/auth/connect.ts';
import type { BrowserAnswer } from '../../../src/core/auth/connect-page.ts';
import type { StartQuery } from '../../../src/core/auth/connect-start.ts';
import { Keyring, parseMasterKeys } from '../../../src/core/auth/keyring.ts';
import type { RefreshLease } from '../../../src/core/auth/life/lease.ts';
import type { StepHook } from '../../../src/core/auth/life/steps.ts';
import { SecretStore } from '../../../src/core/auth/secret-store.ts';
import {
  type ConnectionServices,
  createConnectionServices,
  createTokenServices,
  type TokenServices,
} from '../../../src/core/auth/services.ts';
import { Signer } from '../../../src/core/auth/signing.ts';
import { Vault } from '../../../src/core/auth/vault.ts';
import { Meter, type Scope } from '../../../src/core/calls/scope.ts';
import { loadConfig } from '../../../src/core/config.ts';
import { PlatformRegistry } from '../../../src/core/connector/registry.ts';
import type { Platform } from '../../../src/core/connector/types.ts';
import { EgressPolicy } from '../../../src/core/http/egress.ts';
import { createRuntime, HttpClient, type Runtime } from '../../../src/core/runtime.ts';
import { openStore, type Store } from '../../../src/core/store/port.ts';
import { createWorkspace, getConnection, listEvents } from '../../../src/core/store/repositories/index.ts';
import type { ConnectionRow, WorkspaceRow } from '../../../src/core/store/schema.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { type LoopAds, loopAdsPlatform, startLoopAds } from './loop-ads.ts';

export const PUBLIC_URL = 'https://polyad.example';

/** A browser: keeps our cookie, knows where it stands. */
export class Browser {
  cookie: string | undefined;

  take(answer: BrowserAnswer): BrowserAnswer {
    const set = answer.headers['set-cookie'];
    if (set !== undefined) this.cookie = set.split(';')[0];
    return answer;
  }
}

/** How a second process differs from the first. */
export interface TwinOptions {
  lease?: RefreshLease;
  onStep?: StepHook;
}

export interface World extends TokenServices, ConnectionServices {
  clock: VirtualClock;
  store: Store;
  secrets: SecretStore;
  signer: Signer;
  runtime: Runtime;
  platform: LoopAds;
  module: Platform;
  workspace: WorkspaceRow;
  /** Log lines as JSON text. */
  lines: string[];
  /** A second process on the same database: its own memory. */
  twin(options?: TwinOptions): Omit<World, 'twin' | 'close'>;
  row(id: string): Promise<ConnectionRow>;
  events(type?: string): Promise<string[]>;
  scope(connection: ConnectionRow): Scope;
  /** `GET /me` through the pipeline, as any call of ours. */
  me(connection: ConnectionRow): Promise<unknown>;
  close(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-connect-'));
  const clock = new VirtualClock();
  const lines: string[] = [];
  const line = (facts: object, text: string): void => {
    lines.push(
      JSON.stringify({ ...facts, text }, (_key, value) =>
        value instanceof Error ? { ...value, message: value.message, stack: value.stack, cause: value.cause } : value,
      ),
    );
  };
  const log = { debug: line, info: line, warn: line, error: line };
  const store = await openStore({ dataDir, log: { debug() {}, info() {}, warn() {}, error() {} } });
  const platform = await startLoopAds(() => clock.now().getTime());
  const keyring = new Keyring(parseMasterKeys(Buffer.alloc(32, 9).toString('base64')));
  const secrets = new SecretStore(new Vault(keyring));
  const signer = new Signer([keyring.active.bytes]);
  const module = loopAdsPlatform();
  const registry = new PlatformRegistry([module]);
  const config = loadConfig({
    POLYAD_DATA_DIR: dataDir,
    POLYAD_LOOP_PRODUCTION_URL: platform.url,
    POLYAD_LOOP_SANDBOX_URL: platform.url,
  });
  const workspace = await createWorkspace(
    store.db,
    { name: 'Acme & <Sons>', settings: { redirect_origins: ['https://app.example'] } },
    clock.now(),
  );
  const https: HttpClient[] = [];

  const build = ({ lease, onStep }: TwinOptions = {}) => {
    const http = new HttpClient(new EgressPolicy({ trusted: config.hosts }));
    https.push(http);
    const parts = {
      store,
      secrets,
      registry,
      http,
      clock,
      log,
      signer,
      hosts: config.hosts,
      publicUrl: () => PUBLIC_URL,
      lease,
      onStep,
    };
    const tokens = createTokenServices(parts);
    const runtime = createRuntime({
      config,
      store,
      registry,
      clock,
      log,
      http,
      tokens: tokens.tokens,
      random: () => 0,
    });
    const scope = (connection: ConnectionRow): Scope => ({
      workspace,
      connection,
      requestId: 'req-1',
      signal: new AbortController().signal,
      meter: new Meter(),
    });
    return {
      ...tokens,
      ...createConnectionServices(parts, tokens, runtime),
      clock,
      store,
      secrets,
      signer,
      runtime,
      platform,
      module,
      workspace,
      lines,
      scope,
      async row(id: string) {
        const row = await getConnection(store.db, workspace.id, id);
        if (row === undefined) throw new Error(`no connection ${id}`);
        return row;
      },
      async events(type?: string) {
        return (await listEvents(store.db, workspace.id, { type, order: 'asc' })).map((event) => event.type);
      },
      async me(connection: ConnectionRow) {
        const ctx = runtime.context(scope(connection));
        return (await ctx.request({ method: 'GET', path: '/me', operation: 'me' })).json;
      },
    };
  };
  const world = build();
  await world.apps.put(workspace.id, module, 'production', {
    app_id: platform.app.client_id,
    secret: platform.app.client_secret,
  });
  return {
    ...world,
    twin: build,
    async close() {
      await world.connections.settle();
      for (const http of https) await http.destroy();
      await platform.close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** What a browser's request carries. */
export const asked = (browser: Browser) => ({
  cookie: browser.cookie,
  requestId: 'req-1',
  signal: new AbortController().signal,
});

/** The part of a connect link after `/connect/`. */
export const linkOf = (url: string): string => {
  const prefix = `${PUBLIC_URL}/connect/`;
  if (!url.startsWith(prefix)) throw new Error(`not a connect link: ${url}`);
  return url.slice(prefix.length);
};

/** Link, page, Continue: answers the platform's authorize address. */
export async function toPlatform(
  connect: ConnectFlow,
  workspaceId: string,
  browser: Browser,
  query: StartQuery = {},
): Promise<string> {
  const { url } = await connect.start(workspaceId, 'loopads', query);
  browser.take(await connect.page(linkOf(url), asked(browser)));
  const answer = await connect.submit(linkOf(url), { action: 'continue' }, asked(browser));
  if (answer.status !== 302) throw new Error(`Continue answered ${answer.status}: ${answer.body}`);
  return answer.headers['location'] as string;
}

/** Hands the platform's redirect to our callback. */
export function comeBack(
  connect: ConnectFlow,
  address: string,
  browser: Browser,
  type = 'loopads',
): Promise<BrowserAnswer> {
  const query = Object.fromEntries(new URL(address).searchParams);
  return connect.callback(type, query, asked(browser));
}

/** The whole flow with a person who says yes; answers the last redirect's query. */
export async function connectOnce(
  world: World,
  query: StartQuery = {},
  browser = new Browser(),
): Promise<URLSearchParams> {
  const authorize = await toPlatform(world.connect, world.workspace.id, browser, {
    success_redirect: 'https://app.example/done',
    ...query,
  });
  const answer = await comeBack(world.connect, world.platform.decide(authorize), browser);
  if (answer.status !== 302) throw new Error(`callback answered ${answer.status}: ${answer.body}`);
  return new URL(answer.headers['location'] as string).searchParams;
}
