/** What audiences have beyond other objects: members, use, shares. */
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { MEMBER_ACTIONS } from '../../core/audiences/service.ts';
import { AUDIENCE_IDENTIFIERS } from '../../core/connector/audience-spec.ts';
import type { WriteAnswer } from '../../core/idempotency/writes.ts';
import { adsAudience } from '../../core/model/index.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { readBody, readQuery } from '../input.ts';
import { type Operation, operation } from '../operation.ts';
import { scopeOf } from '../scope.ts';
import { countBytes, rowStream } from '../streams.ts';
import { DRY_RUN_FLAG, dryRunReport, IDEMPOTENCY_KEY, idempotencyKey } from './ads.ts';
import { objectIn, sendWrite } from './write-answers.ts';

const summary = z.object({
  received: z.number(),
  sent: z.number(),
  skipped: z.number().describe('Named by nothing that the platform takes.'),
  failed: z.number(),
  complaints: z.array(z.object({ line: z.number(), identifier: z.string().optional(), reason: z.string() })),
});

const base = { tag: 'Audience', access: 'write' } as const;
const LINES = {
  bodyType: 'application/x-ndjson',
  bodyDescription:
    'One member per line: `{"email": …, "phone": …, "idfa": …, "gaid": …}`, in the clear or as SHA-256. Values are normalised and hashed here; nothing of them is kept.',
} as const;
const ORG = z.string().max(64).optional().describe('Id of the ad account, where the connection reaches several.');
const params = { connection_id: 'Id of the connection.', id: 'Id of the audience.' };

const audience = {
  fromFile: operation({
    ...base,
    ...LINES,
    id: 'createAdsAudienceFromFile',
    method: 'POST',
    path: '/ads/:connection_id/audience/from_file',
    summary: 'Make an audience from a list of people',
    description: 'The list is read as it comes, however long it is.',
    headers: IDEMPOTENCY_KEY,
    params: { connection_id: params.connection_id },
    query: z.object({
      name: z.string().min(1).max(128),
      identifier: z.enum(AUDIENCE_IDENTIFIERS).describe('By what members are matched.'),
      retention_days: z.coerce.number().int().min(1).max(365).optional(),
      org_id: ORG,
      dry_run: DRY_RUN_FLAG,
    }),
    answer: {
      description: 'The audience, and what became of the list.',
      schema: adsAudience.extend({ members: summary, dry_run: dryRunReport.optional() }),
    },
    logged: true,
  }),
  members: operation({
    ...base,
    ...LINES,
    id: 'changeAdsAudienceMembers',
    method: 'POST',
    path: '/ads/:connection_id/audience/:id/members',
    summary: 'Add or remove members of an audience',
    description:
      'Sent to the platform in batches while the list is read. The answer has a line for each batch, as it ends, and a `summary` at last; in a dry run each line has its `dry_run`. Doing it again does no harm.',
    params,
    query: z.object({
      action: z.enum(MEMBER_ACTIONS).default('add').describe('`replace` only for audiences made from a file.'),
      org_id: ORG,
      dry_run: DRY_RUN_FLAG,
    }),
    answer: { description: 'A line per batch, and the summary.', contentType: 'application/x-ndjson' },
    logged: true,
  }),
  apply: operation({
    ...base,
    id: 'applyAdsAudience',
    method: 'POST',
    path: '/ads/:connection_id/audience/:id/apply',
    summary: 'Use an audience in groups, or stop using it',
    params,
    query: z.object({ org_id: ORG, dry_run: DRY_RUN_FLAG }),
    body: z.strictObject({
      group_ids: z.array(z.string()).min(1).max(1000),
      action: z.enum(['apply', 'disconnect']).default('apply'),
      usage: z.enum(['include', 'exclude']).default('include'),
    }),
    answer: {
      description: 'Done. The body is an empty object.',
      schema: z.object({ dry_run: dryRunReport.optional() }),
    },
    logged: true,
  }),
  share: operation({
    ...base,
    id: 'shareAdsAudience',
    method: 'POST',
    path: '/ads/:connection_id/audience/:id/share',
    summary: 'Let other ad accounts use an audience, or end that',
    params,
    query: z.object({ org_id: ORG, dry_run: DRY_RUN_FLAG }),
    body: z.strictObject({
      organization_ids: z.array(z.string()).min(1).max(100),
      action: z.enum(['share', 'cancel']).default('share'),
    }),
    answer: {
      description: 'Done. The body is an empty object.',
      schema: z.object({ dry_run: dryRunReport.optional() }),
    },
    logged: true,
  }),
};

