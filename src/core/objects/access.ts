/** What reads and writes of objects have in common: who may do what, where an object lies, how its rows read. */
import type { Contexts } from '../calls/context.ts';
import { changes, type Scope } from '../calls/scope.ts';
import type { CodecContext } from '../connector/codecs.ts';
import type { CompiledFields } from '../connector/fields.ts';
import type { ObjectSpec, OperationInput } from '../connector/object-spec.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type {
  CallContext,
  Native,
  ObjectName,
  OrganizationFacts,
  Platform,
  Unified,
  Verb,
} from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { type FieldSelection, selectFields } from '../model/fields.ts';
import { OBJECTS } from '../model/objects.ts';
import { permissionFor } from '../model/permissions.ts';
import { wireObject } from '../model/wire.ts';
import { Locator } from './locate.ts';
import { withRaw } from './walk.ts';

/** What one object is asked with. */
export interface ItemOptions {
  fields?: FieldSelection | undefined;
  raw?: Native;
  /** Ad account, where the caller names it. */
  org_id?: string | undefined;
}

/** Everything one verb needs, resolved once. */
export interface Opened {
  platform: Platform;
  spec: ObjectSpec;
  fields: CompiledFields;
  ctx: CallContext;
  typeName: string;
}

/** Objects of the platforms, as connections reach them. */
export class ObjectAccess {
  /** Which ad account an object is in. */
  readonly locator = new Locator();
  readonly #registry: PlatformRegistry;
  readonly #contexts: Contexts;

  constructor(registry: PlatformRegistry, contexts: Contexts) {
    this.#registry = registry;
    this.#contexts = contexts;
  }

  /**
   * Checks that the connection may do this, and that the platform can.
   *
   * @throws PolyadError `connection_paused`, `method_unsupported`, `permission_missing`
   */
  open(scope: Scope, object: ObjectName, verb: Verb): Opened {
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

  /** What codecs are told of the ad account. */
  codecContext(organization: OrganizationFacts): CodecContext {
    return {
      ...(organization.currency === undefined ? {} : { currency: organization.currency }),
      ...(organization.timeZone === undefined ? {} : { timeZone: organization.timeZone }),
      ...(organization.id === '' ? {} : { organizationId: organization.id }),
    };
  }

  /** A unified body as the platform takes it, with the native members of its `raw`. @throws PolyadError what cannot be. */
  encode(opened: Opened, unified: Unified, organization: OrganizationFacts, verb: 'create' | 'update'): Native {
    const context = { ...this.codecContext(organization), unified };
    const native = opened.fields.encode(unified, context, verb, opened.typeName);
    // `raw` in a body: native members that the unified model does not have. What both name, the model decides.
    const raw = unified['raw'];
    return raw !== null && typeof raw === 'object' ? { ...(raw as Native), ...native } : native;
  }

  /** A native row as a unified object; remembers where the object lies. */
  decode(scope: Scope, object: ObjectName, opened: Opened, organization: OrganizationFacts, row: Native): Unified {
    return this.decoder(scope, object, opened, organization, true)(row);
  }

  /** Decodes rows of one ad account: what is the same for all of them is looked up once. */
  decoder(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    organization: OrganizationFacts,
    withRaw: boolean,
  ): (row: Native) => Unified {
    const { fields } = opened;
    const { shape } = OBJECTS[object].schema;
    const context = this.codecContext(organization);
    const own = organization.id !== '';
    const ownId = own && 'organization_id' in shape;
    const currency = own && 'currency' in shape ? organization.currency : undefined;
    const remember = own ? this.locator.remembering(scope.connection.id, object, organization.id) : undefined;
    return (row) => {
      context.row = row;
      const out = fields.decode(row, context);
      if (ownId) out['organization_id'] ??= organization.id;
      if (currency !== undefined) out['currency'] ??= currency;
      if (remember !== undefined && typeof out['id'] === 'string') remember(out['id']);
      if (withRaw) out['raw'] = row;
      return out;
    };
  }

  /** The object as it is answered. */
  finish(object: ObjectName, unified: Unified, selection: FieldSelection | undefined): Unified {
    // Most callers do not ask for the platform's own object, so it is not copied for them first.
    if (selection === undefined) return wireObject(unified, { raw: false });
    return selectFields(object, wireObject(unified), selection);
  }

  /** A native row as a unified object, with what takes further look-ups. */
  async enriched(
    scope: Scope,
    object: ObjectName,
    opened: Opened,
    input: OperationInput,
    row: Native,
  ): Promise<Unified> {
    const rows = opened.spec.enrich === undefined ? [row] : await opened.spec.enrich(input, [row]);
    return this.decode(scope, object, opened, input.organization, rows[0] ?? row);
  }

  /**
   * The ad account and native row of an existing object; throws `platform_not_found`. `asked`: the caller's native
   * parameters are about reading it, as they are on a list, and not about a write that follows.
   */
  async read(scope: Scope, object: ObjectName, opened: Opened, id: string, options: ItemOptions, asked = false) {
    const { ctx, spec } = opened;
    const raw = options.raw ?? {};
    const added = asked && Object.keys(raw).length > 0;
    const located =
      spec.scope === 'connection'
        ? { organization: { id: '' } }
        : await this.locator.find(ctx, scope.connection.id, object, spec, id, options.org_id);
    const wants = options.fields?.wants;
    const input: OperationInput = {
      ctx,
      organization: located.organization,
      raw,
      ...(wants === undefined ? {} : { wants }),
    };
    const found = 'row' in located && !added ? located.row : undefined;
    const row = found ?? (await spec.get?.(added ? { ...input, ctx: withParameters(ctx, raw) } : input, id));
    if (row === undefined)
      throw new PolyadError('platform_not_found', {
        message: `${opened.typeName} \`${id}\` does not exist.`,
        details: { object, id },
      });
    return { input, row };
  }
}

/** A context whose reading requests carry the caller's native parameters too. @throws PolyadError `input_invalid` */
function withParameters(ctx: CallContext, raw: Native): CallContext {
  return {
    ...ctx,
    request: async (request) => ctx.request(changes(request) ? request : { ...request, query: withRaw(request, raw) }),
  };
}
