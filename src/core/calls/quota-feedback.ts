/** What answers say about quotas, read as the manifest's `usage` says, and told to the pacer. */
import type {
  Classification,
  Manifest,
  PlatformResponse,
  QuotaBucket,
  UsageReader,
  WaitUnit,
} from '../connector/types.ts';
import type { BucketClaim, Pacer, QuotaView } from '../pacing/pacer.ts';
import { bucketName, restUntil } from './quota-claims.ts';

type Headers = PlatformResponse['headers'];

const number = (text: unknown): number | undefined => {
  const value =
    typeof text === 'number' ? text : typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
};

/** Longest wait that is believed: a day and a bit. Anything more is a mistake in a unit. */
const LONGEST_MS = 26 * 3_600_000;

/** Largest limit that is believed: a thousand times the largest that is documented. */
const LARGEST_LIMIT = 1e12;

/** A wait of this or less in whole seconds may have been rounded down from more. */
const ROUNDED_MS = 1_000;

/** Undefined for a wait beyond belief; one that is over is 0. */
const believed = (ms: number): number | undefined => (ms <= LONGEST_MS ? Math.max(0, ms) : undefined);

/** Milliseconds from now that `value` stands for; undefined when it cannot be read. */
export function waitOf(value: unknown, unit: WaitUnit, now: number): number | undefined {
  if (unit === 'duration' && typeof value === 'string') {
    const seconds = /^(\d+(?:\.\d+)?)s?$/.exec(value.trim());
    const iso = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/.exec(value.trim());
    if (seconds !== null) return believed(Number(seconds[1]) * 1_000);
    if (iso === null) return undefined;
    return believed(((Number(iso[1] ?? 0) * 60 + Number(iso[2] ?? 0)) * 60 + Number(iso[3] ?? 0)) * 1_000);
  }
  const given = number(value);
  if (given === undefined) return undefined;
  const ms =
    unit === 'epoch_s'
      ? given * 1_000 - now
      : unit === 'epoch_ms'
        ? given - now
        : unit === 'ms'
          ? given
          : given * (unit === 'minutes' ? 60_000 : 1_000);
  return believed(ms);
}

/** `Retry-After`: seconds or a date (RFC 9110 §10.2.3). Undefined when there is none, or one that cannot be believed. */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const seconds = number(text);
  const at = seconds === undefined ? Date.parse(text) - now : seconds * 1_000;
  return at > 0 ? believed(at) : undefined;
}

/** Splits at a separator that does not stand within quotes. */
function split(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    if (quoted && text[at] === '\\') at += 1;
    else if (text[at] === '"') quoted = !quoted;
    else if (!quoted && text[at] === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)].map((part) => part.trim());
}

/** Members of an IETF list of policies (`"name";r=5;t=30`), a structured field of RFC 9651. */
function policies(text: string | undefined): [name: string, values: Map<string, number>][] {
  return split(text ?? '', ',').map((item) => {
    const [name = '', ...parts] = split(item, ';');
    const values = new Map<string, number>();
    for (const part of parts) {
      const equals = part.indexOf('=');
      const parsed = number(part.slice(equals + 1));
      if (equals > 0 && parsed !== undefined) values.set(part.slice(0, equals), parsed);
    }
    return [/^".*"$/.test(name) ? name.slice(1, -1).replace(/\\(.)/g, '$1') : name, values];
  });
}

/** A platform's figures, as far as they can be true. */
function figures(
  remaining: number,
  limit: number | undefined,
  resetMs: number | undefined,
  rounded: boolean,
): QuotaView {
  const left = Math.max(0, remaining);
  return {
    remaining: left,
    ...(limit === undefined || limit < 1 || limit > LARGEST_LIMIT ? {} : { limit }),
    // Nothing left, and full again in no time: there is less than a second to wait, or our clock is ahead.
    ...(resetMs === undefined ? {} : { resetMs: left === 0 && rounded ? Math.max(resetMs, ROUNDED_MS) : resetMs }),
  };
}

/** Of two views of one bucket in the same words, the one that allows less. */
function lesser(one: QuotaView, other: QuotaView): QuotaView {
  const [a, b] = [one, other].map(({ fraction, remaining }) => fraction ?? -(remaining ?? 0)) as [number, number];
  if (a !== b) return a > b ? one : other;
  return (one.resetMs ?? 0) >= (other.resetMs ?? 0) ? one : other;
}

