import { describe, expect, it } from 'vitest';
import { type Param, TikTokError } from './types.ts';
import { decodeText, validateParams } from './validate.ts';

/** The message with which `params` are refused; undefined if they pass. */
function refusal(params: Record<string, unknown>, specs: readonly Param[]): string | undefined {
  try {
    validateParams(params, specs);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(TikTokError);
    expect((error as TikTokError).code).toBe(40002);
    return (error as TikTokError).message;
  }
}

const one = (spec: Partial<Param>): Param[] => [{ name: 'x', type: 'string', ...spec }];

describe('validateParams', () => {
  it('names all members that are missing; null is missing', () => {
    const specs: Param[] = [
      { name: 'a', type: 'string', required: true },
      { name: 'b', type: 'string', required: true },
      { name: 'c', type: 'string' },
    ];
    expect(refusal({ b: null }, specs)).toBe('Missing required field(s): a, b.');
    expect(refusal({ a: '', b: '1', c: null }, specs)).toBeUndefined();
  });

  it.each<[Partial<Param>, unknown, string | undefined]>([
    [{}, 1, 'x: Not a valid string'],
    [{ type: 'integer' }, '1', 'x: Not a valid integer'],
    [{ type: 'integer' }, 1.5, 'x: Not a valid integer'],
    [{ type: 'number' }, 1.5, undefined],
    [{ type: 'number' }, Number.NaN, 'x: Not a valid number'],
    [{ type: 'boolean' }, 'true', 'x: Not a valid boolean'],
    [{ type: 'array' }, {}, 'x: Not a valid list'],
    [{ type: 'object' }, [], 'x: Not a valid object'],
    [{ min: 2 }, 'a', 'x: Shorter than minimum length 2.'],
    [{ max: 2 }, 'abc', 'x: Longer than maximum length 2.'],
    [{ max: 2 }, '😀😀', undefined],
    [{ type: 'number', min: 0.01 }, 0, 'x: Must be greater than or equal to 0.01.'],
    [{ type: 'number', max: 1000 }, 1001, 'x: Must be less than or equal to 1000.'],
    [{ type: 'array', max: 1 }, [1, 2], 'x: Longer than maximum length 1.'],
    [{ numeric: true }, '9223372036854775807', undefined],
    [{ numeric: true }, '9223372036854775808', 'x: Not a valid integer.'],
    [{ numeric: true }, '12a', 'x: Not a valid integer.'],
  ])('%j with %j: %s', (spec, value, message) => {
    expect(refusal({ x: value }, one(spec))).toBe(message);
  });

  it('lists the values of an enum', () => {
    const message = refusal({ x: 'C' }, one({ enum: ['A', 'B'] }));
    expect(message).toBe('x: Invalid value: C. It should be one of [A, B].');
  });

  it('names the path of nested members', () => {
    const specs = one({
      type: 'array',
      items: { type: 'object', fields: [{ name: 'id', type: 'string', required: true }] },
    });
    expect(refusal({ x: [{ id: 'a' }, { id: 1 }] }, specs)).toBe('x.1.id: Not a valid string');
    expect(refusal({ x: [{}] }, specs)).toBe('Missing required field(s): x.0.id.');
  });

  it('lets undeclared members pass', () => {
    expect(refusal({ y: 1 }, one({}))).toBeUndefined();
  });
});

describe('decodeText', () => {
  const specs: Param[] = [
    { name: 'list', type: 'array' },
    { name: 'filter', type: 'object' },
    { name: 'n', type: 'integer' },
    { name: 'flag', type: 'boolean' },
    { name: 'id', type: 'string' },
  ];

  it('reads JSON documents, numbers and booleans by declaration, and leaves the rest', () => {
    const text = { list: '["1"]', filter: '{"a":1}', n: '-3', flag: 'TRUE', id: '007', other: '[1]' };
    expect(decodeText(text, specs)).toEqual({
      list: ['1'],
      filter: { a: 1 },
      n: -3,
      flag: true,
      id: '007',
      other: '[1]',
    });
  });

  it('leaves what is not in the declared form for the validation to name', () => {
    const decoded = decodeText({ n: 'three', flag: 'yes' }, specs);
    expect(refusal(decoded, specs)).toBe('n: Not a valid integer');
  });

  it('refuses lists that are no JSON document', () => {
    expect(() => decodeText({ list: '1,2' }, specs)).toThrow('list: Not a valid list');
  });
});
