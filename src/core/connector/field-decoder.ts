/**
 * Field rules made into one function that decodes a row. The function is written out as source, member by member, and
 * compiled once: a loop over the rules reads and sets every member by a name that it does not know beforehand, which costs
 * several times as much (`npm run bench:map`, decision 17).
 *
 * The source holds names from the platforms' tables, as JSON, and nothing that comes from outside.
 */
import { wireMember } from '../model/wire.ts';
import type { Codec, CodecContext } from './codecs.ts';
import type { FieldRule } from './fields.ts';
import type { Native, Unified } from './types.ts';

/** The unified members of a native row, in the form that they have on the wire. */
export type Decoder = (row: Native, ctx: CodecContext) => Unified;

type Fit = (value: unknown) => unknown;

/** Read and make what is below the first level. */
const HELPERS = `'use strict';
const member = (value, key) => (value !== null && typeof value === 'object' ? value[key] : undefined);
const inside = (object, key) => {
  const next = object[key];
  return next !== null && typeof next === 'object' ? next : (object[key] = {});
};`;

/** What the compiled source is given beside row and context. */
interface Tools {
  codecs: Codec[];
  fits: Fit[];
}

/** The paths that a side of a rule names: one or several. */
export const list = (paths: string | readonly string[]): readonly string[] =>
  typeof paths === 'string' ? [paths] : paths;

/** A name as it stands in the source. `__proto__` would not be a member of an object but its prototype. */
function quoted(name: string): string {
  if (name === '__proto__') throw new Error('a field cannot be called __proto__');
  return JSON.stringify(name);
}

/** An expression that is the member of the row at `path`. */
function read(path: string): string {
  const [first, ...below] = path.split('.').map(quoted);
  return below.reduce((value, key) => `member(${value}, ${key})`, `row[${first}]`);
}

/** The place that `path` names in the unified object; objects on the way are made. */
function place(path: string): string {
  const keys = path.split('.').map(quoted);
  const last = keys.pop();
  return `${keys.reduce((object, key) => `inside(${object}, ${key})`, 'out')}[${last}]`;
}

/** Statements that put the expression `value`, which is neither null nor undefined, at `path` of the unified object. */
function write(path: string, value: string, codec: Codec, tools: Tools): string {
  const set = (what: string): string => `${place(path)} = ${what};`;
  const { length } = tools.fits;
  // An instant that its codec made is on the wire as it is; so is text, unless a member's name says that it is an instant.
  if (codec.instant === true && !path.includes('.')) return set(value);
  tools.fits.push(wireMember(path.slice(path.lastIndexOf('.') + 1)));
  const fit = `{ const fit = fit${length}(${value}); if (fit !== undefined) ${set('fit')} }`;
  return path.endsWith('_at') || path.endsWith('raw')
    ? fit
    : `if (typeof ${value} === 'string') ${set(value)} else ${fit}`;
}

/** The statements of one rule. */
function statements({ unified, native, codec }: FieldRule, tools: Tools): string {
  const sources = list(native);
  const targets = list(unified);
  const several = sources.length > 1;
  const input = several
    ? `{ ${sources.map((path) => `${quoted(path)}: ${read(path)}`).join(', ')} }`
    : read(sources[0] as string);
  const decode = `codec${tools.codecs.push(codec) - 1}.decode(input, ctx)`;
  const store =
    targets.length === 1
      ? write(targets[0] as string, 'value', codec, tools)
      : targets
          .map(
            (path) =>
              `{ const part = value[${quoted(path)}]; if (part !== undefined && part !== null) { ${write(path, 'part', codec, tools)} } }`,
          )
          .join(' ');
  const body = `const value = ${decode}; if (value !== undefined && value !== null) { ${store} }`;
  return several
    ? `{ const input = ${input}; ${body} }`
    : `{ const input = ${input}; if (input !== undefined && input !== null) { ${body} } }`;
}

/** Compiles the rules that are read. */
export function decoderOf(rules: readonly FieldRule[]): Decoder {
  const tools: Tools = { codecs: [], fits: [] };
  const body = rules.map((rule) => statements(rule, tools)).join('\n');
  const named = (name: string, all: readonly unknown[]): string =>
    all.map((_, at) => `const ${name}${at} = ${name}s[${at}];`).join(' ');
  const source = `${HELPERS} ${named('codec', tools.codecs)} ${named('fit', tools.fits)}
return function decode(row, ctx) {
const out = {};
${body}
return out;
};`;
  return new Function('codecs', 'fits', source)(tools.codecs, tools.fits) as Decoder;
}
