/** JSON whose integers stay what they are. */

/** Digits from which on an integer may not fit a double: 2^53 has sixteen. */
const LONG = 16;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
/** Blanks of JSON (RFC 8259 §2). */
const isBlank = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9;

/**
 * Whether an integer of sixteen digits or more may stand outside of texts, the only kind of number that a plain parse
 * would change. Looks at every sixteenth character alone: no longer run of digits fits in between.
 */
function hasLongInteger(text: string): boolean {
  const { length } = text;
  for (let at = LONG - 1; at < length; at += LONG) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let from = at;
    while (from > 0 && isDigit(text.charCodeAt(from - 1))) from -= 1;
    let to = at + 1;
    while (to < length && isDigit(text.charCodeAt(to))) to += 1;
    if (to - from >= LONG && standsAlone(text, from, to)) return true;
    // The step lands on the sixteenth character after the run at the latest.
    at += Math.floor((to - 1 - at) / LONG) * LONG;
  }
  return false;
}

/** Whether the digits from `from` to `to` are a whole value by what is around them. Inside a text it may only look so. */
function standsAlone(text: string, from: number, to: number): boolean {
  let before = from - 1;
  if (text.charCodeAt(before) === 45) before -= 1;
  while (isBlank(text.charCodeAt(before))) before -= 1;
  const left = text.charCodeAt(before);
  // A colon, a bracket or a comma.
  if (left !== 58 && left !== 91 && left !== 44) return false;
  let after = to;
  while (isBlank(text.charCodeAt(after))) after += 1;
  const right = text.charCodeAt(after);
  return right === 44 || right === 125 || right === 93;
}

/**
 * JSON with integers beyond 2^53 as their text: ids that platforms send as numbers would otherwise come out as other
 * ids. Texts without such numbers take the fast way.
 */
export function parseExactJson(text: string): unknown {
  if (!hasLongInteger(text)) return JSON.parse(text);
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? context?.source
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}
