/** The model against the published client of the wire contract: its own schemas decide what it accepts. */
import * as sdk from '@unified-api/typescript-sdk/sdk/models/shared';
import fc from 'fast-check';
import * as olderSdk from 'unified-sdk-2-83/sdk/models/shared';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  apiCall,
  CONNECTION_EXTRAS,
  CONTRACT_OBJECT_NAMES,
  connection,
  integration,
  integrationSupport,
  OBJECT_EXTRAS,
  OBJECTS,
  PERMISSIONS,
  REPORT_EXTRAS,
  REPORT_METRICS_EXTRAS,
  type SchemaNode,
  schemaNode,
  toWire,
} from './index.ts';

/** The little of a zod 3 schema that the walk below needs. */
interface ClientSchema {
  _def: {
    typeName: string;
    schema?: ClientSchema;
    innerType?: ClientSchema;
    type?: ClientSchema;
    valueType?: ClientSchema;
    options?: ClientSchema[];
    shape?: () => Record<string, ClientSchema>;
    value?: string;
    checks?: { kind: string }[];
    getter?: () => ClientSchema;
  };
  safeParse(value: unknown): { success: boolean; data?: unknown; error?: unknown };
}

function clientSchema(module: object, name: string): ClientSchema | undefined {
  return (module as Record<string, ClientSchema | undefined>)[name];
}

function clientNode(schema: ClientSchema): SchemaNode {
  const def = schema._def;
  const description = undefined;
  switch (def.typeName) {
    case 'ZodEffects':
      return clientNode(def.schema!);
    case 'ZodOptional':
    case 'ZodDefault':
      return clientNode(def.innerType!);
    case 'ZodLazy':
      return clientNode(def.getter!());
    case 'ZodObject': {
      const members = Object.entries(def.shape!()).map(([key, member]) => {
        const required = !['ZodOptional', 'ZodDefault'].includes(member._def.typeName);
        return [key, { node: clientNode(member), required }] as const;
      });
      return { kind: 'object', description, members: new Map(members) };
    }
    case 'ZodArray':
      return { kind: 'array', description, element: clientNode(def.type!) };
    case 'ZodRecord':
      return { kind: 'map', description, element: clientNode(def.valueType!) };
    case 'ZodString':
      return { kind: def.checks!.some((check) => check.kind === 'datetime') ? 'datetime' : 'string', description };
    case 'ZodNumber':
      return { kind: 'number', description };
    case 'ZodBoolean':
      return { kind: 'boolean', description };
    case 'ZodUnion': {
      const literals = def.options!.filter((option) => option._def.typeName === 'ZodLiteral');
      if (literals.length === 0) return { kind: 'any', description };
      return { kind: 'enum', description, values: literals.map((literal) => literal._def.value!) };
    }
    default:
      return { kind: 'any', description };
  }
}

interface Row {
  kind: string;
  required: boolean;
  values: string[] | undefined;
}

/** Every path of a node with its kind: `metrics[].ad.promoted[].id`. Enum values sorted: their order carries nothing. */
function table(node: SchemaNode, required = true, path = '', rows = new Map<string, Row>()): Map<string, Row> {
  if (path !== '') rows.set(path, { kind: node.kind, required, values: node.values && [...node.values].sort() });
  if (node.element && node.element.kind !== 'any') table(node.element, true, `${path}[]`, rows);
  for (const [key, member] of node.members ?? []) table(member.node, member.required, `${path}.${key}`, rows);
  return rows;
}

const className = (object: string): string => `Ads${object[0]!.toUpperCase()}${object.slice(1)}`;

