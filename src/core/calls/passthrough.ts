/** Pass-through: the platform's own API with our token, pace and log, and nothing else changed. */
import { Readable } from 'node:stream';
import type { Clock } from '../clock.ts';
import { type HostOverrides, hostsFor } from '../connector/hosts.ts';
import type { PlatformRegistry } from '../connector/registry.ts';
import type { Classification, Environment, Native, Platform, PlatformResponse } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { type Address, addressBelow, hasDotSegment } from '../http/address.ts';
import { SMALL_BODY } from '../http/body.ts';
import type { Breakers } from '../http/breaker.ts';
import { type HttpClient, type OutgoingRequest, type TransportFault, transportFault } from '../http/client.ts';
import { HIDDEN, redact, redactUrl } from '../http/redact.ts';
import { type DryRunReport, shownStream } from '../objects/dry-run.ts';
import type { BucketClaim, Pacer } from '../pacing/pacer.ts';
import type { ConnectionRow } from '../store/schema.ts';
import { circuitOf, circuitOpen } from './circuits.ts';
import { isPeekable, peek, peekWhole } from './peek.ts';
import type { TokenSource } from './ports.ts';
import { pacedCaller, scopeClaims } from './quota-claims.ts';
import { observeUsage, reportRefusal, withWait } from './quota-feedback.ts';
import { DEFAULT_PATIENCE_MS, type Scope } from './scope.ts';
import { refuseControl } from './simulator-control.ts';
import type { UsageSink } from './usage.ts';

export interface PassthroughRequest {
  method: string;
  /** Path as the caller wrote it, relative to the platform's base URL; encoded as it is to be sent. */
  path: string;
  /** Query string without `?`, byte for byte. */
  query: string;
  headers: Record<string, string | string[] | undefined>;
  body?: Readable;
}

export interface PassthroughAnswer {
  status: number;
  /** As received, without hop-by-hop headers: names in lower case, repeated ones kept apart. */
  headers: Record<string, string | string[]>;
  /** Small answers in one piece, others as they come. */
  body: Readable | Buffer;
  /** What it means when `body` ends with this error: the platform broke off, or fell silent. */
  brokenOff(error: unknown): PolyadError;
}

/** Headers that belong to one connection (RFC 9110 §7.6.1), would carry the caller's own credentials out, or are meant for us. */
const NOT_FORWARDED = new Set([
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-max-wait',
  'x-priority',
  'x-real-ip',
]);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export interface PassthroughParts {
  registry: PlatformRegistry;
  http: HttpClient;
  pacer: Pacer;
  breakers: Breakers;
  tokens: TokenSource;
  clock: Clock;
  hosts: HostOverrides;
  /** Access level of the operator's apps by platform id, for quotas that differ by it. */
  tiers?: ReadonlyMap<string, string>;
  /** Counts what was called. */
  usage?: UsageSink;
}

/** Backslashes, blanks and control characters: URL parsers disagree on them, so none is let through. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must be found
const UNSAFE_CHARACTER = /[\\\u0000-\u0020]/;

/** Headers that a `Connection` header names belong to that connection alone. Most name none. */
function nominated(connection: string | string[] | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(
    String(connection)
      .toLowerCase()
      .split(/\s*,\s*/),
  );
}

