import { advertiserId, advertiserIdOf } from '../params.ts';
import { given, invalid, owned } from '../rules.ts';
import type { Call, Endpoint, Native, Param } from '../types.ts';

/** Mobile apps: app/{list,info,create,update}. Facts: yml app_list, app_info, app_create, app_update. */

/** Members of an app are those of the reference as far as it names them; the rest (unverified). */
const view = (row: Native) => ({
  app_id: row.id,
  app_name: row['app_name'],
  app_platform_id: row['app_platform_id'],
  package_name: row['package_name'],
  platform: row['platform'],
  download_url: row['download_url'],
  icon_url: row['icon_url'] ?? null,
  partner: row['partner'] ?? null,
  enable_retargeting: row['enable_retargeting'] ?? 'NON_RETARGETING',
  tracking_url: row['tracking_url'] ?? {
    click_url: '',
    impression_url: '',
    retargeting_click_url: '',
    retargeting_impression_url: '',
  },
  create_time: row['create_time'],
});

/** What a store address says of the app: platform, its id there, and a name to show. */
function readStoreUrl(value: unknown): { platform: 'ANDROID' | 'IOS'; app_platform_id: string; app_name: string } {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const apple = /\/id(\d+)/.exec(url?.pathname ?? '');
  if (url?.hostname === 'apps.apple.com' && apple) {
    const slug = url.pathname.split('/').at(-2) ?? 'app';
    return { platform: 'IOS', app_platform_id: apple[1]!, app_name: title(slug === 'app' ? 'App' : slug) };
  }
  const name = url?.searchParams.get('id');
  if (url?.hostname === 'play.google.com' && name) {
    return { platform: 'ANDROID', app_platform_id: name, app_name: title(name.split('.').at(-1) ?? name) };
  }
  return invalid('download_url: It must be an address of the App Store or Google Play.');
}

const title = (text: string) => text.replace(/[-_]+/g, ' ').replace(/\b\w/g, (letter) => letter.toUpperCase());

const FIELDS = ['partner', 'enable_retargeting', 'tracking_url'];

function create(call: Call): unknown {
  const { world, params } = call;
  const store = readStoreUrl(params['download_url']);
  const same = world.mobileApps
    .by('advertiser', advertiserIdOf(call))
    .find((row) => row['app_platform_id'] === store.app_platform_id);
  if (same) invalid(`download_url: The app ${same.id} already has this address.`);
  const id = world.nextId();
  const row: Native = {
    id,
    advertiser_id: advertiserIdOf(call),
    app_id: id,
    ...store,
    package_name: store.app_platform_id,
    download_url: params['download_url'],
    create_time: world.stamp(call.now),
  };
  for (const name of FIELDS) if (given(params, name)) row[name] = params[name];
  world.mobileApps.put(row);
  return { app_id: id };
}

function update(call: Call): unknown {
  const { world, params } = call;
  const row = { ...owned(world.mobileApps, 'app', params['app_id'], advertiserIdOf(call)) };
  if (given(params, 'download_url'))
    Object.assign(row, readStoreUrl(params['download_url']), { download_url: params['download_url'] });
  for (const name of FIELDS) if (given(params, name)) row[name] = params[name];
  world.mobileApps.put(row);
  return {};
}

const appId: Param = { name: 'app_id', type: 'string', required: true };
const settings: Param[] = [
  { name: 'partner', type: 'string' },
  { name: 'enable_retargeting', type: 'string', enum: ['RETARGETING', 'NON_RETARGETING'] },
  {
    name: 'tracking_url',
    type: 'object',
    fields: ['click_url', 'impression_url', 'retargeting_click_url', 'retargeting_impression_url'].map((name) => ({
      name,
      type: 'string',
    })),
  },
];

/** The mobile app family. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'app/list',
    auth: 'token',
    scopes: ['700'],
    params: [advertiserId, { name: 'app_platform_ids', type: 'array', items: { type: 'string' } }],
    handle(call) {
      const wanted = call.params['app_platform_ids'] as string[] | undefined;
      const rows = call.world.mobileApps.by('advertiser', advertiserIdOf(call));
      return { apps: rows.filter((row) => !wanted || wanted.includes(String(row['app_platform_id']))).map(view) };
    },
  },
  {
    method: 'GET',
    path: 'app/info',
    auth: 'token',
    scopes: ['700'],
    params: [advertiserId, appId],
    handle: (call) => ({ app: view(owned(call.world.mobileApps, 'app', call.params['app_id'], advertiserIdOf(call))) }),
  },
  {
    method: 'POST',
    path: 'app/create',
    auth: 'token',
    scopes: ['701'],
    write: true,
    params: [advertiserId, { name: 'download_url', type: 'string', required: true }, ...settings],
    handle: create,
  },
  {
    method: 'POST',
    path: 'app/update',
    auth: 'token',
    scopes: ['701'],
    write: true,
    params: [advertiserId, appId, { name: 'download_url', type: 'string' }, ...settings],
    handle: update,
  },
];
