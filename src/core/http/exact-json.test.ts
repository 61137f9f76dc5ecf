import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactJson } from './exact-json.ts';

describe('exact JSON', () => {
  it('keeps integers beyond 2^53 as text, wherever they stand', () => {
    expect(
      parseExactJson('{"a":7124755995554133667,"b":[7043626160646818562, 5],"c":{"d": -9007199254740993 }}'),
    ).toEqual({
      a: '7124755995554133667',
      b: ['7043626160646818562', 5],
      c: { d: '-9007199254740993' },
    });
  });

  it('finds them at every place of a text, behind shorter and longer numbers', () => {
    for (let shift = 0; shift < 40; shift += 1) {
      const before = 'x'.repeat(shift);
      const text = `{"t":"${before}1234567890123456789","s":123456789012345,"id" :\n 1800000000000000001 ,"z":[1]}`;
      expect(parseExactJson(text)).toEqual({
        t: `${before}1234567890123456789`,
        s: 123456789012345,
        id: '1800000000000000001',
        z: [1],
      });
      expect(parseExactJson(`["${before}",-9007199254740993]`)).toEqual([before, '-9007199254740993']);
    }
  });

  it('leaves everything else as JSON.parse has it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!/[:[,]-?\d{16,}[,}\]]/.test(text));
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
    );
    expect(parseExactJson('{"text":"a:7124755995554133667,","n":1e30,"f":1234567890123456.5}')).toEqual({
      text: 'a:7124755995554133667,',
      n: 1e30,
      f: 1234567890123456.5,
    });
  });

  it('throws on what is not JSON', () => {
    expect(() => parseExactJson('{"a":')).toThrow(SyntaxError);
  });
});
