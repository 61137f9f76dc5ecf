/** Open writes that a person settles, who has looked at the platform and says what became of one. */
import { randomUUID } from 'node:crypto';
import type { Scope } from '../calls/scope.ts';
import type { ObjectName } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { ObjectService } from '../objects/service.ts';
import { claimId, dropWrite, findOpenWrite, finishWrite, takeOverWrite } from '../store/repositories/index.ts';
import type { WriteRow } from '../store/schema.ts';
import { type JournalParts, LEASE_MS } from './journal.ts';

/** What a person found. */
export interface Finding {
  /** Whether the write was carried out. */
  done: boolean;
  /** For a creation that was: the object. */
  objectId?: string | undefined;
}

/**
 * Closes an open write. Done: a repetition under its key answers the object. Not done: its key is free.
 *
 * @throws PolyadError `record_not_found` (no open write has this id), `idempotency_in_flight` (somebody is at it),
 *   `input_invalid`, `platform_not_found` (there is no such object)
 */
export async function settleWrite(
  { store, clock }: Pick<JournalParts, 'store' | 'clock'>,
  objects: ObjectService,
  scope: Scope,
  id: string,
  { done, objectId }: Finding,
): Promise<WriteRow> {
  const { db } = store;
  const row = await findOpenWrite(db, scope.workspace.id, scope.connection.id, id);
  if (row === undefined) throw new PolyadError('record_not_found', { details: { id: id.slice(0, 64) } });
  const [verb, object] = row.route.split(' ') as [string, ObjectName];
  const creates = verb === 'create';
  if (done && creates !== (objectId !== undefined))
    throw new PolyadError('input_invalid', {
      details: { issues: [{ path: 'object_id', reason: creates ? 'is missing' : 'is for creations alone' }] },
    });
  // The target of a creation is platform/environment/ad account/native name.
  const organization = row.target?.split('/')[2];
  const answer =
    objectId === undefined
      ? {}
      : await objects.get(scope, object, objectId, organization ? { org_id: organization } : {});
  const now = clock.now();
  const holder = `settled/${randomUUID()}`;
  const taken = await takeOverWrite(db, id, holder, new Date(now.getTime() + LEASE_MS), now);
  if (taken === undefined) throw new PolyadError('idempotency_in_flight', { retryAfterMs: LEASE_MS });
  if (!done) {
    await dropWrite(db, id, holder);
    return taken;
  }
  if (objectId !== undefined) {
    const claimed = await claimId(db, { id, holder, target: row.target ?? '', platform_id: objectId }, now);
    if (!claimed) {
      const { state, status, answer: before } = row;
      await finishWrite(db, id, holder, { state, status, answer: before ?? undefined }, now);
      throw new PolyadError('input_invalid', {
        message: `Another write created \`${objectId.slice(0, 64)}\`.`,
        details: { issues: [{ path: 'object_id', reason: 'was created by another write' }] },
      });
    }
  }
  await finishWrite(db, id, holder, { state: 'done', status: 200, answer: row.key === null ? undefined : answer }, now);
  return taken;
}
