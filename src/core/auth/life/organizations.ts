/**
 * Ad accounts that a connection may no longer use while its grant works. They are kept apart from the grant's health: one
 * lost ad account of twenty is no reason to ask the customer to authorise again, and no other call is stopped by it.
 */
import type { Clock } from '../../clock.ts';
import type { Classification } from '../../connector/types.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import { appendEvent, clearLostOrganization, noteLostOrganization } from '../../store/repositories/index.ts';
import type { ConnectionRow } from '../../store/schema.ts';
import { eventFacts } from './facts.ts';

export interface OrganizationAccessParts {
  store: Store;
  clock: Clock;
  log: StoreLog;
}

export class OrganizationAccess {
  readonly #parts: OrganizationAccessParts;
  /** What is being written, so that many refusals at once make one note. */
  readonly #writing = new Map<string, Promise<void>>();
  /** Told after an ad account was found lost: others may have gone with it. Answers whether it looks after all of them. */
  noticed: ((connection: ConnectionRow) => boolean) | undefined;

  constructor(parts: OrganizationAccessParts) {
    this.#parts = parts;
  }

  /** The platform refuses one ad account. Many callers may say so at once: one mark, one event. Never fails. */
  lost(connection: ConnectionRow, organizationId: string, native: Classification['native']): Promise<void> {
    if (connection.lost_organizations[organizationId] !== undefined) return Promise.resolve();
    return this.#once(`lost/${connection.id}/${organizationId}`, async () => {
      const { store, clock } = this.#parts;
      const now = clock.now();
      await store.db.transaction().execute(async (trx) => {
        const row = await noteLostOrganization(
          trx,
          connection.id,
          organizationId,
          {
            since: now.toISOString(),
            ...(native.code === undefined ? {} : { platform_code: native.code }),
            ...(native.message === undefined ? {} : { message: native.message }),
          },
          now,
        );
        if (row === undefined) return;
        await appendEvent(
          trx,
          row.workspace_id,
          {
            type: 'connection.organization_access_lost',
            connection_id: row.id,
            payload: {
              ...eventFacts(row),
              organization_id: organizationId,
              platform_code: native.code ?? null,
              platform_message: native.message ?? null,
            },
          },
          now,
        );
      });
      this.noticed?.(connection);
    });
  }

  /** A call about one ad account worked. Costs nothing unless it was lost before; never fails. */
  works(connection: ConnectionRow, organizationId: string): Promise<void> {
    if (connection.lost_organizations[organizationId] === undefined) return Promise.resolve();
    return this.#once(`works/${connection.id}/${organizationId}`, async () => {
      const { store, clock } = this.#parts;
      const now = clock.now();
      await store.db.transaction().execute(async (trx) => {
        const row = await clearLostOrganization(trx, connection.id, organizationId, now);
        if (row === undefined) return;
        await appendEvent(
          trx,
          row.workspace_id,
          {
            type: 'connection.organization_access_recovered',
            connection_id: row.id,
            payload: { ...eventFacts(row), organization_id: organizationId },
          },
          now,
        );
      });
    });
  }

  /** What a list of the reachable ad accounts says of those known before. */
  async compare(connection: ConnectionRow, reachable: readonly string[]): Promise<void> {
    const known = connection.account.organization_ids ?? [];
    const reached = new Set(reachable);
    const missing = known.filter((id) => !reached.has(id) && connection.lost_organizations[id] === undefined);
    // Several at once went with something: whoever knows what lies above them says it once for all.
    const together = missing.length > 1 && this.noticed?.(connection) === true;
    for (const id of together ? [] : missing)
      await this.lost(connection, id, { message: 'The ad account is no longer among those that the grant reaches.' });
    for (const id of known) if (reached.has(id)) await this.works(connection, id);
  }

  async #once(key: string, work: () => Promise<void>): Promise<void> {
    let writing = this.#writing.get(key);
    if (writing === undefined) {
      writing = work()
        .catch((error: unknown) => this.#parts.log.warn({ err: error }, 'access to an ad account could not be noted'))
        .finally(() => this.#writing.delete(key));
      this.#writing.set(key, writing);
    }
    return writing;
  }
}
