import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFields } from '../../core/connector/fields.ts';
import type { Native } from '../../core/connector/types.ts';
import { ages, agesOf } from './ages.ts';
import { dayparting } from './dayparting.ts';
import type { Place, PlaceKind } from './places.ts';
import { mergeActions, PLACES, targetingFields } from './targeting.ts';

const DAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'];
const compiled = compileFields(targetingFields);

/** Ids by kind, as the look-up would have them: the first digit tells. */
const KIND: Record<string, PlaceKind> = { '1': 'countries', '2': 'regions', '3': 'cities', '4': 'us_dmas' };
const place = (id: string): Place => ({
  id,
  kind: KIND[id[0] as string] as PlaceKind,
  name: id,
  code: undefined,
  parentId: undefined,
  row: {},
});
const encode = (targeting: unknown): Native => compiled.encode({ targeting }, {}, 'create', 'TikTok adgroup');
const decode = (native: Native): Native => {
  const known = new Map((native['location_ids'] as string[] | undefined)?.map((id) => [id, place(id)]));
  const row = { ...native, [PLACES]: known };
  return (compiled.decode(row, { row })['targeting'] ?? {}) as Native;
};

const refs = (first: string) =>
  fc
    .uniqueArray(fc.integer({ min: 100, max: 99_999 }), { minLength: 1, maxLength: 5 })
    .map((ids) => ids.map((id) => ({ id: `${first}${id}` })));
const optional = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
/** Members that are undefined left out, and objects without members too. */
const tidy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(tidy);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value)
    .map(([name, member]) => [name, tidy(member)] as const)
    .filter(
      ([, member]) =>
        member !== undefined &&
        (Array.isArray(member) || typeof member !== 'object' || Object.keys(member as object).length > 0),
    );
  return Object.fromEntries(members);
};

const schedule = fc
  .array(fc.boolean(), { minLength: 336, maxLength: 336 })
  .map((slots) => slots.map((on) => (on ? '1' : '0')).join(''))
  .filter((text) => text.includes('1') && text.includes('0'));

const targeting = fc.record({
  geographic: fc.record({
    countries: optional(refs('1')),
    regions: optional(refs('2')),
    cities: optional(refs('3')),
    us_dmas: optional(refs('4')),
    postal_codes: optional(refs('9')),
  }),
  demographic: fc.oneof(
    fc.constant({}),
    fc
      .record({
        from: fc.constantFrom(0, 1, 2, 3, 4, 5),
        to: fc.constantFrom(0, 1, 2, 3, 4, 5),
        sex: fc.constantFrom([true, true], [true, false], [false, true]),
      })
      .filter(({ from, to }) => from <= to)
      .map(({ from, to, sex }) => ({
        age_min: [13, 18, 25, 35, 45, 55][from],
        age_max: [17, 24, 34, 44, 54, 100][to],
        male: sex[0],
        female: sex[1],
      })),
  ),
  language: optional(fc.constantFrom([{ id: 'en' }], [{ id: 'ja' }, { id: 'de' }])),
  audience: fc.record({
    interests: optional(refs('5')),
    custom_audiences: optional(refs('6')),
    excluded_custom_audiences: optional(refs('7')),
  }),
  device: fc.record({
    user_device: optional(refs('8')),
    carriers: optional(refs('8')),
    user_os: optional(
      fc.constantFrom([{ id: 'IOS' }], [{ id: 'ANDROID_9.0' }], [{ id: 'ANDROID' }, { id: 'IOS_14.5' }]),
    ),
  }),
  placement: fc.record({ platforms: fc.constantFrom(['PLACEMENT_TIKTOK'], ['PLACEMENT_TIKTOK', 'PLACEMENT_PANGLE']) }),
  optimization: fc.record({ advantage_placements: fc.constant(false), advantage_audience: optional(fc.boolean()) }),
  brand_safety: fc.oneof(
    fc.constant({}),
    fc.record({ publisher_visibility_categories: fc.constantFrom(['limited'], ['standard'], ['expanded']) }),
    fc.record({ brand_safety_content_filter_levels: fc.constantFrom(['NO_BRAND_SAFETY'], ['THIRD_PARTY']) }),
  ),
  schedule: optional(schedule.map((text) => dayparting.decode(text, {}))),
});

