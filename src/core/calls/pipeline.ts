/**
 * One platform request from encoding to classification:
 * breaker → token → quota (all buckets at once) → send → classify → feedback to quota and token care → retry or fail.
 */
import { Readable } from 'node:stream';
import type { Clock } from '../clock.ts';
import { platformFault, platformWords } from '../connector/classified.ts';
import { setPath } from '../connector/fields.ts';
import { type HostOverrides, hostsFor } from '../connector/hosts.ts';
import type { Classification, Environment, Platform, PlatformRequest, PlatformResponse } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { release, wholeBody } from '../http/body.ts';
import type { Breakers, Circuit, Passage } from '../http/breaker.ts';
import type { RetryBudgets } from '../http/budget.ts';
import { type HttpClient, type OutgoingRequest, transportFault } from '../http/client.ts';
import { parseExactJson } from '../http/exact-json.ts';
import type { Answer } from '../http/exchange.ts';
import { Patience } from '../http/patience.ts';
import { retryDelay } from '../http/retry.ts';
import type { BucketClaim, Pacer, Permit } from '../pacing/pacer.ts';
import type { ConnectionRow } from '../store/schema.ts';
import { circuitOf, circuitOpen } from './circuits.ts';
import { encodeBody, encodeQuery } from './encode.ts';
import type { TokenSource } from './ports.ts';
import { pacedCaller, type QuotaRequest, scopeClaims } from './quota-claims.ts';
import { observeUsage, reportRefusal, withWait } from './quota-feedback.ts';
import { changes, type Scope, type WriteFate } from './scope.ts';
import type { UsageSink } from './usage.ts';

export interface PipelineParts {
  http: HttpClient;
  pacer: Pacer;
  breakers: Breakers;
  budgets: RetryBudgets;
  tokens: TokenSource;
  clock: Clock;
  hosts: HostOverrides;
  /** Access level of the operator's apps by platform id, for quotas that differ by it. */
  tiers?: ReadonlyMap<string, string>;
  /** Counts what was called. */
  usage?: UsageSink;
  /** 0 ≤ x < 1; jitter of the back-off. */
  random(): number;
  log: { debug(facts: object, text: string): void; warn(facts: object, text: string): void };
}

/** How long one platform request may take in all: waiting for quota, retries and the answer. */
export const DEFAULT_PATIENCE_MS = 45_000;
/** The same where files are sent. */
const UPLOAD_PATIENCE_MS = 300_000;

/** Answers larger than this are a mistake or an attack when JSON was expected. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** A weak sign that a grant is gone counts when it comes again after each of these pauses, in ms. */
const WEAK_PAUSES_MS = [1_000, 3_000] as const;

/** A read answer: the value, or what the platform's failure means. */
type ReadResult<T> = { value: T; failure?: undefined } | { failure: Classification; value?: undefined };
type Incoming = Answer<Readable | Buffer>;
type Reader<T> = (answer: Incoming) => ReadResult<T> | Promise<ReadResult<T>>;

/** The end of a grant that showed in an expired token which nothing renews: what the platform said belongs to it. */
function withPlatformWords(error: unknown, platform: Platform, failure: Classification): unknown {
  if (!(error instanceof PolyadError) || error.code !== 'connection_reconnect_required') return error;
  if (error.platform?.code !== undefined) return error;
  return new PolyadError(error.code, {
    message: error.message,
    ...(error.details === undefined ? {} : { details: error.details }),
    platform: platformFault(platform, failure),
  });
}

/** The request with the credentials that its endpoint wants in the body. */
function withSecrets(
  { manifest }: Platform,
  request: PlatformRequest,
  app: { client_id: string; client_secret: string } | undefined,
  accessToken: string,
): PlatformRequest {
  if (request.jsonSecrets === undefined) return request;
  if (app === undefined)
    throw new PolyadError('integration_not_configured', {
      message: `${manifest.name} needs the app credentials for \`${request.operation}\`, and this connection has none.`,
    });
  const values = { ...app, access_token: accessToken };
  const json = structuredClone(request.json ?? {}) as Record<string, unknown>;
  for (const [path, name] of Object.entries(request.jsonSecrets)) setPath(json, path, values[name]);
  return { ...request, json };
}

interface Prepared {
  url: string;
  headers: Record<string, string>;
  body?: string | Buffer;
  token: string;
}

/** A sign that the platform itself fails, whatever it was asked. */
const isOutage = (failure: Classification): boolean =>
  failure.scope === 'platform' && (failure.code === 'platform_unavailable' || failure.code === 'platform_timeout');

/** An answer that does not say whether a write was carried out. */
const isLost = (failure: Classification): boolean =>
  failure.code === 'platform_unavailable' ||
  failure.code === 'platform_timeout' ||
  (failure.code === 'platform_unknown_error' && failure.native.code === undefined);

