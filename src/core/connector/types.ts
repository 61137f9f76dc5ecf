/**
 * The platform contract: everything the core may know of a platform, as data, with functions only where a platform is
 * truly odd. `src/platforms/<id>/index.ts` exports one `Platform`, made by `definePlatform`.
 *
 * Platform code gets a context and never sees tokens, the database, timers or retries: it says what a request is and
 * what an answer means; the core paces, authorises, sends, retries and logs.
 */
import type { ErrorCode, Retry } from '../errors/index.ts';
import type { AccountsSpec } from './accounts-spec.ts';
import type { AudienceSpec } from './audience-spec.ts';
import type { AuthSpec } from './auth-spec.ts';
import type { ConversionSpec } from './conversion-spec.ts';
import type { LaunchSpec } from './launch-spec.ts';
import type { LeadSpec } from './lead-spec.ts';
import type { MediaSpec } from './media-spec.ts';
import type { ObjectSpec } from './object-spec.ts';
import type { ReportSpec } from './report-spec.ts';
import type { WebhookSpec } from './webhook-spec.ts';

/** `production`: the live host. `sandbox`: the platform's own test host. `simulator`: our local stand-in. */
export type Environment = 'production' | 'sandbox' | 'simulator';

/** The unified objects that a platform may offer. Reports have their own spec. */
export type ObjectName =
  | 'organization'
  | 'campaign'
  | 'insertionorder'
  | 'group'
  | 'ad'
  | 'creative'
  | 'asset'
  | 'promoted'
  | 'target'
  | 'audience'
  | 'identity'
  | 'creator_authorization'
  | 'campaign_copy';

export type Verb = 'list' | 'get' | 'create' | 'update' | 'remove';

/** A JSON object as a platform sends or takes it. */
export type Native = Record<string, unknown>;

/** A unified object in the making: validated against the model before it leaves. */
export type Unified = Record<string, unknown>;

// ---------------------------------------------------------------------------------------------- manifest

export interface ApiVersion {
  /** As it stands in the path or header, for example `v1.3`. */
  version: string;
  /** ISO date of release. */
  released: string;
  /** ISO date from which the platform refuses it; null = none announced. */
  sunset: string | null;
  /** The version that requests use. Exactly one. */
  default?: boolean;
  source: string;
}

/** Named base URLs of one environment; `api` is the base of pass-through paths. */
export type Hosts = { api: string } & Record<string, string>;

/**
 * What one counter of a quota stands for. `platform`: everybody together. `app`: the platform app (client id).
 * `workspace`, `token` (one connection), `user` (the platform user who granted; the connection where unknown),
 * `organization` (ad account), `endpoint` (`PlatformRequest.operation`), `object` (`PlatformRequest.quotaObject`: an ad
 * set, a pixel, a catalog), `ip` (the address that requests leave from; all nodes count as one).
 */
export type QuotaKey =
  | 'platform'
  | 'app'
  | 'workspace'
  | 'token'
  | 'user'
  | 'organization'
  | 'endpoint'
  | 'object'
  | 'ip';

/**
 * How the calls of a bucket are counted.
 *
 * `log` (default): exact log, a slot is free again one window after its answer: right for sliding *and* fixed windows
 * of platforms whose clock we do not see. `fixed`: windows that the platform aligns itself, and says so: multiples of
 * `windowMs` since 1970 (`align: 'epoch'`), or days that begin at `at` in `zone`. `gcra`: a bucket of `burst` units that
 * refills evenly at `limit` per window: token buckets, and scores that decay. `concurrency`: at most `limit` at a time,
 * held until the answer (`call`) or until the job ends (`job`, at most `windowMs`: see `CallContext.jobEnded`).
 */
export type QuotaRule =
  | { kind: 'log' }
  | { kind: 'fixed'; align: 'epoch' | { at: string; zone: string } }
  | { kind: 'gcra'; burst: number }
  | { kind: 'concurrency'; holds: 'call' | 'job' };

