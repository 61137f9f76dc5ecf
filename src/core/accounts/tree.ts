/**
 * The businesses and ad accounts that a connection reaches: read from the platform, kept, and compared with what was known,
 * so that a business which withdraws is told from an ad account that does, and each is told once.
 */
import { eventFacts } from '../auth/life/facts.ts';
import type { Scope } from '../calls/scope.ts';
import { Meter } from '../calls/scope.ts';
import type { AccountNode, AccountsSpec } from '../connector/accounts-spec.ts';
import { PolyadError } from '../errors/index.ts';
import type { Runtime } from '../runtime.ts';
import { newId } from '../store/ids.ts';
import {
  type AccountFilter,
  appendEvent,
  countAccounts,
  dropAccounts,
  getAccountTree,
  getWorkspace,
  holdConnection,
  listAccounts,
  loseAccounts,
  type NewEvent,
  putAccounts,
  setLostOrganizations,
} from '../store/repositories/index.ts';
import type { AccountRow, ConnectionRow, Db, LostOrganization } from '../store/schema.ts';
import { type Comparison, compareTrees } from './compare.ts';

/** After a refusal the tree is read at most so often by itself, in ms. */
const QUIET_MS = 60_000;
/** Up to so many single ad accounts get an event each; more get one together. */
const SINGLE_EVENTS = 20;
/** Longest list of ids in one event. */
const LISTED = 5_000;