const tooLarge = (): Error =>
  new PolyadError('platform_unknown_error', { message: 'The platform’s answer is too large.' });

const isStream = (value: unknown): boolean =>
  value !== null && typeof value === 'object' && (value as { body?: unknown }).body instanceof Readable;

export class Pipeline {
  readonly #parts: PipelineParts;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** The quotas that a request counts against. */
  async claims(scope: Scope, { manifest }: Platform, request: QuotaRequest): Promise<readonly BucketClaim[]> {
    const app = await this.#parts.tokens.appFor(scope.connection);
    return scopeClaims(scope, manifest, app?.client_id, this.#parts.tiers?.get(manifest.id), request);
  }

  /** A job that `request` began is over. */
  async jobEnded(scope: Scope, platform: Platform, request: PlatformRequest): Promise<void> {
    this.#parts.pacer.jobEnded(await this.claims(scope, platform, request));
  }

  /** A successful, parsed answer; anything else is thrown as PolyadError. */
  async request(
    scope: Scope,
    platform: Platform,
    request: PlatformRequest,
    patienceMs = request.multipart === undefined ? DEFAULT_PATIENCE_MS : UPLOAD_PATIENCE_MS,
  ): Promise<PlatformResponse> {
    if (scope.recorder !== undefined && changes(request))
      return scope.recorder.record(platform, request, this.#address(scope.connection, platform, request));
    return this.#attempts(scope, platform, request, patienceMs, true, (answer) =>
      this.#read(platform, request, answer, answer.body as Buffer),
    );
  }

  /** The same, with the body as a stream. Only the head is classified unless the platform answers with an error. */
  async stream(
    scope: Scope,
    platform: Platform,
    request: PlatformRequest,
    patienceMs = DEFAULT_PATIENCE_MS,
  ): Promise<{ headers: Record<string, string>; body: Readable }> {
    return this.#attempts<{ headers: Record<string, string>; body: Readable }>(
      scope,
      platform,
      request,
      patienceMs,
      false,
      async (answer) => {
        const json = (answer.headers['content-type'] ?? '').includes('json');
        const body = answer.body as Readable;
        if (answer.status < 300 && !json) return { value: { headers: answer.headers, body } };
        const bytes = await wholeBody(body, MAX_JSON_BYTES, tooLarge);
        scope.signal.throwIfAborted();
        const read = this.#read(platform, request, answer, bytes);
        if (read.failure !== undefined) return read;
        const text = read.value.json === undefined ? read.value.text : JSON.stringify(read.value.json);
        return { value: { headers: answer.headers, body: Readable.from([Buffer.from(text)]) } };
      },
    );
  }

