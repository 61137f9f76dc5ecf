import { creativesOf, isCreative, isSmartAd } from './smart-plus.ts';
import { lostPermission } from './spark.ts';
import { parseStamp } from './stamp.ts';
import type { Advertiser, Native, World } from './types.ts';

/**
 * Effective status of campaigns, ad groups and ads: derived, never stored. Statuses and their groups: TikTok docs
 * 1757239620352002. In which order the causes win is not published; the order here is (unverified) except where a
 * comment names a source.
 */

/** Levels of objects that have statuses. */
export type Level = 'campaign' | 'adgroup' | 'ad';

/** Money spent, in the account's currency: how `status.ts` learns it without knowing the delivery model. */
export interface Spending {
  /** Today (in the account's time zone) and since creation. */
  of(level: Level, id: string): { today: number; lifetime: number };
}

/** What the status of one object depends on besides its own row. Keep one per request: it remembers parents. */
export interface StatusContext {
  world: World;
  now: number;
  advertiser: Advertiser | undefined;
  spending?: Spending;
  campaigns: Map<string, Native | undefined>;
  adgroups: Map<string, Native | undefined>;
  /** Review results of an ad group's ads, by adgroup_id. */
  reviews: Map<string, ReviewCount>;
}

interface ReviewCount {
  ads: number;
  waiting: number;
  denied: number;
}

let spendingOf: ((world: World, advertiserId: string) => Spending) | undefined;

/** Lets the delivery model tell what was spent; without it nothing ever exceeds its budget. */
export function useSpending(source: (world: World, advertiserId: string) => Spending): void {
  spendingOf = source;
}

/** A context for the objects of one ad account as of the virtual now. */
export function statusContext(world: World, advertiserId: string): StatusContext {
  const context: StatusContext = {
    world,
    now: world.clock.now().getTime(),
    advertiser: world.advertisers.get(advertiserId),
    campaigns: new Map(),
    adgroups: new Map(),
    reviews: new Map(),
  };
  if (spendingOf) context.spending = spendingOf(world, advertiserId);
  return context;
}

const remembered = <T>(memory: Map<string, T>, id: string, read: () => T): T => {
  if (!memory.has(id)) memory.set(id, read());
  return memory.get(id) as T;
};

const campaignOf = (context: StatusContext, row: Native): Native | undefined => {
  const id = String(row['campaign_id']);
  return remembered(context.campaigns, id, () => context.world.campaigns.get(id));
};

const adgroupOf = (context: StatusContext, row: Native): Native | undefined => {
  const id = String(row['adgroup_id']);
  return remembered(context.adgroups, id, () => context.world.adgroups.get(id));
};

/** A creative of a Smart+ ad is gone with the ad. */
const isDeleted = (row: Native | undefined) =>
  row?.['operation_status'] === 'DELETE' || row?.['_ad_status'] === 'DELETE';
const isPaused = (row: Native | undefined) => row?.['operation_status'] === 'DISABLE';

/** Text that makes the simulated review refuse an ad, anywhere in its name or text. */
export const REJECT_MARK = '[reject]';

/** Outcome of the review of one ad as of `context.now`. The clock of a review starts when the ad or its content changes. */
export function reviewOf(context: StatusContext, ad: Native): 'WAITING' | 'APPROVED' | 'DENIED' {
  const since = parseStamp(String(ad['_review_from'] ?? ad['create_time']))?.getTime() ?? 0;
  if (context.now < since + context.world.settings.review_delay_ms) return 'WAITING';
  return hasRejectMark(ad) ? 'DENIED' : 'APPROVED';
}

/** Does the text of this ad make the review refuse it? */
export function hasRejectMark(ad: Native): boolean {
  // Decided by hand, through the control API; a change of the ad begins another review.
  const decided = ad['_decided'] as { review: unknown; rejected: boolean } | undefined;
  if (decided && decided.review === ad['_review_from']) return decided.rejected;
  const texts = [ad['ad_text'], ad['ad_name'], ...(Array.isArray(ad['ad_texts']) ? ad['ad_texts'] : [])];
  return texts.some((text) => typeof text === 'string' && text.includes(REJECT_MARK));
}

