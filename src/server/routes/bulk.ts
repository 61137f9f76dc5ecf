/** `/v1/bulk`: many writes of one kind in one call. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PolyadError } from '../../core/errors/index.ts';
import { itemParameters } from '../../core/model/json-schema.ts';
import { OBJECTS } from '../../core/model/objects.ts';
import { OBJECT_NAMES } from '../../core/model/permissions.ts';
import { type BulkItem, type BulkResult, MAX_BULK_ITEMS } from '../../core/objects/bulk.ts';
import type { Deps } from '../deps.ts';
import { readObjectBody } from '../input.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { QUOTA_HEADERS, scopeOf } from '../scope.ts';
import { countBytes, rowStream } from '../streams.ts';
import { DRY_RUN, IDEMPOTENCY_KEY, writeOptions } from './ads.ts';

/** Objects that can be written. */
const WRITABLE = OBJECT_NAMES.filter((name) => name !== 'report' && OBJECTS[name].methods.create);
type Writable = Exclude<(typeof OBJECT_NAMES)[number], 'report'>;

const key = z
  .string()
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  .optional()
  .describe('As the Idempotency-Key header, for this item. Default: the header’s with the position of the item.');
const id = z.string().min(1).describe('Id on the platform.');
const members = z.record(z.string(), z.unknown());

const item = z
  .discriminatedUnion('method', [
    z.strictObject({ method: z.literal('create'), body: members, idempotency_key: key }),
    z.strictObject({ method: z.literal('update'), id, body: members, idempotency_key: key }),
    z.strictObject({ method: z.literal('status'), id, status: z.string().min(1), idempotency_key: key }),
    z.strictObject({ method: z.literal('remove'), id, idempotency_key: key }),
  ])
  .meta({
    id: 'BulkItem',
    description:
      'One write. `status` changes of several objects travel in the platform’s own batches, and answer id and status alone.',
  });

const result = z
  .object({
    index: z.number().int().describe('Position of the item in the call.'),
    method: z.enum(['create', 'update', 'status', 'remove']),
    id: z.string().optional(),
    status: z.number().int().describe('HTTP status that this write would have had by itself.'),
    object: members.optional().describe('The object as it was created or now is.'),
    error: members.optional().describe('In the form of every error.'),
    replayed: z.boolean().optional().describe('The kept answer of an earlier write under the same key.'),
  })
  .meta({ id: 'BulkResult', description: 'What became of one write.' });

const answer = z
  .object({
    results: z.array(result).describe('In the order of the items.'),
    summary: z.object({
      total: z.number().int(),
      succeeded: z.number().int(),
      failed: z.number().int(),
      replayed: z.number().int(),
    }),
  })
  .meta({ id: 'BulkAnswer', description: 'What became of many writes.' });

const bulk = operation({
  id: 'bulkWrite',
  method: 'POST',
  path: '/v1/bulk/:connection_id/:object',
  tag: 'Bulk',
  summary: `Up to ${MAX_BULK_ITEMS} writes of one kind in one call`,
  description:
    'Each item is done once and has its own result; one that fails stops no other. Quotas are kept: items wait their turn, so a large call takes minutes. With `Accept: application/x-ndjson` each result is a line as soon as it is known, and the last line is the summary.',
  access: 'write',
  audit: 'never',
  params: { connection_id: 'Id of the connection.', object: `One of ${WRITABLE.join(', ')}.` },
  parameters: [
    ...itemParameters('campaign').filter(({ name }) => name === 'raw'),
    {
      name: 'fields',
      in: 'query',
      required: false,
      description: 'Comma-separated members of the objects in the results.',
      schema: { type: 'string' },
    },
    {
      name: 'org_id',
      in: 'query',
      required: false,
      description: 'Id of the ad account of all items.',
      schema: { type: 'string' },
    },
    DRY_RUN,
  ],
  body: z.strictObject({ items: z.array(item).min(1).max(MAX_BULK_ITEMS) }),
  headers: { ...IDEMPOTENCY_KEY, ...QUOTA_HEADERS },
  answer: {
    description: 'What became of each item.',
    schema: answer,
    alternatives: ['application/x-ndjson'],
  },
  logged: true,
});

/** Operations of bulk writes. */
export const BULK_OPERATIONS: readonly Operation[] = [bulk];

function objectOf(name: string | undefined): Writable {
  if (name !== undefined && (WRITABLE as readonly string[]).includes(name)) return name as Writable;
  throw new PolyadError('input_invalid', {
    message: `\`${String(name).slice(0, 64)}\` cannot be written in bulk.`,
    details: { issues: [{ path: 'object', reason: 'is not an object that can be written' }], allowed: WRITABLE },
  });
}

/** Checks each body as a single write would; what is wrong is said with the position of the item. */
function checked(items: readonly BulkItem[], object: Writable): void {
  for (const [index, one] of items.entries()) {
    if (!('body' in one)) continue;
    try {
      readObjectBody(one.body, object);
    } catch (error) {
      if (!(error instanceof PolyadError)) throw error;
      throw new PolyadError(error.code, {
        message: `Item ${index}: ${error.message}`,
        details: { index, ...error.details },
      });
    }
  }
}

/** One key cannot stand for two writes of a call: the second would only hear that the first is under way. */
function refuseSharedKeys(items: readonly BulkItem[]): void {
  const first = new Map<string, number>();
  for (const [index, { method, idempotency_key: own }] of items.entries()) {
    if (own === undefined) continue;
    // A status is an update.
    const name = `${method === 'status' ? 'update' : method} ${own}`;
    const before = first.get(name);
    if (before !== undefined)
      throw new PolyadError('input_invalid', {
        message: `Items ${before} and ${index} have the same idempotency_key.`,
        details: { issues: [{ path: `items.${index}.idempotency_key`, reason: `is that of item ${before}` }] },
      });
    first.set(name, index);
  }
}

class Tally {
  total = 0;
  succeeded = 0;
  failed = 0;
  replayed = 0;

  add(one: BulkResult): void {
    this.total += 1;
    if (one.error === undefined) this.succeeded += 1;
    else this.failed += 1;
    if (one.replayed === true) this.replayed += 1;
  }
}

async function* withSummary(results: AsyncIterable<BulkResult>): AsyncGenerator<unknown> {
  const tally = new Tally();
  for await (const one of results) {
    tally.add(one);
    yield one;
  }
  yield { summary: { ...tally } };
}

/** Registers the bulk endpoint. */
export function bulkRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, bulk, async ({ request, reply, params, body }) => {
    const object = objectOf(params['object']);
    const options = writeOptions(request, object);
    const items = body.items as BulkItem[];
    checked(items, object);
    refuseSharedKeys(items);
    const results = deps.runtime.bulk.run(await scopeOf(deps, request), object, items, options);
    if ((request.headers.accept ?? '').includes('application/x-ndjson')) {
      reply.header('content-type', 'application/x-ndjson; charset=utf-8');
      countBytes(reply, request.state);
      return reply.send(rowStream(withSummary(results), 'ndjson', true));
    }
    const tally = new Tally();
    const all: BulkResult[] = [];
    for await (const one of results) {
      tally.add(one);
      all[one.index] = one;
    }
    return { results: all, summary: { ...tally } };
  });
}
