/** When windows that a platform aligns begin and end: multiples of a length, or days of a time zone. */

const DAY = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds by which the zone's wall clock is ahead of UTC at `at`. */
function offsetMs(zone: string, at: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

/** The instant at which a wall clock of `zone` shows `wall` (milliseconds as if it were UTC). */
function instantOf(zone: string, wall: number): number {
  const first = wall - offsetMs(zone, wall);
  // Near a change of the clocks the first guess may use the offset of the other side.
  return wall - offsetMs(zone, first);
}

const cache = new Map<string, readonly [start: number, end: number]>();

/**
 * Start and end of the window that holds `now`. A day of a zone may have 23 or 25 hours.
 *
 * @throws RangeError when the zone is unknown
 */
export function boundaries(
  align: 'epoch' | { at: string; zone: string },
  windowMs: number,
  now: number,
): readonly [start: number, end: number] {
  if (align === 'epoch') {
    const start = Math.floor(now / windowMs) * windowMs;
    return [start, start + windowMs];
  }
  const key = `${align.zone} ${align.at}`;
  const known = cache.get(key);
  if (known !== undefined && known[0] <= now && now < known[1]) return known;
  const [hours = 0, minutes = 0] = align.at.split(':').map(Number);
  const into = (hours * 60 + minutes) * 60_000;
  const wall = now + offsetMs(align.zone, now);
  let day = Math.floor((wall - into) / DAY) * DAY;
  let start = instantOf(align.zone, day + into);
  if (start > now) {
    day -= DAY;
    start = instantOf(align.zone, day + into);
  }
  const found = [start, instantOf(align.zone, day + DAY + into)] as const;
  cache.set(key, found);
  return found;
}
