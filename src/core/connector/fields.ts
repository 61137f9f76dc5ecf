/** Field rules: the one declaration that decodes, encodes, validates and feeds capability map and docs. */
import { PolyadError } from '../errors/index.ts';
import type { Codec, CodecContext } from './codecs.ts';
import { type Decoder, decoderOf, list } from './field-decoder.ts';
import type { Native, Unified } from './types.ts';

/**
 * What may be done with a field. `read`: decoded only. `create`: read, and written at creation alone. `write`: read,
 * created and updated. `create_only` and `write_only`: the same, but the platform does not give it back.
 */
export type FieldAccess = 'read' | 'create' | 'write' | 'create_only' | 'write_only';

export interface FieldRule {
  /** Dotted unified path, or several when one codec serves them together. */
  unified: string | readonly string[];
  /** Dotted native path, or several. With several, the codec gets and gives a record keyed by path. */
  native: string | readonly string[];
  codec: Codec;
  access: FieldAccess;
  /** Must be present at creation. */
  required?: boolean;
  /** What the docs say about it. */
  note?: string;
}

/** The value at a dotted path; array indices are numbers: `list.0.id`. */
export function getPath(object: unknown, path: string): unknown {
  let value: unknown = object;
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Sets the value at a dotted path, making objects on the way. */
export function setPath(object: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  let target = object;
  for (const key of keys.slice(0, -1)) {
    const next = target[key];
    if (next !== null && typeof next === 'object') target = next as Record<string, unknown>;
    else {
      const made: Record<string, unknown> = {};
      target[key] = made;
      target = made;
    }
  }
  target[keys[keys.length - 1] as string] = value;
}

const canRead = (rule: FieldRule): boolean =>
  rule.access === 'read' || rule.access === 'create' || rule.access === 'write';
const canCreate = (rule: FieldRule): boolean => rule.access !== 'read';
const canUpdate = (rule: FieldRule): boolean => rule.access === 'write' || rule.access === 'write_only';

/** Rules compiled once into plain functions: tables are slow to interpret per row. */
export interface CompiledFields {
  /** The unified members of a native row, as they are on the wire: nothing of it needs `wireObject` again. */
  decode: Decoder;
  /** Encodes what is present in `unified`. Refuses by name whatever the platform does not take. */
  encode(unified: Unified, ctx: CodecContext, verb: 'create' | 'update', typeName: string): Native;
  /** Dotted unified paths by access, for the capability map. */
  readable: readonly string[];
  creatable: readonly string[];
  updatable: readonly string[];
  /** unified path -> native path(s), for the capability map. */
  nativeNames: Readonly<Record<string, string>>;
}

/** Members that callers may send back as they read them; they carry no instruction, so they are not an error. */
const ECHOES = new Set(['id', 'created_at', 'updated_at', 'raw', 'effective_status']);

function leaves(value: unknown, known: ReadonlySet<string>, prefix = ''): string[] {
  if (prefix !== '' && known.has(prefix)) return [prefix];
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return prefix === '' ? [] : [prefix];
  const out: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    out.push(...leaves(member, known, prefix === '' ? key : `${prefix}.${key}`));
  }
  return out;
}

export function compileFields(rules: readonly FieldRule[]): CompiledFields {
  const paths = (test: (rule: FieldRule) => boolean): string[] =>
    rules.filter(test).flatMap((rule) => list(rule.unified));
  const known = new Set(rules.flatMap((rule) => list(rule.unified)));
  const creatable = new Set(paths(canCreate));
  const updatable = new Set(paths(canUpdate));

  const encode = (unified: Unified, ctx: CodecContext, verb: 'create' | 'update', typeName: string): Native => {
    const allowed = verb === 'create' ? creatable : updatable;
    const given = leaves(unified, known);
    for (const path of given) {
      if (allowed.has(path) || ECHOES.has(path.split('.')[0] as string)) continue;
      if (verb === 'update' && creatable.has(path))
        throw new PolyadError('input_field_immutable', {
          message: `${typeName}: \`${path}\` cannot be changed after creation.`,
          details: { field: path, allowed: [...allowed].sort() },
        });
      throw new PolyadError('input_field_unsupported', {
        message: `${typeName} does not take \`${path}\`.`,
        details: { field: path, allowed: [...allowed].sort() },
      });
    }
    const out: Native = {};
    const present = new Set(given);
    for (const rule of rules) {
      if (!(verb === 'create' ? canCreate(rule) : canUpdate(rule)) || rule.codec.encode === undefined) continue;
      const from = list(rule.unified);
      if (!from.some((path) => present.has(path))) continue;
      const input =
        from.length === 1
          ? getPath(unified, from[0] as string)
          : Object.fromEntries(from.map((path) => [path, getPath(unified, path)]));
      const value = rule.codec.encode(input, { ...ctx, field: from[0] as string });
      const to = list(rule.native);
      if (to.length === 1) {
        if (value !== undefined) setPath(out, to[0] as string, value);
      } else
        for (const path of to) {
          const part = (value as Record<string, unknown> | undefined)?.[path];
          if (part !== undefined) setPath(out, path, part);
        }
    }
    if (verb === 'create') {
      const missing = rules
        .filter(
          (rule) => rule.required === true && !list(rule.unified).some((path) => getPath(unified, path) !== undefined),
        )
        .map((rule) => list(rule.unified)[0] as string);
      if (missing.length > 0)
        throw new PolyadError('input_field_required', {
          message: `${typeName} needs ${missing.map((path) => `\`${path}\``).join(', ')}.`,
          details: { missing },
        });
    }
    return out;
  };

  return {
    decode: decoderOf(rules.filter(canRead)),
    encode,
    readable: paths(canRead),
    creatable: [...creatable],
    updatable: [...updatable],
    nativeNames: Object.fromEntries(
      rules.flatMap((rule) => list(rule.unified).map((path) => [path, list(rule.native).join(', ')])),
    ),
  };
}
