/** Creates, updates and removals of unified objects, for every platform alike. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Scope, WriteEnd } from '../calls/scope.ts';
import type { Clock } from '../clock.ts';
import { getPath } from '../connector/fields.ts';
import type { ObjectSpec, OperationInput, WriteContext } from '../connector/object-spec.ts';
import type { Native, ObjectName, OrganizationFacts, Unified } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { createOnce } from '../idempotency/create-once.ts';
import { requestToken } from '../idempotency/fingerprint.ts';
import type { WriteEntry } from '../idempotency/journal.ts';
import { type FieldSelection, selectFields, unknownFields } from '../model/fields.ts';
import { OBJECTS } from '../model/objects.ts';
import { wireObject } from '../model/wire.ts';
import type { ItemOptions, ObjectAccess, Opened } from './access.ts';
import { budgetsOfCopy } from './copies.ts';
import { DryRun } from './dry-run.ts';
import { organizationRequired } from './locate.ts';
import { type ObjectObserver, tellSeen } from './observer.ts';
import { budgetIn, budgetOf, type GuardSource, type SpendGuard } from './spend.ts';
import { type StatusOutcome, setStatuses } from './status-writer.ts';

/** What one write is asked with. */
export interface WriteOptions extends ItemOptions {
  /**
   * Everything but sending: the answer's `raw` is the encoded body, `dry_run` holds the requests that would have been sent.
   */
  dryRun?: boolean;
  /** The journal's record of this write. */
  entry?: WriteEntry | undefined;
  /** An earlier run of this write may have gone through. */
  repeated?: boolean | undefined;
  /** For a dry run: the token that the write would be sent with. Default: any. */
  requestToken?: string | undefined;
}

/** Objects that have budgets or a status that spends. */
const SPENDING: ReadonlySet<ObjectName> = new Set([
  ...(['campaign', 'insertionorder', 'group', 'ad', 'creative', 'campaign_copy'] as const),
]);

/** Does writes; `ObjectService` hands them on. */
export class ObjectWriter {
  readonly #access: ObjectAccess;
  readonly #clock: Clock;
  readonly #guards: GuardSource;
  readonly #observer: ObjectObserver | undefined;

  constructor(access: ObjectAccess, clock: Clock, guards: GuardSource, observer?: ObjectObserver) {
    this.#observer = observer;
    this.#access = access;
    this.#clock = clock;
    this.#guards = guards;
  }

