/** The OpenAPI 3.1 document, made from the operations and the model's schemas: what is served is what is described. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ERRORS } from '../../core/errors/index.ts';
import { componentSchemas, type JsonSchema, type ParameterDoc } from '../../core/model/json-schema.ts';
import type { Operation } from '../operation.ts';
import { errorAnswer } from './error-schema.ts';

/** Version of this build, from package.json. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

const DESCRIPTION = `One API over many ad platforms. Lists answer a bare JSON array, everything else a bare object; every success is 200, except conversion events, which are taken in to be sent later: 202.

Send the workspace key in the \`Authorization\` header, as it is or after \`Bearer\`. Every answer carries \`X-Request-Id\` (yours, if you sent a sane one) and \`X-Response-Time\` in milliseconds; where a platform was called, \`X-EndApi-Response-Time\` is the part spent there and \`X-Unified-Response-Time\` the rest.

Errors have one form, with a stable \`code\`, who must act, and whether and when to send the call again: see [/docs/errors](/docs/errors).`;

/** Every named schema, the model's and ours. */
type Components = Record<string, JsonSchema>;

/** JSON Schema of a zod schema, named parts moved to `components`. */
function convert(schema: z.ZodType, components: Components): JsonSchema {
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined && components[id] !== undefined) return { $ref: `#/components/schemas/${id}` };
  const made = JSON.parse(
    JSON.stringify(
      z.toJSONSchema(schema, {
        io: 'input',
        unrepresentable: 'any',
        override: ({ jsonSchema }) => {
          if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
          delete jsonSchema.propertyNames;
        },
      }),
    ).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as JsonSchema & { $defs?: Components };
  const { $schema: _, $defs, ...own } = made;
  for (const [name, part] of Object.entries($defs ?? {})) components[name] ??= part;
  if (id === undefined) return own;
  components[id] ??= own;
  return { $ref: `#/components/schemas/${id}` };
}

function queryParameters(operation: Operation, components: Components): (ParameterDoc | JsonSchema)[] {
  if (operation.parameters !== undefined) return [...operation.parameters];
  if (operation.query === undefined) return [];
  return Object.entries(operation.query.shape).map(([name, field]) => {
    const schema = convert(field as z.ZodType, components);
    const { description, ...own } = schema;
    return {
      name,
      in: 'query',
      required: !(field as z.ZodType).safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: own,
    };
  });
}

/** `/ads/:connection_id/campaign/:id` -> `/ads/{connection_id}/campaign/{id}`; a wildcard is `{path}`. */
export function openApiPath(path: string): string {
  return path.replace(/:([a-z_]+)/g, '{$1}').replace(/\*$/, '{path}');
}

function describe(operation: Operation, components: Components): JsonSchema {
  const { answer } = operation;
  const content = answer.schema === undefined ? {} : { schema: convert(answer.schema, components) };
  const types = [answer.contentType ?? 'application/json', ...(answer.alternatives ?? [])];
  const body = operation.body ?? operation.bodySchema;
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    ...(operation.access === 'none' ? { security: [] } : { 'x-key-scope': operation.access }),
    parameters: [
      ...Object.entries(operation.params ?? {}).map(([name, description]) => ({
        name: name === '*' ? 'path' : name,
        in: 'path',
        required: true,
        description,
        schema: { type: 'string' },
      })),
      ...queryParameters(operation, components),
      ...Object.entries(operation.headers ?? {}).map(([name, description]) => ({
        name,
        in: 'header',
        required: false,
        description,
        schema: { type: 'string' },
      })),
    ],
    ...(body === undefined && operation.bodyType === undefined
      ? {}
      : {
          requestBody: {
            ...(operation.bodyDescription === undefined ? {} : { description: operation.bodyDescription }),
            required: body !== undefined,
            content: {
              [operation.bodyType ?? 'application/json']:
                body === undefined ? {} : { schema: convert(body, components) },
            },
          },
        }),
    responses: {
      [String(answer.status ?? 200)]: {
        description: answer.description,
        headers: {
          'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' },
          'X-Response-Time': { $ref: '#/components/headers/X-Response-Time' },
          ...(operation.logged === true
            ? {
                'X-EndApi-Response-Time': { $ref: '#/components/headers/X-EndApi-Response-Time' },
                'X-Unified-Response-Time': { $ref: '#/components/headers/X-Unified-Response-Time' },
              }
            : {}),
        },
        ...((answer.status ?? 200) === 302
          ? {}
          : { content: Object.fromEntries(types.map((type) => [type, content])) }),
      },
      '4XX': { $ref: '#/components/responses/Error' },
      '5XX': { $ref: '#/components/responses/Error' },
    },
  };
}

const milliseconds = (description: string): JsonSchema => ({
  description,
  schema: { type: 'string', pattern: '^\\d+$' },
});

/** The document for these operations. `serverUrl` absent = relative to wherever the document is read from. */
export function openApiDocument(operations: readonly Operation[], serverUrl = '/'): JsonSchema {
  const components: Components = componentSchemas();
  convert(errorAnswer, components);
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of operations) {
    const path = openApiPath(operation.path);
    paths[path] ??= {};
    (paths[path] as Record<string, JsonSchema>)[operation.method.toLowerCase()] = describe(operation, components);
  }
  const tags = [...new Set(operations.map((operation) => operation.tag))];
  return {
    openapi: '3.1.0',
    info: {
      title: 'polyad',
      version: VERSION,
      summary: 'Self-hosted unified advertising API',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl }],
    security: [{ key: [] }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'Key of the workspace: as it is, or after `Bearer`.',
        },
      },
      headers: {
        'X-Request-Id': {
          description: 'Id of the request, also in errors and in the call log.',
          schema: { type: 'string' },
        },
        'X-Response-Time': milliseconds('Whole time until the answer began, in milliseconds.'),
        'X-EndApi-Response-Time': milliseconds('Part of it spent at the platform. Absent when none was called.'),
        'X-Unified-Response-Time': milliseconds('Part of it spent in polyad. Absent when no platform was called.'),
        'Retry-After': { description: 'Whole seconds to wait.', schema: { type: 'integer' } },
        'retry-after-ms': milliseconds('The same in milliseconds.'),
      },
      responses: {
        Error: {
          description: 'What went wrong, who must act, and whether to send the call again.',
          headers: {
            'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' },
            'Retry-After': { $ref: '#/components/headers/Retry-After' },
            'retry-after-ms': { $ref: '#/components/headers/retry-after-ms' },
          },
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      },
      schemas: Object.fromEntries(Object.entries(components).sort(([a], [b]) => a.localeCompare(b))),
    },
    'x-error-codes': Object.fromEntries(Object.entries(ERRORS).map(([code, row]) => [code, row.status])),
  };
}