/**
 * What is added to a bucket's limit: for every term, `each` × (number − `beyond`), or × its binary logarithm, where the
 * number is `PlatformRequest.quotaFacts[by]` (active ads, daily users). Never more than `most` in all.
 */
export interface QuotaGrowth {
  terms: readonly { by: string; each: number; beyond?: number; log2?: true }[];
  most?: number;
}

/** How one quota is counted. All buckets that apply to a call are taken together or not at all. */
export interface QuotaBucket {
  name: string;
  /** What one counter stands for. */
  keyedBy: readonly QuotaKey[];
  /** Calls (or points) per window. Where the platform publishes none: the value to start learning from. */
  limit: number;
  /** The limit at other access levels of the platform (null = none there); the operator names the app's level. */
  tiers?: Readonly<Record<string, number | null>>;
  /** The limit grows with numbers that only some requests know; where they do not, it is the least there can be. */
  grows?: QuotaGrowth;
  windowMs: number;
  /** Default `{ kind: 'log' }`. */
  rule?: QuotaRule;
  /** Operations it applies to (`PlatformRequest.operation`); absent = all. */
  operations?: readonly string[];
  /** Operations it does not apply to, because the platform counts them elsewhere. */
  except?: readonly string[];
  /** Applies to reads alone or to writes alone (`PlatformRequest.access`, else GET = read). */
  access?: 'read' | 'write';
  /** Units that one call takes; default 1. An operation's own entry goes before `read` and `write`. */
  cost?: { read?: number; write?: number; operations?: Readonly<Record<string, number>> };
  /**
   * What is counted, when it is not calls: a name in `PlatformRequest.quotaUnits` (events, metric values, changed
   * items), whose number multiplies the cost.
   */
  counts?: string;
  /** The platform hides this limit or changes it: learned per key, between these bounds. */
  learn?: { min: number; max: number };
  environments?: readonly Environment[];
  /** What happens when the platform says no all the same: how long the key must rest. */
  recovery: 'next_window' | { restMs: number } | 'utc_midnight' | { at: string; zone: string };
}

/** In which form a platform writes a point in time or a wait. `iso_duration` also reads `"30s"` and seconds. */
export type WaitUnit = 'epoch_s' | 'epoch_ms' | 'seconds' | 'minutes' | 'ms' | 'duration';

/**
 * Where answers say how much of a quota is left. The core reads it from every answer and corrects its own count: what
 * others have used of the same quota is set aside, and an exhausted quota rests until its reset.
 * A reader's `bucket` names a bucket of the manifest; only calls that count against it are read.
 */
export type UsageReader =
  /** Numbers in headers of their own: `x-ratelimit-limit|remaining|reset` and the like. Lower-case names. */
  | { kind: 'headers'; bucket: string; limit?: string; remaining: string; reset?: string; resetUnit?: WaitUnit }
  /** IETF `RateLimit` / `RateLimit-Policy`: policy name -> bucket. */
  | { kind: 'ietf'; policies: Readonly<Record<string, string>> }
  /**
   * Percentages as JSON in a header. `fields`: members that hold them; the largest counts. `keyed`: the JSON maps the id
   * of the ad account to a list of such objects, `typeField` tells which bucket one is about. From `slowAt` percent the
   * bucket is slowed down, from `stopAt` it rests until `resetField` says (else one window).
   */
  | {
      kind: 'percent';
      header: string;
      fields: readonly string[];
      keyed?: boolean;
      typeField?: string;
      buckets: Readonly<Record<string, string>>;
      resetField?: string;
      resetUnit?: WaitUnit;
      slowAt: number;
      stopAt: number;
    }
  /** A wait in the body of a refusal: dotted path, `*` steps through lists. */
  | { kind: 'body_wait'; path: string; unit: WaitUnit }
  /**
   * What a call took is known by its answer alone: the sum of the numbers at the dotted path of its JSON, or how many
   * values there are (`count`). What is more than the call claimed is counted then; less is not given back.
   */
  | { kind: 'units'; bucket: string; path: string; count?: true };

