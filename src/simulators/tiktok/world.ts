import { hash32 } from '../kit/random.ts';
import type { SimulatorStore, VirtualClock } from '../kit/types.ts';
import { type Past, remembering, rememberingAccounts } from './history.ts';
import { stamp } from './stamp.ts';
import type { Advertiser, App, BusinessCenter, Grant, Native, Settings, User, World } from './types.ts';

/** What a fresh simulator does, see `Settings` for the meaning of each. */
export const DEFAULT_SETTINGS: Readonly<Settings> = {
  limits: 'on',
  advertiser_path_qps: null,
  token_model: 'official',
  refresh_rotation: true,
  refresh_grace_ms: 0,
  review_delay_ms: 60_000,
  transcode_delay_ms: 5_000,
  async_reports: false,
  report_delay_ms: 5_000,
  report_fails: false,
  events_strict: false,
  pixel_code_qps: null,
  webhook_delivery: 'auto',
  audience_delay_ms: 60_000,
  audience_match_percent: 80,
};

/**
 * Ids of TikTok have up to 19 digits and must not survive a trip through a binary float; these are above 2^53, with
 * uneven low digits, so that a client that turns them into numbers is found out.
 */
const FIRST_ID = 1_850_000_000_000_000_000n;
/** How many ids are reserved by one write: a restart goes on with the next block. */
const ID_BLOCK = 1024;

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** The simulator's state as typed collections over `store`. Cheap to call; two worlds over one store share it. */
export function createWorld(store: SimulatorStore, clock: VirtualClock): World {
  const advertiser = (row: { advertiser_id: string }) => row.advertiser_id;
  const campaign = (row: Native) => text(row['campaign_id']);
  const adgroup = (row: Native) => text(row['adgroup_id']);
  const ofAdvertiser = (name: string) => store.collection<Native>(name, { advertiser });
  const settings = store.collection<{ id: string; changed: Partial<Settings> }>('settings');
  const sequence = store.collection<{ id: string; reserved: number }>('sequence');
  const past = store.collection<Past>('past', { advertiser });
  let next = -1;
  // Read for every ad of a list: kept until the row changes.
  let current: Readonly<Settings> = DEFAULT_SETTINGS;
  let currentVersion = Number.NaN;

  return {
    clock,
    store,
    get settings() {
      if (settings.version !== currentVersion) {
        current = { ...DEFAULT_SETTINGS, ...settings.get('settings')?.changed };
        currentVersion = settings.version;
      }
      return current;
    },
    updateSettings(patch) {
      settings.put({ id: 'settings', changed: { ...settings.get('settings')?.changed, ...patch } });
    },
    apps: store.collection<App>('apps'),
    users: store.collection<User>('users'),
    grants: store.collection<Grant>('grants', { authorization: (row) => row.authorization_id }),
    advertisers: rememberingAccounts(
      store.collection<Advertiser>('advertisers', { bc: (row) => row.owner_bc_id }),
      past,
      clock,
    ),
    businessCenters: store.collection<BusinessCenter>('business_centers'),
    campaigns: remembering(ofAdvertiser('campaigns'), past, clock),
    adgroups: remembering(store.collection<Native>('adgroups', { advertiser, campaign }), past, clock),
    ads: remembering(store.collection<Native>('ads', { advertiser, campaign, adgroup }), past, clock),
    identities: ofAdvertiser('identities'),
    images: ofAdvertiser('images'),
    videos: ofAdvertiser('videos'),
    pixels: ofAdvertiser('pixels'),
    mobileApps: ofAdvertiser('mobile_apps'),
    catalogs: ofAdvertiser('catalogs'),
    pages: ofAdvertiser('pages'),
    nextId() {
      const reserved = sequence.get('ids')?.reserved ?? 0;
      // Another world over this store, or a reset, may have moved the mark: then go on from there.
      if (next < 0 || next >= reserved || next < reserved - ID_BLOCK) {
        next = reserved;
        sequence.put({ id: 'ids', reserved: reserved + ID_BLOCK });
      }
      const n = next++;
      return String(FIRST_ID + BigInt(n) * 4096n + BigInt((hash32('id', n) % 4095) + 1));
    },
    stamp: (at) => stamp(at ?? clock.now()),
  };
}
