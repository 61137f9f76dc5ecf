/** Reports: plan, fetch every window completely, join, derive, stream out. */
import { LRUCache } from 'lru-cache';
import type { Contexts } from '../calls/context.ts';
import type { Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { CallContext, ListFilters, ObjectName, OrganizationFacts, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { selectFields } from '../model/fields.ts';
import type { ListQuery } from '../model/list-query.ts';
import { permissionFor } from '../model/permissions.ts';
import { wireObject } from '../model/wire.ts';
import { Locator } from '../objects/locate.ts';
import { planReport, type ReportPlan, reportLevel } from './plan.ts';
import { type EntityRecord, RowCollector, toReports } from './rows.ts';

/** How long a finished report serves further pages of the same query. */
const PAGE_CACHE_MS = 60_000;

interface Collected {
  organization: OrganizationFacts;
  plan: ReportPlan;
  records: EntityRecord[];
}

const FILTERS: readonly (keyof ListFilters)[] = ['campaign_id', 'group_id', 'ad_id'];

export class ReportService {
  readonly #registry: PlatformRegistry;
  readonly #contexts: Contexts;
  readonly #clock: Clock;
  readonly #locator = new Locator();
  /** Reports whose pages are being read: only queries with a `limit` come here. */
  readonly #pages = new LRUCache<string, { until: number; collected: Promise<Collected[]> }>({ max: 16 });

  constructor(registry: PlatformRegistry, contexts: Contexts, clock: Clock) {
    this.#registry = registry;
    this.#contexts = contexts;
    this.#clock = clock;
  }

  /** Reports in wire form: one per entity with delivery in the window. Everything is fetched before the first is yielded. */
  async run(scope: Scope, query: ListQuery): Promise<AsyncIterable<Record<string, unknown>>> {
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
    const collected = await this.#collected(scope, platform, query);
    const withRaw = query.fields?.wants('raw') === true && query.fields !== undefined;
    return page(this.#wire(collected, spec.metrics, withRaw, query), query.offset, query.limit);
  }

  #collected(scope: Scope, platform: Platform, query: ListQuery): Promise<Collected[]> {
    if (query.limit === undefined) return this.#collect(scope, platform, query);
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
    if (known !== undefined && known.until > now) return known.collected;
    const collected = this.#collect(scope, platform, query);
    this.#pages.set(key, { until: now + PAGE_CACHE_MS, collected });
    collected.catch(() => this.#pages.delete(key));
    return collected;
  }

  async #collect(scope: Scope, platform: Platform, query: ListQuery): Promise<Collected[]> {
    const spec = platform.report as NonNullable<Platform['report']>;
    const ctx = this.#contexts.open(scope, platform);
    const filters: ListFilters = query.filters;
    const level = reportLevel(spec, filters, query.level, query.raw);
    const out: Collected[] = [];
    for (const organization of await this.#organizations(scope, platform, ctx, filters)) {
      const plan = planReport(spec, query, level, organization, this.#clock.now());
      const collector = new RowCollector(plan, spec.metrics);
      for (const window of plan.windows) {
        const rows = spec.fetch(ctx, {
          organization,
          level,
          ...window,
          metrics: plan.nativeMetrics,
          dimensions: plan.dimensions.map(({ native }) => native),
          ...(filters.campaign_id === undefined ? {} : { campaignIds: filters.campaign_id.split(',') }),
          ...(filters.group_id === undefined ? {} : { groupIds: filters.group_id.split(',') }),
          ...(filters.ad_id === undefined ? {} : { adIds: filters.ad_id.split(',') }),
          raw: query.raw,
        });
        for await (const row of rows) collector.add(row);
      }
      out.push({ organization, plan, records: [...collector.records.values()] });
    }
    return out;
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

  async *#wire(
    collected: readonly Collected[],
    metrics: NonNullable<Platform['report']>['metrics'],
    withRaw: boolean,
    query: ListQuery,
  ): AsyncGenerator<Record<string, unknown>, void, undefined> {
    for (const { organization, plan, records } of collected)
      for (const report of toReports(records, plan, metrics, organization, withRaw))
        yield selectFields('report', wireObject(report), query.fields);
  }
}

async function* page<T>(
  rows: AsyncIterable<T>,
  offset: number,
  limit: number | undefined,
): AsyncGenerator<T, void, undefined> {
  let index = 0;
  for await (const row of rows) {
    if (limit !== undefined && index >= offset + limit) return;
    if (index >= offset) yield row;
    index += 1;
  }
}
