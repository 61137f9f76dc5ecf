/** Which quota buckets a request counts against, and what a platform's refusal means for them. */
import { createHash } from 'node:crypto';
import type {
  Classification,
  Environment,
  Manifest,
  PlatformRequest,
  QuotaBucket,
  QuotaKey,
} from '../connector/types.ts';
import { boundaries } from '../pacing/calendar.ts';
import type { BucketClaim, PacedCaller } from '../pacing/pacer.ts';
import type { Scope } from './scope.ts';

/** Who a request is made for, as quotas see it. */
export interface QuotaSubject {
  environment: Environment;
  /** Client id of the platform app, or the connection where there is none (imported tokens). */
  app: string;
  connectionId: string;
  workspaceId?: string;
  /** The platform's id of who granted access. */
  userId?: string;
  /** The app's access level at the platform, for `QuotaBucket.tiers`. */
  tier?: string;
}

/** The members of a request that quotas look at. */
export type QuotaRequest = Pick<
  PlatformRequest,
  'operation' | 'organizationId' | 'access' | 'quotaObject' | 'quotaUnits' | 'quotaFacts'
> & { method?: string };

const DIGESTS = 10_000;
const digests = new Map<string, string>();

/** Ids of customers never stand in keys in clear. */
function digest(text: string): string {
  let known = digests.get(text);
  if (known === undefined) {
    known = createHash('sha256').update(text).digest('base64url').slice(0, 12);
    if (digests.size >= DIGESTS) digests.clear();
    digests.set(text, known);
  }
  return known;
}

const KEYS: Record<QuotaKey, (subject: QuotaSubject, request: QuotaRequest) => string> = {
  platform: () => 'platform',
  app: ({ app }) => `app:${digest(app)}`,
  workspace: ({ workspaceId }) => `workspace:${workspaceId ?? '-'}`,
  token: ({ connectionId }) => `connection:${connectionId}`,
  user: ({ userId, connectionId }) => (userId === undefined ? `connection:${connectionId}` : `user:${digest(userId)}`),
  organization: (_subject, { organizationId }) => `organization:${organizationId ?? '-'}`,
  endpoint: (_subject, { operation }) => `endpoint:${operation}`,
  object: (_subject, { quotaObject }) => `object:${quotaObject ?? '-'}`,
  // All nodes are taken to leave through one address: more of them would only be less than is allowed.
  ip: () => 'ip',
};

const accessOf = ({ access, method }: QuotaRequest): 'read' | 'write' =>
  access ?? (method === undefined || method.toUpperCase() === 'GET' ? 'read' : 'write');

/** Whether a bucket counts a request at all. */
function applies(bucket: QuotaBucket, subject: QuotaSubject, request: QuotaRequest): boolean {
  if (bucket.environments !== undefined && !bucket.environments.includes(subject.environment)) return false;
  if (bucket.operations !== undefined && !bucket.operations.includes(request.operation)) return false;
  if (bucket.except?.includes(request.operation) === true) return false;
  if (bucket.access !== undefined && bucket.access !== accessOf(request)) return false;
  if (bucket.keyedBy.includes('object') && request.quotaObject === undefined) return false;
  // Calls about no ad account known are not held back for what one ad account taught.
  return !(
    bucket.learn !== undefined &&
    bucket.keyedBy.includes('organization') &&
    request.organizationId === undefined
  );
}

function costOf({ cost, counts }: QuotaBucket, request: QuotaRequest): number {
  const each = cost?.operations?.[request.operation] ?? cost?.[accessOf(request)] ?? 1;
  return counts === undefined ? each : each * (request.quotaUnits?.[counts] ?? 0);
}

/** The limit for this app and request; null = there is none at the app's access level. */
function limitOf({ limit, tiers, grows }: QuotaBucket, tier: string | undefined, facts: QuotaRequest['quotaFacts']) {
  const level = tiers?.[tier ?? ''];
  if (level === null) return null;
  let grown = level ?? limit;
  if (grows === undefined || facts === undefined) return grown;
  for (const { by, each, beyond = 0, log2 } of grows.terms) {
    const number = facts[by];
    if (number === undefined || !Number.isFinite(number)) continue;
    grown += each * (log2 === true ? Math.log2(Math.max(1, number)) : Math.max(0, number - beyond));
  }
  return Math.max(1, Math.floor(Math.min(grown, grows.most ?? Number.POSITIVE_INFINITY)));
}

/** The name under which a bucket of the manifest is counted and shown. */
export const bucketName = (manifest: Manifest, bucket: Pick<QuotaBucket, 'name'>): string =>
  `${manifest.id}.${bucket.name}`;

