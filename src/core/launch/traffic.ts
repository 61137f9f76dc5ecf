/** Which access level the measured traffic needs. */
import type { AccessLevel } from '../connector/launch-spec.ts';
import { countConnections } from '../store/repositories/index.ts';
import type { TrafficPeak } from '../store/repositories/usage.ts';
import type { Db } from '../store/schema.ts';
import type { TrafficReport } from './types.ts';

/** Room above the measured peak: traffic that is only just carried leaves none for a busy day. */
const ROOM = 1.5;

/** The lowest level that carries the measured peak, with room, for as many customers as are expected. */
export async function neededLevel(
  db: Db,
  workspaceId: string,
  type: string,
  levels: readonly AccessLevel[],
  peaks: readonly TrafficPeak[],
  customers: number,
): Promise<TrafficReport['needed']> {
  const [first] = levels;
  if (peaks.length === 0 || first === undefined) return undefined;
  // What production does counts; before there is any, what was rehearsed.
  const peak = peaks.find(({ environment }) => environment === 'production') ?? (peaks[0] as TrafficPeak);
  const connections = Math.max(1, await countConnections(db, workspaceId, type, peak.environment));
  const factor = (Number.isFinite(customers) ? Math.max(1, customers / connections) : 1) * ROOM;
  const perMinute = Math.ceil(peak.per_minute * factor);
  const perDay = Math.ceil(peak.per_day * factor);
  const level =
    levels.find((one) => perMinute <= one.perMinute && perMinute / 60 <= one.perSecond && perDay <= one.perDay) ??
    (levels.at(-1) as AccessLevel);
  const many = Number.isFinite(customers) ? `, for ${customers} expected customers` : '';
  return {
    level: level.name,
    per_minute: perMinute,
    per_day: perDay,
    basis: `Measured in ${peak.environment} with ${connections} connection${connections === 1 ? '' : 's'}: ${peak.per_minute} calls in the busiest minute, ${peak.per_day} on the busiest day; with room (×${ROOM})${many}: ${perMinute} a minute, ${perDay} a day.`,
  };
}
