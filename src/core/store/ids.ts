import { randomBytes, randomFillSync } from 'node:crypto';

/** Random bytes drawn ahead: every request needs an id, and drawing eight bytes costs as much as drawing four thousand. */
const POOL = Buffer.alloc(4096);
let used = POOL.length;

/**
 * A new id of a core object: 24 hexadecimal characters, the form clients of the wire contract know. The first eight are
 * the time in seconds, so ids sort roughly by age and inserts touch the end of the index; the other sixteen are random
 * (64 bits). Ids are not secrets: whatever must not be guessed uses {@link secretId}.
 */
export function newId(now: number = Date.now()): string {
  const bytes = Buffer.allocUnsafe(12);
  bytes.writeUInt32BE(Math.floor(now / 1000) >>> 0, 0);
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  POOL.copy(bytes, 4, used, used + 8);
  used += 8;
  return bytes.toString('hex');
}

/** An id of the same form that cannot be guessed: 96 random bits and no time in it. */
export function secretId(): string {
  return randomBytes(12).toString('hex');
}
