/** Redaction in one place: by key for structured data, and for query strings that platforms fill with secrets. */

const SECRET_KEYS = [
  'authorization',
  'access-token',
  'access_token',
  'accesstoken',
  'refresh_token',
  'client_secret',
  'app_secret',
  'secret',
  'consumer_secret',
  'auth_code',
  'code_verifier',
  'password',
  'pem',
  'cookie',
  'set-cookie',
  'api_key',
  'dev_api_key',
  'jwt',
  'token',
  'reauth_token',
];

const KEYS = new Set(SECRET_KEYS);
/** `code` is a secret in OAuth callbacks but an error code elsewhere, so it is hidden in query strings alone. */
const QUERY_KEYS = new Set([...SECRET_KEYS, 'code', 'state', 'sig']);

export const HIDDEN = '[hidden]';

/** A copy of `value` with secret members replaced, to any depth that logs need. */
export function redact(value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object' || depth > 8) return value;
  if (Array.isArray(value)) return value.map((member) => redact(member, depth + 1));
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value))
    out[key] = KEYS.has(key.toLowerCase()) ? HIDDEN : redact(member, depth + 1);
  return out;
}

/** A path or URL whose secret query members are replaced. `extra` = the platform's own names for secrets. */
export function redactUrl(url: string, extra: readonly string[] = []): string {
  const mark = url.indexOf('?');
  if (mark < 0) return url;
  const secret = (name: string): boolean => {
    const lower = name.toLowerCase();
    return QUERY_KEYS.has(lower) || extra.some((other) => other.toLowerCase() === lower);
  };
  const query = url
    .slice(mark + 1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const name = equals < 0 ? pair : pair.slice(0, equals);
      let decoded = name;
      try {
        decoded = decodeURIComponent(name);
      } catch {
        // A name that does not decode is compared as it stands.
      }
      return equals >= 0 && secret(decoded) ? `${name}=${HIDDEN}` : pair;
    })
    .join('&');
  return `${url.slice(0, mark)}?${query}`;
}

/** Paths for pino's own `redact` option: the second net under structured logs. */
export const PINO_REDACT = {
  paths: [...KEYS].flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]),
  censor: HIDDEN,
};