/** Operations on audiences beside list, get, create and remove. */
export const AUDIENCE_OPERATIONS: readonly Operation[] = Object.values(audience);

/** The first batch decides whether the answer is an error; the rest follows as it comes. */
async function begun<T>(rows: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await rows.next();
  return (async function* () {
    if (first.done !== true) {
      yield first.value;
      yield* rows;
    }
  })();
}

/** In a context of its own: lists are not parsed as a whole. */
export function audienceRoutes(root: FastifyInstance, deps: Deps): void {
  const { audiences } = deps.services;
  root.register(async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
    const config = ({ id, access }: Operation) => ({ access, operation: id, logged: true });
    const none = (body: unknown): AsyncIterable<Uint8Array> =>
      (body as Readable | undefined) ?? (async function* () {})();

    app.post(audience.fromFile.path, { config: config(audience.fromFile) }, async (request, reply) => {
      const query = readQuery(request.query, audience.fromFile.query);
      const scope = await scopeOf(deps, request);
      const { name, identifier, retention_days: retentionDays, org_id: orgId } = query;
      const wanted = { name, identifier, retentionDays, orgId };
      const list = none(request.body);
      const key = idempotencyKey(request);
      if (query.dry_run === true) {
        const body = { name, ...(await audiences.rehearseFromFile(scope, wanted, list)) };
        return sendWrite(request, reply, { status: 200, body, replayed: false });
      }
      const made = (await app.act(request, audience.fromFile, async () => {
        // The list itself is not read again to be compared; its length is, where it is known.
        const asked = { from_file: { name, identifier, retentionDays, bytes: request.headers['content-length'] } };
        const call = { ...(key && { idempotencyKey: key }), ...(orgId && { org_id: orgId }) };
        let facts: object = { replayed: true };
        const answer = await deps.runtime.writes.createFrom(scope, 'audience', asked, call, async (open, entry) => {
          const found = await audiences.fromFile(open, wanted, list, { entry });
          const { complaints: _, ...counts } = found.summary;
          facts = counts;
          return { ...found.audience, members: found.summary };
        });
        noteAct(request, { ...objectIn(answer), details: { identifier, ...facts } });
        return answer;
      })) as WriteAnswer;
      return sendWrite(request, reply, made);
    });

    app.post(audience.members.path, { config: config(audience.members) }, async (request, reply) => {
      const { action, org_id: orgId, dry_run: dryRun } = readQuery(request.query, audience.members.query);
      const scope = await scopeOf(deps, request);
      const { id } = request.params as { id: string };
      noteAct(request, { objectId: id, details: { action }, dryRun: dryRun === true });
      const rows = (await app.act(request, audience.members, () =>
        begun(audiences.members(scope, id, action, none(request.body), orgId, dryRun)),
      )) as AsyncGenerator<unknown>;
      reply.header('content-type', 'application/x-ndjson; charset=utf-8');
      countBytes(reply, request.state);
      return reply.send(rowStream(rows, 'ndjson', true));
    });

    for (const one of [audience.apply, audience.share] as const)
      app.post(one.path, { config: config(one) }, async (request, reply) => {
        const { org_id: orgId, dry_run } = readQuery(request.query, one.query);
        const options = { orgId, dryRun: dry_run === true };
        const scope = await scopeOf(deps, request);
        const { id } = request.params as { id: string };
        const shown = await app.act(request, one, async () => {
          if (one === audience.apply) {
            const body = readBody(request.body, audience.apply.body);
            const { group_ids: groupIds, action, usage } = body;
            noteAct(request, { objectId: id, details: body, dryRun: options.dryRun });
            return audiences.apply(scope, id, { groupIds, action, usage }, options);
          }
          const body = readBody(request.body, audience.share.body);
          noteAct(request, { objectId: id, details: body, dryRun: options.dryRun });
          const { organization_ids: organizationIds, action } = body;
          return audiences.share(scope, id, { organizationIds, action }, options);
        });
        const text = JSON.stringify(shown === undefined ? {} : { dry_run: shown });
        return reply.header('content-type', 'application/json; charset=utf-8').send(text);
      });
  });
}
