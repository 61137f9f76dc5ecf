import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseExact, stringifyExact } from './exact-json.ts';

it('keeps integers of any size, and everything else as JSON does', () => {
  fc.assert(fc.property(fc.bigInt(), (n) => stringifyExact(parseExact(`{"id":${n}}`)) === `{"id":${n}}`));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => stringifyExact(parseExact(JSON.stringify(value))) === JSON.stringify(value)),
  );
  fc.assert(
    fc.property(fc.array(fc.bigInt()), fc.constantFrom(',', ' ,\n '), (ids, comma) => {
      expect(parseExact(`{ "ids" : [${ids.join(comma)}] }`)).toEqual({
        ids: ids.map((id) => (Number.isSafeInteger(Number(id)) ? Number(id) : id)),
      });
    }),
  );
  expect(parseExact('9007199254740993')).toBe(9007199254740993n);
  expect(() => parseExact('{')).toThrow(SyntaxError);
});
