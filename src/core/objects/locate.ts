/**
 * Which ad account an object belongs to. The wire contract names objects by id alone, most platforms want the account
 * too: remembered from lists and writes, else found by asking the connection's accounts for the id.
 */
import type { ObjectSpec } from '../connector/object-spec.ts';
import type { CallContext, Native, ObjectName, OrganizationFacts } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';

/** Ids remembered in one process, at most. */
const REMEMBERED = 200_000;
/** Accounts asked at the same time while searching. */
const PARALLEL = 4;

export class Locator {
  /**
   * Two generations instead of an exact order of use: every row of every list comes by here, and keeping the order costs
   * more than decoding the row.
   */
  #young = new Map<string, Map<string, string>>();
  #old = new Map<string, Map<string, string>>();
  #count = 0;

  remember(connectionId: string, object: ObjectName, id: string, organizationId: string): void {
    this.remembering(connectionId, object, organizationId)(id);
  }

  /** `remember` for many objects of one ad account: what is the same for all of them is looked up once. */
  remembering(connectionId: string, object: ObjectName, organizationId: string): (id: string) => void {
    const key = `${connectionId}/${object}`;
    let ids: Map<string, string> | undefined;
    return (id) => {
      if (this.#count >= REMEMBERED / 2) {
        this.#old = this.#young;
        this.#young = new Map();
        this.#count = 0;
        ids = undefined;
      }
      // A generation may have ended in another list meanwhile.
      if (ids === undefined || this.#young.get(key) !== ids) {
        ids = this.#young.get(key) ?? new Map();
        this.#young.set(key, ids);
      }
      const before = ids.size;
      ids.set(id, organizationId);
      this.#count += ids.size - before;
    };
  }

  #recall(connectionId: string, object: ObjectName, id: string): string | undefined {
    const key = `${connectionId}/${object}`;
    return this.#young.get(key)?.get(id) ?? this.#old.get(key)?.get(id);
  }

  /** The account of object `id`, and its native row where finding it read the row anyway. */
  async find(
    ctx: CallContext,
    connectionId: string,
    object: ObjectName,
    spec: ObjectSpec,
    id: string,
    hint: string | undefined,
  ): Promise<{ organization: OrganizationFacts; row?: Native }> {
    if (hint !== undefined) return { organization: await ctx.organization(hint) };
    const known = this.#recall(connectionId, object, id);
    if (known !== undefined) return { organization: await ctx.organization(known) };
    const organizations = await ctx.organizations();
    const [only] = organizations;
    if (organizations.length === 1 && only !== undefined) return { organization: only };
    const get = spec.get;
    if (get === undefined) throw organizationRequired(organizations);
    let firstError: unknown;
    for (let start = 0; start < organizations.length; start += PARALLEL) {
      const batch = organizations.slice(start, start + PARALLEL);
      const found = await Promise.all(
        batch.map(async (organization) => {
          try {
            const row = await get({ ctx, organization, raw: {} }, id);
            return row === undefined ? undefined : { organization, row };
          } catch (error) {
            // An account that refuses (access lost, suspended) must not hide the object in another one.
            firstError ??= error;
            return undefined;
          }
        }),
      );
      const hit = found.find((one) => one !== undefined);
      if (hit !== undefined) {
        this.remember(connectionId, object, id, hit.organization.id);
        return hit;
      }
    }
    if (firstError instanceof PolyadError && firstError.actor !== 'caller') throw firstError;
    throw new PolyadError('platform_not_found', {
      message: `None of the connection’s ${organizations.length} ad accounts has ${object} \`${id}\`.`,
      details: { object, id },
    });
  }
}

export function organizationRequired(organizations: readonly OrganizationFacts[]): PolyadError {
  return new PolyadError('organization_required', {
    details: {
      organizations: organizations.slice(0, 50).map(({ id, name }) => ({ id, name })),
      count: organizations.length,
    },
  });
}
