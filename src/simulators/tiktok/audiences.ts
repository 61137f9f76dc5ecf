/**
 * Custom audiences: what they are, how large, and whether they can be used, by the virtual clock. Facts: yml
 * dmp_custom_audience_*; audiences below 1,000 people or still in the making are 40002 on use, unused ones end after
 * twelve months (TikTok docs on audiences). Sizes of rule and lookalike audiences are made up; texts of `msg` are
 * (unverified).
 */
import { hash32 } from '../kit/random.ts';
import type { Collection } from '../kit/types.ts';
import { audienceMembers } from './audience-members.ts';
import { invalid } from './rules.ts';
import { stamp } from './stamp.ts';
import { type Call, type Native, TikTokError, type World } from './types.ts';

const DAY_MS = 86_400_000;
/** The smallest audience that ads can use. */
export const SMALLEST_USABLE = 1000;
/** How long an audience lives that nothing uses. */
const UNUSED_MS = 365 * DAY_MS;
/** When `is_expiring` begins (unverified). */
const EXPIRING_MS = 7 * DAY_MS;

/** `type` of an audience. The words are those of the reference for rules, (unverified) for the rest. */
export type AudienceType = 'CUSTOMER_FILE' | 'STREAMING' | 'LOOKALIKE' | string;

/** All audiences; `advertiser_id` is the owner. */
export const audiencesOf = (world: World): Collection<Native> =>
  world.store.collection<Native>('custom_audiences', { advertiser: (row) => row.advertiser_id });

/** Who did it, for histories and logs. */
export const editorOf = (call: Call): string =>
  call.world.users.get(call.grant?.user_id ?? '')?.display_name ?? 'unknown';

/** One line of `audience_history`. */
export const historyLine = (call: Call, action: string, detail: string) => ({
  action,
  action_detail: detail,
  editor: editorOf(call),
  msg: '',
  opt_time: stamp(call.now),
});

/** `row` with one more line of history, newest first. Whatever is done with an audience makes it live longer. */
export const withHistory = (call: Call, row: Native, action: string, detail: string): Native => ({
  ...row,
  _used_ms: call.now.getTime(),
  _history: [historyLine(call, action, detail), ...((row['_history'] as unknown[] | undefined) ?? [])].slice(0, 100),
});

/** A new audience; it is in the making for a while. */
export function newAudience(call: Call, type: AudienceType, members: Record<string, unknown>): Native {
  const now = call.now.getTime();
  const row: Native = {
    id: call.world.nextId(),
    advertiser_id: String(call.params['advertiser_id']),
    type,
    audience_sub_type: 'NORMAL',
    calculate_type: null,
    audience_enhancement: false,
    is_auto_refresh: false,
    ...members,
    create_time: stamp(call.now),
    _created_ms: now,
    _used_ms: now,
    _ready_ms: now + call.world.settings.audience_delay_ms,
    _cover_before: 0,
  };
  return withHistory(call, row, 'CREATE', `Created audience ${String(row['name'])}`);
}

/** Marks an audience as changing: until it is ready again it shows the size that it had. */
export function changing(call: Call, row: Native): Native {
  const now = call.now.getTime();
  if (now < Number(row['_ready_ms'])) return row;
  return { ...row, _cover_before: fullCover(call.world, row), _ready_ms: now + call.world.settings.audience_delay_ms };
}

/** The size as it will be when everything uploaded so far has been matched. */
function fullCover(world: World, row: Native): number {
  const percent = world.settings.audience_match_percent;
  switch (row['type']) {
    case 'CUSTOMER_FILE':
    case 'STREAMING':
      return audienceMembers(world).matched(row.id, percent);
    case 'LOOKALIKE': {
      const spec = row['lookalike_spec'] as { audience_size: string; location_ids: string[] };
      const share = { NARROW: 1, BALANCED: 4, BROAD: 10 }[spec.audience_size] ?? 1;
      return spec.location_ids.reduce((n, id) => n + share * (120_000 + (hash32('lookalike', id) % 60_000)), 0);
    }
    default:
      return 5_000 + (hash32('rule audience', row.id) % 400_000);
  }
}

/** Size, validity and end of an audience at the virtual now. */
export function audienceState(
  world: World,
  row: Native,
): {
  cover_num: number;
  is_valid: boolean;
  is_expiring: boolean;
  expired_time: string;
  msg: string;
  error_msg: string;
} {
  const now = world.clock.now().getTime();
  const retention = row['retention_in_days'];
  const ends =
    typeof retention === 'number'
      ? Number(row['_created_ms']) + retention * DAY_MS
      : Number(row['_used_ms']) + UNUSED_MS;
  const ready = now >= Number(row['_ready_ms']);
  const cover_num = ready ? fullCover(world, row) : Number(row['_cover_before']);
  const expired = now >= ends;
  const small = ready && cover_num < SMALLEST_USABLE;
  return {
    cover_num,
    is_valid: !expired && cover_num >= SMALLEST_USABLE,
    is_expiring: !expired && ends - now <= EXPIRING_MS,
    expired_time: stamp(new Date(ends)),
    msg: ready ? 'Ready' : 'Calculating',
    error_msg: expired
      ? 'The audience has expired.'
      : small
        ? `The audience is too small: at least ${SMALLEST_USABLE} users must be matched.`
        : '',
  };
}

/** Whether an ad account may use an audience: its own, or one that was shared with it. */
export const isVisible = (row: Native, advertiserId: string): boolean =>
  row.advertiser_id === advertiserId || sharedWith(row).includes(advertiserId);

/** Ad accounts with which an audience was shared. */
export const sharedWith = (row: Native): string[] => (row['_shared_with'] as string[] | undefined) ?? [];

/** Audiences that an ad account may use, newest first. */
export function visibleAudiences(world: World, advertiserId: string): Native[] {
  return [...audiencesOf(world).values()].filter((row) => isVisible(row, advertiserId)).toReversed();
}

/** An audience that the ad account may use. @throws TikTokError 40007 */
export function visibleAudience(world: World, id: unknown, advertiserId: string): Native {
  const row = typeof id === 'string' ? audiencesOf(world).get(id) : undefined;
  if (!row || !isVisible(row, advertiserId)) {
    throw new TikTokError(40007, `The custom audience ${String(id)} does not exist.`);
  }
  return row;
}

/** An audience of the ad account itself. @throws TikTokError 40007; 40001 if it was only shared. */
export function ownAudience(world: World, id: unknown, advertiserId: string): Native {
  const row = visibleAudience(world, id, advertiserId);
  if (row.advertiser_id !== advertiserId) {
    throw new TikTokError(40001, `The custom audience ${row.id} belongs to another advertiser.`);
  }
  return row;
}

/** Refuses an audience that ads cannot use. @throws TikTokError 40002 */
export function requireUsable(world: World, row: Native, field: string): void {
  const state = audienceState(world, row);
  if (state.is_valid) return;
  const why = state.error_msg || 'The audience is being processed.';
  invalid(`${field}: The custom audience ${row.id} cannot be used. ${why}`);
}

/** The audiences of an ad group that is made or changed. @throws TikTokError 40002, 40007 */
export function checkAudiences(world: World, values: Record<string, unknown>, advertiserId: string): void {
  for (const field of ['audience_ids', 'excluded_audience_ids']) {
    const ids = values[field];
    for (const id of Array.isArray(ids) ? ids : []) {
      requireUsable(world, visibleAudience(world, id, advertiserId), field);
    }
  }
}
