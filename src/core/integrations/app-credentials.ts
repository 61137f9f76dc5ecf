/**
 * The workspace's own app at a platform: id and secret per environment. Written, used, never read back; what can be seen
 * is that they are there, the id, and the last characters of the secret.
 */

import { APP, integrationOwner, openApp } from '../auth/credentials.ts';
import type { SecretStore } from '../auth/secret-store.ts';
import type { AppCredentials } from '../calls/ports.ts';
import type { Clock } from '../clock.ts';
import { wireEnvironment } from '../connector/hosts.ts';
import type { Environment, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import { appendEvent, deleteIntegration, getIntegration, putIntegration } from '../store/repositories/index.ts';
import type { IntegrationRow, IntegrationSettings } from '../store/schema.ts';

/** What may be shown of app credentials. */
export interface AppCredentialsHint {
  integration_type: string;
  environment: string;
  is_active: boolean;
  /** False: switched on or configured without credentials of an app. */
  has_credentials: boolean;
  client_id?: string;
  /** The last four characters of the secret, for recognition: `…f3a9`. */
  client_secret_hint?: string;
  settings: IntegrationSettings;
  created_at: string;
  updated_at: string;
}

/** A new or changed app. Credentials are given together or not at all. */
export interface AppCredentialsInput {
  /** `client_id`, `client_secret` or the platform's own names for them, settings, `is_active`. */
  [name: string]: unknown;
}

/** Names under which people know app credentials, whatever the platform. A platform may add its own. */
const COMMON_ALIASES: Record<string, keyof AppCredentials> = {
  client_id: 'client_id',
  app_id: 'client_id',
  client_key: 'client_id',
  client_secret: 'client_secret',
  app_secret: 'client_secret',
  secret: 'client_secret',
};

const SETTINGS = ['scopes', 'redirect_uris'] as const;

/** The credentials in `input`, under whichever names. @throws PolyadError `input_invalid`. */
export function readAppCredentials(platform: Platform, input: AppCredentialsInput): Partial<AppCredentials> {
  const aliases: Record<string, keyof AppCredentials> = { ...COMMON_ALIASES, ...platform.auth.credentialAliases };
  const known = new Set([...Object.keys(aliases), ...SETTINGS, 'is_active']);
  const found: Partial<AppCredentials> = {};
  const issues: { path: string; reason: string }[] = [];
  for (const [name, value] of Object.entries(input)) {
    const target = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
    if (target === undefined) {
      if (!known.has(name)) issues.push({ path: name, reason: `is not known; known are ${[...known].join(', ')}` });
      continue;
    }
    const text = typeof value === 'string' ? value.trim() : '';
    if (text === '') issues.push({ path: name, reason: 'must be a text that is not empty' });
    else if (found[target] !== undefined && found[target] !== text)
      issues.push({ path: name, reason: `contradicts another name for ${target}` });
    else found[target] = text;
  }
  if (issues.length > 0) throw new PolyadError('input_invalid', { details: { issues } });
  return found;
}

function readSettings(input: AppCredentialsInput, present: IntegrationSettings): IntegrationSettings {
  const settings: IntegrationSettings = { ...present };
  for (const name of SETTINGS) {
    const value = input[name];
    if (value === undefined) continue;
    if (!Array.isArray(value) || value.some((member) => typeof member !== 'string'))
      throw new PolyadError('input_invalid', {
        details: { issues: [{ path: name, reason: 'must be a list of texts' }] },
      });
    settings[name] = value as string[];
  }
  return settings;
}

export interface AppCredentialsParts {
  store: Store;
  secrets: SecretStore;
  clock: Clock;
}

export class AppCredentialsService {
  readonly #parts: AppCredentialsParts;
  /** Open credentials; null = known to be none. */
  /** By workspace: what was read, answered anew at no cost. */
  readonly #open = new Map<string, { type: string; environment: string; app: Promise<AppCredentials | undefined> }[]>();
  readonly #stopListening: () => void;
  #epoch = 0;
  #caching = true;

  constructor(parts: AppCredentialsParts) {
    this.#parts = parts;
    this.#stopListening = parts.store.listenInvalidations((news) => {
      if (news.event === 'changed' && news.kind !== 'integration') return;
      this.#epoch += 1;
      this.#open.clear();
      if (news.event !== 'changed') this.#caching = news.event === 'restored';
    });
  }

  close(): void {
    this.#stopListening();
    this.#open.clear();
  }

  /** The credentials for use; undefined when the workspace has none for this type and environment. */
  get(workspaceId: string, type: string, environment: string): Promise<AppCredentials | undefined> {
    const known = this.#open.get(workspaceId)?.find((one) => one.type === type && one.environment === environment);
    return known?.app ?? this.#read(workspaceId, type, environment);
  }

  async #read(workspaceId: string, type: string, environment: string): Promise<AppCredentials | undefined> {
    const epoch = this.#epoch;
    const row = await getIntegration(this.#parts.store.db, workspaceId, type, environment);
    const found = row === undefined ? undefined : await openApp(this.#parts.secrets, this.#parts.store.db, row);
    if (this.#caching && epoch === this.#epoch) {
      if (this.#open.size >= 10_000) this.#open.clear();
      const others = (this.#open.get(workspaceId) ?? []).filter(
        (one) => one.type !== type || one.environment !== environment,
      );
      this.#open.set(workspaceId, [...others, { type, environment, app: Promise.resolve(found) }]);
    }
    return found;
  }

  /**
   * Stores or changes the app of a platform in one environment. New credentials replace the old as a pair; without
   * credentials only settings and `is_active` change.
   *
   * @throws PolyadError `input_invalid`.
   */
  async put(
    workspaceId: string,
    platform: Platform,
    environment: Environment,
    input: AppCredentialsInput,
  ): Promise<AppCredentialsHint> {
    const credentials = readAppCredentials(platform, input);
    if (input['is_active'] !== undefined && typeof input['is_active'] !== 'boolean')
      throw new PolyadError('input_invalid', {
        details: { issues: [{ path: 'is_active', reason: 'must be true or false' }] },
      });
    const { store, secrets, clock } = this.#parts;
    const { type } = platform.manifest;
    const now = clock.now();
    const row = await store.db.transaction().execute(async (trx) => {
      const present = await getIntegration(trx, workspaceId, type, environment);
      const stored = await putIntegration(
        trx,
        workspaceId,
        type,
        environment,
        {
          is_active: input['is_active'] as boolean | undefined,
          settings: readSettings(input, present?.settings ?? {}),
        },
        now,
      );
      if (credentials.client_id !== undefined || credentials.client_secret !== undefined) {
        const old = await openApp(secrets, trx, stored);
        // An id without its secret would pair with another app's secret, so only the secret may come alone (rotation).
        const id = credentials.client_id ?? old?.client_id;
        const secret =
          credentials.client_secret ?? (credentials.client_id === old?.client_id ? old?.client_secret : undefined);
        if (id === undefined || secret === undefined)
          throw new PolyadError('input_invalid', {
            message: 'An app needs both its id and its secret.',
            details: { issues: [{ path: id === undefined ? 'client_id' : 'client_secret', reason: 'is missing' }] },
          });
        await secrets.put(trx, integrationOwner(stored), APP, { client_id: id, client_secret: secret }, { now });
      }
      await appendEvent(
        trx,
        workspaceId,
        { type: 'integration.updated', payload: { integration_type: type, environment } },
        now,
      );
      return stored;
    });
    this.#forget();
    return this.#hint(row);
  }

  /** What may be shown; undefined when the workspace never touched this type and environment. */
  async hint(workspaceId: string, type: string, environment: string): Promise<AppCredentialsHint | undefined> {
    const row = await getIntegration(this.#parts.store.db, workspaceId, type, environment);
    return row === undefined ? undefined : this.#hint(row);
  }

  /** Destroys the app's credentials and settings in one environment. Answers whether there were any. */
  async remove(workspaceId: string, type: string, environment: string): Promise<boolean> {
    const removed = await deleteIntegration(this.#parts.store.db, workspaceId, type, environment);
    this.#forget();
    return removed;
  }

  #forget(): void {
    this.#epoch += 1;
    this.#open.clear();
  }

  async #hint(row: IntegrationRow): Promise<AppCredentialsHint> {
    const credentials = await openApp(this.#parts.secrets, this.#parts.store.db, row);
    return {
      integration_type: row.type,
      environment: wireEnvironment(row.environment),
      is_active: row.is_active,
      has_credentials: credentials !== undefined,
      ...(credentials === undefined
        ? {}
        : { client_id: credentials.client_id, client_secret_hint: secretHint(credentials.client_secret) }),
      settings: row.settings,
      created_at: row.created_at.toISOString(),
      updated_at: row.updated_at.toISOString(),
    };
  }
}

/** The last four characters of a secret long enough that they give nothing away; nothing of a shorter one. */
export function secretHint(secret: string): string {
  return secret.length >= 12 ? `…${secret.slice(-4)}` : '…';
}
