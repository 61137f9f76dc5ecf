/**
 * `polyad.config.ts`: the same settings as the environment variables, for those who like them in a file. A variable wins
 * over the file; both go through the same checks, so a complaint always names the variable and the fix.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Config, loadConfig } from '../core/config.ts';
import { PolyadError } from '../core/errors/index.ts';

/** What `polyad.config.ts` may export as default. Every member is optional. */
export interface PolyadConfig {
  /** POLYAD_DATA_DIR; relative to the working directory. */
  dataDir?: string;
  /** POLYAD_ROLE */
  role?: Config['role'];
  /** POLYAD_DRAIN_SECONDS */
  drainSeconds?: number;
  /** POLYAD_HOST */
  host?: string;
  /** POLYAD_PORT; 0 = any free one. */
  port?: number;
  /** POLYAD_PUBLIC_URL */
  publicUrl?: string;
  /** POLYAD_SIMULATOR_PORT; 0 = any free ones. */
  simulatorPort?: number;
  /** POLYAD_SIMULATORS */
  simulators?: boolean;
  /** POLYAD_MASTER_KEY; better kept in the environment or in the key file. */
  masterKey?: string;
  /** POLYAD_SECRETS */
  secrets?: Config['secrets']['place'];
  /** POLYAD_SECRETS_PREFIX */
  secretsPrefix?: string;
  /** POLYAD_SECRETS_CACHE_SECONDS */
  secretsCacheSeconds?: number;
  /** POLYAD_SECRETS_OUTAGE_MINUTES */
  secretsOutageMinutes?: number;
  /** POLYAD_KMS_OUTAGE_MINUTES */
  kmsOutageMinutes?: number;
  /** POLYAD_AWS_REGION */
  awsRegion?: string;
  /** POLYAD_AZURE_VAULT_URL */
  azureVaultUrl?: string;
  /** POLYAD_GCP_PROJECT */
  gcpProject?: string;
  /** POLYAD_GCP_SECRETS_URL */
  gcpSecretsUrl?: string;
  /** POLYAD_GCP_KMS_URL */
  gcpKmsUrl?: string;
  /** DATABASE_URL */
  databaseUrl?: string;
  /** REDIS_URL */
  redisUrl?: string;
  /** POLYAD_LOG_LEVEL */
  logLevel?: Config['logLevel'];
  /** POLYAD_BODY_LIMIT_MB */
  bodyLimitMb?: number;
  /** POLYAD_PASSTHROUGH_LIMIT_MB */
  passthroughLimitMb?: number;
  /** POLYAD_RATE_LIMIT_PER_MINUTE */
  rateLimitPerMinute?: number;
  /** POLYAD_METRICS_TOKEN */
  metricsToken?: string;
  /** POLYAD_<PLATFORM>_<ENVIRONMENT>_URL: `{ 'tiktok/sandbox': 'https://…' }`. */
  hosts?: Record<string, string>;
}

type Env = Record<string, string | undefined>;

/** Files looked for in the working directory, the first that exists. */
const FILES = ['polyad.config.ts', 'polyad.config.mjs', 'polyad.config.js'] as const;

