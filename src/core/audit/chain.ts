/**
 * The chain of the audit log: each row's hash covers the row before it, so that a row which was changed, left out, put in
 * or moved breaks every hash after it. Pure functions: the server and whoever holds an export verify alike.
 */
import { createHash } from 'node:crypto';
import type { AuditActorKind } from '../store/schema.ts';

/** A row of the log as it is exported, one JSON object a line. */
export interface AuditRecord {
  workspace_id: string;
  /** 1, 2, 3 … without gaps. */
  seq: number;
  /** ISO 8601 with milliseconds, UTC. */
  at: string;
  actor_kind: AuditActorKind;
  /** Id of the API key; null where there is none. */
  actor_id: string | null;
  actor_name: string | null;
  /** The operation: `createApiKey`, `updateAdsCampaign`. */
  action: string;
  object_type: string | null;
  object_id: string | null;
  connection_id: string | null;
  /** `ok`, or an error code. */
  outcome: string;
  request_id: string | null;
  ip_address: string | null;
  details: Record<string, unknown>;
  previous_hash: string;
  hash: string;
}

/** What the first row of a chain follows. */
export const BEGINNING = '0'.repeat(64);

/** SHA-256, in hexadecimal, over the compact JSON array of everything in a row but its hash. */
export function hashOf(row: Omit<AuditRecord, 'hash'>): string {
  const parts = [
    row.previous_hash,
    row.workspace_id,
    row.seq,
    row.at,
    row.actor_kind,
    row.actor_id,
    row.actor_name,
    row.action,
    row.object_type,
    row.object_id,
    row.connection_id,
    row.outcome,
    row.request_id,
    row.ip_address,
    row.details,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** What a verification found. */
export interface Verification {
  ok: boolean;
  rows: number;
  /** Numbers of the first and the last row that were read; absent when there were none. */
  first?: number;
  last?: number;
  /** Hash of the last row that fits: note it elsewhere to see later that nothing before it was changed. */
  hash: string;
  /** Where the chain breaks. */
  fault?: { seq: number; reason: string };
}

/** A place in the chain that was noted before. */
export interface Anchor {
  seq: number;
  hash: string;
}

/** Walks over rows in their order. Stops at the first that does not fit. */
export async function verifyChain(
  rows: AsyncIterable<AuditRecord> | Iterable<AuditRecord>,
  anchor?: Anchor,
): Promise<Verification> {
  let before: AuditRecord | undefined;
  let first: number | undefined;
  let count = 0;
  const result = (fault?: { seq: number; reason: string }): Verification => ({
    ok: fault === undefined,
    rows: count,
    ...(first === undefined || before === undefined ? {} : { first, last: before.seq }),
    hash: before?.hash ?? BEGINNING,
    ...(fault === undefined ? {} : { fault }),
  });
  for await (const row of rows) {
    first ??= row.seq;
    const expected = before === undefined ? row.seq : before.seq + 1;
    if (row.seq !== expected) return result({ seq: row.seq, reason: `row ${expected} is missing` });
    if (before !== undefined && row.workspace_id !== before.workspace_id)
      return result({ seq: row.seq, reason: 'it belongs to another workspace' });
    if (row.previous_hash !== (before?.hash ?? (row.seq === 1 ? BEGINNING : row.previous_hash)))
      return result({ seq: row.seq, reason: 'it does not follow the row before it' });
    if (hashOf(row) !== row.hash) return result({ seq: row.seq, reason: 'its content is not what was hashed' });
    if (anchor?.seq === row.seq && anchor.hash !== row.hash)
      return result({ seq: row.seq, reason: 'its hash is not the one that was noted' });
    before = row;
    count += 1;
  }
  if (anchor !== undefined && (first === undefined || anchor.seq < first || anchor.seq > (before?.seq ?? 0)))
    return result({ seq: anchor.seq, reason: 'the row whose hash was noted is missing' });
  return result();
}
