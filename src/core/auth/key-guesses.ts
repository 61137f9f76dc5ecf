/**
 * Wrong API keys, counted by the address they come from. Keys are too long to be guessed; this keeps those who try from
 * using up the database, and makes them visible. An address that sent too many waits a minute, and each time twice as long.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { PolyadError } from '../errors/index.ts';
import { parseAddress } from '../http/addresses.ts';

const WINDOW_MS = 60_000;
/** Longest wait in ms. */
const MAX_WAIT_MS = 15 * 60_000;
/** After this long without a wrong key an address is as good as new, in ms. */
const FORGET_MS = 60 * 60_000;
/** Most addresses that are remembered. */
const CAPACITY = 20_000;

interface Guesser {
  /** Wrong keys since `since`. */
  count: number;
  since: number;
  /** How often it had to wait. */
  waits: number;
  blockedUntil: number;
  last: number;
}

export class KeyGuesses {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #guessers = new LRUCache<string, Guesser>({ max: CAPACITY });

  /** @param limit wrong keys that an address may send in a minute. */
  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** @throws PolyadError `key_guessing` while the address has to wait. */
  check(address: string): void {
    const waitMs = (this.#guessers.get(placeOf(address))?.blockedUntil ?? 0) - this.#clock.now().getTime();
    if (waitMs > 0) throw new PolyadError('key_guessing', { retryAfterMs: waitMs });
  }

  /** Counts a wrong key. True when the address has to wait from now on. */
  failed(address: string): boolean {
    const now = this.#clock.now().getTime();
    const place = placeOf(address);
    const known = this.#guessers.get(place);
    const guesser =
      known === undefined || now - known.last > FORGET_MS
        ? { count: 0, since: now, waits: 0, blockedUntil: 0, last: now }
        : known;
    if (now - guesser.since >= WINDOW_MS) Object.assign(guesser, { count: 0, since: now });
    guesser.count += 1;
    guesser.last = now;
    const over = guesser.count > this.#limit;
    if (over) {
      guesser.blockedUntil = now + Math.min(MAX_WAIT_MS, WINDOW_MS * 2 ** guesser.waits);
      Object.assign(guesser, { count: 0, since: now, waits: guesser.waits + 1 });
    }
    this.#guessers.set(place, guesser);
    return over;
  }
}

/** Who stands behind an address: with IPv6 everybody has 2^64 of them. */
function placeOf(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === undefined || parsed.kind() === 'ipv4') return parsed?.toString() ?? address;
  return parsed.toByteArray().slice(0, 8).join('.');
}
