/** What answers say about quotas, read as the manifest's `usage` says, and told to the pacer. */
import type { Classification, Manifest, PlatformResponse, UsageReader, WaitUnit } from '../connector/types.ts';
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

/** Milliseconds from now that `value` stands for; undefined when it cannot be read. */
export function waitOf(value: unknown, unit: WaitUnit, now: number): number | undefined {
  if (unit === 'duration' && typeof value === 'string') {
    const seconds = /^(\d+(?:\.\d+)?)s?$/.exec(value.trim());
    const iso = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/.exec(value.trim());
    if (seconds !== null) return Number(seconds[1]) * 1_000;
    if (iso === null) return undefined;
    return ((Number(iso[1] ?? 0) * 60 + Number(iso[2] ?? 0)) * 60 + Number(iso[3] ?? 0)) * 1_000;
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
  return ms > LONGEST_MS ? undefined : Math.max(0, ms);
}

/** `Retry-After`: seconds or a date (RFC 9110 §10.2.3). */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const seconds = number(text);
  if (seconds !== undefined) return seconds > 0 ? seconds * 1_000 : undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= now ? undefined : at - now;
}

/** Members of an IETF list of policies: `"name";r=5;t=30`. */
function policies(text: string | undefined): Map<string, Record<string, number>> {
  const found = new Map<string, Record<string, number>>();
  for (const item of (text ?? '').split(',')) {
    const [name = '', ...parts] = item.split(';').map((part) => part.trim());
    const values: Record<string, number> = {};
    for (const part of parts) {
      const [key = '', value] = part.split('=');
      const parsed = number(value);
      if (parsed !== undefined) values[key] = parsed;
    }
    const bare = name.replaceAll('"', '');
    if (bare !== '') found.set(bare, values);
  }
  return found;
}

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
  const entries = reader.keyed === true ? Object.values(json).flat() : [json];
  const views: [string, QuotaView][] = [];
  for (const entry of entries as Record<string, unknown>[]) {
    const type = reader.typeField === undefined ? '*' : String(entry[reader.typeField]);
    const bucket = reader.buckets[type] ?? reader.buckets['*'];
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

/** Everything the readers find in an answer's headers: bucket name in the manifest, view. */
export function readUsage(
  readers: readonly UsageReader[],
  headers: Headers,
  now: number,
): [bucket: string, view: QuotaView][] {
  const views: [string, QuotaView][] = [];
  for (const reader of readers) {
    if (reader.kind === 'headers') {
      const remaining = number(headers[reader.remaining]);
      if (remaining === undefined) continue;
      const limit = reader.limit === undefined ? undefined : number(headers[reader.limit]);
      const reset =
        reader.reset === undefined ? undefined : waitOf(headers[reader.reset], reader.resetUnit ?? 'seconds', now);
      views.push([
        reader.bucket,
        { remaining, ...(limit === undefined ? {} : { limit }), ...(reset === undefined ? {} : { resetMs: reset }) },
      ]);
    } else if (reader.kind === 'ietf') {
      const limits = policies(headers['ratelimit-policy']);
      for (const [name, { r, t }] of policies(headers['ratelimit'])) {
        const bucket = reader.policies[name];
        if (bucket === undefined || r === undefined) continue;
        const q = limits.get(name)?.['q'];
        views.push([
          bucket,
          {
            remaining: r,
            ...(q === undefined ? {} : { limit: q }),
            ...(t === undefined ? {} : { resetMs: t * 1_000 }),
          },
        ]);
      }
    } else if (reader.kind === 'percent') views.push(...percent(reader, headers, now));
  }
  return views;
}

/** The wait that a refusal names in its headers or body, for classifications that give none. */
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

/** Tells the pacer what the headers of any answer say. Buckets that the call did not claim are left alone. */
export function observeUsage(
  pacer: Pacer,
  manifest: Manifest,
  claims: readonly BucketClaim[],
  headers: Headers,
  now: Date,
): void {
  if (manifest.usage === undefined) return;
  const seen = new Set<string>();
  for (const [bucket, view] of readUsage(manifest.usage, headers, now.getTime())) {
    // Readers stand in order of precedence: the first that finds something about a bucket is believed.
    if (seen.has(bucket)) continue;
    const claim = claims.find(({ name }) => name === bucketName(manifest, { name: bucket }));
    if (claim === undefined) continue;
    seen.add(bucket);
    pacer.observe(claim, view);
  }
}

/**
 * The bucket that a refusal is about: of those named, the first that the call claimed and that has not just rested in vain;
 * else the first that it claimed at all.
 */
function fullBucket(pacer: Pacer, manifest: Manifest, claims: readonly BucketClaim[], failure: Classification) {
  if (failure.code !== 'platform_rate_limited') return undefined;
  // Too much of one value in one request says nothing about the quotas of all others.
  if (failure.bucket === undefined && failure.scope === 'request') return undefined;
  const named = failure.bucket === undefined ? [] : [failure.bucket].flat();
  const claimed = named.flatMap((name) => claims.filter((one) => one.name === bucketName(manifest, { name })));
  const claim = claimed.find((one) => !pacer.restedInVain(one)) ?? claimed.at(-1) ?? claims[0];
  const bucket = manifest.quotas.find((one) => claim?.name === bucketName(manifest, one));
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
