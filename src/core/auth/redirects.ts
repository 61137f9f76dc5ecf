/**
 * Where a connect flow may send a browser in the end. The rule is an allow list of origins, read from the text that was
 * given and from the parsed address both: what browsers and parsers understand differently is refused.
 */
import { PolyadError } from '../errors/index.ts';

/**
 * Allowed when a workspace has set no list of its own: the machine of whoever is developing. `*` stands for any port, on
 * loopback hosts only.
 */
export const DEFAULT_REDIRECT_ORIGINS: readonly string[] = ['localhost', '127.0.0.1', '[::1]'].flatMap((host) => [
  `http://${host}:*`,
  `https://${host}:*`,
]);

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const MAX_LENGTH = 2048;
/** Scheme, `//`, an authority that does not begin with another slash. */
const ABSOLUTE = /^(https?):\/\/([^/?#]+)/i;

export interface RedirectRules {
  /** Origins of the workspace; undefined = the default list. */
  origins: readonly string[] | undefined;
  /** Whole addresses allowed beyond them (query and fragment left out of the comparison). */
  uris?: readonly string[] | undefined;
  /** Our own origin: pages of this server may always be returned to. */
  own: string;
}

/** `scheme://host:*` as `scheme://host`, for loopback hosts; undefined for all other entries. */
function anyPort(entry: string): string | undefined {
  if (!entry.endsWith(':*')) return undefined;
  const base = entry.slice(0, -2).toLowerCase();
  const host = ABSOLUTE.exec(base)?.[2];
  return host !== undefined && LOOPBACK.has(host) ? base : undefined;
}

/** The origin of an entry of an allow list; undefined when it is not one. */
export function parseOrigin(entry: string): string | undefined {
  if (anyPort(entry) !== undefined) return entry.toLowerCase();
  const url = parse(entry);
  return url !== undefined && url.pathname === '/' && url.search === '' && url.hash === '' ? url.origin : undefined;
}

function parse(target: string): URL | undefined {
  if (target.length > MAX_LENGTH || hasForbidden(target)) return undefined;
  const authority = ABSOLUTE.exec(target)?.[2];
  if (authority === undefined || authority.includes('@')) return undefined;
  try {
    const url = new URL(target);
    return url.username === '' && url.password === '' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Backslashes, white space and control characters: parsers disagree about them. */
function hasForbidden(target: string): boolean {
  for (const char of target) {
    const code = char.codePointAt(0) as number;
    if (code <= 0x20 || (code >= 0x7f && code <= 0xa0) || char === '\\' || code === 0xfeff) return true;
  }
  return false;
}

/** True when a browser may be sent to `target`. */
export function redirectAllowed(target: string, rules: RedirectRules): boolean {
  const url = parse(target);
  if (url === undefined) return false;
  const origins = rules.origins ?? DEFAULT_REDIRECT_ORIGINS;
  if (url.origin === rules.own) return true;
  for (const entry of origins) {
    const base = anyPort(entry);
    if (base !== undefined ? `${url.protocol}//${url.hostname}` === base : parseOrigin(entry) === url.origin)
      return true;
  }
  return (rules.uris ?? []).some((uri) => {
    const allowed = parse(uri);
    return allowed !== undefined && allowed.origin === url.origin && allowed.pathname === url.pathname;
  });
}

/** @throws PolyadError `oauth_redirect_not_allowed`, naming the parameter and what is allowed. */
export function checkRedirect(name: string, target: string | undefined, rules: RedirectRules): void {
  if (target === undefined || redirectAllowed(target, rules)) return;
  throw new PolyadError('oauth_redirect_not_allowed', {
    message: `\`${name}\` is not on the allow list of the workspace.`,
    details: { parameter: name, allowed: [...(rules.origins ?? DEFAULT_REDIRECT_ORIGINS), ...(rules.uris ?? [])] },
  });
}

/** `target` with parameters appended to its query; everything it had stays as it was, byte for byte. */
export function withParams(target: string, params: Record<string, string | undefined>): string {
  const added = Object.entries(params)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`)
    .join('&');
  if (added === '') return target;
  const hash = target.indexOf('#');
  const head = hash < 0 ? target : target.slice(0, hash);
  const tail = hash < 0 ? '' : target.slice(hash);
  const joint = !head.includes('?') ? '?' : /[?&]$/.test(head) ? '' : '&';
  return `${head}${joint}${added}${tail}`;
}
