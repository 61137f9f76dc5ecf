/** The five verbs on unified objects, for every platform alike. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { breathe } from '../breathe.ts';
import type { Contexts } from '../calls/context.ts';
import type { Scope, WriteEnd } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import type { CodecContext } from '../connector/codecs.ts';
import { type CompiledFields, getPath } from '../connector/fields.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type {
  CallContext,
  FilterName,
  ListFilters,
  Native,
  ObjectName,
  ObjectSpec,
  OperationInput,
  OrganizationFacts,
  Platform,
  Unified,
  Verb,
  WriteContext,
} from '../connector/types.ts';
import { asPolyadError, PolyadError } from '../errors/index.ts';
import { createOnce } from '../idempotency/create-once.ts';
import { requestToken } from '../idempotency/fingerprint.ts';
import type { WriteEntry } from '../idempotency/journal.ts';
import { type FieldSelection, selectFields, unknownFields } from '../model/fields.ts';
import type { ListQuery } from '../model/list-query.ts';
import { OBJECTS } from '../model/objects.ts';
import { permissionFor } from '../model/permissions.ts';
import { wireObject } from '../model/wire.ts';
import { DryRun } from './dry-run.ts';
import { compareBy, LOCAL_FILTERS } from './local-filters.ts';
import { Locator, organizationRequired } from './locate.ts';
import { budgetOf, type GuardSource, type SpendGuard } from './spend.ts';
import { walk } from './walk.ts';

/** Rows read for a list that polyad must filter or sort itself; beyond, the caller has to narrow the list. */
const MAX_LOCAL_ROWS = 100_000;

export interface ItemOptions {
  fields?: FieldSelection | undefined;
  raw?: Native;
  /** Ad account, where the caller names it. */
  org_id?: string | undefined;
}

export interface WriteOptions extends ItemOptions {
  /**
   * Everything but sending: the answer's `raw` is the encoded body, `dry_run` holds the requests that would have been sent.
   */
  dryRun?: boolean;
  /** The journal's record of this write. */
  entry?: WriteEntry | undefined;
}

export interface ObjectServiceParts {
  registry: PlatformRegistry;
  contexts: Contexts;
  clock: Clock;
  guards: GuardSource;
}

/** Objects that have budgets or a status that spends. */
const SPENDING: ReadonlySet<ObjectName> = new Set(['campaign', 'insertionorder', 'group', 'ad']);

/** Everything one verb needs, resolved once. */
interface Opened {
  platform: Platform;
  spec: ObjectSpec;
  fields: CompiledFields;
  ctx: CallContext;
  typeName: string;
}

export class ObjectService {
  readonly #registry: PlatformRegistry;
  readonly #contexts: Contexts;
  readonly #clock: Clock;
  readonly #guards: GuardSource;
  readonly #locator = new Locator();

  constructor({ registry, contexts, clock, guards }: ObjectServiceParts) {
    this.#registry = registry;
    this.#contexts = contexts;
    this.#clock = clock;
    this.#guards = guards;
  }