/** The caller's headers that go on to the platform. */
function forwarded(given: PassthroughRequest['headers'], tokenHeader: string): Record<string, string> {
  const hop = nominated(given['connection']);
  const headers: Record<string, string> = {};
  // Node gives names in lower case.
  for (const name in given) {
    const value = given[name];
    if (value === undefined || NOT_FORWARDED.has(name) || name === tokenHeader || hop?.has(name)) continue;
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  headers['user-agent'] ??= 'polyad';
  return headers;
}

/** The platform's headers for our answer. */
function handedOn(
  received: Readonly<Record<string, string | string[]>>,
  connection: string | undefined,
): Record<string, string | string[]> {
  const hop = nominated(connection);
  const out: Record<string, string | string[]> = {};
  for (const name in received)
    if (!HOP_BY_HOP.has(name) && hop?.has(name) !== true) out[name] = received[name] as string | string[];
  return out;
}

/** The URL of a pass-through path. Throws `passthrough_host_refused` for everything that could lead elsewhere. */
export function passthroughUrl(base: string, path: string, query: string): Address {
  const relative = path.replace(/^\//, '');
  const odd = /^[a-z][a-z0-9+.-]*:/i.test(relative) || relative.startsWith('/') || UNSAFE_CHARACTER.test(path);
  const address = odd || hasDotSegment(relative) ? undefined : addressBelow(base, relative, query);
  if (address === undefined)
    throw new PolyadError('passthrough_host_refused', { details: { path: path.slice(0, 200) } });
  return address;
}

/** The error for what failed below HTTP. */
function platformFailure(platform: Platform, fault: TransportFault, cause: unknown): PolyadError {
  return new PolyadError(fault.kind === 'timeout' ? 'platform_timeout' : 'platform_unavailable', {
    details: { transport: fault.text },
    platform: { integration_type: platform.manifest.type },
    retryAfterMs: 5_000,
    cause,
  });
}

export class PassthroughService {
  readonly #parts: PassthroughParts;

  constructor(parts: PassthroughParts) {
    this.#parts = parts;
  }

  /** Where a request goes. @throws PolyadError `connection_paused`, `passthrough_host_refused` */
  #target(connection: ConnectionRow, { path, query }: PassthroughRequest): { platform: Platform; url: Address } {
    const { registry, hosts } = this.#parts;
    if (connection.is_paused) throw new PolyadError('connection_paused', { details: { connection_id: connection.id } });
    const platform = registry.get(connection.integration_type);
    const base = hostsFor(platform, connection.environment as Environment, hosts).api;
    const url = passthroughUrl(base, path, query);
    refuseControl(url, hosts.get(`${platform.manifest.id}/simulator`), [base]);
    return { platform, url };
  }

  /** `send` with nothing sent: the request as the platform would get it, its body as far as it is JSON and short. */
  async rehearse(scope: Scope, request: PassthroughRequest): Promise<DryRunReport> {
    const { platform, url } = this.#target(scope.connection, request);
    // What is known to be dead is refused as the call itself would be.
    await this.#parts.tokens.tokenFor(scope.connection);
    const tokenHeader = platform.auth.header.name.toLowerCase();
    const headers = redact({ ...forwarded(request.headers, tokenHeader), [tokenHeader]: HIDDEN }) as Native;
    const type = request.headers['content-type'];
    const body = request.body === undefined ? undefined : await shownStream(String(type ?? ''), request.body);
    const shown = redactUrl(url.href, platform.manifest.secretParams);
    return {
      requests: [{ method: request.method, url: shown, headers, ...(body === undefined ? {} : { body }) }],
      complete: true,
    };
  }

  async send(scope: Scope, request: PassthroughRequest): Promise<PassthroughAnswer> {
    const { http, pacer, breakers, tokens, clock } = this.#parts;
    const { connection } = scope;
    const { platform, url } = this.#target(connection, request);
    const environment = connection.environment as Environment;
    const operation = platform.operationOfPath?.(request.path) ?? request.path;
    const organizationId = platform.organizationOfCall?.(request.path, new URLSearchParams(url.search));
    const app = await tokens.appFor(connection);
    const { manifest } = platform;
    const claims = scopeClaims(scope, manifest, app?.client_id, this.#parts.tiers?.get(manifest.id), {
      operation,
      method: request.method,
      ...(organizationId === undefined ? {} : { organizationId }),
    });
    const circuit = circuitOf(platform, environment, operation, true);
    const refused = breakers.waitMs(circuit);
    if (refused > 0) throw circuitOpen(platform, circuit, operation, refused);
    // What is known to be dead is refused before it waits for its turn.
    await tokens.tokenFor(connection);
    const { header } = platform.auth;
    const tokenHeader = header.name.toLowerCase();
    const headers = forwarded(request.headers, tokenHeader);
    const length = request.headers['content-length'];
    if (request.body !== undefined && typeof length === 'string') headers['content-length'] = length;
    const waitMs = Math.min(DEFAULT_PATIENCE_MS, (scope.quotaDeadline ?? Infinity) - clock.now().getTime());
    const permit = await pacer.acquire(pacedCaller(scope), claims, Math.max(0, waitMs), scope.signal);
    // The token is taken when the turn comes: during the wait it may have been renewed, or the grant withdrawn.
    const { accessToken } = await tokens.tokenFor(connection).catch((error) => {
      permit.cancel();
      throw error;
    });
    headers[tokenHeader] = header.value.replace('{access_token}', accessToken);
    const passage = breakers.enter(circuit);
    if (typeof passage === 'number') {
      permit.cancel();
      throw circuitOpen(platform, circuit, operation, passage);
    }
    scope.meter.start(clock.now().getTime());
    try {
      const outgoing: OutgoingRequest = {
        method: request.method,
        url: url.href,
        parsed: url,
        headers,
        signal: scope.signal,
      };
      if (request.body !== undefined) outgoing.body = request.body;
      const answer = await http.sendSmall(outgoing, SMALL_BODY);
      scope.signal.throwIfAborted();
      // Bodies are not read here, so what counts is the status.
      passage.ended(answer.status < 500);
      observeUsage(pacer, platform.manifest, claims, answer.headers, clock.now());
      let judged = false;
      const judge = async (response: PlatformResponse): Promise<void> => {
        judged = true;
        const failure = await this.#judge(scope, platform, request, response, accessToken, claims);
        this.#parts.usage?.note(connection, operation, failure?.code);
      };
      // Answers that are not looked into count by their status.
      const count = (): void => {
        if (!judged)
          this.#parts.usage?.note(connection, operation, answer.status < 400 ? undefined : 'platform_unknown_error');
      };
      const { status, body } = answer;
      const headed = { status, headers: handedOn(answer.received, answer.headers['connection']) };
      const brokenOff = (error: unknown): PolyadError => platformFailure(platform, transportFault(error), error);
      if (!Buffer.isBuffer(body))
        return { ...headed, body: peek({ ...answer, body }, judge).once('close', count), brokenOff };
      if (isPeekable(answer, body)) await peekWhole(answer, body, judge);
      count();
      // Without a type the server would give the answer one, but not to a stream.
      return {
        ...headed,
        body: answer.headers['content-type'] === undefined ? Readable.from([body]) : body,
        brokenOff,
      };
    } catch (thrown) {
      if (scope.signal.aborted) throw scope.signal.reason;
      if (thrown instanceof PolyadError) throw thrown;
      const fault = transportFault(thrown);
      // A body that broke off on its way may be the caller's doing.
      passage.ended(request.body === undefined || !fault.maybeDelivered ? false : undefined);
      const failure = platformFailure(platform, fault, thrown);
      this.#parts.usage?.note(connection, operation, failure.code);
      throw failure;
    } finally {
      passage.ended(undefined);
      permit.answered();
      scope.meter.stop(clock.now().getTime());
    }
  }

  /**
   * What a small answer means for the connection. The answer itself stays as it is: an expired token is renewed for the
   * next call.
   */
  async #judge(
    { connection }: Scope,
    platform: Platform,
    { method, path }: PassthroughRequest,
    response: PlatformResponse,
    token: string,
    claims: readonly BucketClaim[],
  ): Promise<Classification | null> {
    const { tokens, pacer, clock } = this.#parts;
    const operation = platform.operationOfPath?.(path) ?? path;
    const known = METHODS.find((one) => one === method.toUpperCase()) ?? 'POST';
    const failure = platform.errors.classify({ method: known, path, operation }, response);
    if (failure === null) {
      tokens.reportHealthy(connection);
      return null;
    }
    if (failure.code === 'platform_rate_limited') {
      const full = withWait(failure, platform.manifest, response, clock.now().getTime());
      reportRefusal(pacer, platform.manifest, claims, full, clock.now());
      return failure;
    }
    if (failure.scope !== 'connection' || failure.code !== 'connection_reconnect_required' || failure.weak === true)
      return failure;
    // The renewal goes on by itself; the next call waits for it.
    if (failure.tokenExpired === true) void tokens.tokenFor(connection, token).catch(() => undefined);
    else await tokens.reportRevoked(connection, failure, token).catch(() => undefined);
    return failure;
  }
}
