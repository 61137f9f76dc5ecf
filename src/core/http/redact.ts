/**
 * Redaction in one place, by name and by value. Names: members of structured data, and parameters of query strings that
 * platforms fill with secrets. Values: whatever this process knows to be a secret (`redact-values.ts`), wherever it
 * stands. Everything that leaves a process for people's eyes goes through here: log lines, error answers and pages, rows
 * of the call log, events and the audit log.
 */
import { knownSecrets } from './redact-values.ts';

/** Names of secrets as platforms and people write them; letter case, `-` and `_` do not matter. */
const SECRET_KEYS = [
  'authorization',
  'proxy-authorization',
  'access-token',
  'access_token',
  'accesstoken',
  'refresh_token',
  'id_token',
  'client_secret',
  'app_secret',
  'secret',
  'consumer_secret',
  'webhook_secret',
  'signing_secret',
  'auth_code',
  'code_verifier',
  'assertion',
  'password',
  'private_key',
  'pem',
  'cookie',
  'set-cookie',
  'api_key',
  'x-api-key',
  'dev_api_key',
  'developer-token',
  'developer_token',
  'jwt',
  'token',
  'reauth_token',
  'master_key',
];

const plainName = (name: string): string => name.toLowerCase().replace(/[-_]/g, '');

const KEYS = new Set(SECRET_KEYS.map(plainName));
/** `code` is a secret in OAuth callbacks but an error code elsewhere, so it is hidden in query strings alone. */
const QUERY_KEYS = new Set([...KEYS, 'code', 'state', 'sig']);

export const HIDDEN = '[hidden]';

/** True for names of members that hold secrets. */
export const isSecretName = (name: string): boolean => KEYS.has(plainName(name));

/** A copy of `value` with secret members replaced, to any depth that logs need, and known secrets hidden in its texts. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (depth > 8) return HIDDEN;
  if (Array.isArray(value)) return value.map((member) => redact(member, depth + 1));
  const out: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value))
    out[key] = member !== undefined && member !== null && isSecretName(key) ? HIDDEN : redact(member, depth + 1);
  return out;
}

/** Remembers the secrets in `value`, found by their names. */
export function learnSecrets(value: unknown, depth = 0): void {
  if (value === null || typeof value !== 'object' || depth > 8) return;
  for (const [key, member] of Object.entries(value))
    if (typeof member === 'string') {
      if (isSecretName(key)) knownSecrets.learn(member);
    } else learnSecrets(member, depth + 1);
}

/** What looks like a credential though nobody here knows it: after the name of its scheme, or by our own keys' form. */
const CREDENTIAL = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/-]{8,}=*|\bpolyad_[0-9A-Za-z]{40}/gi;
const CREDENTIAL_SIGNS = /polyad_|bearer |basic /i;
/** `name=value` of a query string somewhere in a text. */
const PARAMETER = /([?&]|%3f|%26)([a-z0-9_.-]{2,40})=([^&\s"'<>\\#]+)/gi;

/**
 * An answer without secrets: what is known to be one, and what looks like a credential. Signed links stay usable: the
 * re-connect address in an error is meant for its reader.
 */
export function redactAnswer(text: string): string {
  const out = knownSecrets.hide(text, HIDDEN);
  if (!CREDENTIAL_SIGNS.test(out)) return out;
  return out.replace(CREDENTIAL, (_all, scheme?: string) => (scheme === undefined ? HIDDEN : `${scheme} ${HIDDEN}`));
}

/** `text` for logs, without secrets by value and by name. The same text when there are none. */
export function redactText(text: string): string {
  let out = redactAnswer(text);
  if (out.includes('=') && (out.includes('?') || out.includes('&')))
    out = out.replace(PARAMETER, (all, mark: string, name: string) =>
      isSecretName(name) ? `${mark}${name}=${HIDDEN}` : all,
    );
  return out;
}

/** What is known of names in query strings. Every request asks for the same few; beyond this many, none is kept. */
const MAX_NAMES = 5_000;
const queryNames = new Map<string, { plain: string; secret: boolean }>();

function queryName(name: string): { plain: string; secret: boolean } {
  let known = queryNames.get(name);
  if (known !== undefined) return known;
  let decoded = name;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    // A name that does not decode is compared as it stands.
  }
  const plain = plainName(decoded);
  known = { plain, secret: QUERY_KEYS.has(plain) };
  if (queryNames.size < MAX_NAMES) queryNames.set(name, known);
  return known;
}

const plainExtras = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The platform's own names for secrets, in plain form. */
function plainExtra(extra: readonly string[]): ReadonlySet<string> {
  let plain = plainExtras.get(extra);
  if (plain === undefined) {
    plain = new Set(extra.map(plainName));
    plainExtras.set(extra, plain);
  }
  return plain;
}

const NO_EXTRA: readonly string[] = [];

/** A path or URL whose secret query members are replaced. `extra` = the platform's own names for secrets. */
export function redactUrl(url: string, extra: readonly string[] = NO_EXTRA): string {
  const mark = url.indexOf('?');
  if (mark < 0) return knownSecrets.hide(url, HIDDEN);
  const extras = plainExtra(extra);
  let out = '';
  // What is copied so far: nearly every address has no secret, and is answered as it is.
  let copied = 0;
  for (let from = mark + 1; from < url.length; ) {
    let to = url.indexOf('&', from);
    if (to < 0) to = url.length;
    const equals = url.indexOf('=', from);
    if (equals >= 0 && equals < to) {
      const { plain, secret } = queryName(url.slice(from, equals));
      if (secret || extras.has(plain)) {
        out += `${url.slice(copied, equals)}=${HIDDEN}`;
        copied = to;
      }
    }
    from = to + 1;
  }
  return knownSecrets.hide(copied === 0 ? url : out + url.slice(copied), HIDDEN);
}

/** Paths for pino's own `redact` option: the second net under structured logs. */
export const PINO_REDACT = {
  paths: SECRET_KEYS.flatMap((key) => [`["${key}"]`, `*["${key}"]`, `*.*["${key}"]`]),
  censor: HIDDEN,
};
