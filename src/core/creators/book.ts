/** Keeps on record which creators' authorizations there are, as they pass by in lists and creations. */
import type { Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { ObjectName, Unified } from '../connector/types.ts';
import type { ObjectObserver } from '../objects/observer.ts';
import type { Store } from '../store/port.ts';
import { dropAuthorization, noteAuthorizations, type SeenAuthorization } from '../store/repositories/index.ts';
import { nextLook, OVER } from './plan.ts';

export class CreatorBook implements ObjectObserver {
  readonly objects: ReadonlySet<ObjectName> = new Set(['creator_authorization']);
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async seen({ connection, workspace }: Scope, _object: ObjectName, rows: readonly Unified[]): Promise<void> {
    const now = this.#clock.now();
    // One row may come twice in what several pages hold; a statement must not.
    const seen = new Map<string, SeenAuthorization>();
    for (const { id, organization_id: organization, state, end_at: end } of rows) {
      if (typeof id !== 'string' || typeof organization !== 'string' || typeof state !== 'string') continue;
      const ends = typeof end === 'string' ? new Date(end) : null;
      seen.set(`${organization}/${id}`, {
        connection_id: connection.id,
        organization_id: organization,
        item_id: id,
        workspace_id: workspace.id,
        state,
        ends_at: ends,
        next_at: nextLook(state, ends, now),
        told_end: OVER.has(state),
        seen_at: now,
      });
    }
    if (seen.size > 0) await noteAuthorizations(this.#store.db, [...seen.values()]);
  }

  removed({ connection }: Scope, _object: ObjectName, id: string): Promise<void> {
    return dropAuthorization(this.#store.db, connection.id, id);
  }
}
