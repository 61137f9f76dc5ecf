/** What part of a pass-through address goes to the platform. Works on the bytes that came, never on decoded parameters. */
import { PolyadError } from '../core/errors/index.ts';

/** Path (with its leading slash) and query (without `?`) for the platform. */
export interface PassthroughTarget {
  path: string;
  query: string;
  /** Values of `dry_run`, which is ours: it was taken out of the query. */
  dryRun?: readonly string[];
}

/** Written with an escape in its name (`dry%5Frun`), or inside an encoded path, it is the platform's own. */
const DRY_RUN = /(?:^|&)dry_run(?:=([^&]*))?(?=&|$)/g;

/** The query without our part of it. */
function withoutOurs(query: string): { query: string; dryRun?: string[] } {
  if (!query.includes('dry_run')) return { query };
  const dryRun = Array.from(query.matchAll(DRY_RUN), ([, value = '']) => value);
  return dryRun.length === 0 ? { query } : { query: query.replace(DRY_RUN, '').replace(/^&/, ''), dryRun };
}

/** Characters that may not stand in a request target as they are; `%` stays, being the escape of those that may not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must be found
const UNSAFE = /[\u0000-\u0020"<>\\^`{|}#\u007f-\uffff]+/g;

const escapeUnsafe = (text: string): string => text.replace(UNSAFE, (run) => encodeURIComponent(run.toWellFormed()));

/** What follows `/passthrough/<connection>/`. */
function behindConnection(address: string): string {
  const begin = address.indexOf('/', address.indexOf('/', 1) + 1);
  return begin <= 0 ? '' : address.slice(begin + 1);
}

/**
 * Splits `/passthrough/<connection>/<rest>`. Two forms exist: a plain path with its slashes, and a whole path encoded as
 * one segment (`open_api%2Fv1.3%2Fad%2Fget%2F%3Fpage%3D1`), where a decoded `?` begins a query. Plain paths and queries are
 * kept byte for byte; where both forms of a query are there, the decoded one comes first.
 *
 * @throws PolyadError `input_invalid` when the one segment is not valid UTF-8 in percent encoding.
 */
export function passthroughTarget(rawUrl: string): PassthroughTarget {
  const mark = rawUrl.indexOf('?');
  // Clients behind a proxy may send the whole URL (RFC 9112 §3.2.2); its host is ours, whatever they call it.
  const whole = mark < 0 ? rawUrl : rawUrl.slice(0, mark);
  const address = whole.startsWith('/') ? whole : whole.replace(/^https?:\/\/[^/]*/i, '');
  const { query, ...ours } = withoutOurs(mark < 0 ? '' : rawUrl.slice(mark + 1));
  const rest = behindConnection(address);
  if (rest.includes('/') || !/%(?:2f|3f)/i.test(rest)) return { path: `/${rest}`, query, ...ours };
  let decoded: string;
  try {
    decoded = decodeURIComponent(rest);
  } catch {
    throw new PolyadError('input_invalid', {
      message: 'The encoded path is not valid percent encoding of UTF-8 text.',
    });
  }
  const inner = decoded.indexOf('?');
  const path = inner < 0 ? decoded : decoded.slice(0, inner);
  const innerQuery = inner < 0 ? '' : escapeUnsafe(decoded.slice(inner + 1));
  return {
    path: `/${escapeUnsafe(path.replace(/^\//, ''))}`,
    query: [innerQuery, query].filter((part) => part !== '').join('&'),
    ...ours,
  };
}
