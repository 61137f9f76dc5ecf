/** The real server over the real store and runtime, on a free port, with a test platform behind it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { buildCore } from '../../../src/app/services.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { loadConfig } from '../../../src/core/config.ts';
import { PlatformRegistry } from '../../../src/core/connector/registry.ts';
import { openStore, type Store } from '../../../src/core/store/port.ts';
import {
  createApiKey,
  createWorkspace,
  getConnection,
  listApiCalls,
} from '../../../src/core/store/repositories/index.ts';
import type { ApiCallRow, ConnectionRow, WorkspaceRow } from '../../../src/core/store/schema.ts';
import { buildServer } from '../../../src/server/app.ts';
import { testPlatform } from './platform.ts';
import { startUpstream, type Upstream } from './upstream.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes; each test says what it expects.
type Json = any;

export interface Harness {
  url: string;
  app: FastifyInstance;
  store: Store;
  upstream: Upstream;
  workspace: WorkspaceRow;
  connection: ConnectionRow;
  /** Keys by what they may do. */
  keys: Record<'read' | 'write' | 'admin' | 'operator', string>;
  /** The call log, newest first. */
  calls(): Promise<ApiCallRow[]>;
  /** Sends a request with the write key unless told otherwise; `json()` gives a value of any shape. */
  fetch(
    path: string,
    init?: RequestInit & { key?: string | null },
  ): Promise<Omit<Response, 'json'> & { json(): Promise<Json> }>;
  /** The same, with a JSON body and a parsed JSON answer. */
  call(
    method: string,
    path: string,
    options?: { key?: string | null; body?: unknown },
  ): Promise<{ status: number; body: Json }>;
  close(): Promise<void>;
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export async function startHarness(env: Record<string, string> = {}): Promise<Harness> {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-server-'));
  const upstream = await startUpstream();
  const config = loadConfig({
    POLYAD_DATA_DIR: dataDir,
    POLYAD_PORT: '0',
    POLYAD_TESTADS_PRODUCTION_URL: upstream.url,
    ...env,
  });
  const store = await openStore({ dataDir, log: quiet });
  const workspace = await createWorkspace(store.db, { name: 'Acme' });
  const keys = {} as Harness['keys'];
  for (const scope of ['read', 'write', 'admin', 'operator'] as const) {
    const scopes = scope === 'write' ? ['write', 'spend'] : [scope];
    keys[scope] = (await createApiKey(store.db, workspace.id, { name: scope, scopes })).key;
  }
  let url = '';
  const registry = new PlatformRegistry([testPlatform]);
  const core = await buildCore({
    config,
    store,
    registry,
    clock: systemClock,
    log: quiet,
    publicUrl: () => config.publicUrl ?? url,
  });
  const app = await buildServer(core.runtime, core.services);
  url = await app.listen({ port: 0, host: '127.0.0.1' });

  const send: Harness['fetch'] = (path, { key = keys.write, ...init } = {}) =>
    fetch(`${url}${path}`, {
      redirect: 'manual',
      ...init,
      headers: { ...(key === null ? {} : { authorization: key }), ...(init.headers as Record<string, string>) },
    });
  const call: Harness['call'] = async (method, path, { key = keys.write, body } = {}) => {
    const answer = await send(path, {
      method,
      key,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Json };
  };
  // Credentials are imported as a client imports them.
  const imported = await call('POST', '/unified/connection', {
    body: {
      integration_type: 'testads',
      environment: 'Production',
      external_xref: 'customer-7',
      auth: { access_token: 'platform-token' },
    },
  });
  if (imported.status !== 200) throw new Error(JSON.stringify(imported.body));
  const connection = (await getConnection(store.db, workspace.id, imported.body.id)) as ConnectionRow;
  return {
    url,
    app,
    store,
    upstream,
    workspace,
    connection,
    keys,
    calls: async () => {
      await core.services.callLog.flush();
      return listApiCalls(store.db, workspace.id);
    },
    fetch: send,
    call,
    close: async () => {
      await app.stop(500);
      await core.close();
      await upstream.close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
