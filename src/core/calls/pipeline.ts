/**
 * One platform request from encoding to classification: breaker and token are looked at → quota (all buckets at once) →
 * put together with the token (`prepare.ts`) → let out and sent (`attempt.ts`) → read and classified (`answers.ts`) →
 * feedback to quota and token care → once more, or the error (`failures.ts`).
 */
import { Readable } from 'node:stream';
import { breathe } from '../breathe.ts';
import type { Clock } from '../clock.ts';
import type { HostOverrides } from '../connector/hosts.ts';
import type { Classification, Platform, PlatformRequest, PlatformResponse } from '../connector/types.ts';
import { wholeBody } from '../http/body.ts';
import type { Breakers } from '../http/breaker.ts';
import type { RetryBudgets } from '../http/budget.ts';
import type { HttpClient } from '../http/client.ts';
import type { Answer } from '../http/exchange.ts';
import { retryDelay } from '../http/retry.ts';
import type { BucketClaim, Pacer } from '../pacing/pacer.ts';
import {
  isOutage,
  MAX_JSON_BYTES,
  plainStream,
  type Reader,
  readAnswer,
  readWhole,
  tooLarge,
  undecodable,
} from './answers.ts';
import { attempt, letOut } from './attempt.ts';
import { circuitOf, circuitOpen } from './circuits.ts';
import { callFailed, withPlatformWords } from './failures.ts';
import type { TokenSource } from './ports.ts';
import { addressOf, prepare } from './prepare.ts';
import { pacedCaller, type QuotaRequest, scopeClaims } from './quota-claims.ts';
import { observeUnits, observeUsage, reportRefusal } from './quota-feedback.ts';
import { changes, DEFAULT_PATIENCE_MS, type Scope } from './scope.ts';
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
  log: { debug(facts: object, text: string): void };
}

/** How long one platform request may take in all where files are sent. */
const UPLOAD_PATIENCE_MS = 300_000;
/** An answer of more bytes waits with being read while this turn of the event loop has been busy. */
const LONG_ANSWER = 16_384;

/** A weak sign that a grant is gone counts when it comes again after each of these pauses, in ms. */
const WEAK_PAUSES_MS = [1_000, 3_000] as const;

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
      return scope.recorder.record(platform, request, addressOf(this.#parts, scope.connection, platform, request));
    return this.#attempts(scope, platform, request, patienceMs, true, async (answer) => {
      const bytes = answer.body as Buffer;
      // Answers come many at once, and reading a page takes about a millisecond.
      if (bytes.length > LONG_ANSWER) await breathe();
      return readAnswer(this.#parts.clock, platform, request, answer, bytes);
    });
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
        const body = plainStream(answer as Answer<Readable>);
        if (body === undefined) return undecodable(this.#parts.clock, platform, request, answer);
        if (answer.status < 300 && !json) return { value: { headers: answer.headers, body } };
        const bytes = await wholeBody(body, MAX_JSON_BYTES, tooLarge);
        scope.signal.throwIfAborted();
        const read = readWhole(this.#parts.clock, platform, request, answer, bytes);
        if (read.failure !== undefined) return read;
        const text = read.value.json === undefined ? read.value.text : JSON.stringify(read.value.json);
        return { value: { headers: answer.headers, body: Readable.from([Buffer.from(text)]) } };
      },
    );
  }

  /** Attempts, until one works or the failure says that no other would, or the time is over. */
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
      const prepared = await prepare(this.#parts, connection, platform, request, app, expired?.token).catch((error) => {
        permit.cancel();
        throw expired === undefined ? error : withPlatformWords(error, platform, expired.failure);
      });
      const passage = await letOut(this.#parts, scope, permit, request, circuit);
      if (typeof passage === 'number') throw circuitOpen(platform, circuit, request.operation, passage, last);
      const outcome = await attempt(this.#parts, scope, permit, passage, prepared, request, deadline, whole, heard);
      this.#parts.usage?.note(connection, request.operation, outcome.failure?.code);
      if (outcome.failure === undefined) {
        budgets.worked(budget, spent);
        if (manifest.usage !== undefined) observeUnits(pacer, manifest, claims, outcome.value);
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
        throw callFailed(scope, platform, request, failure, idempotent || refusedUnseen, quotaWait, reconnectUrl);
      log.debug(
        { operation: request.operation, attempt: number, code: failure.code, delay_ms: delay },
        'platform request is repeated',
      );
      await clock.sleep(delay, scope.signal);
    }
  }
}
