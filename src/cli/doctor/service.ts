/** Checks of what runs and what is stored: by HTTP with a server that is up, in the database with one that is down. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Config } from '../../core/config.ts';
import { ENVIRONMENTS } from '../../core/connector/hosts.ts';
import type { PlatformRegistry } from '../../core/connector/registry.ts';
import { asPolyadError } from '../../core/errors/index.ts';
import { callbackUrl } from '../../core/integrations/integrations.ts';
import type { Store } from '../../core/store/port.ts';
import { Client, type Target } from '../client.ts';
import { control } from '../commands/simulator.ts';
import { CliError, EXIT } from '../errors.ts';
import { type Finding, failure, note, ok, warning } from './findings.ts';

/** Clocks may differ by this much, in ms, before signatures and expiries go wrong. */
const SKEW_MS = 5_000;
/** An API version that ends within this many days needs attention. */
export const SUNSET_DAYS = 45;
const DAY_MS = 86_400_000;
const PROBE_MS = 5_000;

/** Answers whether a server runs there, with what was found. */
export async function checkServer(target: Target): Promise<{ up: boolean; findings: Finding[] }> {
  const check = 'server';
  let sent = Date.now();
  let health: Response;
  try {
    health = await fetch(`${target.url}/healthz`, { signal: AbortSignal.timeout(PROBE_MS), redirect: 'manual' });
  } catch {
    return { up: false, findings: [note(check, `None answers at ${target.url}.`, 'Start it with `polyad start`.')] };
  }
  const body = (await health.json().catch(() => undefined)) as { status?: string; version?: string } | undefined;
  if (!health.ok || body?.status !== 'ok')
    return {
      up: false,
      findings: [
        failure(
          check,
          `${target.url} is answered by something else (HTTP ${health.status}).`,
          'Choose another port with POLYAD_PORT, or stop the other program.',
        ),
      ],
    };
  const findings = [ok(check, `${target.url}, version ${body.version}`)];
  sent = Date.now();
  const ready = await fetch(`${target.url}/readyz`, { signal: AbortSignal.timeout(PROBE_MS) }).catch(() => undefined);
  const received = Date.now();
  findings.push(
    ready?.ok === true
      ? ok('database', 'The server reaches it; its migrations are applied.')
      : failure('database', 'The server does not reach it.', 'See the server’s log; check DATABASE_URL.'),
  );
  const date = Date.parse(health.headers.get('date') ?? ready?.headers.get('date') ?? '');
  if (!Number.isNaN(date)) findings.push(skew('clock', 'the server', date + 500, (sent + received) / 2));
  return { up: true, findings };
}

function skew(check: string, other: string, theirs: number, ours: number): Finding {
  const off = Math.round((theirs - ours) / 1000);
  return Math.abs(theirs - ours) <= SKEW_MS
    ? ok(check, `This machine and ${other} agree on the time.`)
    : warning(
        check,
        `${other} is ${Math.abs(off)} s ${off > 0 ? 'ahead of' : 'behind'} this machine.`,
        'Turn on time synchronisation (NTP) on both.',
      );
}

/**
 * The database of a server that is down, opened as it is: migrating is a start's business. `use` is asked for more when the
 * tables are there.
 */
export async function checkDatabase(config: Config, use: (store: Store) => Promise<Finding[]>): Promise<Finding[]> {
  const check = 'database';
  const { databaseUrl, dataDir } = config;
  if (databaseUrl === undefined && !existsSync(join(dataDir, 'pgdata')))
    return [note(check, 'None yet; the first start makes it.')];
  const options = { dataDir, log: { debug() {}, info() {}, warn() {}, error() {} } };
  let store: Store;
  try {
    store =
      databaseUrl === undefined
        ? await (await import('../../core/store/pglite/store.ts')).openPgliteStore(options)
        : await (await import('../../core/store/postgres/store.ts')).openPostgresStore(options, databaseUrl);
  } catch (thrown) {
    const error = asPolyadError(thrown);
    return [failure(check, error.code === 'internal' ? (thrown as Error).message : error.message, error.fix)];
  }
  try {
    const before = Date.now();
    const { rows } = await sql<{ now: Date; there: boolean }>`
      select clock_timestamp() as now, to_regclass('polyad_migrations') is not null as there`.execute(store.db);
    const findings: Finding[] = [];
    if (store.engine === 'postgres' && rows[0] !== undefined)
      findings.push(skew('clock', 'the database', new Date(rows[0].now).getTime(), (before + Date.now()) / 2));
    if (rows[0]?.there !== true)
      return [note(check, 'Reachable and empty; the first start makes the tables.'), ...findings];
    const state = await migrations(store);
    return [state, ...findings, ...(state.severity === 'error' ? [] : await use(store))];
  } finally {
    await store.close();
  }
}

async function migrations(store: Store): Promise<Finding> {
  const check = 'database';
  const { MIGRATIONS } = await import('../../core/store/migrations/index.ts');
  const seen = new Set((await store.db.selectFrom('polyad_migrations').select('id').execute()).map((row) => row.id));
  const unknown = [...seen].filter((id) => !MIGRATIONS.some((migration) => migration.id === id));
  if (unknown.length > 0)
    return failure(check, `A newer polyad wrote it: ${unknown.join(', ')}.`, 'Use that release, or a newer one.');
  const pending = MIGRATIONS.filter((migration) => !seen.has(migration.id)).map((migration) => migration.id);
  const engine = store.engine === 'postgres' ? 'PostgreSQL is reachable' : 'The embedded database opens';
  return pending.length === 0
    ? ok(check, `${engine}; migrations are applied.`)
    : note(check, `${engine}; the next start applies ${pending.join(', ')}.`, 'Make a back-up before.');
}

