/**
 * Work that is done again and again in every process, such as the sweep of tokens. What must be done once over all nodes
 * is the work's own affair (it takes rows under `skip locked`); this only keeps time.
 */
import type { StoreLog } from '../store/port.ts';

export interface Round {
  /** For logs. */
  name: string;
  /** Pause between the end of one run and the begin of the next, in ms; it varies by a fifth, so that nodes drift apart. */
  everyMs: number;
  /** One run. Ends soon after `signal` aborts. */
  run(signal: AbortSignal): Promise<object>;
}

/** Starts the rounds, the first run after one pause. Answers how to stop them: it resolves when no run is under way. */
export function startRounds(rounds: readonly Round[], log: StoreLog): () => Promise<void> {
  const stopping = new AbortController();
  const loops = rounds.map((round) => loop(round, log, stopping.signal));
  return async () => {
    stopping.abort();
    await Promise.all(loops);
  };
}

async function loop({ name, everyMs, run }: Round, log: StoreLog, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs * (0.8 + Math.random() * 0.4), signal);
    if (signal.aborted) return;
    try {
      log.debug({ round: name, ...(await run(signal)) }, 'a round is through');
    } catch (error) {
      if (!signal.aborted) log.warn({ round: name, err: error }, 'a round failed; the next one tries again');
    }
  }
}

/** Machine time: when work is looked for does not depend on the time that the work is about. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    timer.unref();
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