  async create(scope: Scope, object: ObjectName, body: Unified, options: WriteOptions): Promise<Unified> {
    const dry = options.dryRun === true ? new DryRun() : undefined;
    const opened = this.#access.open(dry === undefined ? scope : { ...scope, recorder: dry }, object, 'create');
    const { ctx, spec } = opened;
    this.#checkMembers(object, body);
    const organization = await this.#writeOrganization(scope, opened, body, options);
    const input: OperationInput = { ctx, organization, raw: options.raw ?? {} };
    const guard = await this.#guard(scope, object, opened, organization);
    const unified = this.#withoutEchoes(object, body, ['organization_id', 'currency'], organization);
    if (guard?.createPaused === true && opened.fields.creatable.includes('status')) unified['status'] ??= 'PAUSED';
    const prepared = (await spec.prepare?.(input, unified, 'create')) ?? unified;
    const native = this.#access.encode(opened, prepared, organization, 'create');
    const write = this.#writeContext(body, options, async () => {
      throw new PolyadError('internal', { message: 'a new object has no current row' });
    });
    const send = async (): Promise<Native> =>
      (await (spec.create as NonNullable<ObjectSpec['create']>)(input, native, write)).row;
    const ended = await scope.watch?.begin({ object, verb: 'create', body: unified, dryRun: dry !== undefined });
    await told(ended, async () => {
      if (guard?.limits !== true) return;
      const budget = budgetIn(native, this.#access.decode(scope, object, opened, organization, native), spec);
      const source = object === 'campaign_copy' ? unified['campaign_id'] : undefined;
      for (const one of typeof source === 'string'
        ? await budgetsOfCopy(this.#access, scope, organization, source, budget)
        : [budget])
        guard.check(one, undefined);
    });
    if (dry !== undefined)
      return this.#dryRun(object, { ...body, ...pick(unified, 'status') }, native, dry, send, options.fields);
    const { entry } = options;
    const decode = (row: Native): Unified => this.#access.decode(scope, object, opened, organization, row);
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
      return wireObject(await this.#access.enriched(scope, object, opened, input, row));
    });
    await tellSeen(this.#observer, scope, object, [created]);
    return selectFields(object, created, options.fields);
  }

  async update(scope: Scope, object: ObjectName, id: string, body: Unified, options: WriteOptions): Promise<Unified> {
    const dry = options.dryRun === true ? new DryRun() : undefined;
    const opened = this.#access.open(dry === undefined ? scope : { ...scope, recorder: dry }, object, 'update');
    const { ctx, spec } = opened;
    this.#checkMembers(object, body);
    if (body['id'] !== undefined && body['id'] !== id)
      throw new PolyadError('input_field_immutable', {
        message: `The body names \`${String(body['id'])}\`, the address \`${id}\`: an id cannot be changed.`,
        details: { field: 'id' },
      });
    const hint = namedAccount(body, options);
    const { organization } =
      spec.scope === 'connection'
        ? { organization: { id: '' } }
        : await this.#access.locator.find(ctx, scope.connection.id, object, spec, id, hint);
    const input: OperationInput = { ctx, organization, raw: options.raw ?? {} };
    let current: Promise<Native> | undefined;
    const readCurrent = (): Promise<Native> => {
      current ??= this.#access
        .read(scope, object, opened, id, {
          ...options,
          ...(organization.id === '' ? {} : { org_id: organization.id }),
        })
        .then(({ row }) => row);
      return current;
    };
    const changed = await this.#withoutUnchanged(scope, object, opened, input, body, readCurrent);
    const prepared = (await spec.prepare?.(input, changed, 'update')) ?? changed;
    const native = this.#access.encode(opened, prepared, organization, 'update');
    const nothing = Object.keys(native).length === 0;
    const write = this.#writeContext(prepared, options, readCurrent);
    const send = async (): Promise<Native> =>
      nothing
        ? readCurrent()
        : (await (spec.update as NonNullable<ObjectSpec['update']>)(input, id, native, write)).row;
    const now = async (): Promise<Unified> =>
      wireObject(this.#access.decode(scope, object, opened, organization, await readCurrent()));
    const ended = await scope.watch?.begin({
      object,
      verb: 'update',
      id,
      body,
      current: now,
      dryRun: dry !== undefined,
    });
    await told(ended, async () => {
      const guard = await this.#guard(scope, object, opened, organization);
      if (guard?.limits !== true) return;
      const next = budgetIn(native, this.#access.decode(scope, object, opened, organization, native), spec);
      if (next.amount !== undefined || next.period !== undefined || next.lifted === true)
        guard.check(next, budgetOf(this.#access.decode(scope, object, opened, organization, await readCurrent())));
    });
    if (dry !== undefined) return this.#dryRun(object, body, native, dry, send, options.fields);
    const updated = await watched(ended, async () =>
      wireObject(await this.#access.enriched(scope, object, opened, input, await send())),
    );
    return selectFields(object, updated, options.fields);
  }

  /** Removes an object. Answers what went with it, where the platform says so, and for a dry run what would be sent. */
  async remove(scope: Scope, object: ObjectName, id: string, options: WriteOptions): Promise<Unified> {
    const dry = options.dryRun === true ? new DryRun() : undefined;
    const opened = this.#access.open(dry === undefined ? scope : { ...scope, recorder: dry }, object, 'remove');
    const found = await this.#access.read(scope, object, opened, id, options).catch((error) => {
      if (options.repeated === true && error instanceof PolyadError && error.code === 'platform_not_found') return;
      throw error;
    });
    // The earlier run removed it, and nobody heard the answer.
    if (found === undefined) return {};
    const { input, row } = found;
    const gone = this.#access.decode(scope, object, opened, input.organization, row)['effective_status'] === 'REMOVED';
    if (options.repeated === true && gone) return {};
    const write = this.#writeContext({}, options, async () => row);
    let told: Unified = {};
    const send = async (): Promise<void> => {
      told = (await (opened.spec.remove as NonNullable<ObjectSpec['remove']>)(input, id, write)) ?? {};
    };
    const now = async (): Promise<Unified> =>
      wireObject(this.#access.decode(scope, object, opened, input.organization, row));
    const ended = await scope.watch?.begin({
      object,
      verb: 'remove',
      id,
      body: {},
      current: now,
      dryRun: dry !== undefined,
    });
    if (dry !== undefined) return dry.run(send).then((report) => ({ ...told, dry_run: report }));
    await watched(ended, async () => {
      await send();
      return undefined;
    });
    if (this.#observer?.objects.has(object) === true) await this.#observer.removed(scope, object, id);
    return wireObject(told);
  }

  /** Sets the status of several objects; one outcome for each. */
  setStatus(
    scope: Scope,
    object: ObjectName,
    ids: readonly string[],
    status: string,
    options: WriteOptions,
  ): Promise<Map<string, StatusOutcome>> {
    const update = (id: string, body: Unified): Promise<Unified> => this.update(scope, object, id, body, options);
    return setStatuses(this.#access, scope, object, ids, status, options, update);
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

  async #dryRun(
    object: ObjectName,
    body: Unified,
    native: Native,
    dry: DryRun,
    send: () => Promise<unknown>,
    fields: FieldSelection | undefined,
  ): Promise<Unified> {
    const report = await dry.run(send);
    return { ...this.#access.finish(object, body, fields), raw: native, dry_run: report };
  }

  #writeContext(unified: Unified, options: WriteOptions, current: () => Promise<Native>): WriteContext {
    return {
      unified,
      requestToken: options.entry?.requestToken ?? options.requestToken ?? requestToken(randomBytes(32)),
      current,
    };
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
    const named = namedAccount(body, options);
    if (named !== undefined) return ctx.organization(named);
    for (const parent of ['group', 'campaign'] as const) {
      const id = body[`${parent}_id`];
      const parentSpec = platform.objects[parent];
      if (typeof id === 'string' && parentSpec !== undefined)
        return (await this.#access.locator.find(ctx, scope.connection.id, parent, parentSpec, id, undefined))
          .organization;
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
    const current = wireObject(await this.#access.enriched(scope, object, opened, input, await readCurrent()));
    for (const name of suspicious) if (isDeepStrictEqual(getPath(current, name), out[name])) delete out[name];
    return out;
  }
}

/** Does what comes before a write, and tells whoever watches when it fails. */
async function told(ended: ((end: WriteEnd) => Promise<void>) | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await ended?.({ error });
    throw error;
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

/** The ad account that a caller names. @throws PolyadError `input_value_invalid` for two that differ */
function namedAccount(body: Unified, { org_id: asked }: WriteOptions): string | undefined {
  const { organization_id: own } = body;
  if (typeof own !== 'string' || own === asked) return asked;
  if (asked === undefined) return own;
  throw new PolyadError('input_value_invalid', {
    message: `The body names the ad account ${own}, \`org_id\` ${asked}.`,
    details: { field: 'organization_id', reason: 'is not the ad account of `org_id`', expected: asked },
  });
}

/** One member of an object, where it is set. */
const pick = (unified: Unified, name: string): Unified => (name in unified ? { [name]: unified[name] } : {});
