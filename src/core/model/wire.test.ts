import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isZonedDateTime, toWire, wireObject } from './index.ts';

/** Every value in a tree that is not inside a `raw` object, with its key. */
function* outsideRaw(value: unknown, key = ''): Generator<[string, unknown]> {
  yield [key, value];
  if (Array.isArray(value)) for (const item of value) yield* outsideRaw(item, key);
  else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) if (name !== 'raw') yield* outsideRaw(member, name);
}

const key = fc.constantFrom('id', 'org_id', 'creative_ids', 'start_at', 'name', 'value', 'raw', 'targeting');
const { tree } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string(),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.date(),
    fc.constant('2026-01-31 16:00:00'),
  ),
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

describe('toWire', () => {
  it('leaves out null and undefined on every level', () => {
    expect(toWire({ a: null, b: undefined, c: { d: null, e: [null, 1, undefined, { f: null }] } })).toEqual({
      c: { e: [1, {}] },
    });
  });

  it('keeps raw as the platform sent it', () => {
    const raw = { id: 7, deleted_at: null, list: [null, { a: null }], when_at: 'soon', text: '2026-01-31 16:00:00' };
    expect(toWire({ id: 7, raw })).toEqual({ id: '7', raw });
    expect(toWire({ raw: { a: undefined, n: 12n, big: 2n ** 70n } })).toEqual({
      raw: { n: 12, big: '1180591620717411303424' },
    });
    expect(toWire({ raw: null, promoted: [{ raw: 'text' }, { raw: [1] }] })).toEqual({ promoted: [{}, {}] });
  });

  it('writes instants with a zone', () => {
    expect(
      toWire({
        created_at: new Date('2026-01-31T16:00:00.000Z'),
        updated_at: '2026-01-31 16:00:00',
        start_at: '2026-01-31T16:00+0200',
        end_at: 'never',
        last_healthy_at: new Date('x'),
        tested_at: 1767225600,
      }),
    ).toEqual({
      created_at: '2026-01-31T16:00:00Z',
      updated_at: '2026-01-31T16:00:00Z',
      start_at: '2026-01-31T16:00+0200',
    });
  });

  it('writes ids as text, digit by digit', () => {
    expect(toWire({ id: 1e21, campaign_id: 9007199254740993n, creative_ids: [1, 2n, 'c'], value: 3, grid: 4 })).toEqual(
      {
        id: '1000000000000000000000',
        campaign_id: '9007199254740993',
        creative_ids: ['1', '2', 'c'],
        value: 3,
        grid: 4,
      },
    );
  });

  it('drops numbers that JSON does not have', () => {
    expect(toWire({ a: Number.NaN, b: [Number.NEGATIVE_INFINITY, 1] })).toEqual({ b: [1] });
  });

  it('does not let a member replace the prototype', () => {
    const wire = wireObject(JSON.parse('{"raw":{"__proto__":{"polluted":true}}}') as { raw: object });
    expect(Object.getPrototypeOf(wire.raw)).toBe(Object.prototype);
    expect(JSON.stringify(wire)).toBe('{"raw":{"__proto__":{"polluted":true}}}');
  });

  it('makes every tree fit the wire, and does nothing the second time', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const wire = toWire({ value });
        for (const [name, member] of outsideRaw(wire)) {
          expect(member).not.toBeNull();
          expect(member).not.toBeUndefined();
          if (typeof member === 'number') expect(Number.isFinite(member)).toBe(true);
          if (name === 'id' || name.endsWith('_id') || name.endsWith('_ids')) expect(typeof member).not.toBe('number');
          if (name.endsWith('_at') && typeof member !== 'object') expect(isZonedDateTime(String(member))).toBe(true);
        }
        expect(toWire(wire)).toEqual(wire);
        expect(() => JSON.stringify(wire)).not.toThrow();
      }),
    );
  });
});
