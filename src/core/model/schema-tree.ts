/** What the code must know of a schema beside validating with it: its fields, their kinds, which are required. */
import { z } from 'zod';

/** One node of a schema, freed of `optional` and the like. */
export interface SchemaNode {
  /** `map` is free-form (`raw`, keys unknown); `any` is unconstrained. */
  kind: 'object' | 'array' | 'map' | 'string' | 'datetime' | 'number' | 'boolean' | 'enum' | 'any';
  description: string | undefined;
  /** Members of an object, in the order of the schema. */
  members?: ReadonlyMap<string, SchemaMember>;
  /** Element of an array, value of a map. */
  element?: SchemaNode;
  /** Known values of an enum. */
  values?: readonly string[];
  /** True when an enum's field may hold other text as well (see `openEnum`). */
  open?: boolean;
}

/** A member of an object. */
export interface SchemaMember {
  node: SchemaNode;
  required: boolean;
}

const nodes = new WeakMap<z.core.$ZodType, SchemaNode>();

/** The node of a schema; built once per schema. */
export function schemaNode(schema: z.core.$ZodType): SchemaNode {
  let node = nodes.get(schema);
  if (!node) {
    node = build(schema);
    nodes.set(schema, node);
  }
  return node;
}

function build(schema: z.core.$ZodType): SchemaNode {
  const description = z.globalRegistry.get(schema)?.description;
  if (schema instanceof z.ZodOptional) {
    const inner = schemaNode(schema.def.innerType);
    return { ...inner, description: description ?? inner.description };
  }
  if (schema instanceof z.ZodObject) {
    const members = Object.entries(schema.shape).map(([key, member]): [string, SchemaMember] => [
      key,
      { node: schemaNode(member), required: !(member instanceof z.ZodOptional) },
    ]);
    return { kind: 'object', description, members: new Map(members) };
  }
  if (schema instanceof z.ZodArray) return { kind: 'array', description, element: schemaNode(schema.def.element) };
  if (schema instanceof z.ZodRecord) return { kind: 'map', description, element: schemaNode(schema.def.valueType) };
  if (schema instanceof z.ZodUnion) {
    const listed = schema.def.options.find((option) => option instanceof z.ZodEnum);
    return listed ? { ...schemaNode(listed), description, open: true } : { kind: 'any', description };
  }
  if (schema instanceof z.ZodEnum) return { kind: 'enum', description, values: schema.options.map(String) };
  if (schema instanceof z.ZodString) {
    const isDateTime = z.globalRegistry.get(schema)?.['format'] === 'date-time';
    return { kind: isDateTime ? 'datetime' : 'string', description };
  }
  if (schema instanceof z.ZodNumber) return { kind: 'number', description };
  if (schema instanceof z.ZodBoolean) return { kind: 'boolean', description };
  return { kind: 'any', description };
}

/** The members of a node, looked up through arrays: `metrics.value` is a member of each metric. */
export function membersOf(node: SchemaNode): ReadonlyMap<string, SchemaMember> | undefined {
  return node.kind === 'array' && node.element ? membersOf(node.element) : node.members;
}
