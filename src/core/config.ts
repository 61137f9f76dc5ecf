/** Configuration from environment variables, checked at once; each complaint names the variable and the fix. */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { DEFAULT_SECRET_SETTINGS, type SecretSettings } from './auth/secrets/settings.ts';
import { ENVIRONMENTS } from './connector/hosts.ts';
import { PolyadError } from './errors/index.ts';
import { parseRange } from './http/addresses.ts';
import { DEFAULT_PORTS, parseAllowed } from './http/egress.ts';
import { knownSecrets } from './http/redact-values.ts';

const port = z.coerce.number().int().min(0).max(65535);
const httpUrl = z.url({ protocol: /^https?$/ });

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** Names that Fastify knows for ranges of proxies. */
const PROXY_RANGES = new Set(['loopback', 'linklocal', 'uniquelocal']);

/** Variables whose values are secrets. Whoever has read them takes them out of the environment of the process. */
export const SECRET_VARIABLES = ['POLYAD_MASTER_KEY', 'POLYAD_METRICS_TOKEN', 'DATABASE_URL', 'REDIS_URL'] as const;

/** Entries joined by commas, each of which `known` must accept. */
const list = (known: (entry: string) => boolean, what: string) =>
  z
    .string()
    .transform(listOf)
    .superRefine((entries, ctx) => {
      for (const entry of entries)
        if (!known(entry)) ctx.addIssue({ code: 'custom', message: `\`${entry}\` is not ${what}` });
    });

