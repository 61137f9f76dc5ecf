/** A database, master keys and a simulated cloud, put together as the server does it. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { sql } from 'kysely';
import pg from 'pg';
import { openKeyring } from '../../../src/core/auth/keyring.ts';
import { type SecretAlarm, SecretStore } from '../../../src/core/auth/secret-store.ts';
import { VaultAdmin } from '../../../src/core/auth/secrets/admin.ts';
import { SecretPlaces } from '../../../src/core/auth/secrets/places.ts';
import { ServiceKeys } from '../../../src/core/auth/secrets/service-keys.ts';
import type { SecretPlace, SecretSettings } from '../../../src/core/auth/secrets/settings.ts';
import { Vault } from '../../../src/core/auth/vault.ts';
import { loadConfig } from '../../../src/core/config.ts';
import { openStore, type Store } from '../../../src/core/store/port.ts';
import { createConnection, createWorkspace, type SecretOwner } from '../../../src/core/store/repositories/index.ts';
import type { ManagedStore } from '../../../src/core/store/schema.ts';
import { memoryLog } from '../../store/log.ts';
import { type AwsServices, startAwsServices } from '../../support/aws-services.ts';
import { TEST_CERTIFICATE } from '../../support/azure-certificate-table.ts';
import { type AzureServices, startAzureServices } from '../../support/azure-services.ts';
import { type GcpServices, startGcpServices } from '../../support/gcp-services.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

export const MANAGERS = ['aws', 'azure', 'gcp'] as const;

export interface Clouds {
  aws: AwsServices;
  azure: AzureServices;
  gcp: GcpServices;
}

/** Starts the three clouds and points this process's clients at them. */
export async function startClouds(directory: string): Promise<Clouds & { stop(): Promise<void> }> {
  // What NODE_EXTRA_CA_CERTS does for a process that is started with it.
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), TEST_CERTIFICATE]);
  const clouds: Clouds = {
    aws: await startAwsServices(),
    azure: await startAzureServices(),
    gcp: await startGcpServices(join(directory, 'service-account.json')),
  };
  for (const { env } of Object.values(clouds)) Object.assign(process.env, env);
  return {
    ...clouds,
    async stop() {
      for (const cloud of Object.values(clouds)) await cloud.close();
    },
  };
}

/** Address of the key management service's key in each cloud. */
export const keyAddress = (clouds: Clouds, which: ManagedStore): string =>
  ({
    aws: 'awskms:///alias/polyad',
    azure: `azurekeyvault://${new URL(clouds.azure.url).host}/keys/polyad`,
    gcp: 'gcpkms://projects/polyad-test/locations/eu/keyRings/r/cryptoKeys/polyad',
  })[which];

export interface WorldOptions {
  place?: SecretPlace;
  masterKey?: string;
  settings?: Partial<SecretSettings>;
  clock?: VirtualClock;
  /** The name of a node, for tests of several. */
  node?: string;
}

/** A directory that is removed in the end. */
export function scratch(): { path: string; remove(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), 'polyad-vault-'));
  return {
    path,
    async remove() {
      rmSync(path, { recursive: true, force: true });
      const schema = schemas.get(path);
      schemas.delete(path);
      if (schema !== undefined) await administer(`drop schema ${schema} cascade`);
    },
  };
}

/** What a process has of the vault, over an opened store. */
export async function openVaultOn(store: Store, dataDir: string, options: WorldOptions = {}) {
  const clock = options.clock ?? new VirtualClock(new Date().toISOString());
  const log = memoryLog();
  const alarms: SecretAlarm[] = [];
  const settings: SecretSettings = {
    ...loadConfig({ ...process.env, POLYAD_SECRETS: options.place ?? 'vault' }).secrets,
    ...options.settings,
  };
  const serviceKeys = new ServiceKeys(settings, { clock, log });
  const keyring = await openKeyring({
    masterKey: options.masterKey,
    dataDir,
    store,
    openServiceKey: (db, key) => serviceKeys.open(db, key),
    node: options.node,
    now: clock.now(),
  });
  const vault = new Vault(keyring);
  const places = new SecretPlaces(settings, { clock, log });
  const secrets = new SecretStore(vault, {
    place: settings.place,
    managed: (where) => places.get(where),
    alarm: (alarm) => void alarms.push(alarm),
  });
  const admin = new VaultAdmin({
    store,
    vault,
    secrets,
    serviceKeys,
    clock,
    log,
    dataDir,
    configured: options.masterKey !== undefined,
    node: options.node,
  });
  return {
    clock,
    log,
    alarms,
    keyring,
    vault,
    places,
    secrets,
    admin,
    serviceKeys,
    async close() {
      await admin.close();
      await places.close();
    },
  };
}

const server = process.env['POLYAD_TEST_DATABASE_URL'] || undefined;
/** Schemas on the Postgres server, by the directory that they stand for. */
const schemas = new Map<string, string>();

async function administer(statement: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** The database of a directory for other processes: nothing for the embedded one. */
export function databaseEnv(dataDir: string): Record<string, string> {
  const schema = schemas.get(dataDir);
  if (server === undefined || schema === undefined) return {};
  const own = new URL(server);
  own.searchParams.set('options', `-c search_path=${schema} -c client_min_messages=warning`);
  return { DATABASE_URL: own.href.replaceAll('+', '%20') };
}

/** Opens the database of a directory: the embedded one, or a schema of its own where POLYAD_TEST_DATABASE_URL is set. */
export async function openDatabase(dataDir: string): Promise<Store> {
  if (server !== undefined && !schemas.has(dataDir)) {
    const schema = `polyad_vault_${randomBytes(6).toString('hex')}`;
    await administer(`create schema ${schema}`);
    schemas.set(dataDir, schema);
  }
  return openStore({ dataDir, databaseUrl: databaseEnv(dataDir)['DATABASE_URL'], log: memoryLog() });
}

/** Makes a database as it was when it was opened first: opening another one takes ten times as long. */
export async function empty({ db }: Store): Promise<void> {
  const { rows } = await sql<{ name: string }>`select quote_ident(tablename) as name from pg_tables
    where schemaname = current_schema() and tablename <> 'polyad_migrations'`.execute(db);
  await db.transaction().execute(async (trx) => {
    // The audit log refuses to be emptied otherwise.
    await sql`set local session_replication_role = replica`.execute(trx);
    await sql.raw(`truncate ${rows.map(({ name }) => name).join()} restart identity cascade`).execute(trx);
  });
}

/** A new connection that can own secrets. */
export async function newOwner(store: Store, workspaceId?: string): Promise<SecretOwner> {
  const id = workspaceId ?? (await createWorkspace(store.db, { name: 'Acme' })).id;
  const row = await createConnection(store.db, id, { integration_type: 'tiktok', environment: 'sandbox' });
  return { workspaceId: id, kind: 'connection', id: row.id };
}