/** Our additions, as paths per model. */
const EXTRAS: Record<string, string[]> = {
  ...Object.fromEntries(
    Object.entries(OBJECT_EXTRAS).map(([name, extras]) => [className(name), extras.map((extra) => `.${extra}`)]),
  ),
  Connection: CONNECTION_EXTRAS.map((name) => `.${name}`),
  AdsReport: [
    ...REPORT_EXTRAS.map((name) => `.${name}`),
    ...REPORT_METRICS_EXTRAS.map((name) => `.metrics[].${name}`),
    // Rows may carry the objects they are about.
    ...Object.entries(OBJECT_EXTRAS).flatMap(([name, extras]) => extras.map((extra) => `.metrics[].${name}.${extra}`)),
  ],
};
const isExtra = (model: string, path: string): boolean =>
  (EXTRAS[model] ?? []).some((extra) => path === extra || path.startsWith(`${extra}.`) || path.startsWith(`${extra}[`));
/** Members that the client has dropped since its older release (links to secret stores); it never required them. */
const isDropped = (model: string, path: string): boolean => model === 'Connection' && path.startsWith('.auth_');

const MODELS: [string, z.ZodObject][] = [
  ...CONTRACT_OBJECT_NAMES.map((name): [string, z.ZodObject] => [className(name), OBJECTS[name].schema]),
  ['Connection', connection],
  ['ApiCall', apiCall],
  ['Integration', integration],
];

/** Values that the schema allows, with and without its optional members, known enum values and unknown ones. */
function arbitrary(node: SchemaNode): fc.Arbitrary<unknown> {
  switch (node.kind) {
    case 'string':
      return fc.string();
    case 'datetime':
      return fc
        .tuple(fc.date({ min: new Date('1970-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }), fc.nat(2))
        .map(([date, form]) =>
          form === 0
            ? date.toISOString()
            : form === 1
              ? `${date.toISOString().slice(0, 19)}Z`
              : `${date.toISOString().slice(0, 19)}+02:00`,
        );
    case 'number':
      return fc.oneof(
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      );
    case 'boolean':
      return fc.boolean();
    case 'enum':
      return node.open
        ? fc.oneof(fc.constantFrom(...node.values!), fc.string({ minLength: 1 }))
        : fc.constantFrom(...node.values!);
    case 'array':
      return fc.array(arbitrary(node.element!), { maxLength: 2 });
    case 'map':
      return fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), arbitrary(node.element!), { maxKeys: 2 });
    case 'any':
      return fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant({ a: [1, 'b'] }));
    case 'object': {
      const members = [...node.members!];
      const model = Object.fromEntries(members.map(([key, member]) => [key, arbitrary(member.node)]));
      const requiredKeys = members.filter(([, member]) => member.required).map(([key]) => key);
      return fc.record(model, { requiredKeys, noNullPrototype: true });
    }
  }
}

/** A value as it comes back from the client: without our extras, dates as UTC with milliseconds. */
function expected(model: string, value: unknown, node: SchemaNode, path = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => expected(model, item, node.element!, `${path}[]`));
  if (node.kind === 'datetime') return new Date(value as string).toISOString();
  if (node.kind !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value as object)
      .filter(([key]) => !isExtra(model, `${path}.${key}`))
      .map(([key, member]) => [key, expected(model, member, node.members!.get(key)!.node, `${path}.${key}`)]),
  );
}

