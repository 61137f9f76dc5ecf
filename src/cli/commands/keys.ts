/** `polyad keys`: API keys of a workspace, and the first key of an installation. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../app/config-file.ts';
import type { Config } from '../../core/config.ts';
import type { Store, StoreLog } from '../../core/store/port.ts';
import type { listRulingKeys } from '../../core/store/repositories/index.ts';
import { connectTo, type TargetFlags } from '../client.ts';
import { CliError, usage } from '../errors.ts';
import { readDuration } from '../flags.ts';
import { print, readFormat } from '../output.ts';
import { stderrStyle } from '../terminal.ts';

export interface KeyFlags extends TargetFlags {
  output?: string;
  workspace?: string;
}

export interface NewKeyFlags extends KeyFlags {
  name?: string;
  scopes?: string;
  expires?: string;
  connections?: string;
}

export interface RotateFlags extends KeyFlags {
  overlap: string;
  expires?: string;
}

const COLUMNS = [
  ...['id', 'name', 'prefix', 'scopes', 'connection_ids'],
  ...['created_at', 'last_used_at', 'expires_at', 'revoked_at'],
];

const ofWorkspace = (flags: KeyFlags): string =>
  flags.workspace === undefined ? '' : `?workspace_id=${encodeURIComponent(flags.workspace)}`;

async function scopesOf(flags: NewKeyFlags): Promise<string[] | undefined> {
  if (flags.scopes === undefined) return undefined;
  const { KEY_SCOPES } = await import('../../core/auth/key-scopes.ts');
  const scopes = flags.scopes.split(',').map((scope) => scope.trim());
  const unknown = scopes.filter((scope) => !(KEY_SCOPES as readonly string[]).includes(scope));
  if (unknown.length > 0)
    throw usage(`There is no scope \`${unknown.join(', ')}\`.`, `Known are ${KEY_SCOPES.join(', ')}.`);
  return scopes;
}

export async function create(flags: NewKeyFlags): Promise<void> {
  const format = readFormat(flags.output);
  const scopes = await scopesOf(flags);
  const client = await connectTo(flags);
  const made = await client.json<Record<string, unknown>>('/v1/keys', {
    method: 'POST',
    body: {
      name: flags.name ?? 'CLI',
      ...(scopes === undefined ? {} : { scopes }),
      ...(flags.expires === undefined ? {} : { expires_at: flags.expires }),
      ...(flags.connections === undefined
        ? {}
        : { connection_ids: flags.connections.split(',').map((id) => id.trim()) }),
      ...(flags.workspace === undefined ? {} : { workspace_id: flags.workspace }),
    },
  });
  print(made, format);
  keepIt();
}

function keepIt(): void {
  if (process.stderr.isTTY)
    process.stderr.write(`${stderrStyle().yellow('Keep the key now: it is not shown again.')}\n`);
}

export async function rotate(id: string, flags: RotateFlags): Promise<void> {
  const format = readFormat(flags.output);
  const overlap = flags.overlap === '0' ? 0 : readDuration(flags.overlap);
  const client = await connectTo(flags);
  const made = await client.json<Record<string, unknown>>(`/v1/keys/${encodeURIComponent(id)}/rotate`, {
    method: 'POST',
    body: {
      overlap_seconds: Math.floor(overlap / 1000),
      ...(flags.expires === undefined ? {} : { expires_at: flags.expires }),
      ...(flags.workspace === undefined ? {} : { workspace_id: flags.workspace }),
    },
  });
  print(made, format);
  keepIt();
}

export async function list(flags: KeyFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  print(await client.json(`/v1/keys${ofWorkspace(flags)}`), format, format === 'table' ? COLUMNS : undefined);
}

export async function revoke(id: string, flags: KeyFlags): Promise<void> {
  const format = readFormat(flags.output);
  const client = await connectTo(flags);
  print(await client.json(`/v1/keys/${encodeURIComponent(id)}${ofWorkspace(flags)}`, { method: 'DELETE' }), format);
}

const BOOTSTRAP_LOCK = 7_653_001;
/** Keys that are named when there are some already. */
const NAMED_KEYS = 5;

