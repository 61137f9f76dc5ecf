/** Conversion destinations of a workspace: made, changed, removed; each with a credential of the kind that it says. */
import { granted } from '../auth/permissions.ts';
import type { SecretStore } from '../auth/secret-store.ts';
import type { Clock } from '../clock.ts';
import type { ConversionSource, ConversionSourceSpec, ConversionSpec } from '../connector/conversion-spec.ts';
import { parseEnvironment } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Environment, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import {
  type DestinationChange,
  deleteDestination,
  getConnection,
  getDestination,
  insertDestination,
  originsOfTokens,
  settleDestination,
  tokenFingerprint,
  updateDestination,
  usesOfCredential,
} from '../store/repositories/index.ts';
import type { ConversionDestinationRow, Db } from '../store/schema.ts';
import { destinationOwner, EVENT_CREDENTIAL, GRANT } from './credentials.ts';

/** A credential as callers give it: `connection`, or a kind of the platform's with the token itself. */
export type GivenCredential = typeof GRANT | { kind: string; token: string };

export interface DestinationInput {
  connection_id?: string | undefined;
  /** Where there is no connection. */
  integration_type?: string | undefined;
  environment?: string | undefined;
  source: ConversionSource;
  source_id: string;
  name?: string | undefined;
  credential: GivenCredential;
  require_consent?: boolean | undefined;
  batch_delay_ms?: number | undefined;
}

export interface DestinationPatch {
  name?: string | undefined;
  credential?: GivenCredential | undefined;
  require_consent?: boolean | undefined;
  batch_delay_ms?: number | undefined;
  is_paused?: boolean | undefined;
}

/** How long an event waits for others, in ms, unless the destination says otherwise. */
export const DEFAULT_BATCH_DELAY_MS = 500;

export interface DestinationsParts {
  store: Store;
  secrets: SecretStore;
  registry: PlatformRegistry;
  clock: Clock;
}

export class Destinations {
  readonly #parts: DestinationsParts;

  constructor(parts: DestinationsParts) {
    this.#parts = parts;
  }