describe.each(MODELS)('%s', (name, schema) => {
  const inbound = clientSchema(sdk, `${name}$inboundSchema`)!;
  const ours = schemaNode(schema);

  it('has the fields, kinds, enums and required keys of the current client, and no others but our extras', () => {
    const theirTable = table(clientNode(inbound));
    const ourTable = table(ours);
    for (const path of ourTable.keys()) {
      // Support flags of the other API categories are left out on purpose; checked on their own below.
      if (isExtra(name, path) || path.startsWith('.support')) ourTable.delete(path);
    }
    for (const path of theirTable.keys()) if (path.startsWith('.support')) theirTable.delete(path);
    // Permissions: the wire's list holds those of every API category, ours the advertising ones.
    theirTable.delete('.permissions[]');
    ourTable.delete('.permissions[]');
    expect(Object.fromEntries(ourTable)).toEqual(Object.fromEntries(theirTable));
  });

  it('has every field and enum value of the older client', () => {
    const older = clientSchema(olderSdk, `${name}$inboundSchema`);
    if (older === undefined) {
      expect(['AdsAsset']).toContain(name);
      return;
    }
    const ourTable = table(ours);
    for (const [path, row] of table(clientNode(older))) {
      if (path.startsWith('.support') || path === '.permissions[]' || isDropped(name, path)) continue;
      const own = ourTable.get(path);
      expect(own, path).toBeDefined();
      expect(own!.kind, path).toBe(row.kind);
      if (row.required) expect(own!.required, path).toBe(true);
      if (row.values) expect(own!.values, path).toEqual(expect.arrayContaining(row.values));
    }
  });

  it('makes objects that both clients read', () => {
    const older = clientSchema(olderSdk, `${name}$inboundSchema`);
    fc.assert(
      fc.property(arbitrary(ours), (object) => {
        expect(schema.safeParse(object).error).toBeUndefined();
        const wire: unknown = JSON.parse(JSON.stringify(toWire(object)));
        expect(inbound.safeParse(wire).error).toBeUndefined();
        if (older) expect(older.safeParse(wire).error).toBeUndefined();
      }),
      { numRuns: name === 'AdsReport' ? 15 : 60 },
    );
  });

  it('comes back from the client as it was sent', () => {
    const outbound = clientSchema(sdk, `${name}$outboundSchema`);
    if (outbound === undefined) {
      // The client only reads these.
      expect(['AdsTarget', 'AdsReport', 'ApiCall', 'Integration']).toContain(name);
      return;
    }
    fc.assert(
      fc.property(arbitrary(ours), (object) => {
        const wire = JSON.parse(JSON.stringify(toWire(object))) as Record<string, unknown>;
        const back = outbound.safeParse(inbound.safeParse(wire).data);
        const sent = expected(name, wire, ours) as Record<string, unknown>;
        // The client adds the environment it takes for granted.
        if (name === 'Connection') sent['environment'] ??= 'Production';
        expect(JSON.parse(JSON.stringify(back.data))).toEqual(sent);
      }),
      { numRuns: 60 },
    );
  });
});

describe('integration support', () => {
  it('uses only flags that the client knows, with its values', () => {
    const theirs = table(clientNode(clientSchema(sdk, 'IntegrationSupport$inboundSchema')!));
    for (const [path, row] of table(schemaNode(integrationSupport))) expect(theirs.get(path), path).toEqual(row);
  });

  it('has every list option of the advertising endpoints', () => {
    const flags = schemaNode(integrationSupport).members!;
    for (const definition of Object.values(OBJECTS))
      for (const filter of definition.filters) expect(flags.has(`list_${filter}`), filter).toBe(true);
  });
});

describe('permissions', () => {
  it('are the advertising permissions of the client and webhook', () => {
    const theirs = Object.values(sdk.PropertyConnectionPermissions).filter(
      (name) => name.startsWith('ads_') || name === 'webhook',
    );
    expect([...PERMISSIONS].sort()).toEqual(theirs.sort());
  });
});

describe('what the client refuses', () => {
  const inbound = clientSchema(sdk, 'AdsCampaign$inboundSchema')!;
  it.each([
    ['null members', { name: null, targeting: null, raw: null, labels: [null, 'a'] }],
    ['numeric ids', { id: 12345678901, organization_id: 7 }],
    ['instants without a zone', { start_at: '2026-01-31 16:00:00', end_at: '2026-01-31', created_at: new Date(0) }],
    ['numbers that JSON does not have', { budget_amount: Number.NaN, total_spend_amount: Number.POSITIVE_INFINITY }],
    ['a list for raw', { raw: [1] }],
  ])('is repaired by toWire: %s', (_, object) => {
    expect(inbound.safeParse(object).success).toBe(false);
    expect(inbound.safeParse(JSON.parse(JSON.stringify(toWire(object)))).error).toBeUndefined();
  });
});