const VARIABLE: Record<Exclude<keyof PolyadConfig, 'hosts'>, string> = {
  dataDir: 'POLYAD_DATA_DIR',
  role: 'POLYAD_ROLE',
  drainSeconds: 'POLYAD_DRAIN_SECONDS',
  host: 'POLYAD_HOST',
  port: 'POLYAD_PORT',
  publicUrl: 'POLYAD_PUBLIC_URL',
  simulatorPort: 'POLYAD_SIMULATOR_PORT',
  simulators: 'POLYAD_SIMULATORS',
  masterKey: 'POLYAD_MASTER_KEY',
  secrets: 'POLYAD_SECRETS',
  secretsPrefix: 'POLYAD_SECRETS_PREFIX',
  secretsCacheSeconds: 'POLYAD_SECRETS_CACHE_SECONDS',
  secretsOutageMinutes: 'POLYAD_SECRETS_OUTAGE_MINUTES',
  kmsOutageMinutes: 'POLYAD_KMS_OUTAGE_MINUTES',
  awsRegion: 'POLYAD_AWS_REGION',
  azureVaultUrl: 'POLYAD_AZURE_VAULT_URL',
  gcpProject: 'POLYAD_GCP_PROJECT',
  gcpSecretsUrl: 'POLYAD_GCP_SECRETS_URL',
  gcpKmsUrl: 'POLYAD_GCP_KMS_URL',
  databaseUrl: 'DATABASE_URL',
  redisUrl: 'REDIS_URL',
  logLevel: 'POLYAD_LOG_LEVEL',
  bodyLimitMb: 'POLYAD_BODY_LIMIT_MB',
  passthroughLimitMb: 'POLYAD_PASSTHROUGH_LIMIT_MB',
  rateLimitPerMinute: 'POLYAD_RATE_LIMIT_PER_MINUTE',
  metricsToken: 'POLYAD_METRICS_TOKEN',
};

/** The file in use: POLYAD_CONFIG, or the first of the known names in `directory`; undefined = none. */
export function configFile(env: Env, directory: string): string | undefined {
  const named = env['POLYAD_CONFIG'];
  if (named !== undefined && named !== '') {
    const file = resolve(directory, named);
    if (existsSync(file)) return file;
    throw problem('POLYAD_CONFIG', `names ${file}, which does not exist`, 'Correct the path or unset the variable.');
  }
  return FILES.map((name) => resolve(directory, name)).find((file) => existsSync(file));
}

/** The settings of the file as the variables that they stand for. @throws PolyadError `config_invalid`. */
export function asVariables(settings: PolyadConfig, file: string): Env {
  const env: Env = {};
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    if (name === 'hosts') {
      for (const [target, url] of Object.entries(value as Record<string, string>)) {
        const [platform, environment, ...rest] = target.split('/');
        if (platform === undefined || environment === undefined || rest.length > 0)
          throw problem(`hosts['${target}'] in ${file}`, 'is not <platform>/<environment>', "Write 'tiktok/sandbox'.");
        env[`POLYAD_${platform}_${environment}_URL`.toUpperCase().replaceAll('-', '_')] = String(url);
      }
      continue;
    }
    const variable = Object.hasOwn(VARIABLE, name) ? VARIABLE[name as keyof typeof VARIABLE] : undefined;
    if (variable === undefined)
      throw problem(`${name} in ${file}`, 'is not a setting', `Known are ${Object.keys(VARIABLE).join(', ')}, hosts.`);
    env[variable] = name === 'simulators' && typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
  }
  return env;
}

/**
 * The configuration from flags (strongest), environment variables, and the file (weakest).
 *
 * @throws PolyadError `config_invalid` naming every variable that is wrong and what to write instead.
 */
export async function readConfig(env: Env, flags: Env = {}, directory: string = process.cwd()): Promise<Config> {
  const file = configFile(env, directory);
  let fromFile: Env = {};
  if (file !== undefined) {
    let settings: unknown;
    try {
      settings = ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
    } catch (error) {
      throw problem(file, `cannot be loaded: ${(error as Error).message}`, 'Correct the file.', error);
    }
    if (settings === null || typeof settings !== 'object')
      throw problem(file, 'has no default export', 'Write `export default { … }`.');
    fromFile = asVariables(settings as PolyadConfig, file);
  }
  const given = (part: Env) => Object.entries(part).filter(([, value]) => value !== undefined && value !== '');
  return loadConfig(Object.fromEntries([...given(fromFile), ...given(env), ...given(flags)]));
}

function problem(variable: string, text: string, fix: string, cause?: unknown): PolyadError {
  return new PolyadError('config_invalid', {
    message: `${variable} ${text}. ${fix}`,
    details: { issues: [{ variable, problem: text, fix }] },
    ...(cause === undefined ? {} : { cause }),
  });
}
