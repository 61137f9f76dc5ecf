/** `/v1/launch`: the way to a platform's production access. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { DOSSIER_POLICY, dossierHtml } from '../../core/launch/html.ts';
import { dossierPdf } from '../../core/launch/pdf.ts';
import { moveToProduction } from '../../core/launch/production.ts';
import type { Deps } from '../deps.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { principalOf } from '../request.ts';

const status = z.enum(['ok', 'open', 'fails']).describe('`fails`: the review would stumble over it today.');
const scope = z.object({ scope: z.string(), name: z.string() });

const submission = z
  .object({
    id: z.string(),
    submitted_at: z.string(),
    outcome: z.enum(['waiting', 'approved', 'refused']),
    outcome_at: z.string().optional(),
    note: z.string(),
    snapshot: z.object({
      scopes: z.array(z.string()),
      redirect_uris: z.array(z.string()),
      privacy_policy: z.string().optional(),
    }),
  })
  .meta({ id: 'LaunchSubmission', description: 'A review that was asked for, and what was submitted.' });

const report = z
  .object({
    integration_type: z.string(),
    name: z.string(),
    portal: z.object({ name: z.string(), url: z.string() }),
    generated_at: z.string(),
    ready: z.boolean().describe('Nothing fails and nothing is open.'),
    steps: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        what: z.string(),
        origin: z.enum(['official', 'guide', 'both']),
        source: z.string(),
        status,
        checks: z.array(
          z.object({
            id: z.string(),
            status,
            title: z.string(),
            evidence: z.array(z.string()),
            fix: z.string().optional(),
          }),
        ),
        questions: z.array(z.string()),
      }),
    ),
    would_fail: z
      .array(z.object({ id: z.string(), step: z.string(), title: z.string(), reason: z.string(), fix: z.string() }))
      .describe('What the review would stumble over today.'),
    open: z
      .array(z.object({ id: z.string(), step: z.string(), title: z.string(), fix: z.string() }))
      .describe('What is not done, or not known yet.'),
    questions: z.array(
      z.looseObject({
        key: z.string(),
        text: z.string(),
        kind: z.string(),
        help: z.string(),
        value: z.unknown().optional(),
        answered_at: z.string().optional(),
        answered_by: z.string().optional(),
      }),
    ),
    scopes: z.object({
      source: z.enum(['operator', 'settings', 'none']),
      scopes: z.array(
        scope.extend({
          verdict: z.enum(['used', 'unused', 'wider', 'missing']),
          operations: z.array(z.object({ operation: z.string(), calls: z.number() })),
          narrower: z.array(z.string()).optional(),
        }),
      ),
      least: z.array(scope).describe('The fewest with which everything that was called works.'),
    }),
    endpoints: z.array(
      z.object({
        operation: z.string(),
        scopes: z.array(scope),
        environments: z.record(
          z.string(),
          z.object({
            calls: z.number(),
            failed: z.number(),
            codes: z.record(z.string(), z.number()),
            last_day: z.string(),
          }),
        ),
      }),
    ),
    traffic: z.object({
      peaks: z.array(z.object({ environment: z.string(), per_minute: z.number(), per_day: z.number() })),
      level: z.string(),
      needed: z
        .object({ level: z.string(), per_minute: z.number(), per_day: z.number(), basis: z.string() })
        .optional(),
    }),
    data_security: z.array(z.object({ question: z.string(), answer: z.string() })),
    timeline: z.array(z.object({ what: z.string(), days: z.array(z.number()), source: z.string() })),
    submissions: z.array(submission),
    re_review: z.object({ needed: z.boolean(), reasons: z.array(z.string()) }),
  })
  .meta({ id: 'LaunchReport', description: 'How far a workspace is on the way to a platform’s production access.' });

const base = { tag: 'Launch', access: 'admin', params: { type: 'Type slug of the integration.' } } as const;

const launch = {
  get: operation({
    ...base,
    id: 'getLaunch',
    method: 'GET',
    path: '/v1/launch/:type',
    summary: 'Get the checklist to a platform’s production access',
    description:
      'Evidence is gathered now: calls that were made, pages that a reviewer will open (they are opened), how this server keeps data. What polyad cannot know are `questions`.',
    query: z.object({}),
    answer: { description: 'Steps, obstacles, questions, evidence.', schema: report },
  }),
  answer: operation({
    ...base,
    id: 'putLaunchAnswers',
    method: 'PUT',
    path: '/v1/launch/:type/answers',
    summary: 'Answer questions of the checklist',
    description: 'Kept with date and author. Questions that are not named keep their answers; null takes one back.',
    query: z.object({}),
    body: z.strictObject({ answers: z.record(z.string(), z.unknown()) }),
    answer: { description: 'The checklist as it now is.', schema: report },
  }),
  dossier: operation({
    ...base,
    id: 'getLaunchDossier',
    method: 'GET',
    path: '/v1/launch/:type/dossier',
    summary: 'Get the dossier for the reviewer',
    query: z.object({ format: z.enum(['pdf', 'html']).default('pdf').describe('Default pdf.') }),
    answer: { description: 'The file.', contentType: 'application/pdf', alternatives: ['text/html'] },
  }),
  submit: operation({
    ...base,
    id: 'createLaunchSubmission',
    method: 'POST',
    path: '/v1/launch/:type/submissions',
    summary: 'Note that the review was asked for',
    description:
      'Scopes, redirect addresses and privacy policy are kept as they are now. `re_review` of the checklist tells when they differ later.',
    query: z.object({}),
    body: z.strictObject({ note: z.string().max(2000).default('') }).optional(),
    answer: { description: 'The submission.', schema: submission },
  }),
  decide: operation({
    ...base,
    id: 'updateLaunchSubmission',
    method: 'PATCH',
    path: '/v1/launch/:type/submissions/:id',
    summary: 'Note how a review ended',
    params: { ...base.params, id: 'Id of the submission.' },
    query: z.object({}),
    body: z.strictObject({ outcome: z.enum(['approved', 'refused']), note: z.string().max(2000).optional() }),
    answer: { description: 'The submission as it now is.', schema: submission },
  }),
  production: operation({
    ...base,
    id: 'launchProduction',
    method: 'POST',
    path: '/v1/launch/:type/production',
    summary: 'Go from sandbox or simulator to production',
    description:
      'Stores the app for production and makes production the workspace’s default environment. Connections, tokens and ids stay where they are; a body that names any is refused with `environment_crossed`. While something would fail the review, `anyway: true` is needed.',
    query: z.object({}),
    body: z.looseObject({
      client_id: z.string().optional().describe('Id of your app; the platform’s own name (`app_id`) does too.'),
      client_secret: z.string().optional().describe('Secret of your app; `secret` does too.'),
      anyway: z.boolean().optional(),
    }),
    answer: {
      description: 'Where the first customer connects, and what stayed behind.',
      schema: z.object({
        integration_type: z.string(),
        environment: z.string(),
        connect: z.string(),
        left_behind: z.object({
          connections: z.array(z.object({ environment: z.string(), count: z.number() })),
          spend_guards: z.array(z.string()),
        }),
      }),
    },
  }),
};

/** Operations of the way to production. */
export const LAUNCH_OPERATIONS: readonly Operation[] = Object.values(launch);

