/** Which objects a report is about: those of its level that pass its filters, newest first, and no more than the cap. */
import type { Subject } from './report-attributes.ts';
import { buyingType, type ObjectLevel } from './report-filters.ts';
import type { ReportQuery } from './report-query.ts';
import { smartAds } from './smart-plus.ts';
import { parseStamp } from './stamp.ts';
import { isGone, type StatusContext } from './status.ts';
import type { Native, World } from './types.ts';

/** Most ids in one synchronous report, newest created first (TikTok docs 1740302848100353). */
export const MAX_IDS = 20_000;

/** Levels of objects from the top. */
export const LEVELS: readonly ObjectLevel[] = ['campaign', 'adgroup', 'ad'];

/** Something that rows are about. */
export interface Target {
  id: string;
  subject: Subject;
  created: number;
}

/** What a report is about. */
export interface Selection {
  targets: Target[];
  truncated: boolean;
}

const seconds = (row: Native): number => parseStamp(String(row['create_time'] ?? ''))?.getTime() ?? 0;

/**
 * Campaigns that the report can be about, when its filters name ids; undefined = all of the account. Ad groups and ads
 * that are named lead to their campaigns.
 */
export function namedCampaigns(world: World, query: ReportQuery, advertiserId: string): readonly Native[] | undefined {
  if (query.campaigns) return query.campaigns.filter((row) => row.advertiser_id === advertiserId);
  const found = query.filters.objects.find((filter) => filter.ids !== undefined);
  if (!found) return undefined;
  const rows = found.level === 'campaign' ? world.campaigns : found.level === 'adgroup' ? world.adgroups : world.ads;
  const ids = new Set<string>();
  for (const id of found.ids!) {
    const row = rows.get(id) ?? (found.level === 'ad' ? smartAds(world).get(id) : undefined);
    if (row?.advertiser_id === advertiserId) ids.add(found.level === 'campaign' ? row.id : String(row['campaign_id']));
  }
  return [...ids].map((id) => world.campaigns.get(id)).filter((row) => row !== undefined);
}

/** Objects of the report's level that pass the filters of their level and above, newest first. */
export function selectTargets(world: World, query: ReportQuery, contexts: Map<string, StatusContext>): Selection {
  const targets: Target[] = [];
  for (const advertiser of query.advertisers) {
    if (query.level === 'advertiser') {
      targets.push({ id: advertiser.id, subject: { level: 'advertiser', advertiser }, created: 0 });
      continue;
    }
    const level = query.level;
    const context = contexts.get(advertiser.id)!;
    const collection = level === 'campaign' ? world.campaigns : level === 'adgroup' ? world.adgroups : world.ads;
    const ownStatus = query.filters.all || query.filters.objects.some((f) => f.level === level && f.field === 'status');
    const upTo = LEVELS.indexOf(level);
    const filters = query.filters.objects.filter((filter) => LEVELS.indexOf(filter.level) <= upTo);
    // By ad_id_v2 a Smart+ ad is one target, whatever creatives it has or had (TikTok docs 1854103649826817).
    const whole = new Set<string>();
    const named = namedCampaigns(world, query, advertiser.id);
    const candidates =
      named === undefined
        ? collection.by('advertiser', advertiser.id)
        : level === 'campaign'
          ? named
          : named.flatMap((campaign) => collection.by('campaign', campaign.id));
    for (const each of candidates) {
      const smart = query.idDimension === 'ad_id_v2' ? each['smart_plus_ad_id'] : undefined;
      if (typeof smart === 'string' && whole.has(smart)) continue;
      const row = typeof smart === 'string' ? (smartAds(world).get(smart) ?? each) : each;
      if (typeof smart === 'string') whole.add(smart);
      const campaign = level === 'campaign' ? row : world.campaigns.get(String(row['campaign_id']));
      const adgroup =
        level === 'campaign' ? undefined : level === 'adgroup' ? row : world.adgroups.get(String(row['adgroup_id']));
      if (!campaign || (level === 'ad' && !adgroup)) continue;
      // Without a status filter of its level a report leaves out what was deleted.
      if (!ownStatus && isGone(context, level, row)) continue;
      if (query.reservation && buyingType(campaign) === 'AUCTION') continue;
      const at = (each: ObjectLevel) => (each === 'campaign' ? campaign : each === 'adgroup' ? adgroup! : row);
      if (!filters.every((filter) => filter.pass(at(filter.level), context))) continue;
      const ad = level === 'ad' ? row : undefined;
      targets.push({ id: row.id, subject: { level, advertiser, campaign, adgroup, ad }, created: seconds(row) });
    }
  }
  targets.sort(
    (a, b) => b.created - a.created || b.id.length - a.id.length || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0),
  );
  const truncated = query.idDimension !== undefined && !query.task && targets.length > MAX_IDS;
  return { targets: truncated ? targets.slice(0, MAX_IDS) : targets, truncated };
}
