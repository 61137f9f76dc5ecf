/** Ad groups: adgroup/{get,create,update,status/update}, with the look-ups that targeting needs. */
import { isDeepStrictEqual } from 'node:util';
import { time } from '../../../core/connector/codecs.ts';
import { getPath } from '../../../core/connector/fields.ts';
import type { CreateResult, ObjectSpec, OperationInput, WriteContext } from '../../../core/connector/object-spec.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { AGE_PATHS, agesOf, groupsOf } from '../ages.ts';
import { ADGROUP_READ_ONLY, ADGROUP_UPDATE } from '../body-table.ts';
import { billingFor, settleBid } from '../entities/bidding.ts';
import { groupFields } from '../entities/group.ts';
import { PLACE_KINDS, type Place, places, withPlaceIds } from '../places.ts';
import { write as send } from '../request.ts';
import { SMART_ADGROUP_CREATE, SMART_ADGROUP_UPDATE } from '../smart-plus-table.ts';
import { effectiveStatusFilter } from '../statuses.ts';
import { byKind, mergeActions, PLACES } from '../targeting.ts';
import { appPlatform } from './apps.ts';
import { generationOf, generationOfCampaign, generationOfGroup, learn } from './automation.ts';
import {
  ADGROUP,
  bodyOf,
  budgetDefaults,
  created,
  creationBody,
  findCreated,
  getById,
  listOf,
  REQUEST_ID,
  rawOf,
  updateInOrder,
  withDefaults,
  withoutEchoes,
} from './shared.ts';
import { asGroup, smartBody, smartWrite, withHidden, withSmartGroups } from './smart-plus.ts';
import { mixedStatusBatch, setStatusOf } from './status.ts';
import { behaviorScenes } from './target.ts';

interface PromotedRef {
  type: string;
  id: string;
}

const promotedOf = (unified: Unified): PromotedRef[] =>
  Array.isArray(unified['promoted']) ? (unified['promoted'] as PromotedRef[]) : [];

/** promotion_type, where it follows from what is promoted and optimised; apps need their store known. */
async function promotionType(input: OperationInput, unified: Unified): Promise<string> {
  const app = promotedOf(unified).find(({ type }) => type === 'APP_ID');
  if (app !== undefined) return `APP_${await appPlatform(input, app.id, getPath(unified, 'targeting.device.user_os'))}`;
  return unified['optimization_goal'] === 'LEAD_GENERATION' ? 'LEAD_GENERATION' : 'WEBSITE';
}

/** Native members that a new ad group needs and a caller need not name. */
async function creationDefaults(input: OperationInput, unified: Unified): Promise<Native> {
  const raw = rawOf(unified);
  const budget = budgetDefaults(unified, 'adgroup');
  const catalog = promotedOf(unified).some(({ type }) => type === 'CATALOG_ID');
  return {
    ...budget,
    // Under a campaign budget TikTok wants the ad group's own named as none.
    ...(budget['budget_mode'] === undefined ? {} : { budget: 0 }),
    billing_event: billingFor(unified['optimization_goal']),
    pacing: 'PACING_MODE_SMOOTH',
    bid_type: 'BID_TYPE_NO_BID',
    schedule_type: 'SCHEDULE_FROM_NOW',
    schedule_start_time: time.utcText.encode?.(input.ctx.now(), {}),
    placement_type: 'PLACEMENT_TYPE_AUTOMATIC',
    ...(raw['promotion_type'] === undefined ? { promotion_type: await promotionType(input, unified) } : {}),
    ...(catalog && input.organization.parentId !== undefined
      ? { catalog_authorized_bc_id: input.organization.parentId }
      : {}),
  };
}

