/**
 * Outages of token endpoints. After a few renewals in a row that got no proper answer, nobody's tokens are renewed on that
 * platform and environment, on any node, but for one try now and then; no customer is told to do anything. The first
 * proper answer ends it, and what had to wait follows bit by bit.
 */
import type { Clock } from '../../clock.ts';
import { PolyadError } from '../../errors/index.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import { claimOutageTry, endTokenOutage, listTokenOutages, putTokenOutage } from '../../store/repositories/index.ts';
import type { ConnectionRow, TokenOutageRow } from '../../store/schema.ts';

/** Renewals in a row without a proper answer after which a token endpoint is taken to be out. */
export const OUTAGE_AFTER = 3;
/** First and longest time between tries during an outage, in ms. */
const FIRST_TRY_MS = 30_000;
const LONGEST_TRY_MS = 5 * 60_000;
/** Connections that had to wait are looked at again within this time after an outage, in ms. */
export const RESUME_WITHIN_MS = 2 * 60_000;

type Target = Pick<ConnectionRow, 'integration_type' | 'environment'>;

export interface OutagesParts {
  store: Store;
  clock: Clock;
  log: StoreLog;
  /** 0 ≤ x < 1. */
  random?: (() => number) | undefined;
}

const keyOf = (target: Target): string => `${target.integration_type}/${target.environment}`;

/** Time until the next try after so many failed ones. */
const pause = (tries: number, random: number): number =>
  Math.min(LONGEST_TRY_MS, FIRST_TRY_MS * 2 ** Math.max(0, tries - 1)) * (0.75 + random / 4);

export class Outages {
  readonly #parts: OutagesParts;
  /** Outages as this process knows them: its own, and others' since the last `load`. */
  readonly #known = new Map<string, TokenOutageRow>();
  /** Failures in a row, where there is no outage yet. */
  readonly #failures = new Map<string, number>();

  constructor(parts: OutagesParts) {
    this.#parts = parts;
  }

  /** Learns what other nodes have found. */
  async load(): Promise<void> {
    const rows = await listTokenOutages(this.#parts.store.db);
    this.#known.clear();
    for (const row of rows) this.#known.set(keyOf(row), row);
  }

  /** The outage of a connection's platform, if there is one. */
  of(target: Target): TokenOutageRow | undefined {
    return this.#known.get(keyOf(target));
  }

  /**
   * Lets a renewal through, or not.
   *
   * @throws PolyadError `platform_unavailable` with the time until the next try.
   */
  async admit(target: Target): Promise<void> {
    const outage = this.of(target);
    if (outage === undefined) return;
    const { store, clock } = this.#parts;
    const now = clock.now();
    if (outage.next_try_at <= now) {
      const next = new Date(now.getTime() + pause(outage.failures, this.#random()));
      const mine = await claimOutageTry(store.db, outage, now, next);
      this.#known.set(keyOf(target), { ...outage, next_try_at: next });
      if (mine) return;
    }
    const until = (this.of(target) ?? outage).next_try_at;
    throw new PolyadError('platform_unavailable', {
      message: `The platform's token endpoint has not answered since ${outage.since.toISOString()}; tokens are renewed as soon as it does.`,
      platform: { integration_type: target.integration_type },
      retryAfterMs: Math.max(1_000, until.getTime() - now.getTime()),
    });
  }

  /** A renewal got no proper answer. */
  async failed(target: Target): Promise<void> {
    const { store, clock, log } = this.#parts;
    const key = keyOf(target);
    const known = this.#known.get(key);
    const failures = (known?.failures ?? this.#failures.get(key) ?? 0) + 1;
    if (known === undefined && failures < OUTAGE_AFTER) {
      this.#failures.set(key, failures);
      return;
    }
    const now = clock.now();
    const tries = failures - OUTAGE_AFTER + 1;
    const row: TokenOutageRow = {
      integration_type: target.integration_type,
      environment: target.environment,
      since: known?.since ?? now,
      next_try_at: new Date(now.getTime() + pause(tries, this.#random())),
      failures,
    };
    this.#failures.delete(key);
    this.#known.set(key, row);
    await putTokenOutage(store.db, row);
    if (known === undefined)
      log.warn(
        { integration_type: row.integration_type, environment: row.environment },
        'the token endpoint does not answer; renewals wait',
      );
  }

  /** The token endpoint answered, whatever it said about one grant. */
  async answered(target: Target): Promise<void> {
    const key = keyOf(target);
    this.#failures.delete(key);
    if (!this.#known.delete(key)) return;
    const { store, clock, log } = this.#parts;
    const lasted = await endTokenOutage(store.db, target, clock.now(), RESUME_WITHIN_MS);
    if (lasted !== undefined)
      log.info({ ...target, lasted_s: Math.round(lasted / 1000) }, 'the token endpoint answers again');
  }

  #random(): number {
    return (this.#parts.random ?? Math.random)();
  }
}