export interface Manifest {
  /** Folder name and id in configuration, for example `acme`. */
  id: string;
  /** Slug on the wire: `integration_type`. */
  type: string;
  /** Other slugs accepted for it. */
  typeAliases?: readonly string[];
  name: string;
  color: string;
  textColor: string;
  docsUrl: string;
  webUrl: string;
  description: string;
  /** How its quotas read in one sentence (`Integration.rate_limit_description`). */
  rateLimitDescription: string;
  apiVersions: readonly ApiVersion[];
  hosts: { production: Hosts; sandbox?: Hosts };
  /** Names of hosts that exist; in the simulator environment all of them are the simulator's base URL. */
  quotas: readonly QuotaBucket[];
  /** Where answers report the use of quotas. `Retry-After` is always read. */
  usage?: readonly UsageReader[];
  /** How query members that are arrays or objects travel. */
  queryStyle: 'json' | 'repeat' | 'comma';
  /** Money on this platform's wire, in words for the docs. */
  money: string;
  /** Time-zone rules in words for the docs. */
  time: string;
  /** Headers, lower case, in which answers bring the platform's request id. */
  requestIdHeaders: readonly string[];
  /** Query parameters and headers that must never be logged. */
  secretParams: readonly string[];
}

// ---------------------------------------------------------------------------------------------- requests

export interface FormPart {
  name: string;
  value: string | { filename: string; contentType: string; data: Uint8Array };
}

export interface PlatformRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path on the host, with any trailing slash the platform wants. */
  path: string;
  /** Name of the host; default `api`. */
  host?: string;
  /** Undefined members are left out; arrays and objects follow `Manifest.queryStyle`. */
  query?: Record<string, unknown>;
  json?: unknown;
  /** The same as text, where it was put together from parts that were JSON already. */
  jsonText?: string;
  multipart?: readonly FormPart[];
  /** App credentials that this endpoint wants as query parameters: parameter name -> which one. Filled by the core. */
  appParams?: Record<string, 'client_id' | 'client_secret'>;
  /**
   * App credentials and token that this endpoint wants in its JSON body: dotted path -> which one. Filled by the core, and
   * never part of `json`.
   */
  jsonSecrets?: Readonly<Record<string, 'client_id' | 'client_secret' | 'access_token'>>;
  /** Quota class and name in logs, for example `campaign/create`. */
  operation: string;
  /** Ad account the call is about, for quotas keyed by it and for the classification of lost access. */
  organizationId?: string;
  /** For quotas that tell reads from writes, where the method does not say it. Default: GET = read. */
  access?: 'read' | 'write';
  /** Id of the object that a quota keyed by `object` is about. */
  quotaObject?: string;
  /** Units for quotas that count something else than calls: `{ items: 40 }`. */
  quotaUnits?: Readonly<Record<string, number>>;
  /** Numbers that limits grow with (`QuotaBucket.grows`), as far as they are known: `{ active_ads: 12 }`. */
  quotaFacts?: Readonly<Record<string, number>>;
  /** Moves money: sent a single time, whatever the answer is, refusals for a full quota included. */
  once?: boolean;
  /** May be sent twice without harm. Default: true for GET, false otherwise. */
  idempotent?: boolean;
  headers?: Record<string, string>;
}

export interface PlatformResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** Parsed JSON, or undefined when the body is not JSON. */
  json: unknown;
  /** The body as text (empty when `json` is set). */
  text: string;
}

/** What an answer that is not a success means. Platforms classify; the core retries, waits, marks, reports. */
export interface Classification {
  code: ErrorCode;
  retry: Retry;
  /** Whom the failure concerns: this request, this ad account, this grant, the whole app, or the platform. */
  scope: 'request' | 'organization' | 'connection' | 'app' | 'platform';
  /** Known wait. For quota codes the bucket's recovery rule is used when absent. */
  retryAfterMs?: number;
  /**
   * Quota bucket (by name) that the platform says is full. Where an answer does not tell which of several it is, all of
   * them, likeliest first: the first is taken that the request counts against and that has not just rested in vain.
   */
  bucket?: string | readonly string[];
  /** The access token has run out: worth one refresh before giving up. Only with `scope: 'connection'`. */
  tokenExpired?: boolean;
  /**
   * A sign that may pass, such as a bare 401 or 403 of a platform that has no code for a withdrawn grant: only its
   * repetition ends the grant. Only with `connection_reconnect_required`.
   */
  weak?: boolean;
  native: { code?: string; message?: string; requestId?: string };
  /** More for the caller: field names, what to do. */
  details?: Record<string, unknown>;
}

