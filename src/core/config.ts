/** Configuration from environment variables, checked at once; each complaint names the variable and the fix. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { ENVIRONMENTS } from './connector/hosts.ts';
import { PolyadError } from './errors/index.ts';

const port = z.coerce.number().int().min(0).max(65535);
const httpUrl = z.url({ protocol: /^https?$/ });

/** Every variable the server reads, with what it means: `polyad --help` and docs/reference/configuration.md print it. */
export const VARIABLES = {
  POLYAD_CONFIG: 'Settings file. Default: `polyad.config.ts` in the working directory, if there is one.',
  POLYAD_DATA_DIR: 'Folder of the embedded database, the master key and simulator state. Default `.polyad`.',
  POLYAD_HOST: 'Address to listen on. Default 127.0.0.1.',
  POLYAD_PORT: 'Port of the server; 0 = any free one. Default 3000.',
  POLYAD_PUBLIC_URL:
    'Address under which browsers reach the server; callbacks are built from it. Default: the listening address.',
  POLYAD_SIMULATOR_PORT: 'First port of the simulators; 0 = any free ones. Default 4000.',
  POLYAD_SIMULATORS: '`on` or `off`. Default: on, but off when NODE_ENV=production.',
  POLYAD_MASTER_KEY: 'Master key(s) for stored secrets, base64 of 32 bytes. Default: a file made at the first start.',
  DATABASE_URL: 'PostgreSQL connection string. Default: the embedded database.',
  REDIS_URL: 'Redis or Valkey connection string, for several nodes.',
  POLYAD_LOG_LEVEL: '`silent`, `error`, `warn`, `info` or `debug`. Default info.',
  POLYAD_BODY_LIMIT_MB: 'Largest JSON body in megabytes. Default 10.',
  POLYAD_PASSTHROUGH_LIMIT_MB: 'Largest pass-through body in megabytes. Default 512.',
  POLYAD_RATE_LIMIT_PER_MINUTE: 'Requests per API key and minute to this server. Default 60000.',
  POLYAD_CALL_LOG_DAYS: 'Days for which the call log is kept. Default 30.',
  POLYAD_METRICS_TOKEN: 'If set, /metrics wants it as a bearer token.',
  'POLYAD_<PLATFORM>_<ENVIRONMENT>_URL':
    'Replaces the base URL of a platform’s environment, e.g. POLYAD_ACME_SANDBOX_URL for the platform `acme`.',
  POLYAD_URL: 'For the CLI: address of the server to call. Default: that of the demo.',
  POLYAD_API_KEY: 'For the CLI: the key to call with. Default: that of the demo.',
  POLYAD_SIMULATOR_URL: 'For the CLI: address of the simulator to control. Default: those of the demo.',
} as const;

const schema = z.object({
  POLYAD_DATA_DIR: z.string().min(1).default('.polyad'),
  POLYAD_HOST: z.string().min(1).default('127.0.0.1'),
  POLYAD_PORT: port.default(3000),
  POLYAD_PUBLIC_URL: httpUrl.optional(),
  POLYAD_SIMULATOR_PORT: port.default(4000),
  POLYAD_SIMULATORS: z.enum(['on', 'off']).optional(),
  POLYAD_MASTER_KEY: z.string().min(1).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  POLYAD_LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  POLYAD_BODY_LIMIT_MB: z.coerce.number().positive().max(1024).default(10),
  POLYAD_PASSTHROUGH_LIMIT_MB: z.coerce.number().positive().max(10_240).default(512),
  POLYAD_RATE_LIMIT_PER_MINUTE: z.coerce.number().int().positive().default(60_000),
  POLYAD_CALL_LOG_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  POLYAD_METRICS_TOKEN: z.string().min(1).optional(),
});

export interface Config {
  dataDir: string;
  host: string;
  port: number;
  publicUrl?: string;
  simulatorPort: number;
  simulators: boolean;
  masterKey?: string;
  databaseUrl?: string;
  redisUrl?: string;
  logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  bodyLimit: number;
  passthroughLimit: number;
  rateLimitPerMinute: number;
  callLogDays: number;
  metricsToken?: string;
  /** `<platform id>/<environment>` -> base URL. */
  hosts: Map<string, string>;
}

const HOST_VARIABLE = new RegExp(`^POLYAD_([A-Z0-9_]+)_(${ENVIRONMENTS.join('|').toUpperCase()})_URL$`);

/** Reads `env`. Throws `config_invalid` with every problem found, not only the first. */
export function loadConfig(env: Record<string, string | undefined>): Config {
  // An empty variable means "not set": that is how shells and compose files clear one.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  const issues: { variable: string; problem: string; fix: string }[] = [];
  if (!parsed.success)
    for (const issue of parsed.error.issues) {
      const variable = String(issue.path[0]);
      issues.push({ variable, problem: issue.message, fix: VARIABLES[variable as keyof typeof VARIABLES] ?? '' });
    }
  const hosts = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    const match = HOST_VARIABLE.exec(name);
    if (match === null) continue;
    if (httpUrl.safeParse(value).success)
      hosts.set(
        `${(match[1] as string).toLowerCase().replaceAll('_', '-')}/${(match[2] as string).toLowerCase()}`,
        value as string,
      );
    else
      issues.push({
        variable: name,
        problem: 'not an http(s) URL',
        fix: 'Write scheme, host and port, e.g. http://127.0.0.1:4000.',
      });
  }
  if (!parsed.success || issues.length > 0)
    throw new PolyadError('config_invalid', {
      message: issues.map((issue) => `${issue.variable}: ${issue.problem}. ${issue.fix}`).join('\n'),
      details: { issues },
    });
  const v = parsed.data;
  return {
    dataDir: resolve(v.POLYAD_DATA_DIR),
    host: v.POLYAD_HOST,
    port: v.POLYAD_PORT,
    ...(v.POLYAD_PUBLIC_URL === undefined ? {} : { publicUrl: v.POLYAD_PUBLIC_URL.replace(/\/+$/, '') }),
    simulatorPort: v.POLYAD_SIMULATOR_PORT,
    simulators: v.POLYAD_SIMULATORS === undefined ? env['NODE_ENV'] !== 'production' : v.POLYAD_SIMULATORS === 'on',
    ...(v.POLYAD_MASTER_KEY === undefined ? {} : { masterKey: v.POLYAD_MASTER_KEY }),
    ...(v.DATABASE_URL === undefined ? {} : { databaseUrl: v.DATABASE_URL }),
    ...(v.REDIS_URL === undefined ? {} : { redisUrl: v.REDIS_URL }),
    logLevel: v.POLYAD_LOG_LEVEL,
    bodyLimit: v.POLYAD_BODY_LIMIT_MB * 1024 * 1024,
    passthroughLimit: v.POLYAD_PASSTHROUGH_LIMIT_MB * 1024 * 1024,
    rateLimitPerMinute: v.POLYAD_RATE_LIMIT_PER_MINUTE,
    callLogDays: v.POLYAD_CALL_LOG_DAYS,
    ...(v.POLYAD_METRICS_TOKEN === undefined ? {} : { metricsToken: v.POLYAD_METRICS_TOKEN }),
    hosts,
  };
}
