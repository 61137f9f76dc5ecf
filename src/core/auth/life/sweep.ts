/**
 * The job that looks after tokens while nobody calls: renews them before callers have to, warns of ends, tests tokens that
 * have none, and notices authorizations that ran out.
 *
 * A round takes what is due (`token_lives.next_at`) in batches under `for update skip locked`, so any number of nodes may
 * sweep: each connection is one node's for five minutes, and another's if that one dies. When something is due is spread
 * by `plan.ts`; a platform whose token endpoint is out is left alone but for one try now and then.
 */
import type { Clock } from '../../clock.ts';
import type { ProbeResult } from '../../connector/auth-spec.ts';
import type { PlatformRegistry } from '../../connector/registry.ts';
import { PolyadError } from '../../errors/index.ts';
import type { Store, StoreLog } from '../../store/port.ts';
import {
  appendEvent,
  claimTokenLives,
  connectionsById,
  deleteTokenLife,
  noteLife,
  noteWarning,
  tokenLivesById,
  updateTokenLife,
} from '../../store/repositories/index.ts';
import type { ConnectionRow, TokenLifeRow } from '../../store/schema.ts';
import type { Tokens } from '../tokens.ts';
import { dueFacts, endedBy } from './facts.ts';
import { PROBE_EVERY_MS, planFacts, planFor } from './plan.ts';
import { lifeAfter } from './sql.ts';
import type { Opened } from './storing.ts';

export interface SweepParts {
  store: Store;
  registry: PlatformRegistry;
  clock: Clock;
  log: StoreLog;
  tokens: Tokens;
  /** A cheap read-only call with the connection's token. */
  probe(connection: ConnectionRow, signal: AbortSignal): Promise<ProbeResult>;
  /** Connections that are worked on at a time. Default 8. */
  concurrency?: number | undefined;
}

/** What a round did. */
export interface SweepReport {
  looked: number;
  renewed: number;
  failed: number;
  warned: number;
  probed: number;
  ended: number;
}

/** Connections taken at a time. */
const BATCH = 100;
/** What was taken and not finished is looked at again after this, in ms. */
const PUT_OFF_MS = 5 * 60_000;
/** A test that found the platform in trouble is repeated after this, in ms. */
const PROBE_AGAIN_MS = 60 * 60_000;

export class TokenSweep {
  readonly #parts: SweepParts;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  /** One round: everything that is due now. Ends early when `signal` aborts. */
  async run(signal: AbortSignal = new AbortController().signal): Promise<SweepReport> {
    const { store, clock, tokens, log, concurrency = 8 } = this.#parts;
    const report: SweepReport = { looked: 0, renewed: 0, failed: 0, warned: 0, probed: 0, ended: 0 };
    await tokens.outages.load();
    const now = clock.now();
    while (!signal.aborted) {
      const putOffTo = new Date(clock.now().getTime() + PUT_OFF_MS);
      const ids = await claimTokenLives(store.db, { now, putOffTo, limit: BATCH });
      if (ids.length === 0) break;
      const rows = new Map((await connectionsById(store.db, ids)).map((row) => [row.id, row]));
      const lives = await tokenLivesById(store.db, ids);
      report.looked += ids.length;
      await side(concurrency, lives, async (life) => {
        if (signal.aborted) return;
        await this.#look(rows.get(life.connection_id), life, report, signal).catch((error: unknown) => {
          report.failed += 1;
          const { code } = error as { code?: string };
          log.warn({ connection_id: life.connection_id, code }, 'the tokens of a connection could not be looked after');
        });
      });
      if (ids.length < BATCH) break;
    }
    return report;
  }

  async #look(
    row: ConnectionRow | undefined,
    life: TokenLifeRow,
    report: SweepReport,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, clock, registry, tokens } = this.#parts;
    if (row === undefined) return deleteTokenLife(store.db, life.connection_id);
    const stored = await storedOrNone(tokens, row);
    const platform = registry.find(row.integration_type);
    if (row.health_state === 'reconnect_required' || stored === undefined || platform === undefined)
      return updateTokenLife(store.db, row.id, { next_at: null });
    const facts = planFacts(platform, row, stored.tokens, stored.version, life);
    const plan = planFor(stored.tokens, facts, clock.now());
    if (plan.ended) {
      report.ended += 1;
      const now = clock.now();
      await tokens.health.markRevoked(row, endedBy(stored.tokens, now), undefined, 'authorization_ended');
      return;
    }
    let record = life;
    if (plan.warn !== undefined && plan.end !== undefined) {
      if (await this.#warn(row, plan.end, plan.warn)) report.warned += 1;
      record = { ...record, warned_end: plan.end, warned_days: plan.warn };
    }
    if (plan.refresh) {
      // Success, failure and refusal all plan the next look themselves; a renewal that an outage holds back is put off.
      if (tokens.outages.of(row) !== undefined)
        await noteLife(store.db, row.id, lifeAfter(clock.now(), 'renewal_needed'));
      await tokens.renew(row, stored.version);
      report.renewed += 1;
      return;
    }
    if (plan.probe) {
      report.probed += 1;
      const tested = await this.#probe(row, signal);
      if (tested === undefined) return;
      if ('again' in tested) return updateTokenLife(store.db, row.id, { next_at: tested.again });
      record = { ...record, probed_at: tested.at };
    }
    const { next } = planFor(stored.tokens, { ...facts, record }, clock.now());
    await updateTokenLife(store.db, row.id, { next_at: next, probed_at: record.probed_at });
  }

  /** Answers whether it was this call that warned. */
  async #warn(row: ConnectionRow, end: Date, days: number): Promise<boolean> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    return store.db.transaction().execute(async (trx) => {
      if (!(await noteWarning(trx, row.id, end, days))) return false;
      await noteLife(trx, row.id, { ...lifeAfter(now, 'end_near'), reauthorize_by: end });
      const payload = dueFacts({ ...row, reauthorize_by: end }, now, { warning_days: days, reason: 'end_near' });
      const event = { type: 'connection.reauthorization_due', connection_id: row.id, payload };
      await appendEvent(trx, row.workspace_id, event, now);
      return true;
    });
  }

  /**
   * Tests a token that has no end, unless calls have shown within a day that it works. `again` = the platform was in
   * trouble; undefined = the grant is gone, and that is noted.
   */
  async #probe(row: ConnectionRow, signal: AbortSignal): Promise<{ at: Date } | { again: Date } | undefined> {
    const { clock, tokens, probe } = this.#parts;
    const now = clock.now();
    if (row.last_healthy_at !== null && now.getTime() - row.last_healthy_at.getTime() < PROBE_EVERY_MS / 2)
      return { at: now };
    try {
      const found = await probe(row, signal);
      if (found.organizationIds !== undefined) await tokens.organizations.compare(row, found.organizationIds);
      return { at: now };
    } catch (error) {
      if (!(error instanceof PolyadError)) throw error;
      if (error.code === 'connection_reconnect_required') return undefined;
      return error.actor === 'platform' ? { again: new Date(now.getTime() + PROBE_AGAIN_MS) } : { at: now };
    }
  }
}

/** The stored tokens; undefined when there are none. */
async function storedOrNone(tokens: Tokens, row: ConnectionRow): Promise<Opened | undefined> {
  try {
    return await tokens.stored(row);
  } catch (error) {
    if (error instanceof PolyadError && error.code === 'connection_credentials_missing') return undefined;
    throw error;
  }
}

/** Runs `work` over all items, `width` at a time. */
async function side<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}
