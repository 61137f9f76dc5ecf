/**
 * Rows of closed days, kept from one report to the next. Whether they still hold is not assumed but checked: beside the rows
 * the ad account's own numbers of each day are kept, and read again (one call for a month) before the rows are used. A day
 * whose numbers have moved, for whatever reason, is read again as a whole.
 */
import type { ReportFetch } from '../connector/report-spec.ts';
import { PolyadError } from '../errors/index.ts';
import { parseDecimal } from '../model/decimal.ts';
import { addDays, datesFromTo } from '../model/time.ts';
import { splitDays } from '../reports/plan.ts';
import { findKeptSegments, forgetKeptSegments, touchReportSegments } from '../store/repositories/index.ts';
import type { Db, ReportSegmentRow } from '../store/schema.ts';
import type { ReportFiles } from './files.ts';
import { type AccountPart, type Days, type JobWork, piecesOf } from './work.ts';

/** Rows are read again after so long whatever the checks say: names in them may be old, in ms. */
const MAX_AGE_MS = 30 * 86_400_000;

/** Day -> the ad account's own numbers as one text. Days without delivery are not in it. */
export type DayChecks = ReadonlyMap<string, string>;

/** Days whose rows are at hand. */
export interface ReusedDays extends Days {
  segment: ReportSegmentRow;
}

/** Native metrics of a plan that may be summed: what the checks are made of. */
function checkMetrics({ prepared }: JobWork, { plan }: AccountPart): string[] {
  const additive = new Set(
    Object.values(prepared.spec.metrics).flatMap((rule) => ('native' in rule && rule.additive ? rule.native : [])),
  );
  return plan.nativeMetrics.filter((metric) => additive.has(metric));
}

/** Whether rows of such a report may be kept: by day, of a whole ad account, with numbers to check them by. */
export function keepable(work: JobWork, part: AccountPart): boolean {
  const { job, query, prepared } = work;
  const { campaign_id, group_id, ad_id } = query.filters;
  return (
    job.cache &&
    part.plan.daily &&
    part.plan.level !== 'organization' &&
    prepared.spec.levels.includes('organization') &&
    prepared.spec.dimensions['DATE'] !== undefined &&
    (campaign_id ?? group_id ?? ad_id) === undefined &&
    Object.keys(query.raw).length === 0 &&
    piecesOf(part.plan).some(({ closed }) => closed) &&
    checkMetrics(work, part).length > 0
  );
}

/**
 * The ad account's own numbers for the closed days of a part, or undefined where the platform does not give them. Read
 * before the rows that they stand for: what changes in between shows the next time.
 */
export async function readChecks(work: JobWork, part: AccountPart): Promise<DayChecks | undefined> {
  const { spec, ctx } = work.prepared;
  const days = piecesOf(part.plan).filter(({ closed }) => closed);
  const first = days[0]?.start;
  const last = days.at(-1)?.end;
  const day = spec.dimensions['DATE']?.native;
  if (first === undefined || last === undefined || day === undefined) return undefined;
  const metrics = checkMetrics(work, part);
  const checks = new Map<string, string>();
  try {
    for (const window of splitDays(first, last, spec.maxDays.daily)) {
      const fetch: ReportFetch = {
        organization: part.organization,
        level: 'organization',
        ...window,
        metrics,
        dimensions: [day],
        raw: {},
      };
      for await (const row of spec.fetch(ctx, fetch))
        checks.set(
          (row.dimensions[day] ?? '').slice(0, 10),
          metrics.map((metric) => parseDecimal(row.metrics[metric] ?? '') ?? '').join(' '),
        );
    }
    return checks;
  } catch (error) {
    // Some environments and metrics have no report of the ad account as a whole; what may pass is for the job to repeat.
    if (!(error instanceof PolyadError) || error.retry !== 'never' || error.actor === 'customer') throw error;
    ctx.log.debug({ code: error.code }, 'rows of closed days are not kept: the ad account has no numbers of its own');
    return undefined;
  }
}

/** Splits the closed days of a part into those whose rows are at hand and those to be read. */
export async function reusable(
  { db, files, now }: { db: Db; files: ReportFiles; now: Date },
  part: AccountPart,
  piece: Days,
  checks: DayChecks,
): Promise<{ reused: ReusedDays[]; missing: Days[] }> {
  const segments = await findKeptSegments(db, part.key, piece, new Date(now.getTime() - MAX_AGE_MS));
  const open = new Set(datesFromTo(piece.start, piece.end));
  const reused: ReusedDays[] = [];
  const stale: string[] = [];
  for (const segment of segments) {
    if ((await files.size(segment.file)) !== segment.bytes) {
      stale.push(segment.id);
      continue;
    }
    const good = datesFromTo(segment.start_date, segment.end_date).filter(
      (day) => open.has(day) && (segment.checks?.[day] ?? '') === (checks.get(day) ?? ''),
    );
    for (const day of good) open.delete(day);
    for (const range of ranges(good)) reused.push({ ...range, closed: true, segment });
  }
  await forgetKeptSegments(db, { ids: stale });
  await touchReportSegments(db, [...new Set(reused.map(({ segment }) => segment.id))], now);
  return { reused, missing: ranges([...open]).map((range) => ({ ...range, closed: true })) };
}

/** Days, in order, as ranges without gaps. */
export function ranges(days: readonly string[]): { start: string; end: string }[] {
  const out: { start: string; end: string }[] = [];
  for (const day of days) {
    const last = out.at(-1);
    if (last !== undefined && addDays(last.end, 1) === day) last.end = day;
    else out.push({ start: day, end: day });
  }
  return out;
}
