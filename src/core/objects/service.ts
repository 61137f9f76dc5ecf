/** The five verbs on unified objects, for every platform alike. */
import { breathe } from '../breathe.ts';
import type { Contexts } from '../calls/context.ts';
import type { Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import { getPath } from '../connector/fields.ts';
import type { FilterName, ListFilters, ListOperation, ObjectSpec, OperationInput } from '../connector/object-spec.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Native, ObjectName, OrganizationFacts, Unified } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { ListQuery } from '../model/list-query.ts';
import { type ItemOptions, ObjectAccess, type Opened } from './access.ts';
import { compareBy, LOCAL_FILTERS } from './local-filters.ts';
import { type ObjectObserver, tellSeen } from './observer.ts';
import type { GuardSource } from './spend.ts';
import type { StatusOutcome } from './status-writer.ts';
import { changedMeanwhile, numberedPages, Unfit, walk } from './walk.ts';
import { type Page, type Place, Walks } from './walks/book.ts';
import { continued, type Joint } from './walks/joined.ts';
import { type Marks, markRow } from './walks/marks.ts';
import { ObjectWriter, type WriteOptions } from './writer.ts';

/** Rows read for a list that polyad must filter or sort itself; beyond, the caller has to narrow the list. */
const MAX_LOCAL_ROWS = 100_000;

export interface ObjectServiceParts {
  registry: PlatformRegistry;
  contexts: Contexts;
  clock: Clock;
  guards: GuardSource;
  observer?: ObjectObserver;
  /** What callers were handed out; default: in memory. */
  walks?: Walks | undefined;
}

/** How far a list has been handed out to a caller before, and how far it is read now. */
interface Progress {
  /** Rows to pass over from the beginning, where nothing is known of the caller. */
  skip: number;
  /** Rows that were handed out; undefined = none, or it is not known. */
  seen: Marks | undefined;
  /** The last page that was. */
  after: Page | undefined;
  /** How many rows the platform says there are, where a list is read in its numbered pages. */
  total: number | undefined;
  /** Where in the platform's list reading ended, where that can be gone on from. */
  row: number | undefined;
  /** Rows read, those included that are left out. */
  read: number;
}

export class ObjectService {
  readonly #observer: ObjectObserver | undefined;
  readonly #access: ObjectAccess;
  readonly #writer: ObjectWriter;
  readonly #walks: Walks;

  constructor({ registry, contexts, clock, guards, observer, walks }: ObjectServiceParts) {
    this.#access = new ObjectAccess(registry, contexts);
    this.#walks = walks ?? new Walks(clock);
    this.#observer = observer;
    this.#writer = new ObjectWriter(this.#access, clock, guards, observer);
  }

  /**
   * One page. A caller who adds up `offset` gets every row that was there all the time once, though others write to the
   * list meanwhile: see `walks/`.
   */
  async list(scope: Scope, object: ObjectName, query: ListQuery): Promise<Unified[]> {
    const opened = this.#access.open(scope, object, 'list');
    const { spec } = opened;
    const operation = spec.list as NonNullable<ObjectSpec['list']>;
    const filters = this.#filters(opened, object, query);
    const local = (Object.keys(filters) as FilterName[]).filter(
      (name) => operation.filters[name]?.kind !== 'native' && name in operation.filters,
    );
    const sort = query.sort;
    // Ad accounts that were not chosen are not there for anybody.
    const chosen = object === 'organization' ? scope.connection.account.selected_organization_ids : undefined;
    const chosenIds = chosen === undefined ? undefined : new Set(chosen);
    const scanAll = local.length > 0 || sort !== undefined || chosenIds !== undefined;
    const limit = query.limit ?? Number.POSITIVE_INFINITY;
    const typed = isTyped(spec);
    const after = query.offset === 0 ? undefined : await this.#walks.find(scope, object, query);
    const seen = after === undefined ? undefined : this.#walks.marksOf(after, limit);
    const progress: Progress = {
      ...{ skip: after === undefined ? query.offset : 0, seen, after, total: undefined, row: undefined, read: 0 },
    };
    const keep = (unified: Unified): boolean =>
      (chosenIds === undefined || chosenIds.has(unified['id'] as string)) &&
      local.every((name) => LOCAL_FILTERS[name](unified, filters[name] as string));
    const batches = this.#batches(scope, object, opened, query, filters, progress, scanAll ? undefined : limit);
    const out: Unified[] = [];
    let skip = scanAll && sort === undefined ? progress.skip : 0;
    reading: for await (const batch of batches) {
      if (scanAll && progress.read > MAX_LOCAL_ROWS)
        throw new PolyadError('input_filter_unsupported', {
          message: `More than ${MAX_LOCAL_ROWS} rows would have to be read for this list. Narrow it, for example by \`org_id\`.`,
          details: { local_filters: local, sort },
        });
      for (const unified of batch) {
        if (!keep(unified)) continue;
        if (skip > 0) skip -= 1;
        else out.push(unified);
        if (sort === undefined && out.length >= limit) break reading;
      }
    }
    const window =
      sort === undefined ? out : out.sort(compareBy(sort, query.order)).slice(progress.skip, progress.skip + limit);
    if (window.length === limit && (after !== undefined || query.offset === 0)) {
      const place = scanAll ? undefined : placeOf(progress, window, filters, query, operation);
      const kept = this.#walks.keep({ scope, object, query }, after, window, place, typed);
      if (kept !== undefined) await kept;
    }
    // Without a selection they were decoded as they go out.
    return query.fields === undefined
      ? window
      : window.map((unified) => this.#access.finish(object, unified, query.fields));
  }

  /** Checks that every filter given is one this list honours; a filter that were ignored would widen the list silently. */
  #filters(opened: Opened, object: ObjectName, query: ListQuery): ListFilters {
    const operation = opened.spec.list as NonNullable<ObjectSpec['list']>;
    const filters: ListFilters = { ...query.filters };
    if (opened.spec.scope === 'organization') delete filters.org_id;
    for (const name of Object.keys(filters) as FilterName[]) {
      if (operation.filters[name] !== undefined) continue;
      throw new PolyadError('input_filter_unsupported', {
        message: `${opened.platform.manifest.name} ${object}s cannot be filtered by \`${name}\`.`,
        details: {
          filter: name,
          allowed: [...(opened.spec.scope === 'organization' ? ['org_id'] : []), ...Object.keys(operation.filters)],
        },
      });
    }
    return filters;
  }

  /**
   * Decoded objects of one or all ad accounts that were not handed out before, at least `limit` of them (undefined = all) if
   * there are so many; with `raw` where fields were selected.
   */
  async *#batches(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    query: ListQuery,
    filters: ListFilters,
    progress: Progress,
    limit: number | undefined,
  ): AsyncGenerator<Unified[], void, undefined> {
    const { ctx, spec } = opened;
    const operation = spec.list as NonNullable<ObjectSpec['list']>;
    const organizations = await this.#listOrganizations(scope, opened, query);
    const single = organizations.length === 1;
    const { seen, after } = progress;
    const typed = isTyped(spec);
    const mark = new Uint32Array(2);
    const isFresh = (unified: Unified): boolean =>
      !markRow(unified, typed, mark, 0) || !(seen as Marks).has(mark[0] as number, mark[1] as number);
    const offset = limit === undefined ? 0 : progress.skip;
    let skip = single ? 0 : offset;
    // Of rows that were handed out, those that are still there are read once more, and left out.
    let left = limit === undefined ? Number.POSITIVE_INFINITY : limit + (after?.end ?? 0);
    for (const organization of organizations) {
      const wants = query.fields?.wants;
      const input: OperationInput = { ctx, organization, raw: query.raw, ...(wants === undefined ? {} : { wants }) };
      const decode = this.#access.decoder(scope, object, opened, organization, query.fields !== undefined);
      const complete = async (rows: Native[], decoded: Unified[] | undefined): Promise<Unified[]> => {
        const whole =
          spec.enrich === undefined ? (decoded ?? rows.map(decode)) : (await spec.enrich(input, rows)).map(decode);
        await tellSeen(this.#observer, scope, object, whole);
        return whole;
      };
      if (single && limit !== undefined && after !== undefined && seen !== undefined) {
        const pages = await numberedPages(input, operation, filters);
        if (pages !== undefined) {
          const joint = jointOf(after, seen);
          let begun = false;
          try {
            for await (const { rows, decoded } of continued(pages, joint, limit, decode, typed)) {
              begun = true;
              progress.row = joint.place;
              progress.total = joint.total;
              const pause = breathe();
              if (pause !== undefined) await pause;
              if (rows.length > 0) yield await complete(rows, decoded);
            }
            return;
          } catch (error) {
            if (!(error instanceof Unfit)) throw error;
            if (begun) throw changedMeanwhile();
          }
        }
      }
      const native = walk(
        input,
        operation,
        filters,
        single ? offset : 0,
        single ? left : skip + left,
        rowId(spec),
        single ? (total) => (progress.total = total) : undefined,
      );
      for await (const batch of native) {
        const pause = breathe();
        if (pause !== undefined) await pause;
        progress.read += batch.length;
        const from = Math.min(skip, batch.length);
        skip -= from;
        const wanted = from === 0 && batch.length <= left ? batch : batch.slice(from, from + left);
        if (wanted.length === 0) continue;
        left -= wanted.length;
        if (seen === undefined) yield await complete(wanted, undefined);
        else {
          const fresh = wanted.filter((row) => isFresh(decode(row)));
          if (fresh.length > 0) yield await complete(fresh, undefined);
        }
        if (left <= 0) return;
      }
    }
  }

  async #listOrganizations(scope: Scope, opened: Opened, query: ListQuery): Promise<readonly OrganizationFacts[]> {
    const { ctx, platform, spec } = opened;
    if (spec.scope === 'connection') return [{ id: '' }];
    const { org_id, campaign_id, group_id } = query.filters;
    if (org_id !== undefined) return [await ctx.organization(org_id)];
    // A parent names the ad account as well as `org_id` does.
    const parent: [ObjectName, string] | undefined =
      group_id !== undefined ? ['group', group_id] : campaign_id !== undefined ? ['campaign', campaign_id] : undefined;
    const parentSpec = parent === undefined ? undefined : platform.objects[parent[0]];
    if (parent !== undefined && parentSpec !== undefined) {
      try {
        return [
          (await this.#access.locator.find(ctx, scope.connection.id, parent[0], parentSpec, parent[1], undefined))
            .organization,
        ];
      } catch (error) {
        if (error instanceof PolyadError && error.code === 'platform_not_found') return [];
        throw error;
      }
    }
    return ctx.organizations();
  }

  async get(scope: Scope, object: ObjectName, id: string, options: ItemOptions): Promise<Unified> {
    const opened = this.#access.open(scope, object, 'get');
    const { input, row } = await this.#access.read(scope, object, opened, id, options, true);
    const unified = await this.#access.enriched(scope, object, opened, input, row);
    await tellSeen(this.#observer, scope, object, [unified]);
    return this.#access.finish(object, unified, options.fields);
  }

  /** The ad account and native row of an object, for what platforms do beyond the verbs. @throws `platform_not_found` */
  async located(scope: Scope, object: ObjectName, id: string, orgId?: string) {
    const opened = this.#access.open(scope, object, 'get');
    return this.#access.read(scope, object, opened, id, orgId === undefined ? {} : { org_id: orgId });
  }

  /** A native row that was made elsewhere, as the object that lists and look-ups would answer. */
  adopt(scope: Scope, object: ObjectName, input: OperationInput, row: Native): Unified {
    const opened = this.#access.open(scope, object, 'get');
    return this.#access.finish(object, this.#access.decode(scope, object, opened, input.organization, row), undefined);
  }

  /** Creates an object. @throws PolyadError before anything is sent for what platform or model do not take, by name. */
  create(scope: Scope, object: ObjectName, body: Unified, options: WriteOptions): Promise<Unified> {
    return this.#writer.create(scope, object, body, options);
  }

  /** Changes what is sent and nothing else. */
  update(scope: Scope, object: ObjectName, id: string, body: Unified, options: WriteOptions): Promise<Unified> {
    return this.#writer.update(scope, object, id, body, options);
  }

  /** Removes an object; answers an empty object, or for a dry run what would be sent. */
  remove(scope: Scope, object: ObjectName, id: string, options: WriteOptions): Promise<Unified> {
    return this.#writer.remove(scope, object, id, options);
  }

  /** Sets the status of several objects; one outcome by id. */
  setStatus(
    scope: Scope,
    object: ObjectName,
    ids: readonly string[],
    status: string,
    options: WriteOptions,
  ): Promise<Map<string, StatusOutcome>> {
    return this.#writer.setStatus(scope, object, ids, status, options);
  }
}

/** What a native row is recognised by: the member, or the first of the members, that the unified id comes from. */
function rowId(spec: ObjectSpec): ((row: Native) => unknown) | undefined {
  const native = spec.fields.find(({ unified }) => unified === 'id')?.native;
  if (native === undefined) return undefined;
  const paths = typeof native === 'string' ? [native] : native;
  return (row) => {
    for (const path of paths) {
      const value = getPath(row, path);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  };
}

/** Whether ids tell rows of different types apart only together with the type, which is known as soon as a row is read. */
const isTyped = (spec: ObjectSpec): boolean => spec.enrich === undefined;

/** Where a caller's walk stands in the platform's list. */
function jointOf({ marks, place }: Page, seen: Marks): Joint {
  return {
    // Where it is not known: from the first row on.
    place: place?.row ?? 0,
    total: place?.total,
    last: [marks.at(-2) as number, marks.at(-1) as number],
    seen,
    newestFirst: place?.newestFirst ?? false,
  };
}

/** Where a page ended, if its list is read in numbered pages. */
function placeOf(
  { row, total, after }: Progress,
  rows: readonly Unified[],
  filters: ListFilters,
  { raw }: ListQuery,
  { paging }: ListOperation,
): Place | undefined {
  if (paging.kind !== 'page' && paging.kind !== 'offset') return undefined;
  if (after !== undefined && row === undefined) return undefined;
  // Rows enter a filtered list anywhere, when they come to match. Only large pages need to know.
  const newestFirst =
    Object.keys(filters).length === 0 &&
    Object.keys(raw).length === 0 &&
    rows.length * 2 > paging.maxSize &&
    (after === undefined || after.place?.newestFirst === true) &&
    isNewestFirst(rows);
  return { row: row ?? rows.length, total, newestFirst };
}

/** Whether rows become older, by the time when they were made. */
function isNewestFirst(rows: readonly Unified[]): boolean {
  const first = rows[0]?.['created_at'];
  let before = first;
  for (const row of rows) {
    const at = row['created_at'];
    if (typeof at !== 'string' || at > (before as string)) return false;
    before = at;
  }
  return before !== first;
}
