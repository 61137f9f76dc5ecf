import { reads, writes } from '../declared.ts';
import { eventsBook } from '../events-book.ts';
import { page } from '../paging.ts';
import { advertiserIdOf } from '../params.ts';
import { given, invalid, owned } from '../rules.ts';
import type { Call, Endpoint, Native } from '../types.ts';

/**
 * Custom conversions: custom_conversion/{create,list,get,update,delete}. Facts: an independent transcription of the
 * reference; what makes one active (events within seven days), and how long names may be, is unverified.
 */

const ACTIVE_MS = 7 * 86_400_000;
const MAX_RULES = 10;

const conversions = (call: Call) =>
  call.world.store.collection<Native>('custom_conversions', { advertiser: (row) => row.advertiser_id });

function activity(call: Call, row: Native): string {
  const pixel = call.world.pixels.get(String(row['event_source_id']));
  const source = pixel ? `web:${String(pixel['pixel_code'])}` : `app:${String(row['event_source_id'])}`;
  const last = eventsBook(call.world).counts(source)?.last_received_at ?? null;
  if (last === null) return 'WAITING_FOR_ACTIVITY';
  return call.now.getTime() - Date.parse(last) <= ACTIVE_MS ? 'ACTIVE' : 'NO_RECENT_ACTIVITY';
}

const view = (call: Call) => (row: Native) => ({
  custom_conversion_id: row.id,
  name: row['name'],
  description: row['description'] ?? '',
  event_source_type: row['event_source_type'],
  event_source_id: row['event_source_id'],
  active_status: activity(call, row),
  optimization_event: row['optimization_event'],
  custom_event_type: row['custom_event_type'] ?? '',
  rules: row['rules'],
  create_time: row['create_time'],
  update_time: row['update_time'],
});

function create(call: Call): unknown {
  const { world, params } = call;
  const account = advertiserIdOf(call);
  const sources = params['event_source_type'] === 'PIXEL' ? world.pixels : world.mobileApps;
  owned(sources, String(params['event_source_type']).toLowerCase(), params['event_source_id'], account);
  const rules = params['rules'] as Record<string, unknown>[];
  if (rules.length === 0) invalid('rules: Shorter than minimum length 1.');
  if (rules.length > MAX_RULES) invalid(`rules: Longer than maximum length ${MAX_RULES}.`);
  for (const [i, rule] of rules.entries()) {
    for (const name of ['parameter', 'operator', 'values']) {
      if (!given(rule, name)) invalid(`Missing required field(s): rules.${i}.${name}.`);
    }
  }
  if (
    conversions(call)
      .by('advertiser', account)
      .some((row) => row['name'] === params['name'])
  ) {
    invalid('name: There is a custom conversion with this name already.');
  }
  const at = world.stamp(call.now);
  const row: Native = { id: world.nextId(), advertiser_id: account, create_time: at, update_time: at };
  for (const name of ['name', 'description', 'event_source_type', 'event_source_id', 'optimization_event']) {
    row[name] = params[name];
  }
  row['custom_event_type'] = params['custom_event_type'] ?? '';
  row['rules'] = rules;
  conversions(call).put(row);
  return { custom_conversion_id: row.id };
}

const found = (call: Call) =>
  owned(conversions(call), 'custom conversion', call.params['custom_conversion_id'], advertiserIdOf(call));

function update(call: Call): unknown {
  const row: Native = { ...found(call), update_time: call.world.stamp(call.now) };
  for (const name of ['name', 'description']) if (given(call.params, name)) row[name] = call.params[name];
  conversions(call).put(row);
  return {};
}

function list(call: Call): unknown {
  const { params } = call;
  const keyword = String(params['search_keyword'] ?? '').toLowerCase();
  const rows = conversions(call)
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => ['event_source_type', 'event_source_id'].every((n) => !given(params, n) || row[n] === params[n]))
    .filter((row) => row.id === keyword || String(row['name']).toLowerCase().includes(keyword));
  const field = String(params['sort_field'] ?? 'create_time');
  const sorted = rows.toSorted((a, b) => String(a[field] ?? '').localeCompare(String(b[field] ?? '')));
  const { list, page_info } = page(params['sort_type'] === 'ASC' ? sorted : sorted.toReversed(), call, 100);
  return { list: list.map(view(call)), page_info };
}

/** Custom conversions. */
export const endpoints: Endpoint[] = [
  writes('custom_conversion/create', create, { scopes: ['8'] }),
  writes('custom_conversion/update', update, { scopes: ['8'] }),
  writes(
    'custom_conversion/delete',
    (call) => {
      conversions(call).delete(found(call).id);
      return {};
    },
    { scopes: ['8'] },
  ),
  reads('custom_conversion/get', (call) => view(call)(found(call)), { scopes: ['8'] }),
  reads('custom_conversion/list', list, { scopes: ['8'] }),
];
