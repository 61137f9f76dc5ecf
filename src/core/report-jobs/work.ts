/** A job while it is worked on: its query read again, its plan, what its pieces depend on. */
import type { Scope } from '../calls/scope.ts';
import type { ReportFetch } from '../connector/report-spec.ts';
import type { OrganizationFacts } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { type ListQuery, parseListQuery, type RawQuery } from '../model/list-query.ts';
import { addDays } from '../model/time.ts';
import type { ReportPlan } from '../reports/plan.ts';
import { fetchOf, type PreparedReport } from '../reports/service.ts';
import type { ReportChunkRow, ReportJobRow } from '../store/schema.ts';
import { segmentKey } from './segments.ts';

/** The report of one ad account within a job. */
export interface AccountPart {
  organization: OrganizationFacts;
  plan: ReportPlan;
  /** Under which its rows are found again. */
  key: string;
}

export interface JobWork {
  job: ReportJobRow;
  /** Of this run: lease and calls go by it. */
  scope: Scope;
  query: ListQuery;
  prepared: PreparedReport;
  parts: ReadonlyMap<string, AccountPart>;
}

/**
 * The query of a job.
 *
 * @throws PolyadError `input_invalid` for what a list of reports refuses, and for `limit` and `offset`: a job is a whole
 *   report.
 */
export function jobQuery(query: RawQuery): ListQuery {
  for (const name of ['limit', 'offset'])
    if (query[name] !== undefined)
      throw new PolyadError('input_invalid', {
        message: `A report job makes the whole report; \`${name}\` has no place in its query.`,
        details: { issues: [{ path: `query.${name}`, reason: 'a job makes the whole report' }] },
      });
  return parseListQuery('report', query);
}

/** Puts together what the pieces of a job need. */
export function workOf(job: ReportJobRow, scope: Scope, query: ListQuery, prepared: PreparedReport): JobWork {
  const parts = new Map<string, AccountPart>();
  for (const { organization, plan } of prepared.parts)
    parts.set(organization.id, {
      organization,
      plan,
      key: segmentKey(job.connection_id, organization, plan, query.filters, query.raw),
    });
  return { job, scope, query, prepared, parts };
}

/** @throws Error when a piece is about an ad account that the plan does not have */
export function partOf(work: JobWork, organizationId: string): AccountPart {
  const part = work.parts.get(organizationId);
  if (part === undefined) throw new Error(`a piece of report job ${work.job.id} is about an unknown ad account`);
  return part;
}

/** What the platform is asked for a piece. */
export function chunkFetch(work: JobWork, chunk: ReportChunkRow): ReportFetch {
  const { plan, organization } = partOf(work, chunk.organization_id);
  return fetchOf(plan, organization, { startDate: chunk.start_date, endDate: chunk.end_date }, work.query);
}

/** Days of one piece. */
export interface Days {
  start: string;
  end: string;
  /** Whether the platform has finished counting all of them. */
  closed: boolean;
}

/**
 * The pieces of a plan: its windows, cut where closed days end, so that the rows of closed days can be kept. Reports that
 * are not by day are read window by window: their numbers cannot be taken apart again.
 */
export function piecesOf(plan: ReportPlan): Days[] {
  const { provisionalFrom } = plan;
  return plan.windows.flatMap(({ startDate, endDate }): Days[] => {
    if (!plan.daily || endDate < provisionalFrom || startDate >= provisionalFrom)
      return [{ start: startDate, end: endDate, closed: endDate < provisionalFrom }];
    return [
      { start: startDate, end: addDays(provisionalFrom, -1), closed: true },
      { start: provisionalFrom, end: endDate, closed: false },
    ];
  });
}
