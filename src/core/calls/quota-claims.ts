/** Which quota buckets a request counts against, and what a platform's refusal means for them. */
import { createHash } from 'node:crypto';
import type { Classification, Environment, Manifest, PlatformRequest, QuotaBucket } from '../connector/types.ts';
import type { BucketClaim } from '../pacing/pacer.ts';

export interface QuotaSubject {
  environment: Environment;
  /** Client id of the platform app, or the connection where there is none (imported tokens). */
  app: string;
  connectionId: string;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 12);

/** The claims of one request, in the manifest's order. Keys hold digests, never ids of customers in clear. */
export function quotaClaims(
  manifest: Manifest,
  subject: QuotaSubject,
  request: Pick<PlatformRequest, 'operation' | 'organizationId'>,
): BucketClaim[] {
  const claims: BucketClaim[] = [];
  for (const bucket of manifest.quotas) {
    if (bucket.environments !== undefined && !bucket.environments.includes(subject.environment)) continue;
    if (bucket.operations !== undefined && !bucket.operations.includes(request.operation)) continue;
    const key = bucket.keyedBy.map((part) => {
      if (part === 'app') return `app:${digest(subject.app)}`;
      if (part === 'token') return `connection:${subject.connectionId}`;
      if (part === 'organization') return `organization:${request.organizationId ?? '-'}`;
      return `endpoint:${request.operation}`;
    });
    claims.push({
      name: `${manifest.id}.${bucket.name}`,
      key: [subject.environment, ...key].join('/'),
      limit: bucket.limit,
      windowMs: bucket.windowMs,
    });
  }
  return claims;
}

/** Until when a bucket rests after the platform's refusal. */
export function restUntil(bucket: QuotaBucket, classification: Classification, now: Date): number {
  if (classification.retryAfterMs !== undefined) return now.getTime() + classification.retryAfterMs;
  if (bucket.recovery === 'next_window') return now.getTime() + bucket.windowMs;
  if (bucket.recovery === 'utc_midnight')
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1);
  return now.getTime() + bucket.recovery.restMs;
}