function reviewsOf(context: StatusContext, adgroupId: string): ReviewCount {
  return remembered(context.reviews, adgroupId, () => {
    const count: ReviewCount = { ads: 0, waiting: 0, denied: 0 };
    for (const ad of context.world.ads.by('adgroup', adgroupId)) {
      if (isDeleted(ad)) continue;
      count.ads++;
      const review = reviewOf(context, ad);
      if (review === 'WAITING') count.waiting++;
      if (review === 'DENIED') count.denied++;
    }
    return count;
  });
}

/** What the state of the ad account itself makes of its objects, as the suffix of their status; undefined if it is fine. */
function accountCause(advertiser: Advertiser | undefined): string | undefined {
  const status = advertiser?.status ?? 'STATUS_ENABLE';
  if (status === 'STATUS_ENABLE') return undefined;
  if (status === 'STATUS_LIMIT' || status === 'STATUS_DISABLE') return 'ACCOUNT_PUNISH';
  if (status === 'STATUS_CONTRACT_PENDING') return 'CONTRACT_PENDING';
  return status.includes('FAIL') ? 'AUDIT_DENY' : 'AUDIT';
}

/** `ADVERTISER_…` statuses stand bare for punished accounts and pending contracts, with the level's prefix otherwise. */
function accountStatus(prefix: string, advertiser: Advertiser | undefined): string | undefined {
  const cause = accountCause(advertiser);
  if (cause === undefined) return undefined;
  return cause.startsWith('AUDIT') ? `${prefix}_STATUS_ADVERTISER_${cause}` : `ADVERTISER_${cause}`;
}

/** Is the budget of the row used up? A daily budget counts today, a dynamic one may reach 125 % on one day. */
function overBudget(context: StatusContext, level: Level, row: Native | undefined): boolean {
  const budget = Number(row?.['budget'] ?? 0);
  if (!row || !context.spending || !(budget > 0)) return false;
  const spent = context.spending.of(level, row.id);
  switch (row['budget_mode']) {
    case 'BUDGET_MODE_TOTAL':
      return spent.lifetime >= budget;
    case 'BUDGET_MODE_DAY':
      return spent.today >= budget;
    case 'BUDGET_MODE_DYNAMIC_DAILY_BUDGET':
      return spent.today >= budget * 1.25;
    default:
      return false;
  }
}

const at = (row: Native | undefined, field: string): number | undefined =>
  parseStamp(String(row?.[field] ?? ''))?.getTime();

/** A whole account without money stops delivering. Sandbox accounts have none and never deliver. */
const outOfMoney = (advertiser: Advertiser | undefined) =>
  advertiser !== undefined && !advertiser.sandbox && advertiser.balance <= 0;

/** `CAMPAIGN_STATUS_…` of a campaign. */
export function campaignStatus(context: StatusContext, campaign: Native): string {
  if (isDeleted(campaign)) return 'CAMPAIGN_STATUS_DELETE';
  if (isPaused(campaign)) return 'CAMPAIGN_STATUS_DISABLE';
  const account = accountStatus('CAMPAIGN', context.advertiser);
  if (account) return account;
  if (overBudget(context, 'campaign', campaign)) return 'CAMPAIGN_STATUS_BUDGET_EXCEED';
  return 'CAMPAIGN_STATUS_ENABLE';
}

