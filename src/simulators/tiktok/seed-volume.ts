/**
 * A large ad account on demand: thousands of campaigns, ad groups and ads with names, dates and states as a busy
 * advertiser has them. The same world and options give the same objects.
 */
import { unit } from '../kit/random.ts';
import { currencyDigits, minorPerUsd } from './currency.ts';
import { COUNTRIES } from './regions-table.ts';
import type { Advertiser, Native, World } from './types.ts';

/** What to make. */
export interface VolumeOptions {
  /** The first account that can deliver if absent. */
  advertiser_id?: string;
  /** Number of ads, 25,000 unless said; campaigns and ad groups follow. */
  ads?: number;
  /** Part of the ads that are deleted themselves, 0 to 1, default 0.1; a few campaigns and ad groups are, too. */
  deletedShare?: number;
  /** Part of the objects that are paused, default 0.15. */
  pausedShare?: number;
  /** Over how many days the objects were made, default 120. */
  days?: number;
  /** Another seed makes other objects. */
  seed?: string;
}

/** What was made. */
export interface VolumeSummary {
  advertiser_id: string;
  campaigns: number;
  adgroups: number;
  ads: number;
  /** Ads that are gone: deleted themselves or with their parents. */
  deletedAds: number;
}

const DAY_MS = 86_400_000;
/** The largest campaign has this part of all ads. */
const LARGEST = 0.08;

const BRANDS = ['Aurora', 'Basecamp', 'Cobalt', 'Daybreak', 'Ember', 'Fjord', 'Grove', 'Harbor', 'Indigo', 'Juniper'];
const THEMES = ['Always on', 'Spring sale', 'New arrivals', 'Back to school', 'Gift guide', 'Clearance', 'Launch'];
const AUDIENCES = ['Broad', 'Lookalike 1%', 'Retargeting 30d', 'Interest: fashion', 'Interest: sports', 'Cart leavers'];
const CREATIVES = ['UGC testimonial', 'Unboxing', 'Product demo', 'Founder story', 'Before/after', 'How-to', 'Trend'];
const TEXTS = [
  'See why everyone is talking about it',
  'Free delivery this week',
  'Made to last',
  'Find your size today',
];
const AGES = [['AGE_18_24'], ['AGE_18_24', 'AGE_25_34'], ['AGE_25_34', 'AGE_35_44'], ['AGE_45_54', 'AGE_55_100']];

/** Objectives with what their ad groups optimise for. */
const AIMS = [
  ['WEB_CONVERSIONS', 'WEBSITE', 'CONVERT', 'OCPM', 'SHOPPING'],
  ['TRAFFIC', 'WEBSITE', 'CLICK', 'CPC', null],
  ['APP_PROMOTION', 'APP_ANDROID', 'INSTALL', 'OCPM', null],
  ['LEAD_GENERATION', 'LEAD_GENERATION', 'LEAD_GENERATION', 'OCPM', null],
  ['VIDEO_VIEWS', 'WEBSITE_OR_DISPLAY', 'ENGAGED_VIEW', 'CPV', null],
  ['PRODUCT_SALES', 'TIKTOK_SHOP', 'VALUE', 'OCPM', null],
] as const;

type Kind = 'campaign' | 'adgroup' | 'ad';

/** An object before it has an id. */
interface Draft {
  kind: Kind;
  parent: Draft | undefined;
  created: number;
  members: Record<string, unknown>;
  id: string;
  gone: boolean;
}

/**
 * Adds a large account's objects to `world`, in three writes.
 * @throws Error if there is no such ad account.
 */
export function seedVolume(world: World, options: VolumeOptions = {}): VolumeSummary {
  const advertiser = options.advertiser_id
    ? world.advertisers.get(options.advertiser_id)
    : [...world.advertisers.values()].find(({ status, sandbox }) => status === 'STATUS_ENABLE' && !sandbox);
  if (!advertiser) throw new Error(`no such ad account: ${options.advertiser_id ?? '(none that can deliver)'}`);
  const drafts = draw(world, advertiser, options);
  // Ids grow with creation, as the platform's do; a parent made in the same second comes first.
  const ranks: Record<Kind, number> = { campaign: 0, adgroup: 1, ad: 2 };
  const inOrder = drafts.map((draft, i) => ({ draft, i }));
  inOrder.sort((a, b) => a.draft.created - b.draft.created || ranks[a.draft.kind] - ranks[b.draft.kind] || a.i - b.i);
  const rows: Record<Kind, Native[]> = { campaign: [], adgroup: [], ad: [] };
  for (const { draft } of inOrder) {
    draft.id = world.nextId();
    rows[draft.kind].push(rowOf(draft, advertiser));
  }
  world.campaigns.putAll(rows.campaign);
  world.adgroups.putAll(rows.adgroup);
  world.ads.putAll(rows.ad);
  return {
    advertiser_id: advertiser.id,
    campaigns: rows.campaign.length,
    adgroups: rows.adgroup.length,
    ads: rows.ad.length,
    deletedAds: drafts.filter((draft) => draft.kind === 'ad' && draft.gone).length,
  };
}

function rowOf(draft: Draft, advertiser: Advertiser): Native {
  const { kind, parent, id, members } = draft;
  const parents =
    kind === 'campaign'
      ? {}
      : kind === 'adgroup'
        ? { campaign_id: parent!.id }
        : { campaign_id: parent!.parent!.id, adgroup_id: parent!.id };
  return { id, advertiser_id: advertiser.id, ...parents, [`${kind}_id`]: id, ...members };
}