export class AccountTrees {
  readonly #runtime: Runtime;
  /** When each connection's tree was read by itself last. */
  readonly #noticed = new Map<string, number>();
  readonly #background = new Set<Promise<void>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Waits for what goes on by itself. */
  async settle(): Promise<void> {
    await Promise.all(this.#background);
  }

  /** @throws PolyadError `method_unsupported`: the platform has nothing above ad accounts. */
  spec(connection: Pick<ConnectionRow, 'integration_type'>): AccountsSpec {
    const platform = this.#runtime.registry.get(connection.integration_type);
    if (platform.accounts === undefined)
      throw new PolyadError('method_unsupported', {
        message: `${platform.manifest.name} has no businesses above ad accounts.`,
      });
    return platform.accounts;
  }

  /** What is known; read from the platform when nothing is, or when asked to. */
  async known(scope: Scope, { refresh = false } = {}) {
    const { db } = this.#runtime.store;
    const { id } = scope.connection;
    this.spec(scope.connection);
    let tree = await getAccountTree(db, id);
    if (tree === undefined || refresh) {
      await this.read(scope);
      tree = await getAccountTree(db, id);
    }
    return {
      read_at: tree?.read_at ?? this.#runtime.clock.now(),
      gaps: tree?.gaps ?? [],
      counts: await countAccounts(db, id),
      businesses: await listAccounts(db, id, { kind: 'business' }),
    };
  }

  async list(scope: Scope, filter: AccountFilter): Promise<AccountRow[]> {
    await this.known(scope);
    return listAccounts(this.#runtime.store.db, scope.connection.id, filter);
  }

  /** Reads the tree and tells what came and went. */
  async read(scope: Scope): Promise<Comparison> {
    const { store, clock } = this.#runtime;
    const { connection } = scope;
    const { nodes, gaps } = await this.spec(connection).read(this.#runtime.context(scope));
    const now = clock.now();
    const found = await store.db.transaction().execute(async (trx) => {
      // Of two that read at once the second finds nothing new.
      const held = await holdConnection(trx, connection.id);
      const before = await listAccounts(trx, connection.id);
      const compared = compareTrees(before, nodes, gaps);
      await putAccounts(trx, connection.id, nodes, gaps, now);
      if (compared.dropped.length > 0) await dropAccounts(trx, connection.id, compared.dropped);
      if (compared.lost.length > 0) await loseAccounts(trx, connection.id, compared.lost, now);
      if (held !== undefined) await this.#tell(trx, held, compared, nodes, now);
      return compared;
    });
    if (found.lost.length > 0 || found.recovered.length > 0) this.#runtime.forget(connection.id);
    return found;
  }

  /** An ad account was refused: whether others went with it is found out beside the call. Never fails. Answers whether it is. */
  noticed(connection: ConnectionRow): boolean {
    const { clock, registry, log } = this.#runtime;
    if (registry.get(connection.integration_type).accounts === undefined) return false;
    if ((connection.account.organization_ids?.length ?? 0) < 2) return false;
    const now = clock.now().getTime();
    if (now - (this.#noticed.get(connection.id) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return true;
    if (this.#noticed.size > 10_000) this.#noticed.clear();
    this.#noticed.set(connection.id, now);
    const work = this.#alone(connection)
      .catch((error: unknown) =>
        log.warn({ err: error, connection_id: connection.id }, 'the accounts of a connection could not be read'),
      )
      .finally(() => this.#background.delete(work));
    this.#background.add(work);
    return true;
  }

  async #alone(connection: ConnectionRow): Promise<void> {
    const workspace = await getWorkspace(this.#runtime.store.db, connection.workspace_id);
    if (workspace === undefined) return;
    await this.read({
      ...{ workspace, connection, requestId: newId(), meter: new Meter(), priority: 'sync' },
      signal: AbortSignal.timeout(10 * 60_000),
    });
  }

  async #tell(
    trx: Db,
    held: ConnectionRow,
    compared: Comparison,
    nodes: readonly AccountNode[],
    now: Date,
  ): Promise<void> {
    const { lost, recovered } = compared;
    const organizations = lost.filter(({ kind }) => kind === 'organization');
    const back = recovered.filter(({ kind }) => kind === 'organization').map(({ id }) => id);
    // Refusals met before the first reading of the tree stand on the connection alone.
    const reached = nodes.filter(({ kind, granted }) => kind === 'organization' && granted).map(({ id }) => id);
    const again = reached.filter((id) => held.lost_organizations[id] !== undefined);
    if (organizations.length > 0 || again.length > 0) {
      const notes = Object.fromEntries(
        organizations.map(({ id, business_name, lost_with }): [string, LostOrganization] => [
          id,
          {
            since: now.toISOString(),
            message:
              lost_with === undefined
                ? 'The ad account is no longer among those that the grant reaches.'
                : `The business ${business_name ?? lost_with} (${lost_with}) withdrew its ad accounts.`,
          },
        ]),
      );
      await setLostOrganizations(trx, held.id, notes, again, now);
    }
    for (const event of eventsOf(held, compared, [...new Set([...back, ...again])]))
      await appendEvent(trx, held.workspace_id, event, now);
  }
}

/** What happened, as events: a business with all it took is one. */
function eventsOf(connection: ConnectionRow, { lost, recovered }: Comparison, back: readonly string[]): NewEvent[] {
  const event = (type: string, payload: Record<string, unknown>): NewEvent => ({
    type: `connection.${type}`,
    connection_id: connection.id,
    payload: { ...eventFacts(connection), ...payload },
  });
  const businesses = new Map<string, { name: string | undefined; ids: string[] }>();
  for (const { kind, id, lost_with, business_name } of lost) {
    const business = kind === 'business' ? id : lost_with;
    if (business === undefined) continue;
    const entry = businesses.get(business) ?? { name: business_name, ids: [] };
    businesses.set(business, entry);
    if (kind === 'organization') entry.ids.push(id);
  }
  const single = lost
    .filter(
      ({ kind, id, lost_with }) =>
        kind === 'organization' && lost_with === undefined && connection.lost_organizations[id] === undefined,
    )
    .map(({ id }) => id);
  const ones = (type: string, ids: readonly string[]): NewEvent[] =>
    ids.length <= SINGLE_EVENTS
      ? ids.map((id) => event(type, { organization_id: id }))
      : [event(type, { organization_ids: ids.slice(0, LISTED), organizations: ids.length })];
  return [
    ...[...businesses].map(([id, { name, ids }]) =>
      event('business_access_lost', {
        business_id: id,
        business_name: name ?? null,
        organization_ids: ids.slice(0, LISTED),
        organizations: ids.length,
      }),
    ),
    ...ones('organization_access_lost', single),
    ...recovered
      .filter(({ kind }) => kind === 'business')
      .map(({ id, business_name }) =>
        event('business_access_recovered', { business_id: id, business_name: business_name ?? null }),
      ),
    ...ones('organization_access_recovered', back),
  ];
}