/** `ADGROUP_STATUS_…` of an ad group. */
export function adgroupStatus(context: StatusContext, adgroup: Native): string {
  const campaign = campaignOf(context, adgroup);
  const status = (name: string) => `ADGROUP_STATUS_${name}`;
  if (isDeleted(adgroup)) return status('DELETE');
  if (isDeleted(campaign)) return status('CAMPAIGN_DELETE');
  if (adgroup['operation_status'] === 'FROZEN') return status('FROZEN');
  const reviews = reviewsOf(context, adgroup.id);
  // Even a paused ad group is CREATE while it has no ads: sample answer of adgroup/create.
  if (reviews.ads === 0) return status('CREATE');
  if (isPaused(adgroup)) return status('DISABLE');
  if (isPaused(campaign)) return status('CAMPAIGN_DISABLE');
  const account = accountStatus('ADGROUP', context.advertiser);
  if (account) return account;
  if (context.now >= (at(adgroup, 'schedule_end_time') ?? Number.POSITIVE_INFINITY)) return status('TIME_DONE');
  if (reviews.waiting === reviews.ads) return status('AUDIT');
  if (reviews.denied === reviews.ads) return status('AUDIT_DENY');
  if (reviews.denied + reviews.waiting === reviews.ads) return status('PARTIAL_AUDIT_NO_DELIVERY');
  if (context.now < (at(adgroup, 'schedule_start_time') ?? 0)) return status('NOT_START');
  if (lostPixel(context, adgroup)) return status('PIXEL_UNBIND');
  if (overBudget(context, 'campaign', campaign)) return status('CAMPAIGN_EXCEED');
  if (overBudget(context, 'adgroup', adgroup)) return status('BUDGET_EXCEED');
  if (outOfMoney(context.advertiser)) return status('BALANCE_EXCEED');
  return status(reviews.denied > 0 ? 'PARTIAL_AUDIT_DELIVERY_OK' : 'DELIVERY_OK');
}

/** `AD_STATUS_…` of an ad. */
export function adStatus(context: StatusContext, ad: Native): string {
  const campaign = campaignOf(context, ad);
  const adgroup = adgroupOf(context, ad);
  const status = (name: string) => `AD_STATUS_${name}`;
  // What is said of a creative of a Smart+ ad alone has names of its own (MATERIAL_…).
  const own = (name: string) => (isCreative(ad) ? `MATERIAL_${name}` : status(name));
  if (ad['_ad_status'] === 'DELETE') return status('DELETE');
  if (isDeleted(ad)) return own('DELETE');
  if (isDeleted(campaign)) return status('CAMPAIGN_DELETE');
  if (isDeleted(adgroup)) return status('ADGROUP_DELETE');
  if (ad['_ad_status'] === 'DISABLE') return status('DISABLE');
  if (isPaused(ad)) return own('DISABLE');
  if (isPaused(campaign)) return status('CAMPAIGN_DISABLE');
  if (isPaused(adgroup)) return status('ADGROUP_DISABLE');
  const account = accountStatus('AD', context.advertiser);
  if (account) return account;
  if (context.now >= (at(adgroup, 'schedule_end_time') ?? Number.POSITIVE_INFINITY)) return status('DONE');
  const parts = isSmartAd(ad) ? partsOf(context, ad) : undefined;
  const lost = parts?.lost ?? lostPermission(context.world, ad, context.now);
  if (lost) return status(lost);
  if (parts && parts.ads === 0) return status('DISABLE');
  const review = parts
    ? parts.waiting === parts.ads
      ? 'WAITING'
      : parts.denied === parts.ads
        ? 'DENIED'
        : 'APPROVED'
    : reviewOf(context, ad);
  if (review === 'WAITING') return own('AUDIT');
  if (review === 'DENIED') return own('AUDIT_DENY');
  if (parts && parts.denied + parts.waiting === parts.ads) return status('PARTIAL_AUDIT_NO_DELIVERY');
  if (context.now < (at(adgroup, 'schedule_start_time') ?? 0)) return status('NOT_START');
  // The misspelling is TikTok's own.
  if (adgroup && lostPixel(context, adgroup)) return 'AD_STAUS_PIXEL_UNBIND';
  if (overBudget(context, 'campaign', campaign)) return status('CAMPAIGN_EXCEED');
  if (overBudget(context, 'adgroup', adgroup)) return status('BUDGET_EXCEED');
  if (outOfMoney(context.advertiser)) return status('BALANCE_EXCEED');
  if (parts && parts.denied > 0) return status('REVIEW_PARTIALLY_APPROVED');
  return own('DELIVERY_OK');
}