function draw(world: World, advertiser: Advertiser, options: VolumeOptions): Draft[] {
  const seed = options.seed ?? 'volume';
  const total = Math.max(0, Math.floor(options.ads ?? 25_000));
  const deleted = options.deletedShare ?? 0.1;
  const paused = options.pausedShare ?? 0.15;
  const now = world.clock.now().getTime();
  const first = now - (options.days ?? 120) * DAY_MS;
  const place = COUNTRIES.find(([code]) => code === advertiser.country);
  const drafts: Draft[] = [];
  let counter = 0;
  const random = () => unit(seed, advertiser.id, counter++);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const major = (usd: number) => {
    const digits = currencyDigits(advertiser.currency);
    const amount = (usd * minorPerUsd(advertiser.currency)) / 10 ** digits;
    // Two significant digits, as people type budgets.
    const step = 10 ** (Math.floor(Math.log10(amount)) - 1);
    return Number((Math.round(amount / step) * step).toFixed(digits));
  };
  const state = (created: number, share: number) => {
    const draw = random();
    const status = draw < share ? 'DELETE' : draw < share + paused ? 'DISABLE' : 'ENABLE';
    const changed = status === 'ENABLE' && random() < 0.7 ? created : created + random() * (now - created);
    return {
      operation_status: status,
      create_time: world.stamp(new Date(created)),
      modify_time: world.stamp(new Date(changed)),
    };
  };
  const add = (kind: Kind, parent: Draft | undefined, share: number, members: Record<string, unknown>): Draft => {
    // A third of the way into what is left of the window, so that children follow their parents soon.
    const from = parent?.created ?? first;
    const at = from + (now - from) * (kind === 'campaign' ? random() : random() ** 2 * 0.8);
    const created = Math.floor(at / 1000) * 1000;
    const life = state(created, share);
    const gone = life.operation_status === 'DELETE' || parent?.gone === true;
    const draft: Draft = { kind, parent, created, members: { ...members, ...life }, id: '', gone };
    drafts.push(draft);
    return draft;
  };

  let left = total;
  for (let c = 0; left > 0; c++) {
    const size = Math.min(left, Math.max(1, c === 0 ? Math.round(total * LARGEST) : Math.ceil(4 + 70 * random() ** 2)));
    const [objective, promotion, goal, billing, event] = pick(AIMS);
    const shared = random() < 0.12;
    const brand = pick(BRANDS);
    const theme = pick(THEMES);
    // The largest one is never gone, so that a report over one campaign has something to page through; one of the next
    // is, and an ad group of the largest, so that small accounts have deleted objects of every level, too.
    const lost = c === 0 ? 0 : c === 2 && deleted > 0 ? 1 : deleted / 4;
    const campaign = add('campaign', undefined, lost, {
      campaign_name: `${advertiser.country} | ${brand} | ${theme} | ${c + 1}`,
      objective_type: objective,
      objective: objective === 'APP_PROMOTION' ? 'APP' : 'LANDING_PAGE',
      app_promotion_type: objective === 'APP_PROMOTION' ? 'APP_INSTALL' : 'UNSET',
      ...(objective === 'PRODUCT_SALES' ? { campaign_product_source: 'STORE' } : {}),
      budget_mode: shared ? 'BUDGET_MODE_DAY' : 'BUDGET_MODE_INFINITE',
      budget: shared ? major(800 + 4000 * random()) : 0,
      ...(shared ? { budget_optimize_on: true } : {}),
    });
    left -= size;
    let open = size;
    for (let g = 0; open > 0; g++) {
      const ads = Math.min(open, Math.ceil(2 + 18 * random()));
      open -= ads;
      const ages = pick(AGES);
      const audience = pick(AUDIENCES);
      const adgroup = add('adgroup', campaign, c === 0 && g === 1 && deleted > 0 ? 1 : deleted / 3, {
        adgroup_name: `${audience} | ${ages[0]!.slice(4).replace('_', '-')} | ${g + 1}`,
        promotion_type: promotion,
        placement_type: 'PLACEMENT_TYPE_NORMAL',
        placements: random() < 0.75 ? ['PLACEMENT_TIKTOK'] : ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE'],
        location_ids: place ? [place[1]] : [],
        gender: random() < 0.7 ? 'GENDER_UNLIMITED' : 'GENDER_FEMALE',
        age_groups: ages,
        budget_mode: shared ? 'BUDGET_MODE_INFINITE' : 'BUDGET_MODE_DAY',
        budget: shared ? 0 : major(20 + 280 * random() ** 2),
        schedule_type: 'SCHEDULE_FROM_NOW',
        optimization_goal: goal,
        billing_event: billing,
        ...(event ? { optimization_event: event } : {}),
        bid_type: 'BID_TYPE_NO_BID',
        pacing: 'PACING_MODE_SMOOTH',
      });
      const started = world.stamp(new Date(adgroup.created));
      const end = new Date(adgroup.created);
      end.setUTCFullYear(end.getUTCFullYear() + 10);
      Object.assign(adgroup.members, { schedule_start_time: started, schedule_end_time: world.stamp(end) });
      for (let a = 0; a < ads; a++) {
        const creative = pick(CREATIVES);
        add('ad', adgroup, deleted, {
          ad_name: `${brand} ${creative} v${a + 1}`,
          ad_format: 'SINGLE_VIDEO',
          ad_text: pick(TEXTS),
          call_to_action: objective === 'APP_PROMOTION' ? 'DOWNLOAD_NOW' : 'SHOP_NOW',
          landing_page_url: `https://www.${brand.toLowerCase()}.example/${theme.toLowerCase().replaceAll(' ', '-')}`,
          identity_type: 'TT_USER',
          // Every fourth campaign also counts purchases in stores, so that each channel of conversions has some.
          ...(c % 4 === 1 ? { tracking_offline_event_set_ids: ['7130000000000000001'] } : {}),
        });
      }
    }
  }
  return drafts;
}