  /** @throws PolyadError `record_not_found` */
  async get(workspaceId: string, id: string): Promise<ConversionDestinationRow> {
    const found = await getDestination(this.#parts.store.db, workspaceId, id);
    if (found === undefined)
      throw new PolyadError('record_not_found', {
        message: 'There is no such conversion destination.',
        details: { destination_id: id.slice(0, 64) },
      });
    return found;
  }

  /**
   * Makes a destination and keeps its credential.
   *
   * @throws PolyadError `connection_not_found`, `integration_not_found`, `method_unsupported`,
   *   `platform_environment_unsupported`, `input_value_unsupported`, `input_value_invalid`,
   *   `conversion_credential_wrong_kind`, `permission_missing`, `environment_crossed`, `conversion_destination_exists`.
   */
  async create(workspaceId: string, input: DestinationInput): Promise<ConversionDestinationRow> {
    const { store, clock } = this.#parts;
    const { platform, environment, scopes } = await this.#place(workspaceId, input);
    const { spec, source } = sourceOf(platform, environment, input.source);
    if (!new RegExp(source.destination.pattern).test(input.source_id))
      throw new PolyadError('input_value_invalid', {
        message: `\`source_id\` is not a ${source.destination.title} of ${platform.manifest.name}. ${source.destination.instruction}`,
        details: { field: 'source_id', reason: `must match ${source.destination.pattern}` },
      });
    const { type } = platform.manifest;
    const credential = await this.#checked(platform, spec, source, environment, input.credential, scopes);
    const now = clock.now();
    return store.db.transaction().execute(async (trx) => {
      const row = await insertDestination(
        trx,
        {
          workspace_id: workspaceId,
          connection_id: input.connection_id ?? null,
          integration_type: type,
          environment,
          source: input.source,
          source_id: input.source_id,
          name: input.name ?? null,
          credential_kind: credential.kind,
          credential_fingerprint: credential.fingerprint,
          require_consent: input.require_consent ?? false,
          batch_delay_ms: input.batch_delay_ms ?? DEFAULT_BATCH_DELAY_MS,
        },
        now,
      );
      if (row === undefined) throw await this.#exists(trx, workspaceId, type, environment, input);
      await this.#keep(trx, row, credential.token, now);
      return row;
    });
  }

  /** Changes a destination, and has whatever it was held up by tried again. @throws as {@link create}. */
  async change(workspaceId: string, id: string, patch: DestinationPatch): Promise<ConversionDestinationRow> {
    const { store, registry, clock } = this.#parts;
    const row = await this.get(workspaceId, id);
    const { credential: given, ...rest } = patch;
    const change: DestinationChange = Object.fromEntries(
      Object.entries(rest).filter(([, value]) => value !== undefined),
    );
    let token: string | undefined;
    if (given !== undefined) {
      const platform = registry.get(row.integration_type);
      const environment = row.environment as Environment;
      const { spec, source } = sourceOf(platform, environment, row.source as ConversionSource);
      const { scopes } = await this.#place(workspaceId, {
        ...(row.connection_id === null
          ? { integration_type: row.integration_type, environment: row.environment }
          : { connection_id: row.connection_id }),
      });
      const credential = await this.#checked(platform, spec, source, environment, given, scopes);
      token = credential.token;
      Object.assign(change, { credential_kind: credential.kind, credential_fingerprint: credential.fingerprint });
    }
    const now = clock.now();
    return store.db.transaction().execute(async (trx) => {
      const changed = await updateDestination(trx, workspaceId, id, change, now);
      if (changed === undefined) throw new PolyadError('record_not_found', { details: { destination_id: id } });
      if (given !== undefined) await this.#keep(trx, changed, token, now);
      return changed;
    });
  }

  /** Takes a destination out of use and destroys its credential. Events that wait are not sent; their fate says why. */
  async remove(workspaceId: string, id: string): Promise<ConversionDestinationRow> {
    const { store, secrets, clock } = this.#parts;
    const row = await this.get(workspaceId, id);
    await store.db.transaction().execute(async (trx) => {
      const now = clock.now();
      const { code, message: reason } = new PolyadError('conversion_destination_removed');
      await deleteDestination(trx, id, now);
      await settleDestination(trx, row.num, { state: 'refused', code, reason }, now);
      await secrets.remove(trx, destinationOwner(row));
    });
    return row;
  }

  /** Platform, environment and the scopes of the connection's grant, if there is one. */
  async #place(
    workspaceId: string,
    input: Pick<DestinationInput, 'connection_id' | 'integration_type' | 'environment'>,
  ): Promise<{ platform: Platform; environment: Environment; scopes: readonly string[] | undefined }> {
    const { store, registry } = this.#parts;
    if (input.connection_id === undefined) {
      const missing = (['integration_type', 'environment'] as const).filter((name) => input[name] === undefined);
      if (missing.length > 0)
        throw new PolyadError('input_field_required', {
          message: 'A destination belongs to a connection, or names its platform and environment.',
          details: { missing: ['connection_id'], instead: missing },
        });
      const platform = registry.get(input.integration_type as string);
      return { platform, environment: parseEnvironment(input.environment) as Environment, scopes: undefined };
    }
    const connection = await getConnection(store.db, workspaceId, input.connection_id);
    if (connection === undefined)
      throw new PolyadError('connection_not_found', { details: { connection_id: input.connection_id.slice(0, 64) } });
    const { integration_type: type } = input;
    const given = {
      integration_type: type === undefined ? undefined : registry.get(type).manifest.type,
      environment: parseEnvironment(input.environment),
    };
    const other = (['integration_type', 'environment'] as const).find(
      (name) => given[name] !== undefined && given[name] !== connection[name],
    );
    if (other !== undefined)
      throw new PolyadError('input_value_invalid', {
        message: `\`${other}\` is not that of the connection, ${connection[other]}.`,
        details: { field: other, reason: 'differs from the connection', expected: connection[other] },
      });
    return {
      platform: registry.get(connection.integration_type),
      environment: connection.environment as Environment,
      scopes: connection.native_scopes,
    };
  }

  /** The credential, if it is of the kind that it is given as: checked by what we know, before anything is sent. */
  async #checked(
    platform: Platform,
    spec: ConversionSpec,
    source: ConversionSourceSpec,
    environment: Environment,
    given: GivenCredential,
    scopes: readonly string[] | undefined,
  ): Promise<{ kind: string; token?: string; fingerprint: string | null }> {
    const { name, type } = platform.manifest;
    if (given === GRANT) {
      if (scopes === undefined)
        throw new PolyadError('input_value_invalid', {
          message: 'The destination has no connection whose grant it could use.',
          details: { field: 'credential', reason: 'needs `connection_id`' },
        });
      if (scopes.length > 0 && !granted(platform, source.grantScopes, new Set(scopes)))
        throw new PolyadError('permission_missing', {
          message: `The connection's grant does not let ${name} take events: it has none of the scopes ${source.grantScopes.join(', ')}.`,
          details: { needed: source.grantScopes, granted: scopes },
        });
      return { kind: GRANT, fingerprint: null };
    }
    const kinds = spec.credentials.map(({ kind }) => kind);
    const expected = spec.credentials.find(({ kind }) => kind === given.kind);
    const wrong = (message: string): PolyadError =>
      new PolyadError('conversion_credential_wrong_kind', {
        message,
        details: {
          given: given.kind.slice(0, 64),
          expected: [...kinds, GRANT],
          instruction: spec.credentials.map(({ title, instruction }) => `${title}: ${instruction}`).join(' '),
        },
      });
    if (expected === undefined)
      throw wrong(
        `${name} takes events with ${kinds.join(' or ')}, or with the connection's grant where an operator chooses so.`,
      );
    const token = given.token.trim();
    const { db } = this.#parts.store;
    const origins = await originsOfTokens(db, type, [token]);
    if (origins.length > 0)
      throw wrong(
        `This is an OAuth token of a connection, not an ${expected.title}. To send events with a connection's grant, set \`credential\` to "${GRANT}".`,
      );
    const fingerprint = tokenFingerprint(type, token);
    const crossed = (await usesOfCredential(db, fingerprint)).find((other) => other !== environment);
    if (crossed !== undefined)
      throw new PolyadError('environment_crossed', {
        message: `This credential belongs to the environment \`${crossed}\` and cannot be used in \`${environment}\`.`,
        details: { expected: crossed, given: environment },
      });
    return { kind: expected.kind, token, fingerprint };
  }

  async #keep(trx: Db, row: ConversionDestinationRow, token: string | undefined, now: Date): Promise<void> {
    const owner = destinationOwner(row);
    if (token === undefined) await this.#parts.secrets.remove(trx, owner);
    else await this.#parts.secrets.put(trx, owner, EVENT_CREDENTIAL, { access_token: token }, { now });
  }

  async #exists(
    db: Db,
    workspaceId: string,
    type: string,
    environment: string,
    { source, source_id }: DestinationInput,
  ): Promise<PolyadError> {
    const found = await db
      .selectFrom('conversion_destinations')
      .select('id')
      .where('workspace_id', '=', workspaceId)
      .where('integration_type', '=', type)
      .where('environment', '=', environment)
      .where('source', '=', source)
      .where('source_id', '=', source_id)
      .where('deleted_at', 'is', null)
      .executeTakeFirst();
    return new PolyadError('conversion_destination_exists', { details: { destination_id: found?.id } });
  }
}

/**
 * What a platform says of events of a source.
 *
 * @throws PolyadError `method_unsupported` (no events at all), `platform_environment_unsupported`,
 *   `input_value_unsupported` (not of this source).
 */
export function sourceOf(
  platform: Platform,
  environment: Environment,
  source: ConversionSource,
): { spec: ConversionSpec; source: ConversionSourceSpec } {
  const spec = platform.conversions;
  const { name } = platform.manifest;
  if (spec === undefined)
    throw new PolyadError('method_unsupported', {
      message: `${name} takes no conversion events here.`,
      details: { object: 'conversion', instead: 'Use pass-through for what the platform has of its own.' },
    });
  if (!spec.environments.includes(environment))
    throw new PolyadError('platform_environment_unsupported', {
      message: `${name}'s ${environment} host takes no conversion events. Use \`test_code\` in production.`,
      details: { environment, allowed: spec.environments },
    });
  const found = spec.sources[source];
  if (found === undefined)
    throw new PolyadError('input_value_unsupported', {
      message: `${name} takes no events of the source ${source.toUpperCase()}.`,
      details: { field: 'source', allowed: Object.keys(spec.sources).map((one) => one.toUpperCase()) },
    });
  return { spec, source: found };
}
