/**
 * A creation that is not done twice. When its answer is lost, the object is looked for; where the platform has an aid
 * against doing a write twice, the creation is sent again under its protection; what neither settles is reported as
 * unknown, with what a person needs to settle it.
 */
import type { Clock } from '../clock.ts';
import type { CreateIdempotency, OperationInput } from '../connector/object-spec.ts';
import type { Native, Unified } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { WriteEntry } from './journal.ts';

export interface CreateOnceParts {
  entry: WriteEntry;
  clock: Clock;
  /** How this object can be found again; undefined = it cannot. */
  aid: CreateIdempotency | undefined;
  input: OperationInput;
  unified: Unified;
  native: Native;
  /** Unified name of the kind, for messages: `campaign`. */
  object: string;
  /** What a row looks like to callers; only `id`, `name` and `created_at` are read. */
  decode(row: Native): Unified;
  /** Sends the creation. */
  send(): Promise<Native>;
}

/** An object made this long before the request left is somebody else's, however the clocks differ. */
const CLOCKS_DIFFER_MS = 300_000;
/** One made this shortly before may be ours: clocks kept by NTP, and times in whole seconds. */
const CLOCKS_AGREE_MS = 3_000;
/** Pauses between looks: lists may show a new object a little late. */
const LOOK_AGAIN_MS = [1_000, 3_000];
/** Of the aid's time only this share is used: the first request may have arrived before we thought. */
const AID_SHARE = 0.8;
const MAX_SENDS = 4;

type Found =
  | { kind: 'found'; row: Native }
  | { kind: 'absent' }
  /** Objects that may be this one or another's. */
  | { kind: 'open'; candidates: string[]; reason: string };

/** A failure after which the object may exist all the same. */
function isLost(error: unknown, entry: WriteEntry): boolean {
  if (!(error instanceof PolyadError)) return entry.fate === 'unknown' || entry.fate === 'accepted';
  if (error.code === 'write_outcome_unknown' || error.code === 'platform_duplicate') return true;
  // The platform has carried it out, and what failed is reading what became of it.
  return entry.fate === 'accepted' && !error.code.startsWith('input_');
}

/** Creates the object once, and answers its row. */
export async function createOnce(parts: CreateOnceParts): Promise<Native> {
  const { entry, clock, aid } = parts;
  if (entry.sentAt !== undefined) {
    const earlier = await settle(parts, entry.sentAt, false);
    if (earlier.kind === 'found') return earlier.row;
    const age = clock.now().getTime() - entry.sentAt.getTime();
    if (earlier.kind === 'absent' && aid?.settledMs !== undefined && age >= aid.settledMs) await entry.startAfresh();
    else if (earlier.kind === 'open' || !isProtected(parts)) throw unknown(parts, earlier);
  }
  let lost: Found | undefined = entry.sentAt === undefined ? undefined : { kind: 'absent' };
  for (let sends = 1; ; sends += 1) {
    try {
      const row = await parts.send();
      entry.created(idOf(parts, row));
      return row;
    } catch (error) {
      if (!isLost(error, entry)) {
        // Refused this time; what became of an earlier request is as open as before.
        if (lost !== undefined) throw unknown(parts, lost, error);
        throw error;
      }
      const exists = error instanceof PolyadError && error.code === 'platform_duplicate';
      lost = await settle(parts, entry.sentAt as Date, true, error);
      if (lost.kind === 'found') return lost.row;
      if (exists || lost.kind === 'open' || sends >= MAX_SENDS || !isProtected(parts))
        throw unknown(parts, lost, error);
    }
  }
}

/** A second request would be stopped by the platform itself. Only for callers who asked for that by a key. */
function isProtected({ aid, entry, clock }: CreateOnceParts): boolean {
  if (aid?.aid === undefined || !entry.keyed || entry.sentAt === undefined) return false;
  return clock.now().getTime() - entry.sentAt.getTime() < aid.aid.windowMs * AID_SHARE;
}

