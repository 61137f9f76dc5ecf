/** The model as JSON Schema (draft 2020-12, what OpenAPI 3.1 takes), made from the zod schemas. */
import { z } from 'zod';
import { apiCall } from './apicall.ts';
import { connection } from './connection.ts';
import { DIMENSIONS, EXTRA_DIMENSIONS, REPORT_LEVELS } from './enums-report.ts';
import { integration } from './integration.ts';
import { DEFAULT_LIMIT, MAX_LIMIT, MAX_REPORT_LIMIT, SORT_KEYS } from './list-query.ts';
import { EXTRA_METRICS, METRICS } from './metrics-table.ts';
import { type FilterName, ITEM_OPTIONS, LIST_OPTIONS, type ListOption, OBJECTS } from './objects.ts';
import type { ObjectName } from './permissions.ts';
import { schemaNode } from './schema-tree.ts';

/** A JSON Schema document or part of one. */
export type JsonSchema = Record<string, unknown>;

const ROOTS = [...Object.values(OBJECTS).map((definition) => definition.schema), connection, integration, apiCall];

/** Id under which a named schema stands in `componentSchemas()`: `AdsCampaign`. */
export function schemaId(schema: z.ZodType): string {
  const id = z.globalRegistry.get(schema)?.id;
  if (id === undefined) throw new Error('schema has no id');
  return id;
}

/** Every named schema of the model by id, referring to each other as `#/components/schemas/<id>`. */
export function componentSchemas(): Record<string, JsonSchema> {
  const out: Record<string, JsonSchema> = {};
  for (const root of ROOTS) {
    // One root at a time: the global registry may hold schemas of others, which are not the model's to publish.
    const document = JSON.parse(
      JSON.stringify(
        z.toJSONSchema(root, {
          override: ({ jsonSchema }) => {
            // Answers may gain members; a client made from this schema must not refuse them.
            if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
            delete jsonSchema.propertyNames;
          },
        }),
      ).replaceAll('"#/$defs/', '"#/components/schemas/'),
    ) as { $defs?: Record<string, JsonSchema> };
    Object.assign(out, document.$defs);
    const id = schemaId(root);
    if (out[id] === undefined) {
      const { $schema: _, $defs: __, ...own } = document as JsonSchema;
      out[id] = own;
    }
  }
  return out;
}

/** A query parameter as OpenAPI describes it. */
export interface ParameterDoc {
  name: string;
  in: 'query';
  required: false;
  description: string;
  schema: JsonSchema;
  /** `fields` may be repeated (`fields=id&fields=name`); a comma list works as well. */
  style?: 'form';
  explode?: boolean;
}

const instant: JsonSchema = { type: 'string', examples: ['2026-01-31T16:00:00Z', '2026-01-31'] };
const plain: JsonSchema = { type: 'string' };

const DOCS: Record<ListOption | FilterName, { description: string; schema: JsonSchema }> = {
  limit: {
    description: 'Rows to return. Fewer rows than this mean that there are no more.',
    schema: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
  },
  offset: { description: 'Rows to skip.', schema: { type: 'integer', minimum: 0, default: 0 } },
  updated_gte: { description: 'Only what changed at or after this instant. No zone means UTC.', schema: instant },
  sort: { description: 'Member to sort by.', schema: { type: 'string', enum: [...SORT_KEYS] } },
  order: { description: 'Direction of the sort.', schema: { type: 'string', enum: ['asc', 'desc'], default: 'asc' } },
  query: { description: 'Only what has this text in its name.', schema: plain },
  fields: {
    description:
      'Fields to return, repeated or joined by commas. Dotted paths reach inside; `raw` and `raw.<member>` give what ' +
      'the platform sent. Without it: all fields but `raw`.',
    schema: { type: 'array', items: { type: 'string' } },
  },
  raw: {
    description: "Further parameters of the platform's own call, encoded as one value: `raw=foo%3Dbar%26zoo%3Dbar`.",
    schema: plain,
  },
  org_id: { description: 'Id of the ad account (organization).', schema: plain },
  campaign_id: { description: 'Id of the campaign.', schema: plain },
  group_id: { description: 'Id of the group.', schema: plain },
  ad_id: { description: 'Id of the ad.', schema: plain },
  io_id: { description: 'Id of the insertion order.', schema: plain },
  parent_id: { description: 'Id of the object above.', schema: plain },
  status: { description: 'State set by the owner.', schema: plain },
  effective_status: { description: 'State the object is really in.', schema: plain },
  goal: { description: 'Goal of the campaign.', schema: plain },
  type: { description: 'Kind of object.', schema: plain },
  dimension: {
    description: `Breakdowns, joined by commas: ${DIMENSIONS.join(', ')}; additions of polyad: ${EXTRA_DIMENSIONS.join(', ')}. Each platform has some of them.`,
    schema: { type: 'string', examples: ['DATE', 'DATE,DEVICE'] },
  },
  start_gte: { description: 'Begin of the window, included. No zone means UTC.', schema: instant },
  end_lt: { description: 'End of the window, not included. No zone means UTC.', schema: instant },
};

function parameter(object: ObjectName, name: ListOption | FilterName): ParameterDoc {
  let { description, schema } = DOCS[name];
  if (object === 'report' && name === 'limit') {
    description = 'Rows to return. Without it the whole report.';
    schema = { type: 'integer', minimum: 1, maximum: MAX_REPORT_LIMIT };
  } else if (object === 'report' && name === 'type') {
    description = `Metrics, joined by commas: ${METRICS.join(', ')}; additions of polyad: ${EXTRA_METRICS.join(', ')}.`;
    schema = { type: 'string', examples: ['CLICKS,IMPRESSIONS,COST'] };
  } else if (object === 'report' && (name === 'start_gte' || name === 'end_lt')) {
    description += ' A date alone is a day of the ad account.';
  } else {
    const values = schemaNode(OBJECTS[object].schema).members?.get(name)?.node.values;
    if (values) schema = { ...schema, examples: [...values] };
  }
  const list = name === 'fields' ? ({ style: 'form', explode: true } as const) : {};
  return { name, in: 'query', required: false, description, schema, ...list };
}

const REPORT_LEVEL_DOC: ParameterDoc = {
  name: 'level',
  in: 'query',
  required: false,
  description: 'Addition of polyad: what one row stands for. Without it, this follows from the filters.',
  schema: { type: 'string', enum: [...REPORT_LEVELS] },
};

/** Query parameters of the list of an object, for OpenAPI. */
export function listParameters(object: ObjectName): ParameterDoc[] {
  const parameters = [...LIST_OPTIONS, ...OBJECTS[object].filters].map((name) => parameter(object, name));
  return object === 'report' ? [...parameters, REPORT_LEVEL_DOC] : parameters;
}

/** Query parameters of get, create, update and remove, for OpenAPI. */
export function itemParameters(object: ObjectName): ParameterDoc[] {
  return ITEM_OPTIONS.map((name) => parameter(object, name));
}
