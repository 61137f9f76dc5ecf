import { hash32 } from '../../kit/random.ts';
import { audienceMembers } from '../audience-members.ts';
import { audienceState, visibleAudience } from '../audiences.ts';
import { reads, textsOf, writes } from '../declared.ts';
import { INPUTS } from '../inputs-table.ts';
import { page } from '../paging.ts';
import { advertiserIdOf } from '../params.ts';
import { checkName, given, invalid, owned } from '../rules.ts';
import type { Call, Endpoint, Native } from '../types.ts';

/**
 * Saved audiences (yml dmp_saved_audience_*), and what is told of an audience: audience/insight/{info,overlap} (yml
 * audience_insight_overlap; the rest by an independent transcription; how ranges are written is unverified).
 */

const FIELDS = INPUTS['dmp/saved_audience/create']!.map(({ name }) => name).filter(
  (name) => name !== 'advertiser_id' && name !== 'saved_audience_id',
);

const MOST_SAVED = 100;

const saved = (call: Call) =>
  call.world.store.collection<Native>('saved_audiences', { advertiser: (row) => row.advertiser_id });

function create(call: Call): unknown {
  const { world, params } = call;
  checkName('saved_audience_name', params['saved_audience_name']);
  if (saved(call).by('advertiser', advertiserIdOf(call)).length >= MOST_SAVED) {
    invalid(`An advertiser can have up to ${MOST_SAVED} saved audiences.`);
  }
  if (given(params, 'device_model_ids') && given(params, 'device_price_ranges')) {
    invalid('device_model_ids: It cannot be set together with device_price_ranges.');
  }
  if ((textsOf(call, 'operating_systems') ?? []).length > 1) invalid('operating_systems: Only one value is allowed.');
  if ((params['location_ids'] as string[]).length === 0) invalid('location_ids: Shorter than minimum length 1.');
  for (const name of ['audience_ids', 'excluded_audience_ids']) {
    for (const id of textsOf(call, name) ?? []) visibleAudience(world, id, advertiserIdOf(call));
  }
  const row: Native = { id: world.nextId(), advertiser_id: advertiserIdOf(call), create_time: world.stamp(call.now) };
  for (const name of FIELDS) if (given(params, name)) row[name] = params[name];
  saved(call).put(row);
  return { saved_audience_id: row.id };
}

function list(call: Call): unknown {
  const ids = textsOf(call, 'saved_audience_ids');
  const rows = saved(call)
    .by('advertiser', advertiserIdOf(call))
    .filter((row) => !ids || ids.includes(row.id))
    .toReversed();
  const paged = page(rows, call, 100);
  return {
    saved_audiences: paged.list.map((row) => ({
      saved_audience_id: row.id,
      ...Object.fromEntries(FIELDS.map((name) => [name, row[name] ?? null])),
    })),
    page_info: paged.page_info,
  };
}

function remove(call: Call): unknown {
  const rows = (call.params['saved_audience_ids'] as string[]).map((id) =>
    owned(saved(call), 'saved audience', id, advertiserIdOf(call)),
  );
  for (const row of rows) saved(call).delete(row.id);
  return {};
}

const RANGES = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const rangeOf = (n: number): string => {
  const upper = RANGES.find((limit) => n < limit);
  if (upper === undefined) return `>=${RANGES.at(-1)}`;
  const lower = RANGES[RANGES.indexOf(upper) - 1] ?? 0;
  return `[${lower}, ${upper})`;
};

function overlap(call: Call): unknown {
  const { world, params } = call;
  const account = advertiserIdOf(call);
  const summary = (row: Native) => {
    const { cover_num } = audienceState(world, row);
    return {
      audience_id: row.id,
      audience_name: row['name'],
      audience_size: cover_num,
      targetable_users_count_range: rangeOf(cover_num),
    };
  };
  const benchmark = visibleAudience(world, params['benchmark_custom_audience_id'], account);
  const members = audienceMembers(world).of(benchmark.id);
  const comparison = (textsOf(call, 'comparison_custom_audience_ids') ?? []).map((id) => {
    const row = visibleAudience(world, id, account);
    const others = audienceMembers(world).of(row.id);
    const known = members.size > 0 && others.size > 0;
    const common = known ? [...members].filter((digest) => others.has(digest)).length : 0;
    const rate = known ? common / members.size : (hash32('overlap', benchmark.id, row.id) % 40) / 100;
    const tenth = Math.min(9, Math.floor(rate * 10)) * 10;
    return {
      ...summary(row),
      benchmark_overlap_rate: Number(rate.toFixed(4)),
      benchmark_overlap_rate_range: `[${tenth}%, ${tenth + 10}%)`,
      benchmark_overlap_count_range: rangeOf(Math.round(rate * audienceState(world, benchmark).cover_num)),
    };
  });
  return { benchmark_audience: summary(benchmark), comparison_audiences: comparison };
}

const DIMENSIONS: Readonly<Record<string, readonly string[]>> = {
  age: ['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_100'],
  gender: ['GENDER_FEMALE', 'GENDER_MALE'],
  country: ['US', 'GB', 'DE', 'JP'],
  operating_system: ['ANDROID', 'IOS'],
};

function insight(call: Call): unknown {
  const id = call.params['custom_audience_id'];
  const row = typeof id === 'string' ? visibleAudience(call.world, id, advertiserIdOf(call)) : undefined;
  const wanted = textsOf(call, 'dimensions')?.map((name) => name.toLowerCase());
  const names = Object.keys(DIMENSIONS).filter((name) => !wanted || wanted.includes(name));
  return Object.fromEntries(
    names.map((name) => {
      const weights = DIMENSIONS[name]!.map((value) => 1 + (hash32('insight', row?.id ?? '', name, value) % 100));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const shares = DIMENSIONS[name]!.map((value, i) => [value, Number((weights[i]! / total).toFixed(4))]);
      return [name, Object.fromEntries(shares)];
    }),
  );
}

/** Saved audiences and audience insights. */
export const endpoints: Endpoint[] = [
  writes('dmp/saved_audience/create', create),
  reads('dmp/saved_audience/list', list),
  writes('dmp/saved_audience/delete', remove),
  reads('audience/insight/overlap', overlap, { scopes: ['30'] }),
  writes('audience/insight/info', insight, { scopes: ['30'], write: false }),
];