function alreadyThere(keys: Awaited<ReturnType<typeof listRulingKeys>>): CliError {
  const facts = keys.slice(0, NAMED_KEYS).map(({ workspace, workspace_id, name, prefix, created_at, last_used_at }) => {
    const used = last_used_at === null ? 'never used' : `last used ${last_used_at.toISOString()}`;
    return `workspace ${workspace_id} (${workspace}): key ${prefix}… (${name}), made ${created_at.toISOString()}, ${used}`;
  });
  const more = keys.length - facts.length;
  const named = more > 0 ? [...facts, `and ${more} more`] : facts;
  const code = 'already_bootstrapped';
  const message = 'This installation has a key that may make others already, so none was made.';
  const fix =
    'Use it (`polyad keys create` makes others with it). Where it is lost: `polyad keys bootstrap --another --workspace <id>`, then revoke it.';
  return new CliError(message, { code, facts: named, fix, body: { code, message, fix, details: { keys: named } } });
}

/**
 * The first key: made in the database itself, since without a key the API lets nobody in. On the embedded database the
 * server must be stopped, because it holds the directory. Where somebody has such a key already, another is made only when
 * that is asked for: whoever runs it twice by mistake must not leave keys about that may do everything.
 */
export async function bootstrap(flags: NewKeyFlags & { workspaceName?: string; another?: boolean }): Promise<void> {
  const format = readFormat(flags.output);
  const scopes = await scopesOf(flags);
  const config = await readConfig(process.env, { POLYAD_DATA_DIR: flags.dataDir });
  const { createLog } = await import('../../app/log.ts');
  const { openStore } = await import('../../core/store/port.ts');
  const { KEY_SCOPES } = await import('../../core/auth/key-scopes.ts');
  const { createApiKey, createWorkspace, getWorkspace, listRulingKeys } = await import(
    '../../core/store/repositories/index.ts'
  );
  const { sql } = await import('kysely');
  const log = createLog(config.logLevel === 'debug' ? 'debug' : 'warn');
  const store = await openStore({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
  try {
    const made = await store.db.transaction().execute(async (trx) => {
      // One at a time: two at once would both find nothing.
      await sql`select pg_advisory_xact_lock(${BOOTSTRAP_LOCK}::bigint)`.execute(trx);
      const there = await listRulingKeys(trx, new Date());
      if (there.length > 0 && flags.another !== true) throw alreadyThere(there);
      const workspace =
        flags.workspace === undefined
          ? await createWorkspace(trx, { name: flags.workspaceName ?? 'Main' })
          : await getWorkspace(trx, flags.workspace);
      if (workspace === undefined) throw usage(`There is no workspace ${flags.workspace}.`);
      const { key, row } = await createApiKey(trx, workspace.id, {
        name: flags.name ?? 'First key',
        scopes: scopes ?? [...KEY_SCOPES],
      });
      return { workspace_id: workspace.id, workspace: workspace.name, id: row.id, scopes: row.scopes, key };
    });
    await noteBootstrap({ config, store, log }, made);
    print(made, format);
  } finally {
    await store.close();
  }
}

/**
 * The row of the audit log. Its seal needs the master key: where there is none yet, the server seals the log with the next
 * row that it writes.
 */
async function noteBootstrap(
  { config, store, log }: { config: Config; store: Store; log: StoreLog },
  made: { workspace_id: string; id: string; scopes: readonly string[] },
): Promise<void> {
  const { AuditLog } = await import('../../core/audit/log.ts');
  const { Signer } = await import('../../core/auth/signing.ts');
  const { systemClock: clock } = await import('../../core/clock.ts');
  const { openVault } = await import('../../app/secrets.ts');
  const known = config.masterKey !== undefined || existsSync(join(config.dataDir, 'master.key'));
  const vault = known ? await openVault({ config, store, clock, log }, { server: false }) : undefined;
  try {
    const keys = vault?.keyring.all().map(({ bytes }) => bytes) ?? [randomBytes(32)];
    const audit = new AuditLog({ store, clock, log, signer: new Signer(keys) });
    await audit.append({
      workspaceId: made.workspace_id,
      actor: { kind: 'console', name: userInfo().username },
      action: 'bootstrapApiKey',
      objectType: 'ApiKey',
      objectId: made.id,
      details: { scopes: made.scopes },
    });
    await audit.close();
  } finally {
    await vault?.close();
  }
}
