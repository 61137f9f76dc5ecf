import * as operations from '@unified-api/typescript-sdk/sdk/models/operations';
import { describe, expect, it } from 'vitest';
import {
  CONTRACT_OBJECT_NAMES,
  isObjectName,
  LIST_OPTIONS,
  listParameterNames,
  METHODS,
  OBJECT_EXTRAS,
  OBJECTS,
  OWN_OBJECT_NAMES,
  PERMISSIONS,
  permissionFor,
  REPORT_EXTRAS,
} from './index.ts';

const capital = (text: string): string => text[0]!.toUpperCase() + text.slice(1);
const exported = operations as unknown as Record<string, unknown>;
const VERBS = { list: 'List', get: 'Get', create: 'Create', update: 'Update', remove: 'Remove' } as const;

function requestSchema(operation: string): { shape: Record<string, unknown> } | undefined {
  const schema = exported[`${operation}Request$outboundSchema`] as
    | { _def: { schema?: { shape: Record<string, unknown> } } }
    | undefined;
  return schema?._def.schema;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

describe.each(CONTRACT_OBJECT_NAMES)('%s', (name) => {
  const definition = OBJECTS[name];

  it.each(METHODS)('offers %s exactly where the wire contract has it', (method) => {
    const suffix = `Ads${capital(name)}${method === 'list' ? 's' : ''}`;
    expect(definition.methods[method]).toBe(requestSchema(`${VERBS[method]}${suffix}`) !== undefined);
    if (method === 'update')
      expect(requestSchema(`Patch${suffix}`) !== undefined, 'PUT and PATCH exist together').toBe(
        definition.methods.update,
      );
  });

  it('takes the list parameters of the wire contract', () => {
    const theirs = Object.keys(requestSchema(`ListAds${capital(name)}s`)!.shape).map(snake);
    // `level` on reports is an addition of polyad.
    const ours = listParameterNames(name).filter((key) => key !== 'level');
    expect(ours.sort()).toEqual(theirs.filter((key) => key !== 'connection_id').sort());
  });

  it('has the field names that the client may ask for', () => {
    const listed = exported[`ListAds${capital(name)}sQueryParamFields`] as Record<string, string>;
    const extras: readonly string[] = name === 'report' ? REPORT_EXTRAS : (OBJECT_EXTRAS[name] ?? []);
    for (const extra of extras) expect(Object.keys(definition.schema.shape)).toContain(extra);
    const ours = Object.keys(definition.schema.shape).filter((key) => !extras.includes(key));
    expect(ours.sort()).toEqual(Object.values(listed).sort());
  });

  it('asks for a permission that exists, for each method that exists', () => {
    for (const method of METHODS)
      if (definition.methods[method]) expect(PERMISSIONS).toContain(permissionFor(name, method));
    expect(definition.permissions.read).toBe(`ads_${name}_read`);
  });
});

describe.each(OWN_OBJECT_NAMES)('%s, an object of polyad', (name) => {
  it('is unknown to clients of the contract, and asks for permissions that they know', () => {
    expect(exported[`ListAds${capital(name)}sQueryParamFields`]).toBeUndefined();
    const { methods } = OBJECTS[name];
    for (const method of METHODS)
      if (methods[method]) expect(PERMISSIONS, method).toContain(permissionFor(name, method));
  });
});

describe('permissionFor', () => {
  it('tells reading from writing', () => {
    expect(permissionFor('campaign', 'get')).toBe('ads_campaign_read');
    expect(permissionFor('campaign', 'remove')).toBe('ads_campaign_write');
  });

  it('has no write permission where nothing can be written', () => {
    expect(permissionFor('report', 'create')).toBeUndefined();
    expect(OBJECTS.target.permissions.write).toBeUndefined();
  });
});

it('tells object names from other words', () => {
  expect(isObjectName('insertionorder')).toBe(true);
  expect(isObjectName('toString')).toBe(false);
  expect(LIST_OPTIONS).toHaveLength(8);
});
