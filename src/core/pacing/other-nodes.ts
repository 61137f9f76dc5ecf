/** What waits at other nodes for the same quota, as they last told, and telling them what waits here. */
import type { QuotaStore } from './store.ts';
import type { Turns } from './turns.ts';
import type { Backlogs } from './waiter.ts';

/** How often other nodes are told what waits here when little has changed. */
const TELL_MS = 1_000;
/** The same after a change by more than a tenth. */
export const TELL_SOON_MS = 250;

/** By more than a tenth. */
export const changed = (one: number, other: number): boolean => Math.abs(one - other) > other / 10;

/** Calls that wait at other nodes. */
function sum(elsewhere: Backlogs | undefined): number {
  let calls = 0;
  for (const rank of elsewhere ?? []) for (const one of rank.values()) calls += one.calls;
  return calls;
}

export class OtherNodes {
  /** What waits there; undefined = not heard yet. */
  elsewhere: Backlogs | undefined;
  readonly #domain: string;
  readonly #store: QuotaStore;
  readonly #heard: () => void;
  /** When they are told again, when they were told last, and of how many calls. */
  #tellAt = 0;
  #toldAt = 0;
  #told = 0;

  /** `heard` is called when what waits elsewhere has changed by more than a tenth. */
  constructor(domain: string, store: QuotaStore, heard: () => void) {
    this.#domain = domain;
    this.#store = store;
    this.#heard = heard;
  }

  /** Tells them what waits here, unless they were told just now, and hears what waits there. */
  tell(turns: Turns, now: number): void {
    const moved = changed(turns.size, this.#told);
    if (now < this.#tellAt && !(moved && now >= this.#toldAt + TELL_SOON_MS)) return;
    // Soon again after a change: the others may have told their part a moment later.
    this.#tellAt = now + (moved ? TELL_SOON_MS : TELL_MS);
    this.#toldAt = now;
    this.#told = turns.size;
    void this.#store.exchange?.(this.#domain, turns.backlog).then((elsewhere) => {
      const before = sum(this.elsewhere);
      this.elsewhere = elsewhere;
      if (changed(sum(elsewhere), before)) this.#heard();
    });
  }

  /** Nobody waits here any more. */
  end(turns: Turns): void {
    void this.#store.exchange?.(this.#domain, turns.backlog);
  }
}