  #open(scope: Scope, object: ObjectName, verb: Verb): Opened {
    const { connection } = scope;
    const platform = this.#registry.get(connection.integration_type);
    const { name } = platform.manifest;
    const spec = platform.objects[object];
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    if (spec === undefined || (verb === 'list' ? spec.list : spec[verb]) === undefined)
      throw new PolyadError('method_unsupported', {
        message: spec === undefined ? `${name} has no ${object}s.` : `${name} cannot ${verb} a ${object}.`,
        details: {
          object,
          method: verb,
          supported:
            spec === undefined
              ? []
              : (['list', 'get', 'create', 'update', 'remove'] as const).filter((one) => spec[one] !== undefined),
          ...(spec?.refusals?.[verb] === undefined ? {} : { instead: spec.refusals[verb] }),
        },
      });
    const permission = permissionFor(object, verb);
    if (permission !== undefined && connection.permissions.length > 0 && !connection.permissions.includes(permission))
      throw new PolyadError('permission_missing', {
        message: `The customer did not grant \`${permission}\` on this connection.`,
        details: {
          needed: permission,
          granted: connection.permissions,
          native_scopes: platform.auth.permissions[permission] ?? [],
        },
      });
    return {
      platform,
      spec,
      fields: this.#registry.fields(platform, object),
      ctx: this.#contexts.open(scope, platform),
      typeName: `${name} ${spec.native}`,
    };
  }

  #codecContext(organization: OrganizationFacts): CodecContext {
    return {
      ...(organization.currency === undefined ? {} : { currency: organization.currency }),
      ...(organization.timeZone === undefined ? {} : { timeZone: organization.timeZone }),
      ...(organization.id === '' ? {} : { organizationId: organization.id }),
    };
  }

  #decode(scope: Scope, object: ObjectName, opened: Opened, organization: OrganizationFacts, row: Native): Unified {
    return this.#decoder(scope, object, opened, organization, true)(row);
  }

  /** Decodes rows of one ad account: what is the same for all of them is looked up once. */
  #decoder(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    organization: OrganizationFacts,
    withRaw: boolean,
  ): (row: Native) => Unified {
    const { fields } = opened;
    const { shape } = OBJECTS[object].schema;
    const context = this.#codecContext(organization);
    const own = organization.id !== '';
    const ownId = own && 'organization_id' in shape;
    const currency = own && 'currency' in shape ? organization.currency : undefined;
    return (row) => {
      context.row = row;
      const out = fields.decode(row, context);
      if (ownId) out['organization_id'] ??= organization.id;
      if (currency !== undefined) out['currency'] ??= currency;
      if (own && typeof out['id'] === 'string')
        this.#locator.remember(scope.connection.id, object, out['id'], organization.id);
      if (withRaw) out['raw'] = row;
      return out;
    };
  }

  #finish(object: ObjectName, unified: Unified, selection: FieldSelection | undefined): Unified {
    // Most callers do not ask for the platform's own object, so it is not copied for them first.
    if (selection === undefined) return wireObject(unified, { raw: false });
    return selectFields(object, wireObject(unified), selection);
  }

  async list(scope: Scope, object: ObjectName, query: ListQuery): Promise<Unified[]> {
    const opened = this.#open(scope, object, 'list');
    const { spec } = opened;
    const operation = spec.list as NonNullable<ObjectSpec['list']>;
    const filters = this.#filters(opened, object, query);
    const local = (Object.keys(filters) as FilterName[]).filter(
      (name) => operation.filters[name]?.kind !== 'native' && name in operation.filters,
    );
    const sort = query.sort;
    const scanAll = local.length > 0 || sort !== undefined;
    const limit = query.limit ?? Number.POSITIVE_INFINITY;
    const keep = (unified: Unified): boolean =>
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
    return query.fields === undefined ? window : window.map((unified) => this.#finish(object, unified, query.fields));
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
      const input: OperationInput = { ctx, organization, raw: query.raw };
      const decode = this.#decoder(scope, object, opened, organization, query.fields !== undefined);
      const native = walk(
        input,
        spec.list as NonNullable<ObjectSpec['list']>,
        filters,
        single ? offset : 0,
        single ? count : skip + count,
      );
      for await (const batch of native) {
        const pause = breathe();
        if (pause !== undefined) await pause;
        const from = Math.min(skip, batch.length);
        skip -= from;
        const wanted = from === 0 && batch.length <= left ? batch : batch.slice(from, from + left);
        if (wanted.length === 0) continue;
        yield (spec.enrich === undefined ? wanted : await spec.enrich(input, wanted)).map(decode);
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
          (await this.#locator.find(ctx, scope.connection.id, parent[0], parentSpec, parent[1], undefined))
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
    const opened = this.#open(scope, object, 'get');
    const { input, row } = await this.#read(scope, object, opened, id, options);
    return this.#finish(object, await this.#enriched(scope, object, opened, input, row), options.fields);
  }

  async #enriched(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    input: OperationInput,
    row: Native,
  ): Promise<Unified> {
    const rows = opened.spec.enrich === undefined ? [row] : await opened.spec.enrich(input, [row]);
    return this.#decode(scope, object, opened, input.organization, rows[0] ?? row);
  }

  /** The ad account and native row of an existing object; throws `platform_not_found`. */
  async #read(scope: Scope, object: ObjectName, opened: Opened, id: string, options: ItemOptions) {
    const { ctx, spec } = opened;
    const raw = options.raw ?? {};
    const located =
      spec.scope === 'connection'
        ? { organization: { id: '' } }
        : await this.#locator.find(ctx, scope.connection.id, object, spec, id, options.org_id);
    const input: OperationInput = { ctx, organization: located.organization, raw };
    const row = ('row' in located ? located.row : undefined) ?? (await spec.get?.(input, id));
    if (row === undefined)
      throw new PolyadError('platform_not_found', {
        message: `${opened.typeName} \`${id}\` does not exist.`,
        details: { object, id },
      });
    return { input, row };
  }

  async create(scope: Scope, object: ObjectName, body: Unified, options: WriteOptions): Promise<Unified> {
    const dry = options.dryRun === true ? new DryRun() : undefined;
    const opened = this.#open(dry === undefined ? scope : { ...scope, recorder: dry }, object, 'create');
    const { ctx, spec, typeName } = opened;
    this.#checkMembers(object, body);
    const organization = await this.#writeOrganization(scope, opened, body, options);
    const input: OperationInput = { ctx, organization, raw: options.raw ?? {} };
    const guard = await this.#guard(scope, object, opened, organization);
    const unified = this.#withoutEchoes(object, body, ['organization_id', 'currency'], organization);
    if (guard?.createPaused === true && opened.fields.creatable.includes('status')) unified['status'] ??= 'PAUSED';
    const prepared = (await spec.prepare?.(input, unified, 'create')) ?? unified;
    const native = this.#encode(opened, prepared, organization, 'create', typeName);
    guard?.check(budgetOf(this.#decode(scope, object, opened, organization, native)), undefined);
    const write = this.#writeContext(body, options, async () => {
      throw new PolyadError('internal', { message: 'a new object has no current row' });
    });
    const send = async (): Promise<Native> =>
      (await (spec.create as NonNullable<ObjectSpec['create']>)(input, native, write)).row;
    const ended = await scope.watch?.begin({ object, verb: 'create', body: unified, dryRun: dry !== undefined });
    if (dry !== undefined)
      return this.#dryRun(object, { ...body, ...pick(unified, 'status') }, native, dry, send, options.fields);
    const { entry } = options;
    const decode = (row: Native): Unified => this.#decode(scope, object, opened, organization, row);
    const name = unified['name'] ?? decode(native)['name'];
    const { integration_type, environment } = scope.connection;
    entry?.about(
      [integration_type, environment, organization.id, spec.native].join('/'),
      typeof name === 'string' ? name : undefined,
    );
    const created = await watched(ended, async () => {
      const row =
        entry === undefined
          ? await send()
          : await createOnce({
              ...{ entry, clock: this.#clock, aid: spec.idempotency, input, unified: prepared, native, object, decode },
              send,
            });
      return wireObject(await this.#enriched(scope, object, opened, input, row));
    });
    return selectFields(object, created, options.fields);
  }

  async update(scope: Scope, object: ObjectName, id: string, body: Unified, options: WriteOptions): Promise<Unified> {
    const dry = options.dryRun === true ? new DryRun() : undefined;
    const opened = this.#open(dry === undefined ? scope : { ...scope, recorder: dry }, object, 'update');
    const { ctx, spec, typeName } = opened;
    this.#checkMembers(object, body);
    const hint = options.org_id ?? (typeof body['organization_id'] === 'string' ? body['organization_id'] : undefined);
    const { organization } =
      spec.scope === 'connection'
        ? { organization: { id: '' } }
        : await this.#locator.find(ctx, scope.connection.id, object, spec, id, hint);
    const input: OperationInput = { ctx, organization, raw: options.raw ?? {} };
    let current: Promise<Native> | undefined;
    const readCurrent = (): Promise<Native> => {
      current ??= this.#read(scope, object, opened, id, {
        ...options,
        ...(organization.id === '' ? {} : { org_id: organization.id }),
      }).then(({ row }) => row);
      return current;
    };
    const changed = await this.#withoutUnchanged(scope, object, opened, input, body, readCurrent);
    const prepared = (await spec.prepare?.(input, changed, 'update')) ?? changed;
    const native = this.#encode(opened, prepared, organization, 'update', typeName);
    const next = budgetOf(this.#decode(scope, object, opened, organization, native));
    if (next.amount !== undefined || next.period !== undefined) {
      const guard = await this.#guard(scope, object, opened, organization);
      if (guard?.needsCurrent === true)
        guard.check(next, budgetOf(this.#decode(scope, object, opened, organization, await readCurrent())));
    }
    const nothing = Object.keys(native).length === 0;
    const write = this.#writeContext(prepared, options, readCurrent);
    const send = async (): Promise<Native> =>
      nothing
        ? readCurrent()
        : (await (spec.update as NonNullable<ObjectSpec['update']>)(input, id, native, write)).row;
    const now = async (): Promise<Unified> =>
      wireObject(this.#decode(scope, object, opened, organization, await readCurrent()));
    const ended = await scope.watch?.begin({
      object,
      verb: 'update',
      id,
      body,
      current: now,
      dryRun: dry !== undefined,
    });
    if (dry !== undefined) return this.#dryRun(object, body, native, dry, send, options.fields);
    const updated = await watched(ended, async () =>
      wireObject(await this.#enriched(scope, object, opened, input, await send())),
    );
    return selectFields(object, updated, options.fields);
  }

  /** Removes an object. A dry run answers what would be sent, anything else an empty object. */
  async remove(scope: Scope, object: ObjectName, id: string, options: WriteOptions): Promise<Unified> {
    const dry = options.dryRun === true ? new DryRun() : undefined;
    const opened = this.#open(dry === undefined ? scope : { ...scope, recorder: dry }, object, 'remove');
    const { input, row } = await this.#read(scope, object, opened, id, options);
    const write = this.#writeContext({}, options, async () => row);
    const send = (): Promise<void> => (opened.spec.remove as NonNullable<ObjectSpec['remove']>)(input, id, write);
    const now = async (): Promise<Unified> => wireObject(this.#decode(scope, object, opened, input.organization, row));
    const ended = await scope.watch?.begin({
      object,
      verb: 'remove',
      id,
      body: {},
      current: now,
      dryRun: dry !== undefined,
    });
    if (dry !== undefined) return { dry_run: await dry.run(send) };
    await watched(ended, async () => {
      await send();
      return undefined;
    });
    return {};
  }

  /**
   * Sets the status of several objects, in the platform's own batches where it has them. Answers the error of each that
   * was not changed; a batch that is refused as a whole is taken apart, so that one wrong id does not stop the others.
   */
  async setStatus(
    scope: Scope,
    object: ObjectName,
    ids: readonly string[],
    status: string,
    options: WriteOptions,
  ): Promise<Map<string, PolyadError>> {
    const errors = new Map<string, PolyadError>();
    const opened = this.#open(scope, object, 'update');
    const { ctx, spec, typeName } = opened;
    const batch = spec.statusBatch;
    const single = async (id: string): Promise<void> => {
      try {
        await this.update(scope, object, id, { status }, options);
      } catch (error) {
        errors.set(id, asPolyadError(error));
      }
    };
    const ends = new Map<string, (end: WriteEnd) => Promise<void>>();
    const tell = async (told: readonly string[]): Promise<void> => {
      for (const id of told)
        await ends.get(id)?.(errors.has(id) ? { error: errors.get(id) } : { unified: { id, status } });
    };
    const byAccount = new Map<string, { organization: OrganizationFacts; ids: string[] }>();
    for (const id of ids) {
      if (batch === undefined) {
        await single(id);
        continue;
      }
      try {
        const { organization } = await this.#locator.find(ctx, scope.connection.id, object, spec, id, options.org_id);
        const ended = await scope.watch?.begin({ object, verb: 'update', id, body: { status } });
        if (ended !== undefined) ends.set(id, ended);
        const group = byAccount.get(organization.id) ?? { organization, ids: [] };
        group.ids.push(id);
        byAccount.set(organization.id, group);
      } catch (error) {
        errors.set(id, asPolyadError(error));
      }
    }
    for (const { organization, ids: own } of byAccount.values()) {
      const input: OperationInput = { ctx, organization, raw: options.raw ?? {} };
      const native = this.#encode(opened, { status }, organization, 'update', typeName);
      const { maxIds, run } = batch as NonNullable<ObjectSpec['statusBatch']>;
      for (let start = 0; start < own.length; start += maxIds) {
        const chunk = own.slice(start, start + maxIds);
        try {
          for (const { id, error } of await run(input, chunk, native))
            if (error !== undefined)
              errors.set(id, new PolyadError(error.code, { message: error.message, details: { object, id } }));
          await tell(chunk);
        } catch (thrown) {
          const error = asPolyadError(thrown);
          if (error.actor === 'caller' && chunk.length > 1) for (const id of chunk) await single(id);
          else {
            for (const id of chunk) errors.set(id, error);
            await tell(chunk);
          }
        }
      }
    }
    return errors;
  }

  /** The spend guard of a write; undefined for objects that do not spend. */
  async #guard(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    organization: OrganizationFacts,
  ): Promise<SpendGuard | undefined> {
    if (!SPENDING.has(object)) return undefined;
    return this.#guards.of(scope.workspace.id, opened.platform.manifest.type, organization);
  }

  /** Members that the wire contract does not know: most likely a typing error, so refused by name. */
  #checkMembers(object: ObjectName, body: Unified): void {
    const unknown = unknownFields(object, body);
    if (unknown.length > 0)
      throw new PolyadError('input_field_unknown', {
        message: `Unknown: ${unknown.map((path) => `\`${path}\``).join(', ')}.`,
        details: { fields: unknown, allowed: Object.keys(OBJECTS[object].schema.shape) },
      });
  }

  #encode(
    opened: Opened,
    unified: Unified,
    organization: OrganizationFacts,
    verb: 'create' | 'update',
    typeName: string,
  ): Native {
    const native = opened.fields.encode(unified, { ...this.#codecContext(organization), unified }, verb, typeName);
    // `raw` in a body: native members that the unified model does not have. What both name, the model decides.
    const raw = unified['raw'];
    return raw !== null && typeof raw === 'object' ? { ...(raw as Native), ...native } : native;
  }

  async #dryRun(
    object: ObjectName,
    body: Unified,
    native: Native,
    dry: DryRun,
    send: () => Promise<unknown>,
    fields: FieldSelection | undefined,
  ): Promise<Unified> {
    const report = await dry.run(send);
    return { ...this.#finish(object, body, fields), raw: native, dry_run: report };
  }

  #writeContext(unified: Unified, options: WriteOptions, current: () => Promise<Native>): WriteContext {
    return { unified, requestToken: options.entry?.requestToken ?? requestToken(randomBytes(32)), current };
  }

  /** The ad account of a new object: named, that of its parent, or the connection's only one. */
  async #writeOrganization(
    scope: Scope,
    opened: Opened,
    body: Unified,
    options: WriteOptions,
  ): Promise<OrganizationFacts> {
    const { ctx, platform, spec } = opened;
    if (spec.scope === 'connection') return { id: '' };
    const named = options.org_id ?? body['organization_id'];
    if (typeof named === 'string') return ctx.organization(named);
    for (const parent of ['group', 'campaign'] as const) {
      const id = body[`${parent}_id`];
      const parentSpec = platform.objects[parent];
      if (typeof id === 'string' && parentSpec !== undefined)
        return (await this.#locator.find(ctx, scope.connection.id, parent, parentSpec, id, undefined)).organization;
    }
    const organizations = await ctx.organizations();
    const [only] = organizations;
    if (organizations.length === 1 && only !== undefined) return only;
    throw organizationRequired(organizations);
  }

  /** Drops members that only repeat what the ad account says, and refuses those that contradict it. */
  #withoutEchoes(
    object: ObjectName,
    body: Unified,
    names: readonly string[],
    organization: OrganizationFacts,
  ): Unified {
    const out = { ...body };
    for (const name of names) {
      if (out[name] === undefined) continue;
      if (name === 'currency' && organization.currency !== undefined && out[name] !== organization.currency)
        throw new PolyadError('input_value_unsupported', {
          message: `This ad account works in ${organization.currency}; amounts cannot be in ${String(out[name])}.`,
          details: { field: name, object, allowed: [organization.currency] },
        });
      delete out[name];
    }
    return out;
  }

  /**
   * Callers often send back the whole object they have read. Members that cannot be changed and are not changed are
   * dropped; those that differ stay, and `encode` refuses them by name.
   */
  async #withoutUnchanged(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    input: OperationInput,
    body: Unified,
    readCurrent: () => Promise<Native>,
  ): Promise<Unified> {
    const out = this.#withoutEchoes(object, body, ['organization_id', 'currency'], input.organization);
    const writable = new Set(opened.fields.updatable.map((path) => path.split('.')[0] as string));
    const suspicious = Object.keys(out).filter(
      (name) => !writable.has(name) && name !== 'raw' && out[name] !== undefined,
    );
    if (suspicious.length === 0) return out;
    const current = wireObject(await this.#enriched(scope, object, opened, input, await readCurrent()));
    for (const name of suspicious) if (isDeepStrictEqual(getPath(current, name), out[name])) delete out[name];
    return out;
  }
}

/** Does a write, and tells whoever watches how it ended. */
async function watched<T extends Unified | undefined>(
  ended: ((end: WriteEnd) => Promise<void>) | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const unified = await work();
    await ended?.({ unified });
    return unified;
  } catch (error) {
    await ended?.({ error });
    throw error;
  }
}

/** One member of an object, where it is set. */
const pick = (unified: Unified, name: string): Unified =>
  unified[name] === undefined ? {} : { [name]: unified[name] };
