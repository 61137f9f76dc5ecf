/**
 * What ads are made of, besides the media of `seed-objects.ts`: further identities, apps, instant pages, catalogs, and
 * creators' posts with codes for Spark Ads. Ids are fixed, so that examples in documentation stay true after a reset.
 */
import { hash32 } from '../kit/random.ts';
import { crmSets, offlineSets } from './event-sources.ts';
import { allowPost, publishPost } from './spark.ts';
import type { Advertiser, Native, World } from './types.ts';

/** Id of a seeded asset by its kind and ad account. */
export const assetId = (...parts: string[]) =>
  `71${String(hash32('asset', ...parts)).padStart(10, '0')}${String(hash32(...parts, 'asset') % 10_000_000).padStart(7, '0')}`;

/** Identities, apps and a form of one ad account; a catalog if it has a Business Center. Sandbox accounts: identities. */
export function seedAssets(world: World, advertiser: Advertiser): void {
  const created = world.stamp(new Date(world.clock.now().getTime() - 120 * 86_400_000));
  const common = { advertiser_id: advertiser.id, create_time: created, modify_time: created };
  const make = (kind: string, members: Record<string, unknown>): Native => ({
    ...common,
    id: assetId(kind, advertiser.id),
    ...members,
  });
  const slug = advertiser.name.toLowerCase().replace(/\W+/g, '_');

  // Nothing in the API links an account, so that one must be there for Spark Ads.
  const linked = world.identities.by('advertiser', advertiser.id).some((row) => row['identity_type'] === 'TT_USER');
  if (!linked) {
    const own = make('identity', {
      identity_type: 'TT_USER',
      display_name: advertiser.name,
      username: slug,
      available_status: 'AVAILABLE',
      can_push_video: true,
      can_pull_video: true,
    });
    world.identities.put({ ...own, identity_id: own.id });
  }
  const custom = make('custom identity', {
    identity_type: 'CUSTOMIZED_USER',
    display_name: `${advertiser.name} (custom)`,
    available_status: 'AVAILABLE',
  });
  world.identities.put({ ...custom, identity_id: custom.id });
  const shut = make('private identity', {
    identity_type: 'TT_USER',
    display_name: `${advertiser.name} private`,
    username: `${slug}_private`,
    available_status: 'IS_PRIVATE_ACCOUNT',
    can_push_video: false,
    can_pull_video: false,
  });
  world.identities.put({ ...shut, identity_id: shut.id });
  if (advertiser.sandbox) return;

  if (advertiser.owner_bc_id !== undefined) {
    const shared = make('bc identity', {
      identity_type: 'BC_AUTH_TT',
      identity_authorized_bc_id: advertiser.owner_bc_id,
      display_name: `${advertiser.name} team`,
      username: `${slug}_team`,
      available_status: 'AVAILABLE',
      can_push_video: true,
      can_pull_video: true,
      can_use_live_ads: true,
    });
    world.identities.put({ ...shared, identity_id: shared.id });
    const catalog = make('catalog', {
      bc_id: advertiser.owner_bc_id,
      catalog_name: `${advertiser.name} products`,
      catalog_type: 'ECOM',
      catalog_conf: {
        region_code: advertiser.country,
        country: advertiser.country,
        currency: advertiser.currency,
        channel: '',
      },
    });
    world.catalogs.put({ ...catalog, catalog_id: catalog.id });
  }
  for (const [platform, download_url, app_platform_id] of [
    ['IOS', 'https://apps.apple.com/us/app/acme-shop/id1500000001', '1500000001'],
    ['ANDROID', 'https://play.google.com/store/apps/details?id=test.acme.shop', 'test.acme.shop'],
  ] as const) {
    const app = make(`app ${platform}`, {
      app_name: 'Acme Shop',
      platform,
      download_url,
      app_platform_id,
      package_name: app_platform_id,
      partner: 'AppsFlyer',
    });
    world.mobileApps.put({ ...app, app_id: app.id });
  }
  const offline = make('offline events', { name: `${advertiser.name} stores`, description: '', auto_tracking: false });
  offlineSets(world).put({ ...offline, event_set_id: offline.id, update_time: created });
  const crm = make('crm events', { name: `${advertiser.name} CRM` });
  crmSets(world).put({ ...crm, event_set_id: crm.id });
  const form = make('form', { title: 'Newsletter sign-up', business_type: 'LEAD_GEN', status: 'PUBLISHED' });
  world.pages.put({ ...form, page_id: form.id });
}

/**
 * Posts of three creators with their codes. Codes hold characters that break careless clients (`#`, `+`, `/`, `=`); the
 * last one has run out.
 */
export function seedCreatorPosts(world: World): void {
  allowPost(world, publishPost(world, 'mia.makes'), 30, '#Mia+makes/7x2Lq9VbT0rKpW4s=');
  allowPost(world, publishPost(world, 'leo.runs'), 60, '#Leo+runs/5h8Dn3GcY1tZmE6u=');
  allowPost(world, publishPost(world, 'ava.cooks'), 365, '#Ava+cooks/9k4Js7HfX2wQvB8y=');
  allowPost(world, publishPost(world, 'ava.cooks'), -1, '#Ava+cooks/expired0000000000=');
  // Posts of a TikTok account that can log in, without a code: for the creator's own endpoints.
  publishPost(world, 'ada.admin');
  publishPost(world, 'ada.admin');
}
