/** The context platform code gets: everything it may do, bound to one connection and one call of ours. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { CallContext, Environment, OrganizationFacts, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { walk } from '../objects/walk.ts';
import type { Pipeline } from './pipeline.ts';
import type { TokenSource } from './ports.ts';
import type { Scope } from './scope.ts';

/** How long the ad accounts of a connection are remembered: currency and zone hardly ever change. */
const ORGANIZATIONS_TTL_MS = 5 * 60_000;

interface Remembered {
  value: Promise<unknown>;
  until: number;
}

export interface ContextParts {
  registry: PlatformRegistry;
  pipeline: Pipeline;
  tokens: Pick<TokenSource, 'reportOrganizationLost'>;
  clock: Clock;
  log: CallContext['log'];
}

export class Contexts {
  readonly #parts: ContextParts;
  /** Look-up tables by connection and key. Bounded: a forgotten table is only read again. */
  readonly #memory = new LRUCache<string, Remembered>({ max: 5_000 });

  constructor(parts: ContextParts) {
    this.#parts = parts;
  }

  /** Forgets what was remembered for a connection: after re-authorization or a change of its ad accounts. */
  forget(connectionId: string): void {
    for (const key of this.#memory.keys()) if (key.startsWith(`${connectionId}/`)) this.#memory.delete(key);
  }

  open(scope: Scope, platform: Platform): CallContext {
    const { pipeline, tokens, clock, log, registry } = this.#parts;
    const { connection } = scope;
    const remember = <T>(key: string, ttlMs: number, load: () => Promise<T>): Promise<T> => {
      // The version is part of the key: what an older grant could see is not answered to a newer one.
      const full = `${connection.id}/${connection.version}/${key}`;
      const now = clock.now().getTime();
      const known = this.#memory.get(full);
      if (known !== undefined && known.until > now) return known.value as Promise<T>;
      const value = load();
      this.#memory.set(full, { value, until: now + ttlMs });
      value.catch(() => this.#memory.delete(full));
      return value;
    };
    const everyOrganization = (): Promise<readonly OrganizationFacts[]> =>
      remember('organizations', ORGANIZATIONS_TTL_MS, async () => {
        const spec = platform.objects.organization;
        if (spec?.list === undefined) return [];
        const fields = registry.fields(platform, 'organization');
        const input = { ctx, organization: { id: '' }, raw: {} };
        const facts: OrganizationFacts[] = [];
        const rows = (await Array.fromAsync(walk(input, spec.list, {}, 0))).flat();
        for (const row of spec.enrich === undefined ? rows : await spec.enrich(input, rows)) {
          const { id, name, currency, timezone, parent_id } = fields.decode(row, {}) as Record<string, string>;
          if (id === undefined) continue;
          facts.push({
            id,
            ...(name === undefined ? {} : { name }),
            ...(currency === undefined ? {} : { currency }),
            ...(timezone === undefined ? {} : { timeZone: timezone }),
            ...(parent_id === undefined ? {} : { parentId: parent_id }),
          });
        }
        return facts;
      });
    const { selected_organization_ids: chosen } = connection.account;
    const chosenIds = chosen === undefined ? undefined : new Set(chosen);
    const organizations = async (): Promise<readonly OrganizationFacts[]> =>
      chosenIds === undefined ? everyOrganization() : (await everyOrganization()).filter(({ id }) => chosenIds.has(id));
    const ctx: CallContext = {
      environment: connection.environment as Environment,
      request: (request) => pipeline.request(scope, platform, request, scope.patienceMs),
      stream: (request) => pipeline.stream(scope, platform, request, scope.patienceMs),
      organizations,
      organization: async (id) => {
        if (chosenIds?.has(id) === false)
          throw new PolyadError('organization_unknown', {
            message: `\`${id}\` is not among the ad accounts that were chosen for this connection.`,
            details: { organization_id: id, selected: chosenIds.size },
          });
        const all = await everyOrganization();
        const found = all.find((one) => one.id === id);
        if (found === undefined && connection.account.organization_ids?.includes(id) === true) {
          const message = 'The ad account is no longer among those that the grant reaches.';
          await tokens.reportOrganizationLost(connection, id, {
            code: 'organization_access_lost',
            retry: 'never',
            scope: 'organization',
            native: { message },
          });
          throw new PolyadError('organization_access_lost', { message, details: { organization_id: id } });
        }
        if (found === undefined)
          throw new PolyadError('organization_unknown', {
            message: `\`${id}\` is not an ad account of this connection.`,
            details: { organization_id: id, known: all.slice(0, 20).map((one) => one.id), count: all.length },
          });
        return found;
      },
      jobEnded: (request) => pipeline.jobEnded(scope, platform, request),
      remember,
      grantedScopes: connection.native_scopes,
      knownOrganizationIds: connection.account.organization_ids ?? [],
      now: () => clock.now(),
      log,
      signal: scope.signal,
    };
    return ctx;
  }
}
