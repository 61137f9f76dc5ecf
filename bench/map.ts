/**
 * `npm run bench:map`: what it costs to turn a page of 50 campaigns into unified objects, without parsing the JSON:
 * decoding by the compiled field tables, which give every member the form it has on the wire. Beside it, in the same run: the cheapest
 * function that a person would write by hand for the same members, and JSON.parse and JSON.stringify of the page.
 */
import type { CodecContext } from '../src/core/connector/codecs.ts';
import { loadPlatforms } from '../src/core/connector/registry.ts';
import type { Native } from '../src/core/connector/types.ts';
import { campaignPage } from './support/campaigns.ts';
import { Noise } from './support/machine.ts';
import { atMost, record } from './support/results.ts';
import { shortSpread, spread } from './support/stats.ts';

const ROUNDS = 9;
const REPEATS = 1_000;

const registry = await loadPlatforms(new URL('../src/platforms/', import.meta.url));
const fields = registry.fields(registry.get('tiktok'), 'campaign');
const text = campaignPage();
const rows = (JSON.parse(text) as { data: { list: Native[] } }).data.list;
const organization = { organizationId: '7000000000000000001', currency: 'USD', timeZone: 'America/New_York' };

const GOALS: Record<string, string> = { TRAFFIC: 'WEBSITE_TRAFFIC', WEB_CONVERSIONS: 'SALES' };

function mapper(): unknown[] {
  const context: CodecContext = { ...organization };
  return rows.map((row) => {
    context.row = row;
    return fields.decode(row, context);
  });
}

function byHand(): unknown[] {
  return rows.map((row) => ({
    id: row['campaign_id'],
    organization_id: row['advertiser_id'],
    name: row['campaign_name'],
    goal: GOALS[row['objective_type'] as string],
    budget_amount: row['budget'],
    budget_period: row['budget_mode'] === 'BUDGET_MODE_DAY' ? 'DAILY' : 'LIFETIME',
    status: row['operation_status'] === 'ENABLE' ? 'ACTIVE' : 'PAUSED',
    created_at: `${(row['create_time'] as string).replace(' ', 'T')}Z`,
    updated_at: `${(row['modify_time'] as string).replace(' ', 'T')}Z`,
  }));
}

/** CPU µs of one call, as the mean of many. */
function cost(work: () => unknown): number {
  const before = process.cpuUsage();
  for (let repeat = 0; repeat < REPEATS; repeat += 1) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REPEATS;
}

const mapped = mapper();
const variants: Record<string, () => unknown> = {
  'unified mapper (compiled field tables)': mapper,
  'the same members by hand': byHand,
  'JSON.parse of the page': () => JSON.parse(text),
  'JSON.stringify of the unified page': () => JSON.stringify(mapped),
};
const noise = new Noise([]);
const costs = new Map(Object.keys(variants).map((name) => [name, [] as number[]]));
for (let round = 0; round < ROUNDS; round += 1)
  for (const [name, work] of Object.entries(variants)) costs.get(name)?.push(cost(work));

const of = (name: string) => spread(costs.get(name) as number[]);
const [mapping] = Object.keys(variants) as [string];
record({
  name: 'map',
  what: `Mapping ${rows.length} campaigns (page of ${(text.length / 1024).toFixed(1)} kB), CPU µs, min / median / max of ${ROUNDS} rounds`,
  noise: noise.share(),
  rows: Object.keys(variants).map((name) => ({ variant: name, 'CPU µs': shortSpread(of(name)) })),
  targets: [atMost('mapper of 50 campaigns (least of the rounds)', of(mapping).min, 'µs', 40)],
});
