/** Leads and the forms they come from. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.ts';
import { type Operation, operation, serve } from '../operation.ts';
import { scopeOf } from '../scope.ts';
import { countBytes, rowStream } from '../streams.ts';

const base = { tag: 'Lead', access: 'read', params: { connection_id: 'Id of the connection.' }, logged: true } as const;
const org = z.string().min(1).max(64).describe('Id of the ad account.');

const form = z
  .object({
    id: z.string(),
    name: z.string().optional(),
    native_status: z.string().optional(),
    created_at: z.string().optional(),
    updated_at: z.string().optional(),
  })
  .meta({ id: 'LeadForm', description: 'A form of the platform’s own, shown with ads.' });

const lead = z
  .object({
    id: z.string(),
    created_at: z.string().optional(),
    form_id: z.string().optional(),
    campaign_id: z.string().optional(),
    campaign_name: z.string().optional(),
    group_id: z.string().optional(),
    group_name: z.string().optional(),
    ad_id: z.string().optional(),
    ad_name: z.string().optional(),
    fields: z.array(z.object({ name: z.string(), value: z.string() })).describe('What was filled in.'),
  })
  .meta({ id: 'Lead', description: 'What somebody filled in on a form. Passed on, never kept.' });

const leads = {
  forms: operation({
    ...base,
    id: 'listLeadForms',
    method: 'GET',
    path: '/ads/:connection_id/lead_form',
    summary: 'List the forms of an ad account',
    query: z.object({ org_id: org }),
    answer: { description: 'The forms.', schema: z.array(form) },
  }),
  list: operation({
    ...base,
    id: 'listLeads',
    method: 'GET',
    path: '/ads/:connection_id/lead',
    summary: 'Download the leads of a form',
    description:
      'The platform makes an export first, which can take minutes. With `Accept: application/x-ndjson` a line per lead, as they come. To hear of leads at once, subscribe to them.',
    query: z.object({ org_id: org, form_id: z.string().min(1).max(64).describe('Id of the form.') }),
    answer: { description: 'The leads.', schema: z.array(lead), alternatives: ['application/x-ndjson'] },
  }),
};

/** Operations on leads. */
export const LEAD_OPERATIONS: readonly Operation[] = Object.values(leads);

export function leadRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, leads.forms, async ({ request, query }) =>
    deps.services.leads.forms(await scopeOf(deps, request), query.org_id),
  );
  serve(app, leads.list, async ({ request, reply, query }) => {
    const rows = await deps.services.leads.leads(await scopeOf(deps, request), query.org_id, query.form_id);
    const lines = (request.headers.accept ?? '').includes('application/x-ndjson');
    reply.header('content-type', `${lines ? 'application/x-ndjson' : 'application/json'}; charset=utf-8`);
    countBytes(reply, request.state);
    return reply.send(rowStream(rows, lines ? 'ndjson' : 'json'));
  });
}