  /** What the platform says. The bytes are given back. */
  #read(platform: Platform, request: PlatformRequest, answer: Incoming, bytes: Buffer): ReadResult<PlatformResponse> {
    const text = bytes.toString('utf8');
    release(bytes);
    let json: unknown;
    try {
      json = text === '' ? undefined : parseExactJson(text);
    } catch {
      json = undefined;
    }
    const response = { status: answer.status, headers: answer.headers, json, text: json === undefined ? text : '' };
    const failure = platform.errors.classify(request, response);
    if (failure === null) return { value: response };
    return { failure: withWait(failure, platform.manifest, response, this.#parts.clock.now().getTime()) };
  }

  async #attempts<T>(
    scope: Scope,
    platform: Platform,
    request: PlatformRequest,
    patienceMs: number,
    whole: boolean,
    read: Reader<T>,
  ): Promise<T> {
    const { clock, pacer, tokens, budgets, log } = this.#parts;
    const { connection } = scope;
    const idempotent = request.idempotent ?? request.method === 'GET';
    const deadline = clock.now().getTime() + patienceMs;
    // What is under way is not cut off when the caller would wait no longer for its turn.
    const turnBy = Math.min(deadline, scope.quotaDeadline ?? deadline);
    const circuit = circuitOf(platform, connection.environment, request.operation);
    const budget = `${circuit.platform}/${circuit.environment}`;
    let spent = 0;
    let last: Classification | undefined;
    const app = await tokens.appFor(connection);
    const { manifest } = platform;
    const claims = scopeClaims(scope, manifest, app?.client_id, this.#parts.tiers?.get(manifest.id), request);
    // What the answer says of quotas is heard before anything else is made of it.
    const heard: Reader<T> = (answer) => {
      observeUsage(pacer, manifest, claims, answer.headers, clock.now());
      return read(answer);
    };
    let expired: { token: string; failure: Classification } | undefined;
    let refreshed = false;
    let doubts = 0;
    for (let number = 1; ; number += 1) {
      // What is known to be dead or paused is refused before it waits for its turn.
      const refused = this.#parts.breakers.waitMs(circuit);
      if (refused > 0) throw circuitOpen(platform, circuit, request.operation, refused, last);
      if (expired === undefined) await tokens.tokenFor(connection);
      const permit = await pacer.acquire(
        pacedCaller(scope),
        claims,
        Math.max(0, turnBy - clock.now().getTime()),
        scope.signal,
      );
      // The token is taken when the turn comes: during the wait it may have been renewed, or the grant withdrawn.
      const prepared = await this.#prepare(connection, platform, request, app, expired?.token).catch((error) => {
        permit.cancel();
        throw expired === undefined ? error : withPlatformWords(error, platform, expired.failure);
      });
      const passage = await this.#pass(scope, permit, request, circuit);
      if (typeof passage === 'number') throw circuitOpen(platform, circuit, request.operation, passage, last);
      const outcome = await this.#once(scope, permit, passage, prepared, request, deadline, whole, heard);
      this.#parts.usage?.note(connection, request.operation, outcome.failure?.code);
      if (outcome.failure === undefined) {
        budgets.worked(budget, spent);
        tokens.reportHealthy(connection, request.organizationId);
        return outcome.value;
      }
      const { failure, delivered } = outcome;
      last = failure;
      // The platform's word counts: a bucket that it calls full rests, although we held a permit.
      const quotaWait = reportRefusal(pacer, manifest, claims, failure, clock.now());
      // A job that was refused was never begun.
      pacer.jobEnded(claims);
      if (failure.scope === 'connection' && failure.tokenExpired === true && !refreshed) {
        refreshed = true;
        expired = { token: prepared.token, failure };
        continue;
      }
      // A write that a role does not allow is no loss of the ad account; what cannot even be read is.
      if (failure.code === 'organization_access_lost' && request.organizationId !== undefined && !changes(request))
        await tokens.reportOrganizationLost(connection, request.organizationId, failure);
      const weakPause = failure.scope === 'connection' && failure.weak === true ? WEAK_PAUSES_MS[doubts] : undefined;
      if (weakPause !== undefined) {
        doubts += 1;
        await clock.sleep(weakPause, scope.signal);
        continue;
      }
      let reconnectUrl: string | undefined;
      if (failure.scope === 'connection' && failure.code === 'connection_reconnect_required') {
        const report = await tokens.reportRevoked(connection, failure, prepared.token);
        if (report.replaced === true && !refreshed) {
          refreshed = true;
          continue;
        }
        reconnectUrl = report.reconnectUrl;
      }
      const now = clock.now().getTime();
      const refusedUnseen = failure.code === 'platform_rate_limited' || !delivered;
      const delay =
        request.once === true
          ? null
          : retryDelay(
              {
                number,
                retry: failure.retry,
                safe: idempotent || refusedUnseen,
                retryAfterMs: failure.retryAfterMs ?? quotaWait,
                remainingMs: (failure.code === 'platform_rate_limited' ? turnBy : deadline) - now,
              },
              this.#parts.random(),
            );
      // A refusal for a quota is paced by its bucket; what the budget limits is asking a platform that fails.
      spent = 0;
      if (delay !== null && isOutage(failure)) spent = budgets.take(budget, failure.code === 'platform_timeout');
      if (delay === null || (isOutage(failure) && spent === 0))
        throw this.#fail(scope, platform, request, failure, idempotent || refusedUnseen, quotaWait, reconnectUrl);
      log.debug(
        { operation: request.operation, attempt: number, code: failure.code, delay_ms: delay },
        'platform request is repeated',
      );
      await clock.sleep(delay, scope.signal);
    }
  }

  /** Lets one request out: through the breaker, and past whoever watches over a write. A number = the breaker refuses. */
  async #pass(scope: Scope, permit: Permit, request: PlatformRequest, circuit: Circuit): Promise<Passage | number> {
    const passage = this.#parts.breakers.enter(circuit);
    if (typeof passage === 'number') {
      permit.cancel();
      return passage;
    }
    if (scope.gate === undefined || !changes(request)) return passage;
    try {
      await scope.gate.beforeSend(request);
      return passage;
    } catch (error) {
      permit.cancel();
      passage.ended(undefined);
      throw error;
    }
  }

  /** The address of a request, without its query. */
  #address(connection: ConnectionRow, platform: Platform, request: PlatformRequest): string {
    const hosts = hostsFor(platform, connection.environment as Environment, this.#parts.hosts);
    const base = hosts[request.host ?? 'api'];
    if (base === undefined)
      throw new PolyadError('internal', { message: `platform ${platform.manifest.id} names no host ${request.host}` });
    return base + request.path;
  }

  async #prepare(
    connection: ConnectionRow,
    platform: Platform,
    request: PlatformRequest,
    app: { client_id: string; client_secret: string } | undefined,
    expired: string | undefined,
  ): Promise<Prepared> {
    const { manifest, auth } = platform;
    const query: Record<string, unknown> = { ...request.query };
    for (const [name, credential] of Object.entries(request.appParams ?? {})) {
      if (app === undefined)
        throw new PolyadError('integration_not_configured', {
          message: `${manifest.name} needs the app credentials for \`${request.operation}\`, and this connection has none.`,
        });
      query[name] = app[credential];
    }
    const { accessToken } = await this.#parts.tokens.tokenFor(connection, expired);
    const { contentType, body } = encodeBody(withSecrets(platform, request, app, accessToken));
    const encoded = encodeQuery(query, manifest.queryStyle);
    return {
      url: this.#address(connection, platform, request) + (encoded === '' ? '' : `?${encoded}`),
      headers: {
        accept: 'application/json',
        'user-agent': 'polyad',
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...request.headers,
        [auth.header.name.toLowerCase()]: auth.header.value.replace('{access_token}', accessToken),
      },
      ...(body === undefined ? {} : { body }),
      token: accessToken,
    };
  }

  async #once<T>(
    scope: Scope,
    permit: Permit,
    passage: Passage,
    prepared: Prepared,
    request: PlatformRequest,
    deadline: number,
    whole: boolean,
    read: Reader<T>,
  ): Promise<ReadResult<T> & { delivered: boolean }> {
    const { clock, http } = this.#parts;
    const patience = new Patience(scope.signal, deadline - clock.now().getTime());
    let fate: WriteFate = 'unknown';
    let worked: boolean | undefined;
    scope.meter.start(clock.now().getTime());
    try {
      const outgoing: OutgoingRequest = {
        method: request.method,
        url: prepared.url,
        headers: prepared.headers,
        signal: patience.signal,
      };
      if (prepared.body !== undefined) outgoing.body = prepared.body;
      const answer = whole ? await http.sendWhole(outgoing, MAX_JSON_BYTES, tooLarge) : await http.send(outgoing);
      const result = await read(answer);
      const { failure } = result;
      worked = failure === undefined || !isOutage(failure);
      fate = failure === undefined ? 'accepted' : isLost(failure) ? 'unknown' : 'refused';
      // A stream goes on after its headers; only its reader's own end may cut it off.
      if (failure === undefined && isStream(result.value)) patience.keep();
      return { ...result, delivered: true };
    } catch (thrown) {
      if (scope.signal.aborted) throw scope.signal.reason;
      if (thrown instanceof PolyadError) {
        if (thrown.code === 'egress_refused') fate = 'refused';
        throw thrown;
      }
      worked = false;
      const fault = patience.over
        ? { kind: 'timeout', maybeDelivered: true, text: 'no answer within the deadline' }
        : transportFault(thrown);
      if (!fault.maybeDelivered) fate = 'refused';
      return {
        delivered: fault.maybeDelivered,
        failure: {
          code: fault.kind === 'timeout' ? 'platform_timeout' : 'platform_unavailable',
          retry: 'after',
          scope: 'platform',
          native: { message: fault.text },
        },
      };
    } finally {
      patience.end();
      permit.answered();
      passage.ended(worked);
      if (changes(request)) scope.gate?.ended(request, fate);
      scope.meter.stop(clock.now().getTime());
    }
  }

  #fail(
    scope: Scope,
    platform: Platform,
    request: PlatformRequest,
    failure: Classification,
    safe: boolean,
    quotaWait: number | undefined,
    reconnectUrl: string | undefined,
  ): PolyadError {
    const fault = platformFault(platform, failure);
    const details: Record<string, unknown> = { operation: request.operation, ...failure.details };
    if (request.organizationId !== undefined) details['organization_id'] = request.organizationId;
    if (isLost(failure) && !safe) return new PolyadError('write_outcome_unknown', { details, platform: fault });
    if (reconnectUrl !== undefined)
      return new PolyadError('connection_reconnect_required', {
        details: { ...details, connection_id: scope.connection.id, reconnect_url: reconnectUrl },
        platform: fault,
      });
    const retryAfterMs = failure.retryAfterMs ?? quotaWait;
    const words = platformWords(platform, failure);
    return new PolyadError(failure.code, {
      ...(words === undefined ? {} : { message: words }),
      details,
      platform: fault,
      ...(retryAfterMs === undefined ? (failure.retry === 'after' ? { retryAfterMs: 5_000 } : {}) : { retryAfterMs }),
    });
  }
}