/** Every variable the server reads, with what it means: `polyad --help` and docs/reference/configuration.md print it. */
export const VARIABLES = {
  POLYAD_CONFIG: 'Settings file. Default: `polyad.config.ts` in the working directory, if there is one.',
  POLYAD_DATA_DIR: 'Folder of the embedded database, the master key and simulator state. Default `.polyad`.',
  POLYAD_ROLE:
    'What this process does: `api` serves HTTP, `worker` does background work (and answers /healthz, /readyz and /metrics), `all` both. `api` and `worker` need DATABASE_URL. Default all.',
  POLYAD_DRAIN_SECONDS:
    'How long the server goes on taking requests after a stop signal, while /readyz says that it is leaving: as long as your load balancer needs to notice. Default 5 with DATABASE_URL, else 0.',
  POLYAD_HOST: 'Address to listen on. Default 127.0.0.1.',
  POLYAD_PORT: 'Port of the server; 0 = any free one. Default 3000.',
  POLYAD_PUBLIC_URL:
    'Address under which browsers reach the server; callbacks are built from it. Default: the listening address.',
  POLYAD_SIMULATOR_PORT: 'First port of the simulators; 0 = any free ones. Default 4000.',
  POLYAD_SIMULATORS: '`on` or `off`. Default: on, but off when NODE_ENV=production or POLYAD_ROLE is not `all`.',
  POLYAD_MASTER_KEY:
    'Master key(s) for stored secrets, joined by commas; the first encrypts. Each is base64 of 32 bytes, `file:///path`, `awskms:///alias/…`, `gcpkms://projects/…` or `azurekeyvault://<vault host>/keys/…`, with an id in front if you like (`2027:…`). Default: a file made at the first start.',
  POLYAD_KMS_OUTAGE_MINUTES:
    'How long a master key is used while its key management service does not answer. Default 720.',
  POLYAD_SECRETS:
    'Where secrets are kept: `vault` (the database, encrypted), `aws` (AWS Secrets Manager), `azure` (Azure Key Vault) or `gcp` (Google Secret Manager). Default vault.',
  POLYAD_SECRETS_PREFIX: 'First part of the names of secrets in a secret manager. Default `polyad`.',
  POLYAD_SECRETS_CACHE_SECONDS:
    'How long a secret read from a secret manager is used before it is read again. Default 60.',
  POLYAD_SECRETS_OUTAGE_MINUTES: 'How long it is used at most while the secret manager does not answer. Default 60.',
  POLYAD_AWS_REGION: 'Region of AWS Secrets Manager and AWS KMS. Default: as the AWS client finds it (AWS_REGION).',
  POLYAD_AZURE_VAULT_URL: 'Address of the Azure Key Vault, such as https://acme.vault.azure.net. Needed with `azure`.',
  POLYAD_GCP_PROJECT: 'Project of Google Secret Manager. Needed with `gcp`.',
  POLYAD_GCP_SECRETS_URL: 'Another address of Google Secret Manager (private endpoint).',
  POLYAD_GCP_KMS_URL: 'Another address of Google Cloud KMS (private endpoint).',
  DATABASE_URL: 'PostgreSQL connection string. Default: the embedded database.',
  REDIS_URL: 'Redis or Valkey connection string, for several nodes.',
  POLYAD_LOG_LEVEL: '`silent`, `error`, `warn`, `info` or `debug`. Default info.',
  POLYAD_BODY_LIMIT_MB: 'Largest JSON body in megabytes. Default 10.',
  POLYAD_PASSTHROUGH_LIMIT_MB: 'Largest pass-through body in megabytes. Default 512.',
  POLYAD_RATE_LIMIT_PER_MINUTE: 'Requests per API key and minute to this server. Default 60000.',
  POLYAD_AUTH_FAILURES_PER_MINUTE:
    'Wrong keys that one address may send in a minute before it has to wait, on the API and on the dashboard’s sign-in. Default 30.',
  POLYAD_TRUST_PROXY:
    'Proxies in front of the server, whose X-Forwarded-For is believed: how many of them (`1`), or their addresses and ranges joined by commas (`10.0.0.0/8`, `loopback`). Default: none.',
  POLYAD_EGRESS_ALLOW:
    'What users may make the server connect to beyond public https addresses: ranges, host names and origins, joined by commas (`10.1.0.0/16,hooks.internal,http://10.0.0.7:9000`). Default: nothing.',
  POLYAD_EGRESS_PORTS:
    'Ports of public addresses that users may make it connect to, joined by commas. Default 443,8443.',
  POLYAD_QUOTA_TIERS:
    'Access levels of your apps at platforms whose quotas depend on them, joined by commas (`acme=Advanced`). Default: the lowest level.',
  POLYAD_CALL_LOG_DAYS: 'Days for which the call log is kept. Default 30.',
  POLYAD_REPORT_DIR:
    'Folder of report jobs: rows read so far, results, rows of closed days. Several nodes must share it (network volume, mounted object store). Default: `reports` in the data folder.',
  POLYAD_REPORT_KEEP_HOURS: 'Hours for which report jobs and their results are kept. Default 72.',
  POLYAD_REPORT_CACHE_MB:
    'Most megabytes of rows of closed days that are kept for later report jobs; 0 = none. Default 1024.',
  POLYAD_CONVERSION_DAYS:
    'Days for which it is kept what became of conversion events; as long a repetition of an event is recognised. Default 30.',
  POLYAD_CONVERSION_CONTENT_DAYS:
    'Days for which the content of refused conversion events is kept, so that they can be sent again. 0 = until the next hour. Default 7.',
  POLYAD_METRICS_TOKEN: 'If set, /metrics wants it as a bearer token.',
  'POLYAD_<PLATFORM>_<ENVIRONMENT>_URL':
    'Replaces the base URL of a platform’s environment, e.g. POLYAD_ACME_SANDBOX_URL for the platform `acme`.',
  POLYAD_URL: 'For the CLI: address of the server to call. Default: that of the demo.',
  POLYAD_API_KEY: 'For the CLI: the key to call with. Default: that of the demo.',
  POLYAD_SIMULATOR_URL: 'For the CLI: address of the simulator to control. Default: those of the demo.',
} as const;

/** What a process does: serve HTTP, work in the background, or both. */
export const ROLES = ['api', 'worker', 'all'] as const;
export type Role = (typeof ROLES)[number];

