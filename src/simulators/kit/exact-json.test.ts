import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseExact, stringifyExact } from './exact-json.ts';

it('keeps integers of any size, and everything else as JSON does', () => {
  fc.assert(fc.property(fc.bigInt(), (n) => stringifyExact(parseExact(`{"id":${n}}`)) === `{"id":${n}}`));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => stringifyExact(parseExact(JSON.stringify(value))) === JSON.stringify(value)),
  );
  expect(() => parseExact('{')).toThrow(SyntaxError);
});
