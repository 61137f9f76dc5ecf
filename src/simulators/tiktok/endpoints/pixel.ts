import { hash32, hex } from '../../kit/random.ts';
import { accountsOf } from '../event-sources.ts';
import { STANDARD_EVENTS } from '../event-table.ts';
import { eventsBook } from '../events-book.ts';
import { page } from '../paging.ts';
import { advertiserId, advertiserIdOf, paging } from '../params.ts';
import { pixelEvents } from '../pixel-events.ts';
import { given, invalid, owned, readTime } from '../rules.ts';
import type { Call, Endpoint, Native, Param } from '../types.ts';

/** Pixels: pixel/{list,create,update,event/stats}. Facts: yml pixel_list, pixel_create, pixel_update, pixel_event_stats. */

const CATEGORIES = ['CONTACTS', 'CUSTOMIZE_EVENTS', 'FILLING_FORM', 'LANDING_PAGE', 'ONLINE_STORE'];

const script = (code: string) =>
  `<script>!function (w, d, t) { /* TikTok simulator pixel */ w.TiktokAnalyticsObject=t; }(window, document, 'ttq'); ttq.load('${code}'); ttq.page();</script>`;

/** How an ad account came by a pixel: null = its own, as before any Business Center had it. */
function relation(row: Native, advertiserId: string): string | null {
  if (row['_unbound'] === true) return 'UNBOUND';
  if (row['owner_bc_id'] === undefined) return null;
  return row.advertiser_id === advertiserId ? 'TRANSFERRED' : 'SHARED';
}

const view = (row: Native, advertiserId = row.advertiser_id): Record<string, unknown> => ({
  pixel_id: row.id,
  pixel_code: row['pixel_code'],
  pixel_name: row['pixel_name'],
  pixel_category: row['pixel_category'] ?? 'ONLINE_STORE',
  pixel_script: script(String(row['pixel_code'])),
  pixel_setup_mode: row['pixel_setup_mode'] ?? 'STANDARD',
  partner_name: row['partner_name'] ?? '',
  create_time: row['create_time'],
  advanced_matching_fields: row['advanced_matching_fields'] ?? { email: true, phone_number: true },
  automatic_advanced_matching_fields: row['automatic_advanced_matching_fields'] ?? {
    phone_number: false,
    email: false,
    name: false,
    address: false,
    external_id: false,
  },
  enable_first_party_cookies: row['enable_first_party_cookies'] ?? true,
  enable_expanded_data_sharing: row['enable_expanded_data_sharing'] ?? false,
  asset_ownership: {
    asset_relation_status: relation(row, advertiserId),
    ownership_status: row.advertiser_id === advertiserId,
    owner_bc_id: row['owner_bc_id'] ?? null,
  },
  events: pixelEvents(row),
});

function list(call: Call): unknown {
  const { params } = call;
  const account = advertiserIdOf(call);
  const own = call.world.pixels.by('advertiser', account).filter((row) => accountsOf(row).includes(account));
  const linked = [...call.world.pixels.values()].filter(
    (row) => row.advertiser_id !== account && accountsOf(row).includes(account),
  );
  const rows = [...own, ...linked]
    .filter((row) => !given(params, 'pixel_id') || row.id === params['pixel_id'])
    .filter((row) => !given(params, 'code') || row['pixel_code'] === params['code'])
    .filter(
      (row) =>
        !given(params, 'name') ||
        String(row['pixel_name']).toLowerCase().includes(String(params['name']).toLowerCase()),
    );
  const ordered = params['order_by'] === 'LATEST_CREATE' ? rows.toReversed() : rows;
  const { list, page_info } = page(ordered, call, 20);
  return { pixels: list.map((row) => view(row, account)), page_info };
}

function create(call: Call): unknown {
  const { world, params } = call;
  const id = world.nextId();
  const row: Native = {
    id,
    advertiser_id: advertiserIdOf(call),
    pixel_id: id,
    // Twenty capital letters and digits beginning with C, as in the samples of the events documentation.
    pixel_code: `C${BigInt(`0x${hex(28, 'pixel', id)}`)
      .toString(32)
      .toUpperCase()
      .slice(0, 19)
      .padEnd(19, '0')}`,
    pixel_name: params['pixel_name'],
    pixel_category: params['pixel_category'] ?? 'ONLINE_STORE',
    pixel_setup_mode: 'STANDARD',
    partner_name: params['partner_name'] ?? '',
    create_time: world.stamp(call.now),
  };
  world.pixels.put(row);
  return view(row);
}

function update(call: Call): unknown {
  const { world, params } = call;
  const row = owned(world.pixels, 'pixel', params['pixel_id'], advertiserIdOf(call));
  const patch: Record<string, unknown> = { pixel_name: params['pixel_name'] };
  for (const name of [
    'advanced_matching_fields',
    'automatic_advanced_matching_fields',
    'enable_first_party_cookies',
    'enable_expanded_data_sharing',
  ]) {
    const value = params[name];
    if (value !== undefined) {
      patch[name] = typeof value === 'object' ? { ...(view(row)[name] as object), ...(value as object) } : value;
    }
  }
  world.pixels.put({ ...row, ...patch });
  return {};
}

