import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolyadError } from '../errors/index.ts';
import {
  type AdsCampaign,
  type AdsReport,
  enumValuesAt,
  fieldTable,
  InvalidFieldError,
  OBJECT_NAMES,
  OBJECTS,
  type ObjectName,
  parseFields,
  selectFields,
  unknownFields,
} from './index.ts';

const campaign: AdsCampaign = {
  id: '1',
  name: 'Spring',
  budget_amount: 12.5,
  targeting: {
    demographic: { age_min: 18, male: true },
    geographic: { countries: [{ id: 'JP', name: 'Japan' }], cities: [{ id: 'c', name: 'Kyoto', radius: 5 }] },
  },
  raw: { campaign_id: '1', nested: { a: null, b: 2 }, list: [{ x: 1, y: 2 }] },
};

function select(object: ObjectName, value: object, fields?: string | string[]): unknown {
  return selectFields(object, value, parseFields(object, fields));
}

describe('parseFields', () => {
  it('takes repeated and comma-joined names alike', () => {
    const asked = ['id', 'name', 'targeting.geographic', 'raw'];
    expect(parseFields('campaign', 'id,name , targeting.geographic,,raw')?.paths).toEqual(asked);
    expect(parseFields('campaign', ['id', 'name', 'id', 'targeting.geographic,raw'])?.paths).toEqual(asked);
  });

  it('takes nothing, and nothing but commas, as no selection', () => {
    for (const value of [undefined, '', ' , ', [], ['']]) expect(parseFields('campaign', value)).toBeUndefined();
  });

  it.each([
    ['budget', 'name'],
    ['Name', 'name'],
    ['targeting.geo', 'targeting.geographic'],
    ['name.first', undefined],
    ['targeting.', 'targeting.geographic'],
    ['__proto__', 'name'],
    ['constructor', 'name'],
  ])('refuses %s and says what there is', (field, allowed) => {
    const refuse = (): unknown => parseFields('campaign', `id,${field}`);
    expect(refuse).toThrow(InvalidFieldError);
    try {
      refuse();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(PolyadError);
      expect((thrown as InvalidFieldError).code).toBe('input_field_unknown');
      expect((thrown as InvalidFieldError).field).toBe(field);
      if (allowed) expect((thrown as InvalidFieldError).allowed).toContain(allowed);
    }
  });

  it('tells whether a field is wanted, for fields that cost calls', () => {
    const selection = parseFields('campaign', 'targeting.geographic.countries,raw.x')!;
    expect(
      ['targeting', 'targeting.geographic', 'targeting.geographic.countries.id', 'raw'].map(selection.wants),
    ).toEqual([true, true, true, true]);
    expect(['name', 'targeting.device', 'targeting.geo'].map(selection.wants)).toEqual([false, false, false]);
  });

  it('knows every documented field of every object', () => {
    for (const object of OBJECT_NAMES)
      for (const { path } of fieldTable(object))
        expect(parseFields(object, path)?.paths, `${object} ${path}`).toEqual([path]);
  });
});