/** The bucket that a table of the manifest names, if it names one. */
const named = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Values at a dotted path; `*` steps through lists and objects. */
export function valuesAt(json: unknown, path: string): unknown[] {
  let level: unknown[] = [json];
  for (const step of path.split('.'))
    level = level.flatMap((value) => {
      if (typeof value !== 'object' || value === null) return [];
      return step === '*' ? Object.values(value) : [(value as Record<string, unknown>)[step]];
    });
  return level.filter((value) => value !== undefined && value !== null);
}

type PercentReader = Extract<UsageReader, { kind: 'percent' }>;

function percent(reader: PercentReader, headers: Headers, now: number): [bucket: string, view: QuotaView][] {
  const json = parsed(headers[reader.header]);
  if (typeof json !== 'object' || json === null) return [];
  const entries: unknown[] = reader.keyed === true ? Object.values(json).flat() : [json];
  const views: [string, QuotaView][] = [];
  for (const item of entries) {
    if (typeof item !== 'object' || item === null) continue;
    const entry = item as Record<string, unknown>;
    const type = reader.typeField === undefined ? undefined : entry[reader.typeField];
    const bucket = (typeof type === 'string' ? named(reader.buckets, type) : undefined) ?? named(reader.buckets, '*');
    const shares = reader.fields.map((field) => number(entry[field])).filter((share) => share !== undefined);
    if (bucket === undefined || shares.length === 0) continue;
    const reset =
      reader.resetField === undefined
        ? undefined
        : waitOf(entry[reader.resetField], reader.resetUnit ?? 'seconds', now);
    views.push([
      bucket,
      {
        fraction: Math.max(...shares) / 100,
        slowAt: reader.slowAt / 100,
        stopAt: reader.stopAt / 100,
        // Zero means "nothing to wait for", not "free in no time".
        ...(reset === undefined || reset === 0 ? {} : { resetMs: reset }),
      },
    ]);
  }
  return views;
}

/** What one reader finds in an answer's headers. */
function readOne(reader: UsageReader, headers: Headers, now: number): [bucket: string, view: QuotaView][] {
  if (reader.kind === 'percent') return percent(reader, headers, now);
  if (reader.kind === 'headers') {
    const remaining = number(headers[reader.remaining]);
    if (remaining === undefined) return [];
    const limit = reader.limit === undefined ? undefined : number(headers[reader.limit]);
    const unit = reader.resetUnit ?? 'seconds';
    const reset = reader.reset === undefined ? undefined : waitOf(headers[reader.reset], unit, now);
    return [[reader.bucket, figures(remaining, limit, reset, unit === 'seconds' || unit === 'epoch_s')]];
  }
  if (reader.kind !== 'ietf') return [];
  const limits = new Map(policies(headers['ratelimit-policy']));
  return policies(headers['ratelimit']).flatMap(([name, values]): [string, QuotaView][] => {
    const bucket = named(reader.policies, name);
    const remaining = values.get('r');
    if (bucket === undefined || remaining === undefined) return [];
    const reset = values.get('t');
    const resetMs = reset === undefined ? undefined : believed(reset * 1_000);
    return [[bucket, figures(remaining, limits.get(name)?.get('q'), resetMs, true)]];
  });
}

/**
 * Everything the readers find in an answer's headers: bucket name in the manifest, view. Headers may hold anything: what
 * cannot be true is passed over. Where one header says several things of a bucket, the one that allows least counts.
 */
export function readUsage(
  readers: readonly UsageReader[],
  headers: Headers,
  now: number,
): [bucket: string, view: QuotaView][] {
  return readers.flatMap((reader) => {
    const views = new Map<string, QuotaView>();
    for (const [bucket, view] of readOne(reader, headers, now)) {
      const before = views.get(bucket);
      views.set(bucket, before === undefined ? view : lesser(before, view));
    }
    return [...views];
  });
}

/** The wait that a refusal names in its headers or body. */
export function waitIn(
  readers: readonly UsageReader[],
  response: Pick<PlatformResponse, 'headers' | 'json'>,
  now: number,
): number | undefined {
  const header = retryAfterOf(response.headers, now);
  if (header !== undefined) return header;
  for (const reader of readers) {
    if (reader.kind !== 'body_wait') continue;
    for (const value of valuesAt(response.json, reader.path)) {
      const wait = waitOf(value, reader.unit, now);
      if (wait !== undefined && wait > 0) return wait;
    }
  }
  return undefined;
}

/**
 * The failure with the wait that the platform named: in its classification, else in `Retry-After`, else, where a quota is
 * full, in the body. A wait beyond belief is left out, so that the bucket's own rule holds, or the back-off.
 */