/** Web events of a day: fewer the further down the funnel. Deterministic, and no part of the ads' own reports. */
const FUNNEL = [
  ['ViewContent', 400],
  ['AddToCart', 90],
  ['InitiateCheckout', 45],
  ['Purchase', 20],
  ['CompleteRegistration', 12],
] as const;

const MAX_STATS_DAYS = 30;

/** Events of one name that browsers sent: synthetic, from the day on which the pixel was made. */
function browsed(pixel: Native, name: string, from: Date, days: number, call: Call): number {
  const daily = FUNNEL.find(([known]) => known === name)?.[1] ?? 0;
  let total = 0;
  for (let day = 0; daily > 0 && day < days; day++) {
    const at = new Date(from.getTime() + day * 86_400_000);
    if (at > call.now || call.world.stamp(at).slice(0, 10) < String(pixel['create_time']).slice(0, 10)) continue;
    const seed = hash32('pixel stats', pixel.id, name, at.getTime());
    total += Math.round(daily * 0.7 * (0.5 + (seed % 1000) / 1000));
  }
  return total;
}

/** Browser events are synthetic; server events are those that the Events API took, by the day of their `event_time`. */
function stats(call: Call): unknown {
  const range = call.params['date_range'] as { start_date: string; end_date: string };
  const from = readTime('date_range.start_date', `${range.start_date} 00:00:00`);
  const to = readTime('date_range.end_date', `${range.end_date} 00:00:00`);
  if (to < from) invalid('date_range: The end date must not be earlier than the start date.');
  const days = Math.round((to.getTime() - from.getTime()) / 86_400_000) + 1;
  if (days > MAX_STATS_DAYS) invalid(`date_range: The range must not be longer than ${MAX_STATS_DAYS} days.`);
  return {
    list: (call.params['pixel_ids'] as string[]).map((id) => {
      const pixel = owned(call.world.pixels, 'pixel', id, advertiserIdOf(call));
      const reported = eventsBook(call.world).between(
        `web:${String(pixel['pixel_code'])}`,
        from.getTime(),
        to.getTime(),
      );
      const names = [...FUNNEL.map(([name]) => name as string), ...reported.keys()];
      return {
        pixel_id: pixel.id,
        statistics: [...new Set(names)].map((name) => {
          const seen = browsed(pixel, name, from, days, call);
          const server = reported.get(name) ?? 0;
          const standard = STANDARD_EVENTS.has(name);
          return {
            pixel_event_type: standard ? name : 'CustomEvent',
            custom_event_type: standard ? '' : name,
            total_count: seen + server,
            browser_event_total_count: seen,
            server_event_total_count: server,
            attributed_count: Math.round(seen * 0.4),
            preview_count: 0,
          };
        }),
      };
    }),
  };
}

const flags = (name: string, names: readonly string[]): Param => ({
  name,
  type: 'object',
  fields: names.map((field) => ({ name: field, type: 'boolean' })),
});

/** The pixel family. */
export const endpoints: Endpoint[] = [
  {
    method: 'GET',
    path: 'pixel/list',
    auth: 'token',
    scopes: ['800'],
    params: [
      advertiserId,
      { name: 'pixel_id', type: 'string' },
      { name: 'code', type: 'string' },
      { name: 'name', type: 'string' },
      { name: 'order_by', type: 'string', enum: ['LATEST_CREATE', 'EARLIEST_CREATE'] },
      { name: 'filtering', type: 'object', fields: [{ name: 'available_for_catalog_only', type: 'boolean' }] },
      ...paging,
    ],
    handle: list,
  },
  {
    method: 'POST',
    path: 'pixel/create',
    auth: 'token',
    scopes: ['801'],
    write: true,
    params: [
      advertiserId,
      { name: 'pixel_name', type: 'string', required: true, min: 1, max: 40 },
      { name: 'pixel_category', type: 'string', enum: CATEGORIES },
      { name: 'partner_name', type: 'string' },
    ],
    handle: create,
  },
  {
    method: 'POST',
    path: 'pixel/update',
    auth: 'token',
    scopes: ['801'],
    write: true,
    params: [
      advertiserId,
      { name: 'pixel_id', type: 'string', required: true },
      { name: 'pixel_name', type: 'string', required: true, min: 1, max: 128 },
      flags('advanced_matching_fields', ['email', 'phone_number']),
      flags('automatic_advanced_matching_fields', ['phone_number', 'email', 'name', 'address', 'external_id']),
      { name: 'enable_first_party_cookies', type: 'boolean' },
      { name: 'enable_expanded_data_sharing', type: 'boolean' },
    ],
    handle: update,
  },
  {
    method: 'GET',
    path: 'pixel/event/stats',
    auth: 'token',
    scopes: ['802'],
    params: [
      advertiserId,
      { name: 'pixel_ids', type: 'array', items: { type: 'string' }, required: true, min: 1, max: 10 },
      {
        name: 'date_range',
        type: 'object',
        required: true,
        fields: [
          { name: 'start_date', type: 'string', required: true },
          { name: 'end_date', type: 'string', required: true },
        ],
      },
    ],
    handle: stats,
  },
];