/** Targeting with everything looked up that TikTok wants and a caller need not know. */
async function withLookups(input: OperationInput, unified: Unified): Promise<Unified> {
  const targeting = unified['targeting'];
  if (targeting === null || typeof targeting !== 'object') return unified;
  const placed = await withPlaceIds(input, targeting as Native);
  const behaviors = getPath(placed, 'audience.behaviors');
  if (!Array.isArray(behaviors) || behaviors.length === 0) return { ...unified, targeting: placed };
  const audience = { ...(placed['audience'] as Native), behaviors: await behaviorScenes(input, behaviors) };
  return { ...unified, targeting: { ...placed, audience } };
}

/**
 * The changed members, completed by those of the ad group where one native member serves several unified ones: ages,
 * places, bids. So an update changes what was sent and nothing else.
 */
async function completed(input: OperationInput, native: Native, write: WriteContext): Promise<Native> {
  const out: Native = { ...native };
  const sent = (path: string): boolean => getPath(write.unified, path) !== undefined;
  if (out['location_ids'] !== undefined && !PLACE_KINDS.every((kind) => sent(`targeting.geographic.${kind}`))) {
    const { location_ids: before } = await write.current();
    const known = byKind(before, await places(input));
    const kept = PLACE_KINDS.filter((kind) => !sent(`targeting.geographic.${kind}`)).flatMap(
      (kind) => known[kind] ?? [],
    );
    out['location_ids'] = [...new Set([...(out['location_ids'] as string[]), ...kept])];
  }
  if (out['age_groups'] !== undefined && !AGE_PATHS.every(sent)) {
    const before = agesOf((await write.current())['age_groups']);
    const [min, max] = AGE_PATHS.map((path) => getPath(write.unified, path));
    out['age_groups'] = groupsOf(min ?? before?.min, max ?? before?.max, {});
  }
  if (Array.isArray(out['actions'])) out['actions'] = mergeActions(out['actions'], (await write.current())['actions']);
  if (out['bid_price'] !== undefined || out['conversion_bid_price'] !== undefined)
    return settleBid(out, (await write.current())['billing_event']);
  return out;
}

/** Refuses what adgroup/update cannot do; lets pass what only repeats the ad group's placements. */
async function withoutFixed(native: Native, write: WriteContext): Promise<Native> {
  const { placement_type: type, placements, ...rest } = native;
  if (type !== undefined) {
    const current = await write.current();
    const same =
      current['placement_type'] === type &&
      (type === 'PLACEMENT_TYPE_AUTOMATIC' || isDeepStrictEqual(current['placements'], placements));
    if (!same)
      throw new PolyadError('input_field_immutable', {
        message: 'TikTok adgroup: placements cannot be changed after creation.',
        details: { field: 'targeting.placement.platforms' },
      });
  }
  if (Array.isArray(rest['operating_systems'])) {
    const current = await write.current();
    for (const [system, version] of [
      ['ANDROID', 'min_android_version'],
      ['IOS', 'min_ios_version'],
    ] as const)
      if (
        rest['operating_systems'].includes(system) &&
        /^\d/.test(String(current[version])) &&
        rest[version] === undefined
      )
        throw new PolyadError('input_value_unsupported', {
          message: `TikTok has no way to lift the lowest ${system} version of an ad group; name one.`,
          details: { field: 'targeting.device.user_os', current: `${system}_${String(current[version])}` },
        });
  }
  return rest;
}

const isBareSmart = (row: Native): boolean => generationOf(row) === 'smart_plus' && row['targeting_spec'] === undefined;

/**
 * Completes rows of Smart+, and tells each row what its location ids mean; a look-up that fails leaves them among the
 * regions.
 */
async function enrich(input: OperationInput, bare: Native[]): Promise<Native[]> {
  const rows = await withSmartGroups(input, bare, isBareSmart);
  const needed = rows.some((row) => Array.isArray(row['location_ids']) && row['location_ids'].length > 0);
  if (!needed) return rows;
  let known: ReadonlyMap<string, Place>;
  try {
    known = await places(input);
  } catch (error) {
    if (!(error instanceof PolyadError) || error.code === 'connection_reconnect_required') throw error;
    input.ctx.log.warn({ code: error.code }, 'TikTok places could not be looked up');
    return rows;
  }
  // Not enumerable, so that it is no part of `raw`.
  return rows.map((row) => withHidden(row, { [PLACES]: known }));
}