/** Which calls a bucket counts, so that a minute and a day of the same calls can be told from other quotas. */
const scopes = new WeakMap<QuotaBucket, string>();
function scopeOf(bucket: QuotaBucket): string {
  let scope = scopes.get(bucket);
  if (scope === undefined) {
    const { operations, except, access, counts, cost } = bucket;
    scope = digest(JSON.stringify([operations, except, access, counts, cost]));
    scopes.set(bucket, scope);
  }
  return scope;
}

/** The claims of one request, in the manifest's order: widest first. */
export function quotaClaims(manifest: Manifest, subject: QuotaSubject, request: QuotaRequest): BucketClaim[] {
  const claims: BucketClaim[] = [];
  for (const bucket of manifest.quotas) {
    if (!applies(bucket, subject, request)) continue;
    const cost = costOf(bucket, request);
    if (cost <= 0) continue;
    const limit = limitOf(bucket, subject.tier, request.quotaFacts);
    if (limit === null) continue;
    let key: string = subject.environment;
    for (const part of bucket.keyedBy) key += `/${KEYS[part](subject, request)}`;
    claims.push({
      name: bucketName(manifest, bucket),
      key,
      limit,
      windowMs: bucket.windowMs,
      scope: scopeOf(bucket),
      // A call dearer than the whole limit is counted as all of it.
      ...(cost === 1 ? {} : { cost: Math.min(cost, bucket.learn?.max ?? limit) }),
      ...(bucket.rule === undefined ? {} : { rule: bucket.rule }),
      ...(bucket.learn === undefined ? {} : { learn: bucket.learn }),
    });
  }
  return claims;
}

/** Claims of a connection's requests, as long as its row is the same. */
interface KnownClaims {
  connection: Scope['connection'];
  app: string | undefined;
  tier: string | undefined;
  byRequest: Map<string, readonly BucketClaim[]>;
}
// Not a WeakMap: the garbage collector walks all of its entries while nothing else may run.
const knownClaims = new Map<string, KnownClaims>();
const CONNECTIONS = 10_000;
/** Kinds of requests per connection whose claims are kept. */
const KINDS = 256;

/**
 * The claims of a request of this scope. Most requests are like others before them, and theirs are made once.
 *
 * @param app client id of the connection's platform app, if there is one
 */
export function scopeClaims(
  scope: Scope,
  manifest: Manifest,
  app: string | undefined,
  tier: string | undefined,
  request: QuotaRequest,
): readonly BucketClaim[] {
  const { connection } = scope;
  if (request.quotaObject !== undefined || request.quotaUnits !== undefined || request.quotaFacts !== undefined)
    return quotaClaims(manifest, quotaSubject(scope, app, tier), request);
  let known = knownClaims.get(connection.id);
  if (known === undefined || known.connection !== connection || known.app !== app || known.tier !== tier) {
    if (knownClaims.size >= CONNECTIONS) knownClaims.clear();
    known = { connection, app, tier, byRequest: new Map() };
    knownClaims.set(connection.id, known);
  }
  const kind = `${accessOf(request)} ${request.organizationId ?? ''} ${request.operation}`;
  let claims = known.byRequest.get(kind);
  if (claims === undefined) {
    claims = quotaClaims(manifest, quotaSubject(scope, app, tier), request);
    if (known.byRequest.size >= KINDS) known.byRequest.clear();
    known.byRequest.set(kind, claims);
  }
  return claims;
}

/** Until when a bucket rests after the platform's refusal, in milliseconds since 1970. */
export function restUntil(bucket: QuotaBucket, classification: Classification, now: Date): number {
  const at = now.getTime();
  if (classification.retryAfterMs !== undefined) return at + classification.retryAfterMs;
  const { recovery } = bucket;
  if (recovery === 'next_window') return at + bucket.windowMs;
  if (recovery === 'utc_midnight') return boundaries({ at: '00:00', zone: 'UTC' }, bucket.windowMs, at)[1];
  return 'zone' in recovery ? boundaries(recovery, bucket.windowMs, at)[1] : at + recovery.restMs;
}

/** Whom a call of this scope is made for, as quotas see it. `app`: client id of its platform app, if there is one. */
function quotaSubject({ connection, workspace }: Scope, app: string | undefined, tier?: string): QuotaSubject {
  const userId = connection.account?.user_id;
  return {
    environment: connection.environment as Environment,
    app: app ?? `connection:${connection.id}`,
    connectionId: connection.id,
    workspaceId: workspace.id,
    ...(userId === undefined ? {} : { userId }),
    ...(tier === undefined ? {} : { tier }),
  };
}

/** Who takes turns: the scope's workspace by its weight (`settings.quota_weight`), its connections alike. */
export function pacedCaller({ workspace, connection, priority }: Scope): PacedCaller {
  const weight = workspace.settings?.['quota_weight'];
  return {
    workspace: workspace.id,
    connection: connection.id,
    ...(typeof weight === 'number' && weight > 0 ? { weight } : {}),
    ...(priority === undefined ? {} : { priority }),
  };
}
