/** A server with its database, its upstream and its tenants: what most benchmarks begin with. */
import { type OwnDatabase, ownDatabase } from './database.ts';
import { ownDirectory, type Running, startServer, startUpstream } from './processes.ts';
import { makeTenants, operatorKey, type Tenant } from './tenants.ts';

export interface Installation {
  server: Running;
  upstream: Running;
  tenants: Tenant[];
  /** Key that may make workspaces. */
  operator: string;
  /** `postgres`, or `embedded` where POLYAD_TEST_DATABASE_URL is not set. */
  engine: 'postgres' | 'embedded';
  database: OwnDatabase | undefined;
  env: Record<string, string>;
  close(): Promise<void>;
}

export interface InstallationOptions {
  tenants: number;
  /** Objects in the upstream's reports. */
  entities?: number;
  probe?: boolean;
  execArgv?: readonly string[];
  env?: Record<string, string>;
}

/** Starts everything. Tenants have an app each, so that none is held up by the quota of another. */
export async function install(label: string, options: InstallationOptions): Promise<Installation> {
  const directory = await ownDirectory();
  const database = await ownDatabase(label);
  const upstream = await startUpstream(options.entities);
  const env = {
    ...directory.env,
    ...(database === undefined ? {} : { DATABASE_URL: database.url }),
    POLYAD_TIKTOK_PRODUCTION_URL: upstream.url,
    POLYAD_RATE_LIMIT_PER_MINUTE: '100000000',
    POLYAD_LOG_LEVEL: 'warn',
    POLYAD_DRAIN_SECONDS: '0',
    ...options.env,
  };
  const operator = await operatorKey(env);
  const server = await startServer(env, options);
  server.child.stderr?.on('data', (text: string) => process.stderr.write(text));
  return {
    server,
    upstream,
    operator,
    engine: database === undefined ? 'embedded' : 'postgres',
    database,
    env,
    tenants: await makeTenants(server.url, operator, options.tenants),
    async close() {
      await server.end();
      await upstream.end();
      await database?.drop();
      await directory.remove();
    },
  };
}

/** Calls of tenants in turn. */
export function inTurn(tenants: readonly Tenant[], path: (tenant: Tenant) => string) {
  let at = 0;
  return () => {
    const tenant = tenants[at++ % tenants.length] as Tenant;
    return { path: path(tenant), headers: { authorization: tenant.key } };
  };
}
