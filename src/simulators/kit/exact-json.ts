/**
 * JSON that keeps integers beyond 2^53: in memory they are bigints, on the wire and on disk plain number literals. Some
 * platforms write ids that way, and a client that keeps them exact must get them back exact.
 */

const rawNumber = (digits: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);

const read = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? BigInt(context?.source as string)
    : value;

/** Where a number of sixteen digits or more may stand. A text inside a string may look the same; that costs only time. */
const MAYBE_LARGE = /(?:^|[:,[])\s*-?\d{16}/;

/** Parses JSON text. @throws SyntaxError as JSON.parse does. */
export function parseExact(text: string): unknown {
  // The reviver is called for every value: several times the cost of parsing, for numbers that few texts have.
  if (!MAYBE_LARGE.test(text)) return JSON.parse(text);
  return JSON.parse(text, read as (key: string, value: unknown) => unknown);
}

/** JSON text; bigints become number literals. */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? rawNumber(String(member)) : member,
  );
}