/** Reviews of the creatives of a Smart+ ad that are switched on, and what it lost if all of them lost it. */
function partsOf(context: StatusContext, ad: Native): ReviewCount & { lost: ReturnType<typeof lostPermission> } {
  const count: ReviewCount & { lost: ReturnType<typeof lostPermission> } = {
    ads: 0,
    waiting: 0,
    denied: 0,
    lost: undefined,
  };
  let permitted = 0;
  for (const { _creative_id, material_operation_status } of creativesOf(ad)) {
    const row = context.world.ads.get(_creative_id);
    if (!row || material_operation_status !== 'ENABLE') continue;
    count.ads++;
    const lost = lostPermission(context.world, row, context.now);
    if (lost) count.lost = lost;
    else permitted++;
    const review = reviewOf(context, row);
    if (review === 'WAITING') count.waiting++;
    if (review === 'DENIED') count.denied++;
  }
  if (permitted > 0) count.lost = undefined;
  return count;
}

/** A pixel that the ad group optimises for and that is marked as no longer linked to the account. */
function lostPixel(context: StatusContext, adgroup: Native): boolean {
  const id = adgroup['pixel_id'];
  return typeof id === 'string' && context.world.pixels.get(id)?.['_unbound'] === true;
}

/** The status of a row of any level. */
export function secondaryStatus(context: StatusContext, level: Level, row: Native): string {
  if (level === 'campaign') return campaignStatus(context, row);
  return level === 'adgroup' ? adgroupStatus(context, row) : adStatus(context, row);
}

/** Deleted itself or with a parent: the part of the status that a plain list needs, without reviews and budgets. */
export function isGone(context: StatusContext, level: Level, row: Native): boolean {
  if (isDeleted(row)) return true;
  if (level === 'campaign') return false;
  if (isDeleted(campaignOf(context, row))) return true;
  return level === 'ad' && isDeleted(adgroupOf(context, row));
}

/**
 * The `primary_status` group of a secondary status: STATUS_DELETE, STATUS_DISABLE, STATUS_TIME_DONE, STATUS_RF_CLOSED,
 * STATUS_FROZEN, STATUS_DELIVERY_OK, STATUS_DELIVERY_PARTIAL or STATUS_NOT_DELIVERY. TikTok docs 1757239620352002.
 */
export function primaryStatus(secondary: string): string {
  if (/_DELETE$/.test(secondary)) return 'STATUS_DELETE';
  if (/_DISABLE$/.test(secondary)) return 'STATUS_DISABLE';
  if (/_RF_(CLOSED|TERMINATE|WITHDRAW|ADGROUP_CLOSED)/.test(secondary)) return 'STATUS_RF_CLOSED';
  if (/_(TIME_DONE|DONE)$/.test(secondary)) return 'STATUS_TIME_DONE';
  if (/_FROZEN$/.test(secondary)) return 'STATUS_FROZEN';
  if (/_(PARTIAL_AUDIT_DELIVERY_OK|REVIEW_PARTIALLY_APPROVED)$/.test(secondary)) return 'STATUS_DELIVERY_PARTIAL';
  if (/_DELIVERY_OK$/.test(secondary) || secondary === 'CAMPAIGN_STATUS_ENABLE') return 'STATUS_DELIVERY_OK';
  return 'STATUS_NOT_DELIVERY';
}

/** Does an object with this secondary status belong to the group that a `primary_status` filter asks for? */
export function matchesPrimary(secondary: string, filter: string): boolean {
  const group = primaryStatus(secondary);
  switch (filter) {
    case 'STATUS_ALL':
      return true;
    case 'STATUS_NOT_DELETE':
      return group !== 'STATUS_DELETE';
    // What delivers in part delivers (unverified).
    case 'STATUS_DELIVERY_OK':
      return group === 'STATUS_DELIVERY_OK' || group === 'STATUS_DELIVERY_PARTIAL';
    default:
      return group === filter;
  }
}