describe('targeting', () => {
  it('reads back as it was written, whatever it is', () => {
    fc.assert(
      fc.property(targeting, (written) => {
        const wanted = tidy(written);
        expect(decode(encode(wanted))).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out what is not set, as TikTok writes it', () => {
    expect(
      decode({
        location_ids: [],
        zipcode_ids: null,
        age_groups: null,
        gender: null,
        languages: [],
        interest_category_ids: [],
        actions: [],
        audience_ids: [],
        operating_systems: [],
        min_android_version: null,
        device_model_ids: null,
        placements: null,
        brand_safety_type: null,
        dayparting: null,
      }),
    ).toEqual({});
  });

  it('puts places of unknown kind among the regions, so that none is lost', () => {
    const row = { location_ids: ['77', '88'] };
    expect(compiled.decode(row, { row })).toEqual({
      targeting: { geographic: { regions: [{ id: '77' }, { id: '88' }] } },
    });
  });

  it.each([
    ['geographic.excluded_regions', { geographic: { excluded_regions: [{ id: '1' }] } }],
    ['geographic.presence_type', { geographic: { presence_type: 'PRESENCE' } }],
    ['content.keywords', { content: { keywords: [{ text: 'a' }] } }],
    ['audience.lookalike_audiences', { audience: { lookalike_audiences: [{ id: '1' }] } }],
    ['audience.excluded_interests', { audience: { excluded_interests: [{ id: '1' }] } }],
    ['device.types', { device: { types: [{ id: 'MOBILE' }] } }],
    ['placement.facebook_positions', { placement: { facebook_positions: ['feed'] } }],
    ['optimization.mode', { optimization: { mode: 'OBSERVATION' } }],
    ['brand_safety.block_list_ids', { brand_safety: { block_list_ids: ['1'] } }],
  ])('refuses %s by name', (path, given) => {
    expect(() => encode(given)).toThrow(
      expect.objectContaining({
        code: 'input_field_unsupported',
        details: expect.objectContaining({ field: `targeting.${path}` }),
      }) as Error,
    );
  });

  it.each([
    [{ demographic: { male: false, female: false } }],
    [{ placement: { platforms: ['PLACEMENT_FACEBOOK'] } }],
    [{ placement: { platforms: [] } }],
    [{ placement: { platforms: ['PLACEMENT_TIKTOK'] }, optimization: { advantage_placements: true } }],
    [{ device: { user_os: [{ id: 'WINDOWS' }] } }],
    [{ device: { user_os: [{ id: 'IOS' }, { id: 'IOS_14.0' }] } }],
    [{ brand_safety: { publisher_visibility_categories: ['limited', 'standard'] } }],
    [{ geographic: { cities: [{ id: '31', radius: 10, radius_unit: 'MILES' }] } }],
  ])('refuses %j', (given) => {
    expect(() => encode(given)).toThrow(expect.objectContaining({ code: 'input_value_invalid' }) as Error);
  });
});

describe('ages', () => {
  it('take only the borders of TikTok’s groups, and stand for every group between', () => {
    const of = (age_min: unknown, age_max: unknown) =>
      ages.encode?.({ 'targeting.demographic.age_min': age_min, 'targeting.demographic.age_max': age_max }, {});
    expect(of(25, 44)).toEqual(['AGE_25_34', 'AGE_35_44']);
    expect(of(55, undefined)).toEqual(['AGE_55_100']);
    expect(of(undefined, 17)).toEqual(['AGE_13_17']);
    for (const [min, max] of [
      [21, undefined],
      [undefined, 65],
      [35, 24],
      ['18', 24],
    ])
      expect(() => of(min, max)).toThrow(expect.objectContaining({ code: 'input_value_invalid' }) as Error);
  });

  it('are not read from groups with a gap, or groups nobody knows', () => {
    expect(agesOf(['AGE_13_17', 'AGE_35_44'])).toBeUndefined();
    expect(agesOf(['AGE_18_24', 'AGE_1_2'])).toBeUndefined();
    expect(agesOf(['AGE_18_24 ', 'AGE_25_34'])).toEqual({ min: 18, max: 34 });
  });
});

describe('dayparting', () => {
  it('is the same half hours both ways', () => {
    fc.assert(
      fc.property(schedule, (text) => {
        expect(dayparting.encode?.(dayparting.decode(text, {}), {})).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  it('starts on Monday at midnight', () => {
    const text = dayparting.encode?.(
      [{ day_of_week: 'MONDAY', start_hour: 0, end_hour: 1, end_minute: 30 }],
      {},
    ) as string;
    expect(text).toHaveLength(336);
    expect(text.indexOf('1')).toBe(0);
    expect(text.lastIndexOf('1')).toBe(2);
    const sunday = dayparting.encode?.(
      [{ day_of_week: 'SUNDAY', start_hour: 23, start_minute: 30, end_hour: 24 }],
      {},
    ) as string;
    expect(sunday.indexOf('1')).toBe(335);
  });

  it('joins spans that touch or overlap', () => {
    const spans = [
      { day_of_week: 'FRIDAY', start_hour: 8, end_hour: 12 },
      { day_of_week: 'FRIDAY', start_hour: 10, end_hour: 14, end_minute: 30 },
    ];
    expect(dayparting.decode(dayparting.encode?.(spans, {}), {})).toEqual([
      { day_of_week: 'FRIDAY', start_hour: 8, end_hour: 14, end_minute: 30 },
    ]);
  });

  it('reads all hours, no hours and anything odd as no schedule', () => {
    for (const text of ['1'.repeat(336), '0'.repeat(336), '', '101', null, 5])
      expect(dayparting.decode(text, {})).toBeUndefined();
    expect(dayparting.encode?.([], {})).toBe('1'.repeat(336));
  });

  it.each([
    [{ day_of_week: 'MONDAY', start_hour: 9, start_minute: 15, end_hour: 10 }],
    [{ day_of_week: 'MONDAY', start_hour: 22, end_hour: 2 }],
    [{ day_of_week: 'MONDAY', start_hour: 9, end_hour: 25 }],
    [{ day_of_week: 'MONDAY', start_hour: 9, end_hour: 24, end_minute: 30 }],
    [{ day_of_week: 'SOMEDAY', start_hour: 9, end_hour: 10 }],
    [{ day_of_week: 'MONDAY', start_hour: 9, end_hour: 10, bid_modifier: 1.2 }],
    [{ day_of_week: 'MONDAY', end_hour: 10 }],
  ])('refuses %j', (span) => {
    expect(() => dayparting.encode?.([span], { field: 'targeting.schedule' })).toThrow(
      expect.objectContaining({ code: 'input_value_invalid' }) as Error,
    );
  });

  it('knows the days by their order', () => {
    for (const [index, day_of_week] of DAYS.entries()) {
      const text = dayparting.encode?.([{ day_of_week, start_hour: 0, end_hour: 1 }], {}) as string;
      expect(text.indexOf('1')).toBe(index * 48);
    }
  });
});

describe('behaviours', () => {
  const action = (scene: string, ids: string[], period = 15, did = ['LIKED']) => ({
    action_scene: scene,
    action_period: period,
    video_user_actions: did,
    action_category_ids: ids,
  });

  it('keep period and interactions of categories that stay', () => {
    const current = [action('VIDEO_RELATED', ['1', '2'], 7, ['SHARED'])];
    const wanted = [action('VIDEO_RELATED', ['2', '3'])];
    expect(mergeActions(wanted, current)).toEqual([
      action('VIDEO_RELATED', ['2'], 7, ['SHARED']),
      action('VIDEO_RELATED', ['3']),
    ]);
    expect(mergeActions([], current)).toEqual([]);
    expect(mergeActions(wanted, null)).toEqual(wanted);
  });
});