describe('selectFields', () => {
  it('gives everything but raw when nothing is asked', () => {
    const { raw, ...rest } = campaign;
    expect(select('campaign', campaign)).toEqual(rest);
    expect(raw).toBeDefined();
  });

  it('gives what is asked, and the id', () => {
    expect(select('campaign', campaign, 'name')).toEqual({ id: '1', name: 'Spring' });
    expect(select('campaign', campaign, 'targeting.demographic.age_min')).toEqual({
      id: '1',
      targeting: { demographic: { age_min: 18 } },
    });
    expect(select('campaign', campaign, 'goal')).toEqual({ id: '1' });
  });

  it('gives raw whole or by native path, nulls included', () => {
    expect(select('campaign', campaign, 'raw')).toEqual({ id: '1', raw: campaign.raw });
    expect(select('campaign', campaign, 'raw.nested.a')).toEqual({ id: '1', raw: { nested: { a: null } } });
    expect(select('campaign', campaign, 'raw.list.x,raw.none')).toEqual({ id: '1', raw: { list: [{ x: 1 }] } });
    expect(select('campaign', campaign, 'raw.list.x,raw')).toEqual({ id: '1', raw: campaign.raw });
  });

  it('keeps what clients require of objects that are kept in part', () => {
    expect(select('campaign', campaign, 'targeting.geographic.cities.radius')).toEqual({
      id: '1',
      targeting: { geographic: { cities: [{ id: 'c', radius: 5 }] } },
    });
    const group = { id: 'g', bid_strategy: { type: 'FIXED_BID', fixed_bid_amount: 2, target_roas: 1 }, name: 'n' };
    expect(select('group', group, 'bid_strategy.fixed_bid_amount')).toEqual({
      id: 'g',
      bid_strategy: { type: 'FIXED_BID', fixed_bid_amount: 2 },
    });
    expect(select('promoted', { id: 'p', type: 'APP_ID', name: 'n' }, 'name')).toEqual({
      id: 'p',
      type: 'APP_ID',
      name: 'n',
    });
  });

  it('leaves out the native objects of inner objects unless asked for by path', () => {
    const report: AdsReport = {
      id: 'r',
      metrics: [{ type: 'CLICKS', value: 3, campaign: { id: '1', name: 'n', raw: { a: 1 } } }],
      raw: { b: 2 },
    };
    const clean = [{ type: 'CLICKS', value: 3, campaign: { id: '1', name: 'n' } }];
    expect(select('report', report)).toEqual({ id: 'r', metrics: clean });
    expect(select('report', report, 'metrics')).toEqual({ id: 'r', metrics: clean });
    expect(select('report', report, 'metrics.value')).toEqual({ id: 'r', metrics: [{ value: 3 }] });
    expect(select('report', report, ['metrics.campaign.raw', 'raw'])).toEqual({
      id: 'r',
      metrics: [{ campaign: { raw: { a: 1 } } }],
      raw: { b: 2 },
    });
  });

  it('never changes what it is given', () => {
    const before = structuredClone(campaign);
    select('campaign', campaign, 'raw.nested.b,targeting.geographic.cities');
    select('campaign', campaign);
    expect(campaign).toEqual(before);
  });

  it('gives a part of the object, whatever is asked, and asking for more never gives less', () => {
    const paths = fieldTable('campaign').map((row) => row.path);
    fc.assert(
      fc.property(
        fc.subarray(paths, { minLength: 1 }),
        fc.constantFrom(...paths, 'raw.nested', 'raw'),
        (asked, more) => {
          const small = select('campaign', campaign, asked) as object;
          const large = select('campaign', campaign, [...asked, more]) as object;
          expect(campaign).toMatchObject(small);
          expect(large).toMatchObject(small);
          expect(small).toHaveProperty('id', '1');
          expect(Object.hasOwn(small, 'raw')).toBe(asked.includes('raw'));
        },
      ),
    );
  });
});

describe('unknownFields', () => {
  it('names members that the object does not have, on every level', () => {
    expect(
      unknownFields('campaign', {
        name: 'x',
        nam: 1,
        targeting: { geographic: { cities: [{ id: '1', idd: 2 }] }, x: 1 },
      }),
    ).toEqual(['nam', 'targeting.geographic.cities.idd', 'targeting.x']);
  });

  it('allows everything in raw, and every field there is', () => {
    expect(unknownFields('campaign', { raw: { anything: { at: ['all'] } } })).toEqual([]);
    for (const object of OBJECT_NAMES)
      expect(
        unknownFields(object, Object.fromEntries(Object.keys(OBJECTS[object].schema.shape).map((key) => [key, 1]))),
      ).toEqual([]);
  });

  it('does not take inherited names for fields', () => {
    expect(unknownFields('campaign', JSON.parse('{"__proto__":1,"toString":2}'))).toEqual(['__proto__', 'toString']);
  });
});

describe('fieldTable and enumValuesAt', () => {
  it('lists fields with kind, values and a description each', () => {
    for (const object of OBJECT_NAMES)
      for (const row of fieldTable(object)) expect(row.description, `${object} ${row.path}`).toMatch(/\w.*\.$/);
    expect(fieldTable('campaign').find((row) => row.path === 'goal')?.values).toContain('SALES');
    expect(fieldTable('group').find((row) => row.path === 'targeting.geographic.cities.id')).toMatchObject({
      type: 'string',
      required: true,
    });
    expect(fieldTable('report').some((row) => row.path.startsWith('metrics.campaign.'))).toBe(false);
  });

  it('gives the known values of an enum at any depth', () => {
    expect(enumValuesAt('campaign', 'budget_period')).toEqual(['DAILY', 'MONTHLY', 'TOTAL', 'LIFETIME']);
    expect(enumValuesAt('campaign', 'targeting.schedule.day_of_week')).toHaveLength(7);
    expect(enumValuesAt('campaign', 'targeting.geographic.location_types')).toEqual(['HOME', 'RECENT', 'TRAVEL']);
    expect(enumValuesAt('campaign', 'name')).toBeUndefined();
    expect(() => enumValuesAt('campaign', 'nope')).toThrow(InvalidFieldError);
  });
});
