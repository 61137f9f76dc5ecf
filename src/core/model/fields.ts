/**
 * Fields of objects by dotted path: the `fields` parameter (which members an answer has), and checks of requests
 * against the model. A path goes through arrays: `metrics.value` is the value of every metric.
 */
import { PolyadError } from '../errors/index.ts';
import { OBJECTS } from './objects.ts';
import type { ObjectName } from './permissions.ts';
import { membersOf, type SchemaNode, schemaNode } from './schema-tree.ts';

/** `fields` names something that the object does not have. Answered as `input_field_unknown`. */
export class InvalidFieldError extends PolyadError {
  /** The name as it was sent. */
  readonly field: string;
  /** Names that exist at that place, as whole paths. */
  readonly allowed: readonly string[];

  constructor(object: ObjectName, field: string, allowed: readonly string[]) {
    super('input_field_unknown', {
      message: `\`${field}\` is not a field of ${OBJECTS[object].title.toLowerCase()}.`,
      details: { field, allowed },
    });
    this.name = 'InvalidFieldError';
    this.field = field;
    this.allowed = allowed;
  }
}

/** What to keep of a value: all of it (without the platform's objects inside), or members by name. */
type Plan = 'whole' | Map<string, Plan>;

/** A parsed `fields` parameter. Made by `parseFields`, used by `selectFields`. */
export interface FieldSelection {
  readonly object: ObjectName;
  /** Paths asked for, without doubles, in the order they were asked. */
  readonly paths: readonly string[];
  /** Whether anything at or below `path` is wanted, so that slow fields are fetched only when they are. */
  wants(path: string): boolean;
  /** Compiled form. */
  readonly plan: ReadonlyMap<string, unknown>;
}

function node(object: ObjectName): SchemaNode {
  return schemaNode(OBJECTS[object].schema);
}

/** Checks one path and gives the node it ends at. Below a free-form member (`raw`) every path is good. */
function resolve(object: ObjectName, path: string): SchemaNode {
  let at = node(object);
  let prefix = '';
  for (const key of path.split('.')) {
    const members = membersOf(at);
    const inMap = at.kind === 'map' || (at.kind === 'array' && at.element?.kind === 'map');
    if (!members && inMap && key !== '') return { kind: 'any', description: undefined };
    const member = members?.get(key);
    if (!member) {
      const allowed = [...(members?.keys() ?? [])].map((name) => `${prefix}${name}`);
      throw new InvalidFieldError(object, path, allowed);
    }
    at = member.node;
    prefix += `${key}.`;
  }
  return at;
}

/**
 * Reads the `fields` parameter: one text or several, each one name or several joined by commas, spaces around names
 * ignored. Names are fields, dotted paths (`targeting.geographic`), `raw`, or `raw.<native path>`. Undefined when nothing
 * is named: all fields but `raw`. Throws InvalidFieldError for a name that the object does not have.
 */
export function parseFields(
  object: ObjectName,
  value: string | readonly string[] | undefined,
): FieldSelection | undefined {
  const texts = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  const names = texts.flatMap((text) => text.split(',')).map((name) => name.trim());
  const paths = [...new Set(names.filter((name) => name !== ''))];
  if (paths.length === 0) return undefined;
  const plan = new Map<string, Plan>();
  for (const path of paths) {
    resolve(object, path);
    addPath(plan, path);
  }
  keepRequired(plan, node(object));
  plan.set('id', 'whole');
  return {
    object,
    paths,
    plan,
    wants: (path) =>
      paths.some((asked) => asked === path || asked.startsWith(`${path}.`) || path.startsWith(`${asked}.`)),
  };
}

function addPath(plan: Map<string, Plan>, path: string): void {
  let at = plan;
  const keys = path.split('.');
  for (const [index, key] of keys.entries()) {
    const known = at.get(key);
    if (known === 'whole') return;
    if (index === keys.length - 1) {
      at.set(key, 'whole');
      return;
    }
    const next = known ?? new Map<string, Plan>();
    at.set(key, next);
    at = next;
  }
}

/** Adds what clients of the wire contract refuse to miss: required members of every object that is kept in part. */
function keepRequired(plan: Map<string, Plan>, at: SchemaNode): void {
  const members = membersOf(at);
  if (!members) return;
  for (const [key, member] of members) {
    if (member.required && !plan.has(key)) plan.set(key, 'whole');
    const below = plan.get(key);
    if (below instanceof Map) keepRequired(below, member.node);
  }
}

