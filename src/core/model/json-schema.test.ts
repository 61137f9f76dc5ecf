import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  componentSchemas,
  FORMATS,
  itemParameters,
  listParameterNames,
  listParameters,
  METRICS,
  metricUnit,
  OBJECT_NAMES,
  OBJECTS,
  openEnum,
  schemaId,
} from './index.ts';

const components = componentSchemas();

describe('componentSchemas', () => {
  it('holds every object and whatever they refer to', () => {
    for (const name of OBJECT_NAMES) expect(components).toHaveProperty(schemaId(OBJECTS[name].schema));
    expect(Object.keys(components)).toEqual(
      expect.arrayContaining(['Connection', 'Integration', 'IntegrationSupport', 'ApiCall']),
    );
    const text = JSON.stringify(components);
    for (const [, id] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(components).toHaveProperty(id!);
    expect(text).not.toContain('$defs');
    expect(Object.keys(components).filter((id) => id.startsWith('__'))).toEqual([]);
  });

  it('is valid JSON Schema that takes our objects, with unknown enum values and members of later versions', () => {
    const ajv = new Ajv2020({ strict: false });
    (addFormats as unknown as (instance: Ajv2020) => void)(ajv);
    const document = JSON.parse(JSON.stringify({ $id: 'doc', components: { schemas: components } })) as object;
    ajv.addSchema(document, 'doc');
    const validate = ajv.compile({ $ref: 'doc#/components/schemas/AdsCampaign' });
    expect(validate({ id: '1', goal: 'NEW_GOAL', added_later: 1, created_at: '2026-01-31T16:00:00Z' })).toBe(true);
    expect(validate({ id: 1 })).toBe(false);
    expect(validate({ created_at: 'yesterday' })).toBe(false);
    const promoted = ajv.compile({ $ref: 'doc#/components/schemas/AdsPromoted' });
    expect(promoted({ id: '1' })).toBe(false);
    expect(promoted({ id: '1', type: 'APP_ID' })).toBe(true);
  });

  it('describes every named schema and every member', () => {
    for (const [id, schema] of Object.entries(components)) {
      expect(schema['description'], id).toMatch(/\w.*\.$/);
      const members = (schema['properties'] ?? {}) as Record<string, { description?: string; $ref?: string }>;
      // A reference says what it is by the schema that it refers to.
      for (const [name, member] of Object.entries(members))
        expect(member.description ?? member.$ref, `${id}.${name}`).toMatch(/\w/);
    }
  });

  it('lists enum values though others may come', () => {
    const campaign = components['AdsCampaign'] as { properties: Record<string, { anyOf: unknown[] }> };
    expect(campaign.properties['advertising_channel_type']?.anyOf).toEqual([
      { type: 'string', enum: [...FORMATS] },
      { type: 'string' },
    ]);
  });
});

describe('openEnum', () => {
  it('takes known and unknown text and nothing else', () => {
    const schema = openEnum(['A', 'B']);
    expect([schema.safeParse('A'), schema.safeParse('z')].map((result) => result.success)).toEqual([true, true]);
    expect([null, 1, ['A']].map((value) => schema.safeParse(value).success)).toEqual([false, false, false]);
    const typed: z.infer<typeof schema> = 'A';
    expect(z.toJSONSchema(schema)).toMatchObject({
      anyOf: [{ enum: ['A', typed === 'A' ? 'B' : 'A'] }, { type: 'string' }],
    });
  });
});

describe('query parameters', () => {
  it.each(OBJECT_NAMES)('of %s are described, one by one', (name) => {
    expect(listParameters(name).map((parameter) => parameter.name)).toEqual(listParameterNames(name));
    for (const parameter of [...listParameters(name), ...itemParameters(name)])
      expect(parameter.description).toMatch(/\w/);
  });
});

describe('metricUnit', () => {
  it('says what each metric counts', () => {
    expect(
      ['CLICKS', 'COST', 'CTR', 'ROAS', 'VIDEO_AVG_TIME_WATCHED', '7D_CLICK'].map((name) =>
        metricUnit(name as 'CLICKS'),
      ),
    ).toEqual(['count', 'currency', 'ratio', 'ratio', 'seconds', 'count']);
    expect(METRICS.filter((name) => /COST|FEE|REVENUE|VALUE$|^CP|CPM|PROFIT/.test(name)).map(metricUnit)).toEqual(
      expect.not.arrayContaining(['count']),
    );
  });
});