export function withWait(
  { retryAfterMs, ...failure }: Classification,
  { usage }: Manifest,
  response: Pick<PlatformResponse, 'headers' | 'json'>,
  now: number,
): Classification {
  const said = retryAfterMs === undefined ? undefined : believed(retryAfterMs);
  // A quota's rest is worth hearing of whatever the class says; what passes by itself says when, often as a date.
  const named = failure.code === 'platform_rate_limited' ? waitIn(usage ?? [], response, now) : undefined;
  const wait = said ?? named ?? (failure.retry === 'after' ? retryAfterOf(response.headers, now) : undefined);
  return wait === undefined ? failure : { ...failure, retryAfterMs: wait };
}

/** What a call took, where its answer tells: undefined where it does not. */
export function unitsIn({ path, count }: Extract<UsageReader, { kind: 'units' }>, json: unknown): number | undefined {
  const values = valuesAt(json, path);
  if (count === true) return values.length;
  let sum: number | undefined;
  for (const value of values) {
    const units = number(value);
    if (units !== undefined && units >= 0 && units <= LARGEST_LIMIT) sum = (sum ?? 0) + units;
  }
  return sum;
}

/** Tells the pacer what the headers of any answer say. Buckets that the call did not claim are left alone. */
export function observeUsage(
  pacer: Pacer,
  manifest: Manifest,
  claims: readonly BucketClaim[],
  headers: Headers,
  now: Date,
): void {
  const { usage } = manifest;
  if (usage === undefined) return;
  const seen = new Set<string>();
  for (const [bucket, view] of readUsage(usage, headers, now.getTime())) {
    // Readers stand in order of precedence: the first that finds something about a bucket is believed.
    if (seen.has(bucket)) continue;
    const claim = claims.find(({ name }) => name === bucketName(manifest, { name: bucket }));
    if (claim === undefined) continue;
    seen.add(bucket);
    pacer.observe(claim, view);
  }
}

/** Counts what a call took in the end, where its answer tells. Answers that are passed on as they come have no JSON. */
export function observeUnits(
  pacer: Pacer,
  { id, usage = [] }: Manifest,
  claims: readonly BucketClaim[],
  answer: unknown,
): void {
  for (const reader of usage) {
    if (reader.kind !== 'units') continue;
    const claim = claims.find(({ name }) => name === `${id}.${reader.bucket}`);
    const units = claim === undefined ? undefined : unitsIn(reader, (answer as { json?: unknown } | undefined)?.json);
    if (claim !== undefined && units !== undefined) pacer.settle(claim, units);
  }
}

/** Buckets that nobody but those who use one ad account or one object share. */
const isOwn = ({ keyedBy }: QuotaBucket): boolean => keyedBy.includes('organization') || keyedBy.includes('object');

/**
 * The bucket that a refusal is about: of those named, the first that the call claimed and that has not just rested in vain;
 * else the first that it claimed at all. Too many calls about one ad account are never laid to what all calls share.
 */
function fullBucket(pacer: Pacer, manifest: Manifest, claims: readonly BucketClaim[], failure: Classification) {
  if (failure.code !== 'platform_rate_limited') return undefined;
  // Too much of one value in one request says nothing about the quotas of all others.
  if (failure.bucket === undefined && failure.scope === 'request') return undefined;
  const named = failure.bucket === undefined ? [] : [failure.bucket].flat();
  const claimed = named.flatMap((name) => claims.filter((one) => one.name === bucketName(manifest, { name })));
  const bucketOf = (claim: BucketClaim | undefined) =>
    manifest.quotas.find((one) => claim?.name === bucketName(manifest, one));
  const others =
    failure.scope === 'organization' ? claims.filter((one) => isOwn(bucketOf(one) as QuotaBucket)) : claims;
  const claim = claimed.find((one) => !pacer.restedInVain(one)) ?? claimed.at(-1) ?? others[0];
  const bucket = bucketOf(claim);
  return bucket === undefined || claim === undefined ? undefined : { bucket, claim };
}

/** Tells the pacer that the platform refused: its word counts, so the bucket rests. Returns the wait in milliseconds. */
export function reportRefusal(
  pacer: Pacer,
  manifest: Manifest,
  claims: readonly BucketClaim[],
  failure: Classification,
  now: Date,
): number | undefined {
  const full = fullBucket(pacer, manifest, claims, failure);
  if (full === undefined) return undefined;
  const wait = restUntil(full.bucket, failure, now) - now.getTime();
  pacer.refused(full.claim, wait);
  return wait;
}