export interface ErrorSpec {
  /** Null = a success. Must not throw, whatever the answer is (HTML, empty, truncated). */
  classify(request: PlatformRequest, response: PlatformResponse): Classification | null;
}

/** Facts about one ad account that codecs and planners need. */
export interface OrganizationFacts {
  id: string;
  name?: string;
  /** ISO 4217. */
  currency?: string;
  /** IANA name. */
  timeZone?: string;
  parentId?: string;
}

/** All that platform code may use. Every `request` is paced, authorised, sent, classified, retried and logged. */
export interface CallContext {
  readonly environment: Environment;
  /** Sends and returns the successful answer, or throws a PolyadError made from the platform's classification. */
  request(request: PlatformRequest): Promise<PlatformResponse>;
  /** The same, unparsed, for large downloads. */
  stream(request: PlatformRequest): Promise<{ headers: Record<string, string>; body: AsyncIterable<Uint8Array> }>;
  /** Ad accounts of this connection, as the platform's organization list gave them (cached for some minutes). */
  organizations(): Promise<readonly OrganizationFacts[]>;
  /** One of them; throws `organization_unknown`. */
  organization(id: string): Promise<OrganizationFacts>;
  /** A job begun by `request` is over: frees its place in quotas that cap jobs in progress. */
  jobEnded(request: PlatformRequest): Promise<void>;
  /** Remembers `load()` under `key` for this connection for `ttlMs`: look-up tables such as regions. */
  remember<T>(key: string, ttlMs: number, load: () => Promise<T>): Promise<T>;
  readonly grantedScopes: readonly string[];
  /** Ad account ids that the grant, its probe or an import named: for hosts that cannot list them (platform sandboxes). */
  readonly knownOrganizationIds: readonly string[];
  now(): Date;
  readonly log: { debug(facts: object, text: string): void; warn(facts: object, text: string): void };
  readonly signal: AbortSignal;
}

/** The one export of a platform module. */
export interface Platform {
  manifest: Manifest;
  auth: AuthSpec;
  errors: ErrorSpec;
  objects: Partial<Record<ObjectName, ObjectSpec>>;
  report?: ReportSpec;
  /** Server-side conversion events. */
  conversions?: ConversionSpec;
  /** Uploads of large files in pieces. */
  media?: MediaSpec;
  /** Leads of the platform's own forms. */
  leads?: LeadSpec;
  /** Webhooks that the platform sends. */
  webhooks?: WebhookSpec;
  /** Members of audiences, and what audiences are used for. */
  audiences?: AudienceSpec;
  /** Businesses above ad accounts. */
  accounts?: AccountsSpec;
  /** The way to production access: what the platform's review asks. */
  launch?: LaunchSpec;
  /**
   * Which endpoints fail together, for circuit breakers; of a fixed set, since callers of pass-through choose operations.
   * Undefined: unknown; all such share a breaker. Default: the first part of the operation's name, where we choose it.
   */
  endpointClass?(operation: string): string | undefined;
  /** JSON that stands for the answer to a request which a dry run does not send; default an empty object. */
  dryRunAnswer?(request: PlatformRequest): unknown;
  /** The operation (quota class, name in logs) that a pass-through path stands for. Default: the path itself. */
  operationOfPath?(path: string): string;
  /** The ad account that a pass-through request is about, where its path or query says so: for quotas keyed by it. */
  organizationOfCall?(path: string, query: URLSearchParams): string | undefined;
}
