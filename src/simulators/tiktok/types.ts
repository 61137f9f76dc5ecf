/**
 * TikTok simulator: its state and the contract between the dispatcher (`dispatch.ts`) and the endpoint families
 * (`endpoints/*.ts`). Field names inside rows are TikTok's own. Facts: TikTok API for Business v1.3 documentation.
 */
import type { SimulatorAnswer, SimulatorRequest } from '../kit/server.ts';
import type { Collection, SimulatorStore, VirtualClock } from '../kit/types.ts';

export interface App {
  /** app_id */
  id: string;
  secret: string;
  name: string;
  redirect_uris: string[];
  /** Numeric permission scopes of the app, any level of the tree. */
  scope: string[];
  /** Call-volume level: decides QPS, QPM and QPD. */
  level: 'Basic' | 'Advanced' | 'Premium' | 'Ultimate';
}

export interface User {
  id: string;
  display_name: string;
  email: string;
  avatar_url: string;
  /** advertiser_id -> role of this user on that ad account */
  roles: Record<string, 'ADMIN' | 'OPERATOR' | 'ANALYST'>;
  /** bc_id -> role in that Business Center */
  bc_roles: Record<string, 'ADMIN' | 'STANDARD'>;
  /** Epoch seconds. */
  create_time?: number;
}

/** What an access token stands for. `id` is the access token itself. */
export interface Grant {
  id: string;
  kind: 'marketing' | 'tt_user' | 'sandbox';
  app_id: string;
  user_id: string;
  advertiser_ids: string[];
  scope: string[];
  created_at: string;
  /** Absent = does not expire on a timer (official long-lived token). */
  expires_at?: string;
  refresh_token?: string;
  refresh_expires_at?: string;
  revoked_at?: string;
  open_id?: string;
  /** Which consent it came from: a refresh makes further tokens of the same consent, a revocation ends them all. */
  authorization_id?: string;
}

/**
 * A token of the Events Manager: made for an event source, shown once, good for the events endpoints alone, without an
 * app and without an end. `id` is the token itself.
 */
export interface EventsToken {
  id: string;
  user_id: string;
  event_source: 'web' | 'app' | 'offline' | 'crm';
  /** Pixel code, TikTok App ID, offline or CRM event set id. */
  event_source_id: string;
  advertiser_id: string;
  created_at: string;
  revoked_at?: string;
}

export interface Advertiser {
  /** advertiser_id */
  id: string;
  name: string;
  company: string;
  currency: string;
  /** As TikTok writes it, for example `Etc/GMT+8`. */
  timezone: string;
  /** IANA name. */
  display_timezone: string;
  country: string;
  language: string;
  industry: string;
  status: string;
  role: string;
  owner_bc_id?: string;
  balance: number;
  /** Epoch seconds, as only this object has it. */
  create_time: number;
  sandbox: boolean;
  brand?: string;
  address?: string;
  description?: string;
  contact_name?: string;
  contact_email?: string;
  license_no?: string;
  /** Budget of the ad account inside its Business Center. */
  budget?: number;
  budget_mode?: string;
}

export interface BusinessCenter {
  /** bc_id */
  id: string;
  name: string;
  company: string;
  currency: string;
  registered_area: string;
  status: string;
  timezone: string;
  type: string;
  verification_status: string;
  /** Cash of the Business Center in its currency. */
  balance?: number;
  /** bc_id of a partner -> advertiser_ids that this Business Center shares with it. */
  partners?: Record<string, string[]>;
}

/** Native object as stored: TikTok's own field names, plus what every object has. */
export interface Native {
  /** The object's own id again (campaign_id, adgroup_id ...), for the store. */
  id: string;
  advertiser_id: string;
  [field: string]: unknown;
}

/** Switches of the simulator that are no part of TikTok; read and changed under `/_control/settings`. */
export interface Settings {
  /** `off`: no call is ever refused for its rate (bulk tests). */
  limits: 'on' | 'off';
  /** Calls per second on one advertiser and path; the answer above it is 40133. Null = no such limit. TikTok has one but does not publish it. */
  advertiser_path_qps: number | null;
  /** `official`: long-lived marketing token without refresh. `guide`: 24-hour token with a refresh token. */
  token_model: 'official' | 'guide';
  /** Whether a refresh answers with a new refresh token. */
  refresh_rotation: boolean;
  /** How long the replaced refresh token goes on working, in ms; 0 = dead at once. */
  refresh_grace_ms: number;
  /** How long a new or changed ad stays in review, in ms of virtual time. */
  review_delay_ms: number;
  /** How long a new video cannot be used, in ms of virtual time. */
  transcode_delay_ms: number;
  /** Whether apps are on the allow list of `report/task/*` (40118 otherwise). */
  async_reports: boolean;
  /** How long an asynchronous report is under way, in ms of virtual time. */
  report_delay_ms: number;
  /** The next asynchronous reports end as FAILED. */
  report_fails: boolean;
  /**
   * Whether rules of the Events API are enforced that TikTok documents and seems not to enforce: `page` for web, only
   * standard events and an e-mail or phone for offline.
   */
  events_strict: boolean;
  /** `manual`: callbacks go out only when the control API says so (`POST /webhooks/deliver`). */
  webhook_delivery: 'auto' | 'manual';
  /** How long a new or changed audience is in the making, in ms of virtual time. */
  audience_delay_ms: number;
  /** How many of a hundred uploaded identifiers belong to people on TikTok. */
  audience_match_percent: number;
  /** Calls per second for one event source; the answer above it is 40132. Null = no such limit. TikTok has one but does not publish it. */
  pixel_code_qps: number | null;
}

