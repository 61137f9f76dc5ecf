/** One polyad node as far as tokens go: store, secrets, token care, on a Postgres schema that several processes share. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { toSealed } from '../../../src/core/auth/credentials.ts';
import { Keyring, parseMasterKeys } from '../../../src/core/auth/keyring.ts';
import { beginLife } from '../../../src/core/auth/life/begin.ts';
import { noLease, StoreLease } from '../../../src/core/auth/life/lease.ts';
import type { StepHook } from '../../../src/core/auth/life/steps.ts';
import { SecretStore } from '../../../src/core/auth/secret-store.ts';
import { Tokens } from '../../../src/core/auth/tokens.ts';
import { Vault } from '../../../src/core/auth/vault.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { PlatformRegistry } from '../../../src/core/connector/registry.ts';
import { HttpClient } from '../../../src/core/http/client.ts';
import { EgressPolicy } from '../../../src/core/http/egress.ts';
import { openStore, type Store } from '../../../src/core/store/port.ts';
import { createConnection, createWorkspace } from '../../../src/core/store/repositories/index.ts';
import type { ConnectionRow } from '../../../src/core/store/schema.ts';
import { type RotatingProvider, rotatingPlatform } from './rotating-provider.ts';

/** The master key of all nodes. */
export const MASTER_KEY = Buffer.alloc(32, 5).toString('base64');

/** Time that runs `factor` times as fast as the machine's, the same in every process. */
export class FastClock implements Clock {
  readonly #factor: number;
  readonly #origin: number;

  constructor(factor: number, origin: number) {
    this.#factor = factor;
    this.#origin = origin;
  }

  now(): Date {
    return new Date(this.#origin + (Date.now() - this.#origin) * this.#factor);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleep(ms / this.#factor, undefined, signal === undefined ? {} : { signal });
  }
}

export interface NodeSettings {
  /** Undefined: the embedded database in `dataDir`, for one process. */
  databaseUrl?: string | undefined;
  dataDir?: string;
  providerUrl: string;
  /** How much faster than the machine's the time is that tokens are about, and since when. */
  factor: number;
  origin: number;
  leaseMs: number;
  spendingMs: number;
  /** No lease over processes: the baseline of benchmarks. Default: the row in the database. */
  lease?: 'row' | 'none';
}

export interface TestNode {
  clock: Clock;
  store: Store;
  secrets: SecretStore;
  tokens: Tokens;
  lines: string[];
  close(): Promise<void>;
}

/** A schema of its own for one run. */
export async function ownSchema(base: string): Promise<{ url: string; drop(): Promise<void> }> {
  const schema = `polyad_tokens_${randomBytes(6).toString('hex')}`;
  const admin = async (statement: string): Promise<void> => {
    const client = new pg.Client(base);
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await admin(`create schema ${schema}`);
  const own = new URL(base);
  own.searchParams.set('options', `-c search_path=${schema} -c client_min_messages=warning`);
  return { url: own.href.replaceAll('+', '%20'), drop: () => admin(`drop schema ${schema} cascade`) };
}

/** Opens a node. `poolSize` is small, since several run at once. */
export async function openNode(settings: NodeSettings, onStep?: StepHook, given?: Clock): Promise<TestNode> {
  const { databaseUrl, dataDir = '/nonexistent', providerUrl, factor, origin, leaseMs, spendingMs } = settings;
  const clock = given ?? new FastClock(factor, origin);
  const lines: string[] = [];
  const line = (facts: object, text: string): void => void lines.push(`${text} ${JSON.stringify(facts)}`);
  const log = { debug: () => undefined, info: line, warn: line, error: line };
  const store = await openStore({ databaseUrl, dataDir, log, poolSize: 8 });
  const secrets = new SecretStore(new Vault(new Keyring(parseMasterKeys(MASTER_KEY))));
  const http = new HttpClient(new EgressPolicy({ allow: ['127.0.0.0/8'] }));
  const tokens = new Tokens({
    store,
    secrets,
    registry: new PlatformRegistry([rotatingPlatform()]),
    http,
    clock,
    log,
    hosts: () => ({ api: providerUrl }),
    appCredentials: async () => ({ client_id: 'app', client_secret: 'app-secret' }),
    reconnectUrl: (connection) => `https://polyad.example/reconnect/${connection.id}`,
    lease: settings.lease === 'none' ? noLease(store) : new StoreLease(store, { log, leaseMs, spendingMs }),
    onStep,
  });
  return {
    clock,
    store,
    secrets,
    tokens,
    lines,
    async close() {
      await tokens.close();
      await http.destroy();
      await store.close();
    },
  };
}

/** Connections with fresh grants at the provider. */
export async function connectMany(node: TestNode, provider: RotatingProvider, count: number): Promise<ConnectionRow[]> {
  const platform = rotatingPlatform();
  const grant = platform.auth.grants[0];
  if (grant === undefined) throw new Error('no grant');
  const workspace = await createWorkspace(node.store.db, { name: 'Nodes' });
  const rows: ConnectionRow[] = [];
  // In parts, so that ten thousand take seconds and the embedded database is not held for long.
  for (let from = 0; from < count; from += 250)
    await node.store.db.transaction().execute(async (trx) => {
      for (let number = from; number < Math.min(count, from + 250); number += 1) {
        const now = node.clock.now();
        const tokens = toSealed(grant, grant.readTokens(provider.grant(`g${number}`)), now);
        const input = {
          integration_type: platform.manifest.type,
          environment: 'production',
          external_xref: `g${number}`,
        };
        const row = await createConnection(trx, workspace.id, { ...input, health_state: 'healthy' }, now);
        const owner = { workspaceId: workspace.id, kind: 'connection', id: row.id } as const;
        await node.secrets.put(trx, owner, 'tokens', { ...tokens }, { version: 0, now });
        await beginLife(trx, node.secrets, platform, row, tokens, 1, now);
        rows.push(row);
      }
    });
  return rows;
}