/** Members that we fill in for manual ad groups, and that Smart+ does without. */
const FILLED_IN: Native = { pacing: true };

/** Changes an ad group of Smart+: its targeting is one member, so it is sent whole with the changes in it. */
async function updateSmart(
  input: OperationInput,
  id: string,
  native: Native,
  status: unknown,
  write: WriteContext,
): Promise<CreateResult> {
  const changes = smartBody(native, SMART_ADGROUP_UPDATE, rawOf(write.unified), {});
  if (changes['targeting_spec'] !== undefined)
    changes['targeting_spec'] = {
      ...((await write.current())['targeting_spec'] as Native | undefined),
      ...(changes['targeting_spec'] as Native),
    };
  return updateInOrder(
    input,
    ADGROUP,
    id,
    status === undefined ? changes : { ...changes, operation_status: status },
    async (body) => {
      await smartWrite(input, 'smart_plus/adgroup/update', { adgroup_id: id, ...body }, { idempotent: true });
      return undefined;
    },
    (wanted) => setStatusOf(input, ADGROUP, id, 'smart_plus', wanted),
  );
}

/** TikTok's ad groups as unified groups. */
export const group: ObjectSpec = {
  native: 'adgroup',
  scope: 'organization',
  fields: groupFields,
  list: listOf(ADGROUP, {
    effective_status: effectiveStatusFilter,
    campaign_id: {
      kind: 'native',
      apply: (value, query) => {
        query['campaign_ids'] = [value];
      },
    },
    start_gte: { kind: 'local' },
    end_lt: { kind: 'local' },
  }),
  async get(input, id) {
    const row = await getById(input, ADGROUP, id);
    return row === undefined ? undefined : (await withSmartGroups(input, [row], isBareSmart))[0];
  },
  enrich,
  async prepare(input, unified, verb) {
    const looked = await withLookups(input, unified);
    return verb === 'create' ? withDefaults(looked, await creationDefaults(input, unified)) : looked;
  },
  async create(input, native, { requestToken, unified }) {
    const body = { ...creationBody(native, ADGROUP_READ_ONLY), request_id: requestToken };
    if ((await generationOfCampaign(input, String(native['campaign_id']))) === 'smart_plus') {
      const smart = smartBody(body, SMART_ADGROUP_CREATE, rawOf(unified), FILLED_IN);
      const row = await smartWrite(input, 'smart_plus/adgroup/create', smart);
      await learn(input, ADGROUP, String(row['adgroup_id']), 'smart_plus');
      return { row: asGroup(row) };
    }
    const made = await created(input, ADGROUP, await send(input, 'adgroup/create', body));
    await learn(input, ADGROUP, String(made.row['adgroup_id']), generationOf(made.row) ?? 'manual');
    return made;
  },
  async update(input, id, native, write) {
    const generation = await generationOfGroup(input, id, write.current);
    const { operation_status: status, ...rest } = await withoutEchoes(native, write);
    const free = await withoutFixed(await completed(input, rest, write), write);
    if (generation === 'smart_plus') return updateSmart(input, id, free, status, write);
    const body = await bodyOf(free, ADGROUP_UPDATE, write, 'an ad group');
    return updateInOrder(
      input,
      ADGROUP,
      id,
      status === undefined ? body : { ...body, operation_status: status },
      (changes) => send(input, 'adgroup/update', { adgroup_id: id, ...changes }, true),
    );
  },
  remove: async (input, id, write) =>
    setStatusOf(input, ADGROUP, id, generationOf(await write.current()) ?? 'manual', 'DELETE'),
  idempotency: {
    ...findCreated(ADGROUP, { native: 'campaign_id', filter: 'campaign_ids' }),
    aid: REQUEST_ID,
  },
  statusBatch: mixedStatusBatch(ADGROUP),
};