interface App {
  type: string;
  environment: string;
  active: boolean;
  credentials: boolean;
}

/** Apps from the database. */
export async function storedApps(store: Store): Promise<App[]> {
  const rows = await store.db
    .selectFrom('integrations as i')
    .leftJoin('secrets as s', (join) => join.onRef('s.owner_id', '=', 'i.id').on('s.kind', '=', 'app'))
    .select(['i.type', 'i.environment', 'i.is_active', 's.id as secret'])
    .execute();
  return rows.map((row) => ({
    type: row.type,
    environment: row.environment,
    active: row.is_active,
    credentials: row.secret !== null,
  }));
}

/** Apps of the key's workspace from a running server. */
export async function servedApps(target: Target, registry: PlatformRegistry): Promise<App[] | Finding> {
  const client = new Client(target);
  const apps: App[] = [];
  for (const { manifest } of registry.all())
    for (const environment of ENVIRONMENTS)
      try {
        const row = await client.json<{ is_active: boolean; has_credentials: boolean }>(
          `/v1/integrations/${manifest.type}/${environment}`,
        );
        apps.push({ type: manifest.type, environment, active: row.is_active, credentials: row.has_credentials });
      } catch (error) {
        if (!(error instanceof CliError)) throw error;
        if (error.code === 'record_not_found' || error.code === 'environment_unsupported') continue;
        return note(
          'app credentials',
          `They cannot be looked at: ${error.message}`,
          error.fix ?? 'Give an admin key with --key.',
        );
      }
  return apps;
}

/** What the apps are good for. */
export function judgeApps(apps: readonly App[], registry: PlatformRegistry, publicUrl: string): Finding[] {
  const check = 'app credentials';
  const findings: Finding[] = [];
  for (const platform of registry.all()) {
    const { type, name } = platform.manifest;
    const mine = apps.filter((app) => app.type === type);
    const callbacks = [
      ...new Set(platform.auth.grants.map((grant) => callbackUrl(publicUrl, platform, grant.callbackSlash === true))),
    ];
    for (const app of mine) {
      if (!app.active) findings.push(note(check, `${name}, ${app.environment}: switched off.`));
      else if (app.credentials)
        findings.push(
          ok(check, `${name}, ${app.environment}: stored. Redirect URL at the platform: ${callbacks.join(' and ')}`),
        );
      else
        findings.push(
          warning(
            check,
            `${name}, ${app.environment}: switched on without credentials.`,
            `PUT /v1/integrations/${type}/${app.environment} with client_id and client_secret.`,
          ),
        );
    }
    if (!mine.some((app) => app.environment === 'production'))
      findings.push(
        note(
          check,
          `${name}, production: none.`,
          `When your app is approved: PUT /v1/integrations/${type}/production; register ${callbacks.join(' and ')} as its redirect URL.`,
        ),
      );
  }
  return findings;
}

/** API versions that end soon, or have ended. */
export function checkVersions(registry: PlatformRegistry, now: Date): Finding[] {
  return registry.all().flatMap(({ manifest }) => {
    const version = manifest.apiVersions.find((one) => one.default === true);
    const check = 'API version';
    if (version === undefined) return [];
    const what = `${manifest.name} ${version.version}`;
    if (version.sunset === null) return [ok(check, `${what}: no end announced.`)];
    const days = Math.floor((Date.parse(version.sunset) - now.getTime()) / DAY_MS);
    const fix = 'Update polyad to a release that uses a newer version.';
    if (days < 0) return [failure(check, `${what} ended on ${version.sunset}.`, fix)];
    if (days <= SUNSET_DAYS) return [warning(check, `${what} ends on ${version.sunset}, in ${days} days.`, fix)];
    return [ok(check, `${what} ends on ${version.sunset}.`)];
  });
}

/** Whether the simulators of the last start answer, and whether their clocks have been moved. */
export async function checkSimulators(target: Target, config: Config, up: boolean): Promise<Finding[]> {
  const check = 'simulators';
  const known = Object.entries(target.demo?.simulators ?? {});
  if (!config.simulators) return [note(check, 'Switched off.')];
  if (!up || known.length === 0) return [note(check, 'They run with the server, which is down or made no demo.')];
  const findings: Finding[] = [];
  for (const [id, { control_url: base }] of known)
    try {
      const { now } = await control<{ now: string }>(base, 'GET', '/clock');
      const days = Math.round((Date.parse(now) - Date.now()) / DAY_MS);
      findings.push(
        days === 0
          ? ok(check, `${id} answers at ${base}.`)
          : note(
              check,
              `${id} answers; its clock is ${Math.abs(days)} days ${days > 0 ? 'ahead' : 'behind'}.`,
              'polyad simulator clock reset',
            ),
      );
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
      findings.push(failure(check, `${id} does not answer at ${base}.`, 'Start the server again; see its log.'));
    }
  return findings;
}

/** Compares this machine's clock with the platforms' own hosts: the only check that leaves the machine. */
export async function checkPlatformClocks(registry: PlatformRegistry): Promise<Finding[]> {
  return Promise.all(
    registry.all().map(async ({ manifest }) => {
      const check = 'platform host';
      const host = manifest.hosts.production.api;
      try {
        const before = Date.now();
        const answer = await fetch(host, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(PROBE_MS) });
        const date = Date.parse(answer.headers.get('date') ?? '');
        return Number.isNaN(date)
          ? ok(check, `${manifest.name}: ${host} answers.`)
          : skew(check, host, date + 500, (before + Date.now()) / 2);
      } catch (error) {
        const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).name;
        return warning(
          check,
          `${manifest.name}: ${host} does not answer (${cause}).`,
          'Check network, proxy and firewall of this machine.',
        );
      }
    }),
  );
}
