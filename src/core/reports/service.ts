/** Reports: plan, fetch every window completely, join, derive, stream out. */
import { LRUCache } from 'lru-cache';
import { breathe } from '../breathe.ts';
import type { Contexts } from '../calls/context.ts';
import type { Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { ListFilters } from '../connector/object-spec.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { ReportFetch, ReportSpec } from '../connector/report-spec.ts';
import type { CallContext, ObjectName, OrganizationFacts, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { selectFields } from '../model/fields.ts';
import type { ListQuery } from '../model/list-query.ts';
import { permissionFor } from '../model/permissions.ts';
import { Locator } from '../objects/locate.ts';
import { planReport, type ReportPlan, reportLevel } from './plan.ts';
import { type CollectedRows, RowCollector, reporter } from './rows.ts';

/** How long a finished report serves further pages of the same query. */
const PAGE_CACHE_MS = 60_000;
/** Cells that a report holds in memory, some 400 bytes each; what is beyond goes through a temporary file. */
const MAX_CELLS = 10_000;

/** The rows of one ad account. */
interface Collected {
  organization: OrganizationFacts;
  plan: ReportPlan;
  rows: CollectedRows;
}

/** A report before anything of it is read. */
export interface PreparedReport {
  platform: Platform;
  spec: ReportSpec;
  ctx: CallContext;
  /** Instant that "today" was taken from. */
  at: Date;
  parts: readonly { organization: OrganizationFacts; plan: ReportPlan }[];
}

/** What a platform is asked for some days of a plan. */
export function fetchOf(
  plan: ReportPlan,
  organization: OrganizationFacts,
  days: { startDate: string; endDate: string },
  { filters, raw }: Pick<ListQuery, 'filters' | 'raw'>,
): ReportFetch {
  const { campaign_id, group_id, ad_id }: ListFilters = filters;
  return {
    organization,
    level: plan.level,
    startDate: days.startDate,
    endDate: days.endDate,
    metrics: plan.nativeMetrics,
    dimensions: plan.dimensions.map(({ native }) => native),
    ...(campaign_id === undefined ? {} : { campaignIds: campaign_id.split(',') }),
    ...(group_id === undefined ? {} : { groupIds: group_id.split(',') }),
    ...(ad_id === undefined ? {} : { adIds: ad_id.split(',') }),
    raw,
  };
}

/** A whole report, whose temporary files are given up when nobody reads it and no further page can be asked for. */
class Report {
  readonly parts: readonly Collected[];
  #holders = 0;

  constructor(parts: readonly Collected[]) {
    this.parts = parts;
  }

  hold(): this {
    this.#holders += 1;
    return this;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) for (const { rows } of this.parts) void rows.close().catch(() => undefined);
  }
}

/** A report that further pages of the same query are read from. */
interface Paged {
  /** By the service's clock. */
  until: number;
  report: Promise<Report>;
  /** Forgets it on the machine's clock, should nobody ask again. */
  timer: NodeJS.Timeout;
}

const FILTERS: readonly (keyof ListFilters)[] = ['campaign_id', 'group_id', 'ad_id'];

export class ReportService {
  readonly #registry: PlatformRegistry;
  readonly #contexts: Contexts;
  readonly #clock: Clock;
  readonly #locator = new Locator();
  /** Reports whose pages are being read: only queries with a `limit` come here. */
  readonly #pages = new LRUCache<string, Paged>({
    max: 16,
    dispose: ({ report, timer }) => {
      clearTimeout(timer);
      report.then(
        (one) => one.release(),
        () => undefined,
      );
    },
  });

  constructor(registry: PlatformRegistry, contexts: Contexts, clock: Clock) {
    this.#registry = registry;
    this.#contexts = contexts;
    this.#clock = clock;
  }

  /** Reports in wire form: one per entity with delivery in the window. Everything is fetched before the first is yielded. */
  async run(scope: Scope, query: ListQuery): Promise<AsyncIterable<Record<string, unknown>>> {
    const { spec } = this.#checked(scope, query);
    const report = await this.#report(scope, query);
    const rows = this.#wire(report, spec.metrics, query);
    let released = false;
    const release = (): void => {
      if (!released) report.release();
      released = true;
    };
    // Not the generator itself: one that was never begun runs no `finally` when it is given up.
    const iterator: AsyncIterator<Record<string, unknown>> = {
      async next() {
        try {
          const result = await rows.next();
          if (result.done === true) release();
          return result;
        } catch (error) {
          release();
          throw error;
        }
      },
      async return() {
        await rows.return();
        release();
        return { done: true, value: undefined };
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  /** The platform's reports, when this connection may ask for such ones. */
  #checked(scope: Scope, query: ListQuery): { platform: Platform; spec: ReportSpec } {
    const { connection } = scope;
    const platform = this.#registry.get(connection.integration_type);
    const spec = platform.report;
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    if (spec === undefined)
      throw new PolyadError('method_unsupported', {
        message: `${platform.manifest.name} has no reports.`,
        details: { object: 'report', method: 'list' },
      });
    const permission = permissionFor('report', 'list');
    if (permission !== undefined && connection.permissions.length > 0 && !connection.permissions.includes(permission))
      throw new PolyadError('permission_missing', {
        message: `The customer did not grant \`${permission}\` on this connection.`,
        details: { needed: permission },
      });
    const filters: ListFilters = query.filters;
    for (const name of Object.keys(filters) as (keyof ListFilters)[])
      if (!['org_id', 'start_gte', 'end_lt', ...FILTERS].includes(name))
        throw new PolyadError('input_filter_unsupported', {
          message: `Reports cannot be filtered by \`${name}\`.`,
          details: { filter: name, allowed: ['org_id', ...FILTERS, 'start_gte', 'end_lt'] },
        });
    return { platform, spec };
  }

  /**
   * What a report is about: checks the query, finds its ad accounts and their days. Nothing of the report itself is read.
   * `fixed`: what was found at an earlier time, for a report that is taken up again.
   */
  async prepare(
    scope: Scope,
    query: ListQuery,
    fixed?: { at: Date; organizations: readonly OrganizationFacts[] },
  ): Promise<PreparedReport> {
    const { platform, spec } = this.#checked(scope, query);
    const ctx = this.#contexts.open(scope, platform);
    const level = reportLevel(spec, query.filters, query.level, query.raw);
    const at = fixed?.at ?? this.#clock.now();
    const organizations = fixed?.organizations ?? (await this.#organizations(scope, platform, ctx, query.filters));
    const parts = organizations.map((organization) => ({
      organization,
      plan: planReport(spec, query, level, organization, at),
    }));
    return { platform, spec, ctx, at, parts };
  }

  /** The report, held for the caller. */
  async #report(scope: Scope, query: ListQuery): Promise<Report> {
    if (query.limit === undefined) return new Report(await this.#collect(scope, query)).hold();
    const { filters, start, end, metrics, dimensions, level, raw } = query;
    const key = JSON.stringify([
      scope.connection.id,
      scope.connection.version,
      filters,
      start,
      end,
      metrics,
      dimensions,
      level,
      raw,
    ]);
    const now = this.#clock.now().getTime();
    const known = this.#pages.get(key);
    if (known !== undefined && known.until > now) return known.report.then((report) => report.hold());
    // Held twice: by the pages to come and by this caller.
    const report = this.#collect(scope, query).then((parts) => new Report(parts).hold());
    const timer = setTimeout(() => {
      if (this.#pages.peek(key)?.timer === timer) this.#pages.delete(key);
    }, PAGE_CACHE_MS);
    timer.unref();
    this.#pages.set(key, { until: now + PAGE_CACHE_MS, report, timer });
    const mine = report.then((one) => one.hold());
    report.catch(() => {
      if (this.#pages.peek(key)?.report === report) this.#pages.delete(key);
    });
    return mine;
  }

  async #collect(scope: Scope, query: ListQuery): Promise<Collected[]> {
    const { spec, ctx, parts } = await this.prepare(scope, query);
    const out: Collected[] = [];
    try {
      for (const { organization, plan } of parts)
        out.push({ organization, plan, rows: await this.#rows(ctx, spec, plan, organization, query) });
      return out;
    } catch (error) {
      await Promise.all(out.map(({ rows }) => rows.close()));
      throw error;
    }
  }

  /** Every row of every window of one ad account. */
  async #rows(
    ctx: CallContext,
    spec: ReportSpec,
    plan: ReportPlan,
    organization: OrganizationFacts,
    query: ListQuery,
  ): Promise<CollectedRows> {
    const collector = new RowCollector(plan, spec.metrics, MAX_CELLS);
    try {
      for (const window of plan.windows) {
        const rows = spec.fetch(ctx, fetchOf(plan, organization, window, query));
        for await (const row of rows) {
          const full = collector.add(row);
          if (full !== undefined) await full;
          const pause = breathe();
          if (pause !== undefined) await pause;
        }
      }
      return await collector.finish();
    } catch (error) {
      await collector.discard();
      throw error;
    }
  }

  async #organizations(
    scope: Scope,
    platform: Platform,
    ctx: CallContext,
    filters: ListFilters,
  ): Promise<readonly OrganizationFacts[]> {
    if (filters.org_id !== undefined) return Promise.all(filters.org_id.split(',').map((id) => ctx.organization(id)));
    const parents: [ObjectName, string | undefined][] = [
      ['ad', filters.ad_id],
      ['group', filters.group_id],
      ['campaign', filters.campaign_id],
    ];
    for (const [object, ids] of parents) {
      const spec = platform.objects[object];
      const [id] = ids?.split(',') ?? [];
      if (id === undefined || spec === undefined) continue;
      return [(await this.#locator.find(ctx, scope.connection.id, object, spec, id, undefined)).organization];
    }
    return ctx.organizations();
  }

  /** The reports of the page asked for, made one by one as they are read. */
  async *#wire(
    report: Report,
    metrics: ReportSpec['metrics'],
    { fields, offset, limit }: ListQuery,
  ): AsyncGenerator<Record<string, unknown>, void, undefined> {
    const withRaw = fields?.wants('raw') === true;
    const skip = { left: offset };
    let left = limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    for (const { organization, plan, rows } of report.parts) {
      const toReport = reporter(plan, metrics, organization, withRaw);
      for await (const record of rows.records(skip)) {
        const one = toReport(record);
        yield fields === undefined ? one : selectFields('report', one, fields);
        left -= 1;
        if (left === 0) return;
      }
    }
  }
}
