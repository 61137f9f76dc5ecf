/**
 * The demo workspace: a key with every scope, and each running simulator's test account connected through the real OAuth
 * flow. Made at the first start, found again at later ones. A start that was killed half-way is completed by the next.
 */

import { KEY_SCOPES } from '../core/auth/key-scopes.ts';
import type { Platform } from '../core/connector/types.ts';
import { listApiKeys } from '../core/store/repositories/api-keys.ts';
import {
  createApiKey,
  createWorkspace,
  findApiKeyByHash,
  hashApiKey,
  listConnections,
  listWorkspaces,
  rememberTokenOrigins,
} from '../core/store/repositories/index.ts';
import type { ConnectionRow, WorkspaceRow } from '../core/store/schema.ts';
import type { SimulatorInfo } from '../simulators/kit/worker.ts';
import { connectAccount } from './connect-account.ts';
import { readDemoFile, writeDemoFile } from './demo-file.ts';
import type { App } from './start.ts';

export interface Demo {
  apiKey: string;
  workspace: WorkspaceRow;
  connections: ConnectionRow[];
}

/** Marks the demo workspace among all others: `settings.demo`. */
const MARK = 'demo';
const ENVIRONMENT = 'simulator';

/** Makes or finds the demo. Not for production mode: the key lies in a file. */
export async function openDemo(app: App): Promise<Demo> {
  const { apiKey, workspace } = await demoKey(app);
  for (const simulator of Object.values(app.simulators)) {
    const platform = app.registry.find(simulator.id);
    if (platform === undefined) continue;
    await rememberTestToken(app, platform, simulator);
    await connectTestAccount(app, workspace, platform, simulator);
  }
  writeDemoFile(app.config.dataDir, {
    api_key: apiKey,
    workspace_id: workspace.id,
    url: app.url,
    simulators: Object.fromEntries(
      Object.values(app.simulators).map(({ id, url, controlUrl }) => [id, { url, control_url: controlUrl }]),
    ),
  });
  // Oldest first: the demo's own come before those that people made since.
  const connections = await listConnections(app.store.db, workspace.id, {
    limit: 100,
    sort: 'created_at',
    order: 'asc',
  });
  return { apiKey, workspace, connections };
}

/** The token that the ready line prints is the simulator's: whoever pastes it elsewhere is told so, not the platform. */
async function rememberTestToken({ store }: App, platform: Platform, { ready }: SimulatorInfo): Promise<void> {
  const token = ready['access_token'];
  if (typeof token === 'string') await rememberTokenOrigins(store.db, platform.manifest.type, ENVIRONMENT, [token]);
}

async function demoKey({ store, config, runtime }: App): Promise<{ apiKey: string; workspace: WorkspaceRow }> {
  const { db } = store;
  const kept = readDemoFile(config.dataDir);
  if (kept !== undefined) {
    const found = await findApiKeyByHash(db, hashApiKey(kept.api_key));
    if (found !== undefined && found.key.revoked_at === null)
      return { apiKey: kept.api_key, workspace: found.workspace };
  }
  return db.transaction().execute(async (trx) => {
    const now = runtime.clock.now();
    const known = (await listWorkspaces(trx, { limit: 1000 })).find((row) => row.settings[MARK] === true);
    const workspace =
      known ??
      (await createWorkspace(trx, { name: 'Demo', default_environment: ENVIRONMENT, settings: { [MARK]: true } }, now));
    const number = (await listApiKeys(trx, workspace.id)).length + 1;
    const name = number === 1 ? 'Demo key' : `Demo key ${number}`;
    const { key } = await createApiKey(trx, workspace.id, { name, scopes: [...KEY_SCOPES] }, now);
    return { apiKey: key, workspace };
  });
}

async function connectTestAccount(
  app: App,
  workspace: WorkspaceRow,
  platform: Platform,
  simulator: SimulatorInfo,
): Promise<void> {
  const { type } = platform.manifest;
  const { apps } = app.services;
  if ((await apps.get(workspace.id, type, ENVIRONMENT)) === undefined) {
    const credentials = testApp(simulator.ready);
    if (credentials === undefined) return;
    await apps.put(workspace.id, platform, ENVIRONMENT, credentials);
  }
  const present = await listConnections(app.store.db, workspace.id, {
    integration_type: type,
    environment: ENVIRONMENT,
  });
  if (present.length > 0) return;
  await connectAccount({
    url: app.url,
    back: `${app.publicUrl}/dashboard`,
    workspaceId: workspace.id,
    type,
    controlUrl: simulator.controlUrl,
    external_xref: 'demo-customer',
  });
}

/** The simulator's test app, under the names of its platform; undefined when it has none. */
function testApp(ready: Record<string, unknown>): Record<string, string> | undefined {
  const id = ready['client_id'] ?? ready['app_id'] ?? ready['client_key'];
  const secret = ready['client_secret'] ?? ready['app_secret'] ?? ready['secret'];
  return typeof id === 'string' && typeof secret === 'string' ? { client_id: id, client_secret: secret } : undefined;
}
