/** `/ads/{connection_id}/{object}`: generated from the model's table of objects. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ErrorBody, PolyadError } from '../../core/errors/index.ts';
import type { WriteAnswer } from '../../core/idempotency/writes.ts';
import { itemParameters, listParameters, type ParameterDoc } from '../../core/model/json-schema.ts';
import { parseItemQuery, parseListQuery, type RawQuery } from '../../core/model/list-query.ts';
import { OBJECTS } from '../../core/model/objects.ts';
import { OBJECT_NAMES, type ObjectName } from '../../core/model/permissions.ts';
import type { Deps } from '../deps.ts';
import { flagOf, readFlag, readObjectBody } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { QUOTA_HEADERS, scopeOf } from '../scope.ts';
import { countBytes, primed, rowStream } from '../streams.ts';

type StoredObject = Exclude<ObjectName, 'report'>;

const CONNECTION = { connection_id: 'Id of the connection.' };
const ITEM = { ...CONNECTION, id: 'Id on the platform. A slash in it is written %2F.' };

const DRY_RUN_TEXT =
  'true: everything is checked, and the answer’s `dry_run.requests` are the native requests that would be sent; nothing is changed.';
/** The parameter of every write that shows what it would send. */
export const DRY_RUN: ParameterDoc = {
  name: 'dry_run',
  in: 'query',
  required: false,
  description: DRY_RUN_TEXT,
  schema: { type: 'boolean', default: false },
};
/** The same for queries that are read by a schema. */
export const DRY_RUN_FLAG = flagOf(DRY_RUN_TEXT);
/** What the answer to a dry run holds. */
export const dryRunReport = z
  .object({
    requests: z
      .array(
        z.object({
          method: z.string(),
          url: z.string(),
          query: z.looseObject({}).optional(),
          body: z.unknown().optional().describe('Files by name, type, size and checksum.'),
          note: z.string().optional(),
        }),
      )
      .describe('In order. `<… from …>` stands for what an earlier one would be answered.'),
    complete: z.boolean().describe('false: what would follow depends on an answer of the platform.'),
    stopped: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .meta({ id: 'DryRun', description: 'What would be sent. Nothing was.' });
/** The header of every write. */
export const IDEMPOTENCY_KEY = {
  'Idempotency-Key':
    'The same for every repetition of one write: a repetition gets the first answer, with `Idempotency-Replayed: true`. Kept 24 hours, unless it was refused before a write was sent: then it may be corrected. 1 to 255 characters.',
};

/** `creator_authorization` -> `CreatorAuthorization`. */
const capital = (name: string): string =>
  name
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
const article = (title: string): string => `${/^[aio]/i.test(title) ? 'an' : 'a'} ${title.toLowerCase()}`;

/** The operations of one object, by what they do. `patch` does the same as `update`. */
function operationsOf(object: ObjectName) {
  const { schema, methods, title, plural, permissions } = OBJECTS[object];
  const path = `/ads/:connection_id/${object}`;
  const name = `Ads${capital(object)}`;
  const one = article(title);
  const read = `Permission: \`${permissions.read}\`.`;
  const spends = object === 'campaign' || object === 'insertionorder' || object === 'group' || object === 'ad';
  const write = `Permission: \`${permissions.write}\`.${spends ? ' What raises spending (starting, a larger budget or bid, native members) needs a key with the scope `spend`.' : ''}`;
  const tag = capital(object);
  const change = (id: string, method: 'PUT' | 'PATCH'): Operation => ({
    id,
    method,
    path: `${path}/:id`,
    tag,
    summary: `Change ${one}`,
    description: `Changes what is sent and nothing else; PUT and PATCH do the same. ${write}`,
    access: 'write',
    audit: 'never',
    params: ITEM,
    parameters: [...itemParameters(object), DRY_RUN],
    bodySchema: schema,
    headers: { ...IDEMPOTENCY_KEY, ...QUOTA_HEADERS },
    answer: { description: `The ${title.toLowerCase()} as it now is.`, schema },
    logged: true,
  });
  return {
    list: methods.list
      ? operation({
          id: `list${name}s`,
          method: 'GET',
          path,
          tag,
          summary: `List ${plural}`,
          description:
            object === 'report'
              ? `One row per entity and window, streamed as it is read. With \`Accept: application/x-ndjson\` one row per line. ${read}`
              : `A page of ${plural}. Fewer rows than \`limit\` mean that there are no more. Who adds the rows received to \`offset\` gets each that is there all the time once, though others write to the list. ${read}`,
          access: 'read',
          params: CONNECTION,
          parameters: listParameters(object),
          headers: QUOTA_HEADERS,
          answer: {
            description: `The ${plural}.`,
            schema: z.array(schema),
            ...(object === 'report' ? { alternatives: ['application/x-ndjson'] } : {}),
          },
          logged: true,
        })
      : undefined,
    get: methods.get
      ? operation({
          id: `get${name}`,
          method: 'GET',
          path: `${path}/:id`,
          tag,
          summary: `Get ${one}`,
          description: read,
          access: 'read',
          params: ITEM,
          parameters: [...itemParameters(object), ...orgIdOf(object)],
          headers: QUOTA_HEADERS,
          answer: { description: `The ${title.toLowerCase()}.`, schema },
          logged: true,
        })
      : undefined,
    create: methods.create
      ? operation({
          id: `create${name}`,
          method: 'POST',
          path,
          tag,
          summary: `Create ${one}`,
          description: `What the platform cannot take is refused by name; nothing is dropped. ${write}`,
          access: 'write',
          audit: 'never',
          params: CONNECTION,
          parameters: [...itemParameters(object), DRY_RUN],
          bodySchema: schema,
          headers: { ...IDEMPOTENCY_KEY, ...QUOTA_HEADERS },
          answer: { description: `The ${title.toLowerCase()} as it was created.`, schema },
          logged: true,
        })
      : undefined,
    update: methods.update ? change(`update${name}`, 'PUT') : undefined,
    patch: methods.update ? change(`patch${name}`, 'PATCH') : undefined,
    remove: methods.remove
      ? operation({
          id: `remove${name}`,
          method: 'DELETE',
          path: `${path}/:id`,
          tag,
          summary: `Remove ${one}`,
          description: write,
          access: 'write',
          audit: 'never',
          params: ITEM,
          parameters: [...orgIdOf(object), DRY_RUN],
          headers: { ...IDEMPOTENCY_KEY, ...QUOTA_HEADERS },
          answer: {
            description: 'Removed. The body says what went with it, where the platform tells; else it is empty.',
            schema: z.looseObject({}),
          },
          logged: true,
        })
      : undefined,
  };
}

/** The ad account of one object, which some platforms cannot tell from the object's id alone. An addition of polyad. */
function orgIdOf(object: ObjectName): ParameterDoc[] {
  if (object === 'organization') return [];
  return [
    {
      name: 'org_id',
      in: 'query',
      required: false,
      description: 'Id of the ad account. Needed only where the connection reaches several and the id does not tell.',
      schema: { type: 'string' },
    },
  ];
}

const BY_OBJECT = Object.fromEntries(OBJECT_NAMES.map((object) => [object, operationsOf(object)])) as {
  [N in ObjectName]: ReturnType<typeof operationsOf>;
};

/** All operations under `/ads`. */
export const ADS_OPERATIONS: readonly Operation[] = Object.values(BY_OBJECT).flatMap((operations) =>
  Object.values(operations).filter((found) => found !== undefined),
);

const EXTRA = ['org_id', 'dry_run'] as const;

/** `fields`, `raw`, and what we add to them on single objects. */
function itemQuery(request: FastifyRequest, object: ObjectName) {
  const query = request.query as RawQuery;
  const parsed = parseItemQuery(object, query, EXTRA);
  return { ...parsed, orgId: single(query, 'org_id'), dryRun: readFlag(query, 'dry_run') };
}

function single(query: RawQuery, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value === '' ? undefined : value;
  throw new PolyadError('input_invalid', {
    message: `\`${name}\` must be given once.`,
    details: { issues: [{ path: name, reason: 'must be given once' }] },
  });
}

/** The caller's Idempotency-Key. @throws PolyadError `input_invalid` */
export function idempotencyKey(request: FastifyRequest): string | undefined {
  const value = request.headers['idempotency-key'];
  if (value === undefined) return undefined;
  // Printable ASCII, as structured-field strings are (RFC 8941); Node joins a repeated header with a comma.
  if (typeof value === 'string' && /^[\x20-\x7e]{1,255}$/.test(value)) return value;
  throw new PolyadError('input_invalid', {
    message: 'The Idempotency-Key header must be 1 to 255 printable ASCII characters.',
    details: { issues: [{ path: 'Idempotency-Key', reason: 'must be 1 to 255 printable ASCII characters' }] },
  });
}

/** What a write is called with besides its body. */
export function writeOptions(request: FastifyRequest, object: ObjectName) {
  const { fields, raw, dryRun, orgId } = itemQuery(request, object);
  const key = idempotencyKey(request);
  return {
    fields,
    raw,
    dryRun,
    ...(orgId === undefined ? {} : { org_id: orgId }),
    ...(key === undefined ? {} : { idempotencyKey: key }),
  };
}

/** Answers a write: for the first request what came of it, for a repetition what the first one was answered. */
export function answerWrite(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, body, replayed }: WriteAnswer,
): unknown {
  if (!replayed) return body;
  reply.header('idempotency-replayed', 'true');
  if (status < 400) return body;
  const { code, message } = body as ErrorBody;
  // For the call log and the numbers; the body is the first answer's, its request id included.
  request.state.error = new PolyadError(code, { message });
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

/** Registers the routes of every object. */
export function adsRoutes(app: FastifyInstance, deps: Deps): void {
  const { objects, reports, writes } = deps.runtime;
  for (const object of OBJECT_NAMES) {
    const { list, get, create, update, patch, remove } = BY_OBJECT[object];
    if (object === 'report' && list !== undefined) {
      serve(app, list, async ({ request, reply }) => {
        const query = parseListQuery('report', request.query as RawQuery);
        const scope = await scopeOf(deps, request);
        const rows = await primed(await reports.run(scope, query));
        const lines = (request.headers.accept ?? '').includes('application/x-ndjson');
        reply.header('content-type', `${lines ? 'application/x-ndjson' : 'application/json'}; charset=utf-8`);
        countBytes(reply, request.state);
        return reply.send(rowStream(rows, lines ? 'ndjson' : 'json'));
      });
      continue;
    }
    const stored = object as StoredObject;
    if (list !== undefined)
      serve(app, list, async ({ request }) => {
        const query = parseListQuery(stored, request.query as RawQuery);
        return objects.list(await scopeOf(deps, request), stored, query);
      });
    if (get !== undefined)
      serve(app, get, async ({ request, params }) => {
        const { fields, raw, orgId } = itemQuery(request, stored);
        const query = { fields, raw, ...(orgId === undefined ? {} : { org_id: orgId }) };
        return objects.get(await scopeOf(deps, request), stored, params['id'] as string, query);
      });
    if (create !== undefined)
      serve(app, create, async ({ request, reply }) => {
        const options = writeOptions(request, stored);
        const body = readObjectBody(request.body, stored);
        return answerWrite(request, reply, await writes.create(await scopeOf(deps, request), stored, body, options));
      });
    for (const change of [update, patch])
      if (change !== undefined)
        serve(app, change, async ({ request, reply, params }) => {
          const options = writeOptions(request, stored);
          const body = readObjectBody(request.body, stored);
          const scope = await scopeOf(deps, request);
          return answerWrite(request, reply, await writes.update(scope, stored, params['id'] as string, body, options));
        });
    if (remove !== undefined)
      serve(app, remove, async ({ request, reply, params }) => {
        const options = writeOptions(request, stored);
        const scope = await scopeOf(deps, request);
        return answerWrite(request, reply, await writes.remove(scope, stored, params['id'] as string, options));
      });
  }
}
