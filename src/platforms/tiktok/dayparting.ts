/**
 * Hours of the week: TikTok's `dayparting` is 336 characters, one for each half hour from Monday 00:00 on, `1` = the ads
 * run; the unified model lists spans of weekdays. Both are in the ad account's time zone.
 */
import { type Codec, type CodecContext, custom, invalid } from '../../core/connector/codecs.ts';
import { DAYS_OF_WEEK } from '../../core/model/enums.ts';

const SLOTS_PER_DAY = 48;
const SLOTS = SLOTS_PER_DAY * DAYS_OF_WEEK.length;

/** One span as the unified model has it. */
interface Span {
  day_of_week: string;
  start_hour: number;
  start_minute?: number;
  end_hour: number;
  end_minute?: number;
}

const clock = (slot: number, side: 'start' | 'end'): Record<string, number> => ({
  [`${side}_hour`]: Math.floor(slot / 2),
  ...(slot % 2 === 0 ? {} : { [`${side}_minute`]: 30 }),
});

function spansOf(native: string): Span[] {
  const spans: Span[] = [];
  for (const [index, day_of_week] of DAYS_OF_WEEK.entries()) {
    const day = native.slice(index * SLOTS_PER_DAY, (index + 1) * SLOTS_PER_DAY);
    for (const run of day.matchAll(/1+/g))
      spans.push({
        day_of_week,
        ...clock(run.index, 'start'),
        ...clock(run.index + run[0].length, 'end'),
      } as Span);
  }
  return spans;
}

/** Half hours since midnight; throws what is wrong with the time. */
function slotOf(span: Record<string, unknown>, side: 'start' | 'end', ctx: CodecContext): number {
  const hour = span[`${side}_hour`];
  const minute = span[`${side}_minute`] ?? 0;
  if (!Number.isInteger(hour) || (hour as number) < 0 || (hour as number) > 24)
    throw invalid(ctx, `needs a \`${side}_hour\` from 0 to 24`);
  if (minute !== 0 && minute !== 30)
    throw invalid(ctx, `takes only 0 or 30 as \`${side}_minute\`: TikTok counts half hours`, { allowed: [0, 30] });
  const slot = (hour as number) * 2 + (minute === 30 ? 1 : 0);
  if (slot > SLOTS_PER_DAY) throw invalid(ctx, 'must not go beyond 24:00');
  return slot;
}

/**
 * dayparting <-> schedule. All hours and no hours both read as "always" and so as no schedule: an ad group that never
 * runs is none that TikTok has (unverified for all zeros).
 */
export const dayparting: Codec = custom({
  name: 'tiktok.dayparting',
  decode(native) {
    if (typeof native !== 'string' || native.length !== SLOTS || !/^[01]+$/.test(native)) return undefined;
    if (!native.includes('0') || !native.includes('1')) return undefined;
    return spansOf(native);
  },
  encode(unified, ctx) {
    if (!Array.isArray(unified)) throw invalid(ctx, 'must be a list of spans');
    // No spans = no limit on hours, which is how a limit is lifted.
    if (unified.length === 0) return '1'.repeat(SLOTS);
    const week = Array.from({ length: SLOTS }, () => '0');
    for (const [index, span] of unified.entries()) {
      const at: CodecContext = { ...ctx, field: `${ctx.field ?? 'schedule'}.${index}` };
      const given = (span ?? {}) as Record<string, unknown>;
      if (given['bid_modifier'] !== undefined)
        throw invalid(at, 'cannot carry a bid_modifier: TikTok bids the same at all hours');
      const day = DAYS_OF_WEEK.indexOf(given['day_of_week'] as never);
      if (day < 0) throw invalid(at, 'needs a `day_of_week`', { allowed: DAYS_OF_WEEK });
      const start = slotOf(given, 'start', at);
      const end = slotOf(given, 'end', at);
      if (end <= start) throw invalid(at, 'must end after it starts; split spans at midnight');
      week.fill('1', day * SLOTS_PER_DAY + start, day * SLOTS_PER_DAY + end);
    }
    return week.join('');
  },
});