function idOf({ decode }: CreateOnceParts, row: Native): string | undefined {
  const { id } = decode(row);
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Looks for the object; several times where it may only not show yet. */
async function settle(parts: CreateOnceParts, sentAt: Date, patient: boolean, cause?: unknown): Promise<Found> {
  const { clock, input } = parts;
  for (let look = 0; ; look += 1) {
    let found: Found;
    try {
      found = await lookFor(parts, sentAt);
    } catch (error) {
      if (!(error instanceof PolyadError) || error.actor === 'customer') throw error;
      found = { kind: 'open', candidates: [], reason: `it could not be looked for: ${error.message}` };
      if (error.retry === 'never') return found;
    }
    if (found.kind === 'found') return found;
    const pause = patient && !isAtOnce(parts, found, cause) ? LOOK_AGAIN_MS[look] : undefined;
    if (pause === undefined) return found;
    await clock.sleep(pause, input.ctx.signal);
  }
}

/** With the platform's aid there is no need to wait for lists to catch up: sending again settles it. */
function isAtOnce(parts: CreateOnceParts, found: Found, cause: unknown): boolean {
  const exists = cause instanceof PolyadError && cause.code === 'platform_duplicate';
  return !exists && found.kind === 'absent' && isProtected(parts);
}

async function lookFor(parts: CreateOnceParts, sentAt: Date): Promise<Found> {
  const { aid, entry, input, unified, native, decode } = parts;
  if (aid === undefined) return { kind: 'open', candidates: [], reason: 'the platform has no way to look for it' };
  const since = new Date(sentAt.getTime() - CLOCKS_DIFFER_MS);
  const rows = await aid.find(input, { unified, native, since, requestToken: entry.requestToken });
  if (rows === undefined) return { kind: 'open', candidates: [], reason: 'it has no name to look for' };
  const seen = new Map<string, { row: Native; created: number }>();
  for (const row of rows) {
    const object = decode(row);
    const created = Date.parse(String(object['created_at'] ?? ''));
    if (typeof object['id'] === 'string' && !(created < since.getTime())) seen.set(object['id'], { row, created });
  }
  const free = await entry.unclaimed([...seen.keys()]);
  const rivals = await entry.rivals();
  if (free.length === 0) return { kind: 'absent' };
  const open = (reason: string): Found => ({ kind: 'open', candidates: free, reason });
  const madeAt = (id: string): number => (seen.get(id) as { created: number }).created;
  free.sort((a, b) => madeAt(a) - madeAt(b));
  const ours = free.filter((id) => !(madeAt(id) < sentAt.getTime() - CLOCKS_AGREE_MS));
  const made = free.filter((id) => !ours.includes(id)).map(madeAt);
  // Older ones are those of other lost writes, or ours where the clocks differ more than they should. Else a stranger's.
  const explained = made.every((at, index) => (rivals[index]?.sentAt.getTime() ?? Infinity) <= at + CLOCKS_AGREE_MS);
  if (!explained) return open('an object of the same name was made shortly before');
  if (rivals.some((rival) => rival.live)) return open('another write of the same name is under way');
  // Objects that were asked for in the same words stand for one another; others do not.
  if (rivals.some((rival) => !rival.same)) return open('other writes of the same name are open too');
  if (free.length > 1 + rivals.length) return open('several objects of the same name were made');
  // The oldest first: then the objects of later writes are left to those.
  for (const id of ours) {
    if (!(await entry.claim(id))) continue;
    entry.created(id);
    return { kind: 'found', row: (seen.get(id) as { row: Native }).row };
  }
  return { kind: 'absent' };
}

/** What a person needs to settle it. */
function unknown(parts: CreateOnceParts, found: Found, cause?: unknown): PolyadError {
  const { entry, aid, input, object, native, unified, decode } = parts;
  const name = unified['name'] ?? decode(native)['name'];
  const sentAt = entry.sentAt as Date;
  const settles =
    aid?.settledMs === undefined || found.kind !== 'absent' ? undefined : new Date(sentAt.getTime() + aid.settledMs);
  const named = typeof name === 'string' ? ` \`${name}\`` : '';
  return new PolyadError('write_outcome_unknown', {
    message: `The answer to the creation of ${object}${named} was lost, and whether it exists is not known: ${found.kind === 'open' ? found.reason : 'it does not show (yet)'}.`,
    details: {
      ...(cause instanceof PolyadError ? (cause.details ?? {}) : {}),
      object,
      ...(typeof name === 'string' ? { name } : {}),
      ...(input.organization.id === '' ? {} : { organization_id: input.organization.id }),
      sent_at: sentAt.toISOString(),
      candidates: found.kind === 'open' ? found.candidates : [],
      check: aid?.check ?? 'Look at the ad account in the platform’s own ads manager.',
      // With the key, the same request looks again and never creates a second object.
      ...(entry.keyed ? { repeat: 'The same request under the same Idempotency-Key looks again.' } : {}),
      ...(settles === undefined ? {} : { settled_at: settles.toISOString() }),
    },
    ...(cause instanceof PolyadError && cause.platform !== undefined ? { platform: cause.platform } : {}),
    ...(cause === undefined ? {} : { cause }),
  });
}
