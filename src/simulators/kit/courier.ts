/**
 * Sends what a platform pushes to its users' servers: at least once, again and again on the virtual clock until it is
 * taken or its time is over. What waits is kept in the store, so a restart loses nothing.
 */
import type { Collection, SimulatorStore, VirtualClock } from './types.ts';

/** How often it looks for work by itself, machine time. */
const POLL_MS = 250;
/** How long a receiver may take, machine time. */
const TIMEOUT_MS = 10_000;
/** Parcels that are done are kept to be looked at, this many. */
const DONE_KEPT = 500;

/** One HTTP POST that is under way or done. Times are epoch milliseconds of virtual time. */
export interface Parcel {
  id: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  /** What it belongs to, for whoever sent it. */
  about: string;
  created: number;
  attempts: number;
  /** When it is tried next. */
  due: number;
  /** When it is given up. */
  until: number;
  status: 'waiting' | 'delivered' | 'given_up';
  /** What the last attempt met: `HTTP 500`, or the error of the connection. */
  last: string | null;
}

/** What a courier needs. */
export interface CourierParts {
  store: SimulatorStore;
  clock: VirtualClock;
  /** Runs before each round: the place to look for new events. */
  collect?(): void;
  /** False = not sent any more, for example because a grant was withdrawn. */
  allowed?(parcel: Parcel): boolean;
  /** Virtual milliseconds from the `attempt`th failure (from 1) to the next try. */
  retryMs(attempt: number): number;
}

/** Sends parcels. */
export interface Courier {
  /** Takes a parcel; it goes out in the next round. `lifeMs`: virtual time after which it is given up. */
  post(parcel: Pick<Parcel, 'url' | 'headers' | 'body' | 'about'> & { lifeMs: number }): Parcel;
  /** Sends everything that is due, and waits for the answers. */
  round(): Promise<{ delivered: number; failed: number }>;
  /** Waiting and recent parcels, oldest first. */
  list(): Parcel[];
  /** Sends a parcel once more, as a platform does that is not sure that it arrived. False if there is none. */
  again(id: string): boolean;
  /** Begins to look for work by itself, as long as `wanted` says so. */
  start(wanted: () => boolean): void;
  stop(): Promise<void>;
}

/** A courier over the collection `parcels` of a store. */
export function createCourier(parts: CourierParts): Courier {
  const { store, clock } = parts;
  const parcels: Collection<Parcel> = store.collection<Parcel>('parcels', { status: (row) => row.status });
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<{ delivered: number; failed: number }> | undefined;
  let serial = 0;

  const attempt = async (parcel: Parcel): Promise<string | null> => {
    try {
      const response = await fetch(parcel.url, {
        method: 'POST',
        headers: parcel.headers,
        body: parcel.body,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.arrayBuffer();
      return response.ok ? null : `HTTP ${response.status}`;
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return cause instanceof Error ? cause.message : String(cause);
    }
  };

  const tidy = () => {
    const done = [...parcels.values()].filter(({ status }) => status !== 'waiting');
    for (const parcel of done.slice(0, Math.max(0, done.length - DONE_KEPT))) parcels.delete(parcel.id);
  };

  const work = async () => {
    parts.collect?.();
    const result = { delivered: 0, failed: 0 };
    const start = clock.now().getTime();
    const due = parcels.by('status', 'waiting').filter(({ due, until }) => due <= start || until <= start);
    for (const parcel of due) {
      const now = clock.now().getTime();
      if (now >= parcel.until || parts.allowed?.(parcel) === false) {
        parcels.put({ ...parcel, status: 'given_up' });
        continue;
      }
      const failure = await attempt(parcel);
      // A reset in the meantime has taken it away.
      if (!parcels.get(parcel.id)) continue;
      const attempts = parcel.attempts + 1;
      if (failure === null) {
        result.delivered++;
        parcels.put({ ...parcel, attempts, status: 'delivered', last: 'HTTP 200' });
      } else {
        result.failed++;
        const next = clock.now().getTime() + parts.retryMs(attempts);
        parcels.put({ ...parcel, attempts, last: failure, due: next });
      }
    }
    tidy();
    return result;
  };

  const round = async (): Promise<{ delivered: number; failed: number }> => {
    // One after the other: two rounds at once would send everything twice.
    while (running) await running;
    running = work().finally(() => {
      running = undefined;
    });
    return running;
  };

  return {
    post({ lifeMs, ...rest }) {
      const now = clock.now().getTime();
      const id = `${now.toString(36)}-${(++serial).toString(36)}-${process.hrtime.bigint().toString(36)}`;
      const parcel: Parcel = {
        ...rest,
        id,
        created: now,
        attempts: 0,
        due: now,
        until: now + lifeMs,
        status: 'waiting',
        last: null,
      };
      parcels.put(parcel);
      return parcel;
    },
    round,
    list: () => [...parcels.values()],
    again(id) {
      const parcel = parcels.get(id);
      if (!parcel) return false;
      const now = clock.now().getTime();
      parcels.put({ ...parcel, status: 'waiting', due: now, until: Math.max(parcel.until, now + 1) });
      return true;
    },
    start(wanted) {
      timer ??= setInterval(() => {
        if (!running && wanted()) void round();
      }, POLL_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