const schema = z.object({
  POLYAD_ROLE: z.enum(ROLES).default('all'),
  POLYAD_DRAIN_SECONDS: z.coerce.number().min(0).max(600).optional(),
  POLYAD_DATA_DIR: z.string().min(1).default('.polyad'),
  POLYAD_HOST: z.string().min(1).default('127.0.0.1'),
  POLYAD_PORT: port.default(3000),
  POLYAD_PUBLIC_URL: httpUrl.optional(),
  POLYAD_SIMULATOR_PORT: port.default(4000),
  POLYAD_SIMULATORS: z.enum(['on', 'off']).optional(),
  POLYAD_MASTER_KEY: z.string().min(1).optional(),
  POLYAD_KMS_OUTAGE_MINUTES: z.coerce
    .number()
    .min(1)
    .max(10_080)
    .default(DEFAULT_SECRET_SETTINGS.keyOutageMs / 60_000),
  POLYAD_SECRETS: z.enum(['vault', 'aws', 'azure', 'gcp']).default(DEFAULT_SECRET_SETTINGS.place),
  POLYAD_SECRETS_PREFIX: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,30}$/, 'must be a letter and up to 30 letters, digits or "-"')
    .default(DEFAULT_SECRET_SETTINGS.prefix),
  POLYAD_SECRETS_CACHE_SECONDS: z.coerce
    .number()
    .min(0)
    .max(3600)
    .default(DEFAULT_SECRET_SETTINGS.cacheMs / 1000),
  POLYAD_SECRETS_OUTAGE_MINUTES: z.coerce
    .number()
    .min(0)
    .max(1440)
    .default(DEFAULT_SECRET_SETTINGS.outageMs / 60_000),
  POLYAD_AWS_REGION: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'is not a region')
    .optional(),
  POLYAD_AZURE_VAULT_URL: z.url({ protocol: /^https$/ }).optional(),
  POLYAD_GCP_PROJECT: z
    .string()
    .regex(/^[a-z0-9.:-]+$/, 'is not a project')
    .optional(),
  POLYAD_GCP_SECRETS_URL: httpUrl.optional(),
  POLYAD_GCP_KMS_URL: httpUrl.optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  POLYAD_LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  POLYAD_BODY_LIMIT_MB: z.coerce.number().positive().max(1024).default(10),
  POLYAD_PASSTHROUGH_LIMIT_MB: z.coerce.number().positive().max(10_240).default(512),
  POLYAD_RATE_LIMIT_PER_MINUTE: z.coerce.number().int().positive().default(60_000),
  POLYAD_AUTH_FAILURES_PER_MINUTE: z.coerce.number().int().positive().default(30),
  POLYAD_TRUST_PROXY: z
    .union([
      z.coerce.number().int().min(1).max(32),
      list((entry) => PROXY_RANGES.has(entry) || parseRange(entry) !== undefined, 'a number, an address or a range'),
    ])
    .optional(),
  POLYAD_EGRESS_ALLOW: list(
    (entry) => parseAllowed(entry) !== undefined,
    'a range, a host name or an origin without a path',
  ).optional(),
  POLYAD_EGRESS_PORTS: list(
    (entry) => /^\d{1,5}$/.test(entry) && Number(entry) > 0 && Number(entry) < 65_536,
    'a port',
  ).default(DEFAULT_PORTS.map(String)),
  POLYAD_QUOTA_TIERS: list(
    (entry) => /^[a-z0-9-]+=.+$/.test(entry),
    'a platform and a level, such as `acme=Advanced`',
  ).optional(),
  POLYAD_CALL_LOG_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
  POLYAD_REPORT_DIR: z.string().min(1).optional(),
  POLYAD_REPORT_KEEP_HOURS: z.coerce.number().min(1).max(8_760).default(72),
  POLYAD_REPORT_CACHE_MB: z.coerce.number().min(0).max(10_000_000).default(1_024),
  POLYAD_CONVERSION_DAYS: z.coerce.number().int().min(2).max(400).default(30),
  POLYAD_CONVERSION_CONTENT_DAYS: z.coerce.number().min(0).max(400).default(7),
  POLYAD_METRICS_TOKEN: z.string().min(1).optional(),
});

