/**
 * A callback is carried out once, and whoever sends it again (an impatient reload, a second click, a browser that repeats a
 * request) from the same browser with the same code sees what came of it. The code works once at the platform, so the work
 * also goes on when the browser that began it no longer waits.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import { consumeOAuthState, getOAuthState, putOAuthOutcome } from '../store/repositories/index.ts';
import type { OAuthStateRow } from '../store/schema.ts';
import type { BrowserAnswer } from './connect-page.ts';
import { hashOf } from './connect-state.ts';

/** What the platform sent along, whatever its order: another code is another attempt. */
export function sentHash(query: Readonly<Record<string, string | undefined>>): string {
  const { state: _, ...sent } = query;
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(sent).sort()))
    .digest('hex');
}

/** Longest time for exchange and test, in ms; those who wait for another node's work wait no longer. */
const DEADLINE_MS = 90_000;
const LOOK_EVERY_MS = 250;

/** What the row of a used flow remembers instead of the flow. */
interface Outcome {
  /** SHA-256 of what the platform sent along: another code is another attempt. */
  sent: string;
  /** Absent while the work goes on. */
  answer?: BrowserAnswer;
}

const outcomeOf = (payload: Record<string, unknown>): Outcome | undefined => payload['outcome'] as Outcome | undefined;

const invalid = (): PolyadError => new PolyadError('oauth_state_invalid');

export interface CallbackOnceParts {
  store: Store;
  clock: Clock;
}

export class CallbackOnce {
  readonly #parts: CallbackOnceParts;
  /** Work of this process, by the id of the flow's row. */
  readonly #running = new Map<string, { sent: string; answer: Promise<BrowserAnswer> }>();

  constructor(parts: CallbackOnceParts) {
    this.#parts = parts;
  }

  /** Waits for work that goes on after its browser has gone. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ answer }) => answer));
  }

  /**
   * Runs `work` for the first callback of a flow; answers its outcome to every other one of the same browser.
   *
   * @param row the flow's, not used when it was read.
   * @param sent the callback's query, as `sentHash` has it.
   * @throws PolyadError `oauth_state_invalid` for a callback that says something else than the first one.
   */
  async run(
    row: OAuthStateRow,
    browser: string,
    sent: string,
    work: (signal: AbortSignal) => Promise<BrowserAnswer>,
    signal: AbortSignal,
  ): Promise<BrowserAnswer> {
    const { store, clock } = this.#parts;
    const { id, workspace_id: workspaceId } = row;
    const outcome = { outcome: { sent } };
    if ((await consumeOAuthState(store.db, workspaceId, id, hashOf(browser), clock.now(), outcome)) === undefined)
      return this.again(row, sent, signal);
    const answer = work(AbortSignal.timeout(DEADLINE_MS)).then(async (done) => {
      // Who comes again later is told less, but what was done is done.
      await putOAuthOutcome(store.db, workspaceId, id, { outcome: { sent, answer: done } }).catch(() => undefined);
      return done;
    });
    this.#running.set(id, { sent, answer });
    try {
      return await answer;
    } finally {
      this.#running.delete(id);
    }
  }

  /** The outcome of a flow that was used, or is being used. @throws PolyadError `oauth_state_invalid` */
  async again(row: OAuthStateRow, sent: string, signal: AbortSignal): Promise<BrowserAnswer> {
    const { store, clock } = this.#parts;
    const running = this.#running.get(row.id);
    if (running !== undefined) {
      if (running.sent !== sent) throw invalid();
      return running.answer;
    }
    // Done before, or by another node just now.
    const end = clock.now().getTime() + DEADLINE_MS;
    for (;;) {
      const present = await getOAuthState(store.db, row.workspace_id, row.id);
      const outcome = present === undefined ? undefined : outcomeOf(present.payload);
      if (outcome === undefined || outcome.sent !== sent) throw invalid();
      if (outcome.answer !== undefined) return outcome.answer;
      if (clock.now().getTime() >= end) throw invalid();
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }
}