/**
 * The object with the members that were asked for. Without a selection: everything but the platform's own objects
 * (`raw`, on every level). Always kept: `id` and what the wire contract requires. A member that was asked for and does
 * not exist is left out. The given object is not changed.
 */
export function selectFields<T extends object>(object: ObjectName, value: T, selection?: FieldSelection): T {
  const root = node(object);
  return (selection ? pick(value, selection.plan as Map<string, Plan>, root) : withoutRaw(value, root)) as T;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function pick(value: unknown, plan: Map<string, Plan>, at: SchemaNode | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, plan, at));
  if (!isRecord(value)) return value;
  const members = at && membersOf(at);
  const free = at?.kind === 'map' || members === undefined;
  const out: Record<string, unknown> = {};
  for (const [key, below] of plan) {
    const member = members?.get(key)?.node;
    if (!Object.hasOwn(value, key)) continue;
    if (below === 'whole') out[key] = free || member === undefined ? value[key] : withoutRaw(value[key], member);
    else out[key] = pick(value[key], below, member);
  }
  return out;
}

/** Nodes below which a `raw` can be, so that rows without one are copied in one go. */
const rawBelow = new WeakMap<SchemaNode, boolean>();

function hasRawBelow(at: SchemaNode): boolean {
  let found = rawBelow.get(at);
  if (found === undefined) {
    const members = membersOf(at);
    found = members !== undefined && [...members].some(([key, member]) => key === 'raw' || hasRawBelow(member.node));
    rawBelow.set(at, found);
  }
  return found;
}

function withoutRaw(value: unknown, at: SchemaNode): unknown {
  if (!hasRawBelow(at)) return value;
  if (Array.isArray(value)) return value.map((item) => withoutRaw(item, at));
  if (!isRecord(value)) return value;
  const members = membersOf(at);
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === 'raw') continue;
    const below = members?.get(key);
    out[key] = below ? withoutRaw(member, below.node) : member;
  }
  return out;
}

/** Dotted paths in a request's body that the object does not have. Below `raw` everything is allowed. */
export function unknownFields(object: ObjectName, body: unknown): string[] {
  const unknown: string[] = [];
  const walk = (value: unknown, at: SchemaNode, prefix: string): void => {
    const members = membersOf(at);
    if (!members) return;
    if (Array.isArray(value)) {
      for (const item of value) walk(item, at, prefix);
    } else if (isRecord(value)) {
      for (const [key, member] of Object.entries(value)) {
        const path = `${prefix}${key}`;
        const below = members.get(key);
        if (below) walk(member, below.node, `${path}.`);
        else if (!unknown.includes(path)) unknown.push(path);
      }
    }
  };
  walk(body, node(object), '');
  return unknown;
}

/** One field of an object, for docs, capability maps and checks. */
export interface FieldInfo {
  /** Dotted path. */
  path: string;
  /** Kind of value; `[]` after it when the field is a list. */
  type: string;
  required: boolean;
  description: string | undefined;
  /** Known values of an enum. */
  values?: readonly string[];
}

/** Every field of an object: its members and theirs, depth first. Objects of other kinds inside reports are not opened. */
export function fieldTable(object: ObjectName): FieldInfo[] {
  const rows: FieldInfo[] = [];
  const opened = new Set(Object.values(OBJECTS).map((definition) => schemaNode(definition.schema).members));
  const walk = (at: SchemaNode, prefix: string): void => {
    for (const [key, { node: member, required }] of membersOf(at) ?? []) {
      const path = `${prefix}${key}`;
      const leaf = member.kind === 'array' && member.element ? member.element : member;
      const type = `${leaf.kind}${leaf === member ? '' : '[]'}`;
      const values = leaf.values ? { values: leaf.values } : {};
      rows.push({ path, type, required, description: member.description, ...values });
      if (!opened.has(membersOf(member)) || membersOf(member) === undefined) walk(member, `${path}.`);
    }
  };
  walk(node(object), '');
  return rows;
}

/** Known values of the enum (or list of enums) at a path; undefined when there is no enum. Throws InvalidFieldError. */
export function enumValuesAt(object: ObjectName, path: string): readonly string[] | undefined {
  const at = resolve(object, path);
  return at.kind === 'array' ? at.element?.values : at.values;
}
