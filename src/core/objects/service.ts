/** The five verbs on unified objects, for every platform alike. */
import { breathe } from '../breathe.ts';
import type { Contexts } from '../calls/context.ts';
import type { Scope } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import { getPath } from '../connector/fields.ts';
import type { FilterName, ListFilters, ObjectSpec, OperationInput } from '../connector/object-spec.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Native, ObjectName, OrganizationFacts, Unified } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { ListQuery } from '../model/list-query.ts';
import { type ItemOptions, ObjectAccess, type Opened } from './access.ts';
import { compareBy, LOCAL_FILTERS } from './local-filters.ts';
import { type ObjectObserver, tellSeen } from './observer.ts';
import type { GuardSource } from './spend.ts';
import type { StatusOutcome } from './status-writer.ts';
import { walk } from './walk.ts';
import { ObjectWriter, type WriteOptions } from './writer.ts';

/** Rows read for a list that polyad must filter or sort itself; beyond, the caller has to narrow the list. */
const MAX_LOCAL_ROWS = 100_000;

export interface ObjectServiceParts {
  registry: PlatformRegistry;
  contexts: Contexts;
  clock: Clock;
  guards: GuardSource;
  observer?: ObjectObserver;
}

export class ObjectService {
  readonly #observer: ObjectObserver | undefined;
  readonly #access: ObjectAccess;
  readonly #writer: ObjectWriter;

  constructor({ registry, contexts, clock, guards, observer }: ObjectServiceParts) {
    this.#access = new ObjectAccess(registry, contexts);
    this.#observer = observer;
    this.#writer = new ObjectWriter(this.#access, clock, guards, observer);
  }

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
    const keep = (unified: Unified): boolean =>
      (chosenIds === undefined || chosenIds.has(unified['id'] as string)) &&
      local.every((name) => LOCAL_FILTERS[name](unified, filters[name] as string));
    const batches = this.#batches(
      scope,
      object,
      opened,
      query,
      filters,
      scanAll ? 0 : query.offset,
      scanAll ? Number.POSITIVE_INFINITY : limit,
    );
    const out: Unified[] = [];
    let seen = 0;
    let skip = scanAll && sort === undefined ? query.offset : 0;
    reading: for await (const batch of batches) {
      seen += batch.length;
      if (scanAll && seen > MAX_LOCAL_ROWS)
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
      sort === undefined ? out : out.sort(compareBy(sort, query.order)).slice(query.offset, query.offset + limit);
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

  /** Decoded objects of one or all ad accounts, from row `offset` on; with `raw` where fields were selected. */
  async *#batches(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    query: ListQuery,
    filters: ListFilters,
    offset: number,
    count: number,
  ): AsyncGenerator<Unified[], void, undefined> {
    const { ctx, spec } = opened;
    const organizations = await this.#listOrganizations(scope, opened, query);
    const single = organizations.length === 1;
    let skip = single ? 0 : offset;
    let left = count;
    for (const organization of organizations) {
      const wants = query.fields?.wants;
      const input: OperationInput = { ctx, organization, raw: query.raw, ...(wants === undefined ? {} : { wants }) };
      const decode = this.#access.decoder(scope, object, opened, organization, query.fields !== undefined);
      const native = walk(
        input,
        spec.list as NonNullable<ObjectSpec['list']>,
        filters,
        single ? offset : 0,
        single ? count : skip + count,
        rowId(spec),
      );
      for await (const batch of native) {
        const pause = breathe();
        if (pause !== undefined) await pause;
        const from = Math.min(skip, batch.length);
        skip -= from;
        const wanted = from === 0 && batch.length <= left ? batch : batch.slice(from, from + left);
        if (wanted.length === 0) continue;
        const decoded = (spec.enrich === undefined ? wanted : await spec.enrich(input, wanted)).map(decode);
        await tellSeen(this.#observer, scope, object, decoded);
        yield decoded;
        left -= wanted.length;
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