export interface Config {
  role: Role;
  /** How long requests are taken after a stop signal, in ms. */
  drainMs: number;
  dataDir: string;
  host: string;
  port: number;
  publicUrl?: string;
  simulatorPort: number;
  simulators: boolean;
  masterKey?: string;
  secrets: SecretSettings;
  databaseUrl?: string;
  redisUrl?: string;
  logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  bodyLimit: number;
  passthroughLimit: number;
  rateLimitPerMinute: number;
  /** Wrong keys per address and minute. */
  authFailuresPerMinute: number;
  /** Number of proxies, or their addresses and ranges; absent = none is trusted. */
  trustProxy?: number | string[];
  /** Ranges, host names and origins that the operator opened for outgoing requests. */
  egressAllow: string[];
  egressPorts: number[];
  /** Platform id -> access level of the operator's app there. */
  quotaTiers?: ReadonlyMap<string, string>;
  callLogDays: number;
  /** How long it is kept what became of conversion events, and the content of refused ones, in days. */
  conversionDays: { fates: number; contents: number };
  /** Files of report jobs. */
  reports: { directory: string; keepMs: number; cacheBytes: number };
  metricsToken?: string;
  /** `<platform id>/<environment>` -> base URL. */
  hosts: Map<string, string>;
}

const HOST_VARIABLE = new RegExp(`^POLYAD_([A-Z0-9_]+)_(${ENVIRONMENTS.join('|').toUpperCase()})_URL$`);

