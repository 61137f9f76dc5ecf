/** Uploads of large files, as they come. */
import type { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PolyadError } from '../../core/errors/index.ts';
import type { WriteAnswer } from '../../core/idempotency/writes.ts';
import { adsAsset } from '../../core/model/index.ts';
import { noteAct } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { readQuery } from '../input.ts';
import { type Operation, operation } from '../operation.ts';
import { QUOTA_HEADERS, scopeOf } from '../scope.ts';
import { DRY_RUN_FLAG, dryRunReport, IDEMPOTENCY_KEY, idempotencyKey } from './ads.ts';
import { objectIn, sendWrite } from './write-answers.ts';

const upload = operation({
  id: 'uploadMedia',
  method: 'POST',
  path: '/ads/:connection_id/media',
  tag: 'Asset',
  access: 'write',
  summary: 'Upload a large image or video',
  description:
    'The body is the file. It goes on to the platform piece by piece while it comes in; a piece whose answer is lost is sent again. Small files go by POST /ads/{connection_id}/asset as well.',
  params: { connection_id: 'Id of the connection.' },
  query: z.object({
    org_id: z.string().min(1).max(64).describe('Id of the ad account.'),
    name: z.string().min(1).max(200).describe('Name of the file, with its ending.'),
    type: z.enum(['IMAGE', 'VIDEO']).default('VIDEO'),
    dry_run: DRY_RUN_FLAG,
  }),
  headers: { ...QUOTA_HEADERS, ...IDEMPOTENCY_KEY },
  bodyType: 'application/octet-stream',
  bodyDescription: 'The file. Content-Length is needed.',
  answer: { description: 'The asset.', schema: adsAsset.extend({ dry_run: dryRunReport.optional() }) },
  logged: true,
});

/** Operations on large files. */
export const MEDIA_OPERATIONS: readonly Operation[] = [upload];

export function mediaRoutes(root: FastifyInstance, deps: Deps): void {
  root.register(async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    app.post(
      upload.path,
      { config: { access: upload.access, operation: upload.id, logged: true } },
      async (request, reply) => {
        const { org_id: orgId, name, type, dry_run: dryRun } = readQuery(request.query, upload.query);
        const size = Number(request.headers['content-length']);
        if (!Number.isSafeInteger(size) || size <= 0)
          throw new PolyadError('input_body_invalid', {
            message: 'The request names no length of its body (Content-Length).',
          });
        const scope = await scopeOf(deps, request);
        const contentType = request.headers['content-type'] ?? 'application/octet-stream';
        const file = { type, name, size, contentType };
        const key = idempotencyKey(request);
        if (dryRun === true) {
          const body = await deps.services.media.rehearse(scope, orgId, file, request.body as Readable);
          return sendWrite(request, reply, { status: 200, body, replayed: false });
        }
        const made = (await app.act(request, upload, async () => {
          const call = { ...(key && { idempotencyKey: key }), org_id: orgId };
          // A file is known by its name and size: it is not read again to be compared.
          const answer = await deps.runtime.writes.createFrom(scope, 'asset', { upload: file }, call, (open, entry) =>
            deps.services.media.upload(open, orgId, file, request.body as Readable, { entry }),
          );
          const details = { name, type, size, ...(answer.replayed ? { replayed: true } : {}) };
          noteAct(request, { ...objectIn(answer), details });
          return answer;
        })) as WriteAnswer;
        return sendWrite(request, reply, made);
      },
    );
  });
}