export interface World {
  clock: VirtualClock;
  /** For collections that only one family has: `world.store.collection('terms', …)`. */
  store: SimulatorStore;
  readonly settings: Readonly<Settings>;
  /** Changes the named settings and keeps them. */
  updateSettings(patch: Partial<Settings>): void;
  apps: Collection<App>;
  users: Collection<User>;
  grants: Collection<Grant>;
  advertisers: Collection<Advertiser>;
  businessCenters: Collection<BusinessCenter>;
  /** Each of these has the index `advertiser` (advertiser_id). */
  campaigns: Collection<Native>;
  /** Also index `campaign`. */
  adgroups: Collection<Native>;
  /** Also indexes `campaign`, `adgroup`. */
  ads: Collection<Native>;
  identities: Collection<Native>;
  images: Collection<Native>;
  videos: Collection<Native>;
  pixels: Collection<Native>;
  mobileApps: Collection<Native>;
  catalogs: Collection<Native>;
  pages: Collection<Native>;
  /** New id in the style of the platform: a string of 16 to 19 digits, growing, never above 2^63. */
  nextId(): string;
  /** `YYYY-MM-DD HH:MM:SS` in UTC, the form of create_time, modify_time and schedule times. */
  stamp(at?: Date): string;
}

export interface UploadedFile {
  field: string;
  filename: string;
  mimeType: string;
  content: Buffer;
}

/** One authenticated, rate-checked, parsed call. */
export interface Call {
  world: World;
  endpoint: Endpoint;
  /** Which host it came in on: the sandbox host reaches sandbox ad accounts alone, and the reverse. */
  host: 'production' | 'sandbox';
  /** GET: query with JSON documents decoded. POST: JSON body. Multipart: text parts. */
  params: Record<string, unknown>;
  files: UploadedFile[];
  grant?: Grant;
  app?: App;
  /** In place of `grant` and `app` where an endpoint takes tokens of the Events Manager. */
  eventsToken?: EventsToken;
  /** Counts the call against its event source. @throws TikTokError 40132, only if that limit is set. */
  limitSource(eventSourceId: string): void;
  now: Date;
  /** Base URL under which the caller reached the simulator (`http://127.0.0.1:1234`), for URLs in answers. */
  origin: string;
  /** Set response headers such as `X-Tt-Ads-Throttle`. */
  setHeader(name: string, value: string): void;
}

/** One member of an endpoint's input. `validate.ts` turns these into TikTok's own 40002 messages. */
export interface Param {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';
  required?: boolean;
  enum?: readonly string[];
  /** Length for strings and arrays, value for numbers. */
  min?: number;
  max?: number;
  /** A string that must parse as a 64-bit integer, as most ids must (`int64` in the official yml). */
  numeric?: boolean;
  items?: Omit<Param, 'name'>;
  fields?: readonly Param[];
}

export interface Endpoint {
  method: 'GET' | 'POST';
  /** Without `/open_api/v1.3/` and without the last slash: `campaign/get`. */
  path: string;
  /** `token`: Access-Token header. `app`: app_id + secret in the body or query. `none`: neither. */
  auth: 'token' | 'app' | 'none';
  /** Permission scopes of which the grant needs one (a parent scope counts). Absent = those of the catalogue; [] = none. */
  scopes?: readonly string[];
  /** Is among the endpoints that the sandbox host has. */
  sandbox?: boolean;
  /** Takes tokens of the Events Manager too; every other endpoint answers them with 40001. */
  events?: boolean;
  /** Needs the admin or operator role on `advertiser_id`. */
  write?: boolean;
  params: readonly Param[];
  /**
   * Returns the envelope's `data`, or throws `TikTokError`. `advertiser_id` in `params`, where declared, has been
   * checked against the grant and its role already.
   */
  handle(call: Call): unknown | Promise<unknown>;
}

/**
 * Serves what lies outside `/open_api/` (previews of media, for one). Undefined = not mine. `endpoints/index.ts`
 * collects them.
 */
export type Page = (
  request: SimulatorRequest,
  world: World,
) => SimulatorAnswer | undefined | Promise<SimulatorAnswer | undefined>;

/** An answer that is not "code 0 with data": HTTP 200 all the same, as TikTok does it. */
export class TikTokError extends Error {
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data: unknown = {}) {
    super(message);
    this.name = 'TikTokError';
    this.code = code;
    this.data = data;
  }
}

/** An answer outside the envelope (CSV text, redirects, the flat OAuth answer of `oauth/token`). */
export class RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer | AsyncIterable<string>;
  constructor(status: number, contentType: string, body: string | Buffer | AsyncIterable<string>) {
    this.status = status;
    this.contentType = contentType;
    this.body = body;
  }
}
