import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boolean, enums, id, integer, money, number, refs, text, textList, time } from './codecs.ts';
import { compileFields, type FieldRule } from './fields.ts';

const rules: FieldRule[] = [
  { unified: 'id', native: 'thing_id', codec: id, access: 'read' },
  { unified: 'name', native: 'thing_name', codec: text({ max: 10 }), access: 'write', required: true },
  {
    unified: 'goal',
    native: 'objective',
    codec: enums({ REACH: 'REACH', OLD: 'REACH', CLICKS: 'WEBSITE_TRAFFIC' }),
    access: 'create',
  },
  { unified: 'budget_amount', native: 'budget', codec: money.decimal({ unset: 0 }), access: 'write' },
  { unified: 'targeting.geographic.countries', native: 'geo.ids', codec: refs, access: 'write' },
];
const fields = compileFields(rules);
const encode = (body: Record<string, unknown>, verb: 'create' | 'update' = 'create', ctx = {}) =>
  fields.encode(body, ctx, verb, 'Thing');

describe('field rules', () => {
  it('decode what is there, keep unknown enum text, and leave out what is not set', () => {
    expect(
      fields.decode({ thing_id: 12, thing_name: 'n', objective: 'NEW_ONE', budget: 0, geo: { ids: [] } }, {}),
    ).toEqual({ id: '12', name: 'n', goal: 'NEW_ONE' });
  });

  it('decode members below others, several into one and one into several', () => {
    const pair: FieldRule['codec'] = { name: 'pair', decode: (native) => ({ ...(native as object), none: null }) };
    const both = compileFields([
      { unified: 'deep.er.id', native: 'a.b.0.c', codec: id, access: 'read' },
      { unified: 'deep.name', native: 'a.name', codec: text(), access: 'read' },
      { unified: ['left', 'in.side', 'none'], native: ['left', 'in.side'], codec: pair, access: 'read' },
    ]);
    expect(both.decode({ a: { b: [{ c: 7 }], name: 'n' }, left: 1, in: { side: Number.NaN } }, {})).toEqual({
      deep: { er: { id: '7' }, name: 'n' },
      left: 1,
    });
    expect(both.decode({ a: 'text', in: null }, {})).toEqual({});
  });

  it('hold no names that would be more than members', () => {
    const rule = (unified: string, native: string) => [{ unified, native, codec: id, access: 'read' as const }];
    expect(() => compileFields(rule('__proto__.id', 'id'))).toThrow(/__proto__/);
    expect(() => compileFields(rule('id', 'a.__proto__'))).toThrow(/__proto__/);
    const odd = '"]; throw new Error("ran"); out["';
    expect(compileFields(rule('id', odd)).decode({ [odd]: 'x' }, {})).toEqual({ id: 'x' });
  });

  it('encode only what the caller sent', () => {
    expect(encode({ budget_amount: 5 }, 'update')).toEqual({ budget: 5 });
    expect(encode({ name: 'n', targeting: { geographic: { countries: [{ id: '1' }] } } })).toEqual({
      thing_name: 'n',
      geo: { ids: ['1'] },
    });
  });

  it('refuse by name what the platform does not take, with the list of what it does', () => {
    const refused = (body: Record<string, unknown>, verb: 'create' | 'update' = 'create') => {
      try {
        encode(body, verb);
      } catch (error) {
        return error as { code: string; details: Record<string, unknown> };
      }
      throw new Error('was not refused');
    };
    expect(refused({ name: 'n', labels: ['x'] })).toMatchObject({
      code: 'input_field_unsupported',
      details: { field: 'labels' },
    });
    expect(refused({ name: 'n', targeting: { geographic: { cities: [] } } })).toMatchObject({
      details: { field: 'targeting.geographic.cities' },
    });
    expect(refused({ goal: 'REACH' }, 'update')).toMatchObject({
      code: 'input_field_immutable',
      details: { field: 'goal' },
    });
    expect(refused({ name: 'n', goal: 'SALES' })).toMatchObject({
      code: 'input_value_unsupported',
      details: { allowed: ['REACH', 'WEBSITE_TRAFFIC'] },
    });
    expect(refused({ goal: 'REACH' })).toMatchObject({ code: 'input_field_required', details: { missing: ['name'] } });
    expect(refused({ name: 'much too long' })).toMatchObject({
      code: 'input_value_invalid',
      details: { field: 'name', max: 10 },
    });
  });
});

describe('codecs', () => {
  const roundTrip = (
    codec: { decode: (v: unknown, c: object) => unknown; encode?: (v: unknown, c: object) => unknown },
    ctx: object,
    value: unknown,
  ) => codec.decode(codec.encode?.(value, ctx), ctx);
  const currencies = { JPY: 0, USD: 2, KWD: 3 } as const;

  it.each(Object.entries(currencies))('money in %s goes both ways through every native unit', (currency, decimals) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 11 }), (units) => {
        const value = Number((units / 10 ** decimals).toFixed(decimals));
        for (const codec of [money.decimal(), money.minor(), money.micros(), money.micros({ as: 'string' })])
          expect(roundTrip(codec, { currency }, value)).toBe(value);
      }),
    );
  });

  it('refuses fractions that the currency does not have, instead of rounding', () => {
    expect(() => money.decimal().encode?.(10.5, { currency: 'JPY' })).toThrow(/more decimals than JPY/);
    expect(() => money.decimal().encode?.(10.001, { currency: 'USD' })).toThrow(/more decimals/);
    expect(money.decimal().encode?.(10.001, { currency: 'KWD' })).toBe(10.001);
    expect(() => money.decimal().encode?.(-1, { currency: 'USD' })).toThrow(/negative/);
  });

  it('instants, lists, numbers and texts go both ways', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000_000_000 }), (seconds) => {
        const iso = `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
        for (const codec of [time.utcText, time.epochSeconds, time.epochMs, time.iso])
          expect(Date.parse(roundTrip(codec, {}, iso) as string)).toBe(seconds * 1000);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (ids) => {
        const list = ids.map((one) => ({ id: one }));
        expect(roundTrip(refs, {}, list)).toEqual(list);
        expect(roundTrip(textList, {}, ids)).toEqual(ids);
      }),
    );
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), fc.string({ minLength: 1 }), (n, flag, string) => {
        expect(roundTrip(integer(), {}, n)).toBe(n);
        expect(roundTrip(number(), {}, n / 8)).toBe(n / 8);
        expect(roundTrip(boolean, {}, flag)).toBe(flag);
        expect(roundTrip(text(), {}, string)).toBe(string);
        expect(roundTrip(id, {}, string)).toBe(string);
      }),
    );
  });

  it('never throw while decoding, whatever the platform sends', () => {
    fc.assert(
      fc.property(fc.anything(), (native) => {
        for (const codec of [
          id,
          text(),
          number(),
          integer(),
          boolean,
          enums({}),
          money.decimal(),
          money.minor(),
          money.micros(),
          time.utcText,
          time.epochSeconds,
          time.epochMs,
          time.iso,
          refs,
          textList,
        ])
          codec.decode(native, { currency: 'USD' });
      }),
      { numRuns: 500 },
    );
  });
});
