/** JSON whose integers stay what they are. */

/** An integer of sixteen digits or more that is no text: the only kind of number that a plain parse would change. */
const LONG_INTEGER = /[:[,]\s*-?\d{16,}\s*[,}\]]/;

/**
 * JSON with integers beyond 2^53 as their text: ids that platforms send as numbers would otherwise come out as other
 * ids. Texts without such numbers take the fast way.
 */
export function parseExactJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return JSON.parse(text);
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? context?.source
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}
