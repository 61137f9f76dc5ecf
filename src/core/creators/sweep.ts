/**
 * The job that watches creators' authorizations while nobody calls: it reads those that are due, warns 14, 7 and 1 days
 * before one ends, and tells when one has ended or was taken back, with the ads that end with it.
 *
 * Any number of nodes may sweep: ad accounts that one took are another's only after five minutes, and what was told is
 * kept on record, so that each warning goes out once.
 */
import { Meter, type Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { Unified } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { parseListQuery } from '../model/list-query.ts';
import type { Runtime } from '../runtime.ts';
import { newId } from '../store/ids.ts';
import type { Store, StoreLog } from '../store/port.ts';
import {
  appendEvent,
  authorizationsOf,
  claimAuthorizations,
  connectionsById,
  getWorkspace,
  noteAuthorizationEnd,
  noteAuthorizations,
  noteAuthorizationWarning,
} from '../store/repositories/index.ts';
import type { CreatorAuthorizationRow } from '../store/schema.ts';
import { authorizationWarning, daysLeft, LOOK_EVERY_MS, OVER } from './plan.ts';

export interface CreatorSweepParts {
  runtime: Pick<Runtime, 'objects'>;
  store: Store;
  clock: Clock;
  log: StoreLog;
}

/** What a round did. */
export interface CreatorSweepReport {
  accounts: number;
  failed: number;
  warned: number;
  ended: number;
}

/** Authorizations taken at a time. */
const BATCH = 100;
/** What was taken and not finished is looked at again after this, in ms. */
const PUT_OFF_MS = 5 * 60_000;
/** Largest page of a list. */
const PAGE = 1_000;
/** Ads named in an event, at most; `ad_count` has the number. */
const MAX_ADS = 100;

/** What is to be told of one authorization. */
type Told = { row: CreatorAuthorizationRow } & ({ warn: number } | { end: string });

export class CreatorSweep {
  readonly #parts: CreatorSweepParts;

  constructor(parts: CreatorSweepParts) {
    this.#parts = parts;
  }

  /** One round: everything that is due now. Ends early when `signal` aborts. */
  async run(signal: AbortSignal = new AbortController().signal): Promise<CreatorSweepReport> {
    const { store, clock, log } = this.#parts;
    const report: CreatorSweepReport = { accounts: 0, failed: 0, warned: 0, ended: 0 };
    const now = clock.now();
    while (!signal.aborted) {
      const putOffTo = new Date(clock.now().getTime() + PUT_OFF_MS);
      const due = await claimAuthorizations(store.db, { now, putOffTo, limit: BATCH });
      for (const account of due) {
        if (signal.aborted) break;
        report.accounts += 1;
        await this.#look(account.connection_id, account.organization_id, report, signal).catch((error: unknown) => {
          report.failed += 1;
          const { code } = error as { code?: string };
          log.warn({ connection_id: account.connection_id, code }, 'creator authorizations could not be looked at');
        });
      }
      if (due.length === 0) break;
    }
    return report;
  }

  async #look(
    connectionId: string,
    organizationId: string,
    report: CreatorSweepReport,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, clock } = this.#parts;
    const [connection] = await connectionsById(store.db, [connectionId]);
    const workspace = connection === undefined ? undefined : await getWorkspace(store.db, connection.workspace_id);
    const before = await authorizationsOf(store.db, connectionId, organizationId);
    if (
      connection === undefined ||
      workspace === undefined ||
      connection.deleted_at !== null ||
      connection.is_paused ||
      connection.health_state === 'reconnect_required'
    )
      // Nothing can be read; the next day may be another.
      return this.#putOff(before, LOOK_EVERY_MS);
    const scope: Scope = {
      workspace,
      connection,
      requestId: newId(clock.now().getTime()),
      signal,
      meter: new Meter(),
      priority: 'sync',
    };
    let listed: Unified[];
    try {
      // What is read is put on record as it passes by: `book.ts`.
      listed = await this.#list(scope, organizationId, undefined);
    } catch (error) {
      if (!(error instanceof PolyadError)) throw error;
      await this.#putOff(before, error.actor === 'platform' ? LOOK_EVERY_MS / 24 : LOOK_EVERY_MS);
      throw error;
    }
    const ids = new Set(listed.map(({ id }) => id));
    const now = clock.now();
    const told = (await authorizationsOf(store.db, connectionId, organizationId)).flatMap((row): Told[] => {
      if (row.told_end) return [];
      if (!ids.has(row.item_id)) return [{ row, end: 'REMOVED' }];
      if (OVER.has(row.state)) return [{ row, end: row.state }];
      const warn = authorizationWarning(row, now);
      return warn === undefined ? [] : [{ row, warn }];
    });
    if (told.length === 0) return;
    const withAds = await this.#list(scope, organizationId, 'ad_ids,identity_id,creator_name,status_reason');
    const facts = new Map(withAds.map((one) => [one['id'], one]));
    for (const one of told)
      if (await this.#tell(scope, one, facts.get(one.row.item_id), now))
        report['warn' in one ? 'warned' : 'ended'] += 1;
  }

  async #list(scope: Scope, organizationId: string, fields: string | undefined): Promise<Unified[]> {
    const out: Unified[] = [];
    for (;;) {
      const page = await this.#parts.runtime.objects.list(
        scope,
        'creator_authorization',
        parseListQuery('creator_authorization', {
          org_id: organizationId,
          limit: String(PAGE),
          offset: String(out.length),
          ...(fields === undefined ? {} : { fields }),
        }),
      );
      out.push(...page);
      if (page.length < PAGE) return out;
    }
  }

  async #putOff(rows: readonly CreatorAuthorizationRow[], ms: number): Promise<void> {
    const next_at = new Date(this.#parts.clock.now().getTime() + ms);
    const open = rows.filter(({ told_end }) => !told_end);
    await noteAuthorizations(
      this.#parts.store.db,
      open.map(({ warned_end: _end, warned_days: _days, ...row }) => ({ ...row, next_at })),
    );
  }

  /** Answers whether it was this call that told it. */
  async #tell(scope: Scope, told: Told, facts: Unified | undefined, now: Date): Promise<boolean> {
    const { row } = told;
    const ads = Array.isArray(facts?.['ad_ids']) ? (facts['ad_ids'] as string[]) : undefined;
    const payload = {
      integration_type: scope.connection.integration_type,
      environment: scope.connection.environment,
      external_xref: scope.connection.external_xref,
      organization_id: row.organization_id,
      item_id: row.item_id,
      identity_id: facts?.['identity_id'] ?? null,
      creator_name: facts?.['creator_name'] ?? null,
      ends_at: row.ends_at?.toISOString() ?? null,
      ...(ads === undefined ? {} : { ad_ids: ads.slice(0, MAX_ADS), ad_count: ads.length }),
    };
    return this.#parts.store.db.transaction().execute(async (trx) => {
      if ('warn' in told) {
        const end = row.ends_at as Date;
        if (!(await noteAuthorizationWarning(trx, row, end, told.warn))) return false;
        const more = { days_left: daysLeft(end, now), warning_days: told.warn };
        const event = { type: 'creator_authorization.expiring', connection_id: row.connection_id };
        await appendEvent(trx, row.workspace_id, { ...event, payload: { ...payload, ...more } }, now);
        return true;
      }
      if (!(await noteAuthorizationEnd(trx, row, told.end))) return false;
      const more = { reason: told.end.toLowerCase(), status_reason: facts?.['status_reason'] ?? null };
      const event = { type: 'creator_authorization.ended', connection_id: row.connection_id };
      await appendEvent(trx, row.workspace_id, { ...event, payload: { ...payload, ...more } }, now);
      return true;
    });
  }
}