const tiersOf = (entries: readonly string[]): ReadonlyMap<string, string> =>
  new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));

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
  if (given['DATABASE_URL'] === undefined && ['api', 'worker'].includes(given['POLYAD_ROLE'] ?? ''))
    issues.push({
      variable: 'POLYAD_ROLE',
      problem: `is ${given['POLYAD_ROLE']}, but the embedded database serves one process alone`,
      fix: 'Set DATABASE_URL, or leave the role at `all`.',
    });
  const needed = { azure: 'POLYAD_AZURE_VAULT_URL', gcp: 'POLYAD_GCP_PROJECT' } as const;
  for (const [place, variable] of Object.entries(needed))
    if (given['POLYAD_SECRETS'] === place && given[variable] === undefined)
      issues.push({ variable, problem: `is not set, but POLYAD_SECRETS is ${place}`, fix: VARIABLES[variable] });
  for (const variable of ['POLYAD_GCP_SECRETS_URL', 'POLYAD_GCP_KMS_URL'])
    if (
      /^http:/.test(given[variable] ?? '') &&
      !/^http:\/\/(localhost|127\.[0-9.]+|\[::1\])[:/]?/.test(given[variable] ?? '')
    )
      issues.push({
        variable,
        problem: 'must be https, except on this machine',
        fix: 'Secrets would cross the network in the clear.',
      });
  if (!parsed.success || issues.length > 0)
    throw new PolyadError('config_invalid', {
      message: issues.map((issue) => `${issue.variable}: ${issue.problem}. ${issue.fix}`).join('\n'),
      details: { issues },
    });
  const v = parsed.data;
  learnSettings(v);
  return {
    role: v.POLYAD_ROLE,
    drainMs: (v.POLYAD_DRAIN_SECONDS ?? (v.DATABASE_URL === undefined ? 0 : 5)) * 1000,
    dataDir: resolve(v.POLYAD_DATA_DIR),
    host: v.POLYAD_HOST,
    port: v.POLYAD_PORT,
    ...(v.POLYAD_PUBLIC_URL === undefined ? {} : { publicUrl: v.POLYAD_PUBLIC_URL.replace(/\/+$/, '') }),
    simulatorPort: v.POLYAD_SIMULATOR_PORT,
    simulators:
      v.POLYAD_SIMULATORS === undefined
        ? env['NODE_ENV'] !== 'production' && v.POLYAD_ROLE === 'all'
        : v.POLYAD_SIMULATORS === 'on',
    ...(v.POLYAD_MASTER_KEY === undefined ? {} : { masterKey: v.POLYAD_MASTER_KEY }),
    secrets: {
      place: v.POLYAD_SECRETS,
      prefix: v.POLYAD_SECRETS_PREFIX,
      cacheMs: v.POLYAD_SECRETS_CACHE_SECONDS * 1000,
      outageMs: v.POLYAD_SECRETS_OUTAGE_MINUTES * 60_000,
      keyOutageMs: v.POLYAD_KMS_OUTAGE_MINUTES * 60_000,
      ...(v.POLYAD_AWS_REGION === undefined ? {} : { awsRegion: v.POLYAD_AWS_REGION }),
      ...(v.POLYAD_AZURE_VAULT_URL === undefined ? {} : { azureVaultUrl: v.POLYAD_AZURE_VAULT_URL }),
      ...(v.POLYAD_GCP_PROJECT === undefined ? {} : { gcpProject: v.POLYAD_GCP_PROJECT }),
      ...(v.POLYAD_GCP_SECRETS_URL === undefined ? {} : { gcpSecretsUrl: v.POLYAD_GCP_SECRETS_URL }),
      ...(v.POLYAD_GCP_KMS_URL === undefined ? {} : { gcpKmsUrl: v.POLYAD_GCP_KMS_URL }),
    },
    ...(v.DATABASE_URL === undefined ? {} : { databaseUrl: v.DATABASE_URL }),
    ...(v.REDIS_URL === undefined ? {} : { redisUrl: v.REDIS_URL }),
    logLevel: v.POLYAD_LOG_LEVEL,
    bodyLimit: v.POLYAD_BODY_LIMIT_MB * 1024 * 1024,
    passthroughLimit: v.POLYAD_PASSTHROUGH_LIMIT_MB * 1024 * 1024,
    rateLimitPerMinute: v.POLYAD_RATE_LIMIT_PER_MINUTE,
    authFailuresPerMinute: v.POLYAD_AUTH_FAILURES_PER_MINUTE,
    ...(v.POLYAD_TRUST_PROXY === undefined ? {} : { trustProxy: v.POLYAD_TRUST_PROXY }),
    egressAllow: v.POLYAD_EGRESS_ALLOW ?? [],
    egressPorts: v.POLYAD_EGRESS_PORTS.map(Number),
    ...(v.POLYAD_QUOTA_TIERS === undefined ? {} : { quotaTiers: tiersOf(v.POLYAD_QUOTA_TIERS) }),
    callLogDays: v.POLYAD_CALL_LOG_DAYS,
    conversionDays: { fates: v.POLYAD_CONVERSION_DAYS, contents: v.POLYAD_CONVERSION_CONTENT_DAYS },
    reports: {
      directory: resolve(v.POLYAD_REPORT_DIR ?? join(v.POLYAD_DATA_DIR, 'reports')),
      keepMs: v.POLYAD_REPORT_KEEP_HOURS * 3_600_000,
      cacheBytes: v.POLYAD_REPORT_CACHE_MB * 1024 * 1024,
    },
    ...(v.POLYAD_METRICS_TOKEN === undefined ? {} : { metricsToken: v.POLYAD_METRICS_TOKEN }),
    hosts,
  };
}

/** What settings hold that is secret: no text of this process may show it, from the first complaint on. */
function learnSettings(v: z.output<typeof schema>): void {
  for (const key of v.POLYAD_MASTER_KEY?.split(',') ?? [])
    if (!key.includes('://')) knownSecrets.learn(key.trim().replace(/^[^:]*:/, ''));
  knownSecrets.learn(v.POLYAD_METRICS_TOKEN);
  for (const address of [v.DATABASE_URL, v.REDIS_URL]) {
    const password = address === undefined ? undefined : URL.parse(address)?.password;
    if (password) knownSecrets.learn(decodeURIComponent(password));
  }
}