export function launchRoutes(app: FastifyInstance, { runtime, services }: Deps): void {
  const { launch: service } = services;
  const typeOf = (params: Record<string, string>): string => params['type'] as string;

  serve(app, launch.get, ({ request, params }) =>
    service.report(principalOf(request).workspace, typeOf(params), request.state.signal),
  );
  serve(app, launch.answer, async ({ request, params, body }) => {
    const { workspace, key } = principalOf(request);
    await service.answer(workspace, typeOf(params), body.answers, key.name);
    request.state.audit.details = { answered: Object.keys(body.answers) };
    return service.report(workspace, typeOf(params), request.state.signal);
  });
  serve(app, launch.dossier, async ({ request, reply, params, query }) => {
    const dossier = await service.dossier(principalOf(request).workspace, typeOf(params), request.state.signal);
    if (query.format === 'html')
      return reply
        .header('content-type', 'text/html; charset=utf-8')
        .header('content-security-policy', DOSSIER_POLICY)
        .send(dossierHtml(dossier));
    return reply
      .header('content-type', 'application/pdf')
      .header(
        'content-disposition',
        `attachment; filename="${typeOf(params).replace(/[^a-z0-9_-]/gi, '')}-dossier.pdf"`,
      )
      .send(await dossierPdf(dossier));
  });
  serve(app, launch.submit, ({ request, params, body }) =>
    service.submit(principalOf(request).workspace, typeOf(params), body?.note ?? ''),
  );
  serve(app, launch.decide, ({ request, params, body }) =>
    service.decide(principalOf(request).workspace, params['id'] as string, body.outcome, body.note),
  );
  serve(app, launch.production, async ({ request, params, body }) => {
    const { workspace } = principalOf(request);
    const { platform } = service.spec(typeOf(params));
    const found = await service.report(workspace, typeOf(params), request.state.signal);
    request.state.audit.details = { integration_type: platform.manifest.type, anyway: body.anyway === true };
    return moveToProduction(
      { store: runtime.store, apps: services.apps, now: runtime.clock.now() },
      workspace,
      platform,
      found,
      body,
    );
  });
}
