import { createHash } from 'node:crypto';
import type { LoggedRequest } from './types.ts';

/** How many requests the log holds; older ones are dropped. */
const CAPACITY = 20_000;
/** Texts longer than this are cut in the log: it is for reading, not for replay. */
const LONGEST_TEXT = 2_000;

/** The first 12 hexadecimal characters of SHA-256: tells two secrets apart without showing either. */
export function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 12);
}

/**
 * A copy of `value` fit for the log: members whose name is in `secretNames` (any case) are replaced by their digest,
 * long texts are cut.
 */
export function redact(value: unknown, secretNames: ReadonlySet<string>): unknown {
  if (typeof value === 'string') {
    const text = hideSeen(value);
    return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}… (${text.length} characters)` : text;
  }
  if (Array.isArray(value)) return value.map((item) => redact(item, secretNames));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const secret = secretNames.has(name.toLowerCase()) && member !== null && member !== undefined;
    if (secret) sawSecret(String(member));
    copy[name] = secret ? `sha256:${digest(String(member))}` : redact(member, secretNames);
  }
  return copy;
}

/** Secrets that requests carried where secrets belong, so that they are known where they do not. */
const seen = new Set<string>();
const SEEN_CAPACITY = 20_000;
/** Shorter values are words. */
const SHORTEST_SECRET = 8;

/** Remembers a secret by its value. */
export function sawSecret(secret: string): void {
  if (secret.length < SHORTEST_SECRET || seen.has(secret)) return;
  if (seen.size >= SEEN_CAPACITY) seen.delete(seen.values().next().value as string);
  seen.add(secret);
}

/** `text` with secrets that were seen before replaced by their digests. */
export function hideSeen(text: string): string {
  if (seen.size === 0) return text;
  return text.replace(/[A-Za-z0-9._~+=-]{8,}/g, (run) => (seen.has(run) ? `sha256:${digest(run)}` : run));
}

/** Which entries `list` returns. */
export interface LogFilter {
  /** Only entries with a greater `seq`. */
  since?: number;
  /** Substring of the path. */
  path?: string;
  method?: string;
  /** The newest so many; still in the order in which they came. Default 100. */
  limit?: number;
}

/** The requests a simulator has answered, oldest first. */
export interface RequestLog {
  add(entry: Omit<LoggedRequest, 'seq'>): void;
  list(filter?: LogFilter): LoggedRequest[];
  /** Number of the latest request; `list({ since })` takes it. */
  readonly last: number;
  clear(): void;
}

/** A log in memory: it is for looking at a run, and begins anew with each start. `seq` goes on after `clear`. */
export function createRequestLog(): RequestLog {
  let entries: LoggedRequest[] = [];
  let last = 0;
  return {
    get last() {
      return last;
    },
    add(entry) {
      entries.push({ seq: ++last, ...entry });
      if (entries.length >= 2 * CAPACITY) entries = entries.slice(-CAPACITY);
    },
    list({ since = 0, path, method, limit = 100 } = {}) {
      const wanted = method?.toUpperCase();
      const found = entries.filter(
        (entry) =>
          entry.seq > since &&
          (path === undefined || entry.path.includes(path)) &&
          (wanted === undefined || entry.method === wanted),
      );
      return limit > 0 ? found.slice(-limit) : [];
    },
    clear() {
      entries = [];
    },
  };
}
