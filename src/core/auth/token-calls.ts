/**
 * Calls to token endpoints. A platform declares them as data (`TokenCall`); secrets are filled in here and nowhere else,
 * and nothing that was filled in leaves again: not in an error, not in a log line, not in a `cause`.
 */
import type { Readable } from 'node:stream';
import { plainStream } from '../calls/answers.ts';
import { circuitOf, circuitOpen } from '../calls/circuits.ts';
import { encodeQuery } from '../calls/encode.ts';
import { quotaClaims } from '../calls/quota-claims.ts';
import { reportRefusal } from '../calls/quota-feedback.ts';
import type { Clock } from '../clock.ts';
import type { TokenCall } from '../connector/auth-spec.ts';
import { platformFault, platformWords } from '../connector/classified.ts';
import type {
  Classification,
  Environment,
  Hosts,
  Platform,
  PlatformRequest,
  PlatformResponse,
} from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Breakers, Passage } from '../http/breaker.ts';
import { type HttpClient, transportFault } from '../http/client.ts';
import { parseExactJson } from '../http/exact-json.ts';
import { HIDDEN, learnSecrets } from '../http/redact.ts';
import { knownSecrets } from '../http/redact-values.ts';
import { retryDelay } from '../http/retry.ts';
import type { BucketClaim, Pacer, Permit } from '../pacing/pacer.ts';

/** What the templates of a `TokenCall` (and of an authorize URL) may name. */
export interface TokenValues {
  client_id?: string | undefined;
  client_secret?: string | undefined;
  code?: string | undefined;
  redirect_uri?: string | undefined;
  refresh_token?: string | undefined;
  access_token?: string | undefined;
  code_verifier?: string | undefined;
  code_challenge?: string | undefined;
  state?: string | undefined;
  /** Native scopes, joined as the template's author wants them: this is the space-joined form. */
  scope?: string | undefined;
}

export interface TokenCallInput {
  platform: Platform;
  environment: Environment;
  /** Hosts of the connection's own environment: a call can reach no other. */
  hosts: Hosts;
  call: TokenCall;
  values: TokenValues;
  /** Sending it twice does no harm. An authorization code works once, so an exchange is not repeatable. */
  repeatable: boolean;
  /**
   * It uses up what it sends (a refresh token that rotates): the answer is waited for as long as the call may take, since
   * losing it may cost the grant; and when it was lost all the same, the call is repeated once, at once, because platforms
   * that forgive a repetition do so for a short while only.
   */
  spends?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface TokenCallTools {
  http: HttpClient;
  clock: Clock;
  /** Counts the call against the app's quotas; absent = it is not counted. */
  pacer?: Pacer | undefined;
  /** Keeps the call from an endpoint that is down; absent = it is always tried. */
  breakers?: Breakers | undefined;
}

/** Longest a token call may take, repetitions included, in ms. Refresh leases must outlast it. */
export const TOKEN_CALL_DEADLINE_MS = 30_000;
/** Longest silence of a token endpoint, in ms. */
const SILENCE_MS = 15_000;
/** Token answers are small; anything larger is not one. In bytes. */
const MAX_ANSWER = 1_048_576;

const PLACEHOLDER = /\{([a-z_]+)\}/g;

/** Fills `{name}` by value; undefined when a value it names is missing, so that the whole parameter is left out. */
export function fillTemplate(template: string, values: TokenValues): string | undefined {
  let missing = false;
  const filled = template.replace(PLACEHOLDER, (_all, name: string) => {
    const value = values[name as keyof TokenValues];
    if (value === undefined) missing = true;
    return value ?? '';
  });
  return missing ? undefined : filled;
}

/** Fills every template of a record; parameters whose value is missing are left out. */
export function fillParams(params: Record<string, string>, values: TokenValues): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, template] of Object.entries(params)) {
    const value = fillTemplate(template, values);
    if (value !== undefined) out[name] = value;
  }
  return out;
}

/**
 * Runs a token call and answers the parsed body of its success.
 *
 * @throws PolyadError whatever the platform's own classification says; `platform_unavailable` or `platform_timeout` when
 *   there is no proper answer, `platform_unavailable` without asking while the endpoint's breaker is open. `failureOf` tells
 *   what the platform said.
 */
export async function runTokenCall(input: TokenCallInput, tools: TokenCallTools): Promise<unknown> {
  // Whatever goes wrong from here on may quote them.
  learnSecrets(input.values);
  knownSecrets.learn(input.values.code);
  const started = tools.clock.now().getTime();
  const left = (): number => TOKEN_CALL_DEADLINE_MS - (tools.clock.now().getTime() - started);
  const operation = operationOf(input);
  const circuit = circuitOf(input.platform, input.environment, operation);
  const claims = claimsOf(input);
  let lost = 0;
  for (let number = 1; ; number += 1) {
    // A token that was spent on an answer that got lost is offered again whatever the endpoint's state: a later try may
    // come too late.
    const anyway = lost > 0 && input.spends === true;
    const closed = anyway ? 0 : (tools.breakers?.waitMs(circuit) ?? 0);
    if (closed > 0) throw circuitOpen(input.platform, circuit, operation, closed);
    const permit = await turn(input, tools, claims, left());
    const passage = tools.breakers?.enter(circuit);
    if (typeof passage === 'number' && !anyway) {
      permit?.cancel();
      throw circuitOpen(input.platform, circuit, operation, passage);
    }
    const outcome = await watched(() => attempt(input, tools, left()), passage).finally(() => permit?.answered());
    if ('answer' in outcome) return outcome.answer;
    const { error, notDelivered } = outcome;
    // Refused for its quota, it was not carried out.
    const refusedUnseen = notDelivered || error.code === 'platform_rate_limited';
    const failure = FAILURES.get(error);
    // A quota that is full here is full for all calls that share it.
    const quotaWait =
      failure === undefined || tools.pacer === undefined
        ? undefined
        : reportRefusal(tools.pacer, input.platform.manifest, claims, failure, tools.clock.now());
    if (lost > 0) LOST.add(error);
    if (!refusedUnseen && (failure === undefined || failure.scope === 'platform')) {
      lost += 1;
      LOST.add(error);
    }
    const delay = retryDelay(
      {
        number,
        retry: error.retry,
        safe: input.spends === true ? lost < 2 : input.repeatable || refusedUnseen,
        retryAfterMs: error.retryAfterMs ?? quotaWait,
        remainingMs: left(),
      },
      Math.random(),
    );
    if (delay === null) throw error;
    await tools.clock.sleep(delay, input.signal);
  }
}

const operationOf = ({ platform, call }: TokenCallInput): string =>
  platform.operationOfPath?.(call.path) ?? call.path.replace(/^\/+|\/+$/g, '');

/** Tells the breaker how an attempt ended: only a platform that gives no proper answer counts against its endpoint. */
async function watched(run: () => Promise<Outcome>, passage: Passage | number | undefined): Promise<Outcome> {
  const door = typeof passage === 'number' ? undefined : passage;
  try {
    const outcome = await run();
    door?.ended('answer' in outcome || !isOutage(outcome.error));
    return outcome;
  } catch (error) {
    // The caller gave up, or we were at fault: neither says anything of the platform.
    door?.ended(undefined);
    throw error;
  }
}

const isOutage = (error: PolyadError): boolean =>
  (error.code === 'platform_unavailable' || error.code === 'platform_timeout') &&
  (FAILURES.get(error)?.scope ?? 'platform') === 'platform';

/** The quotas that the call counts against. */
const claimsOf = (input: TokenCallInput): BucketClaim[] =>
  quotaClaims(
    input.platform.manifest,
    { environment: input.environment, app: input.values.client_id ?? 'token calls', connectionId: 'token calls' },
    { operation: operationOf(input) },
  );

/**
 * The call's place in the app's quotas. An exchange waits its turn. A renewal does not: callers that hold their own turn
 * wait for it, so that waiting could never end.
 */
function turn(
  input: TokenCallInput,
  tools: TokenCallTools,
  claims: readonly BucketClaim[],
  maxWaitMs: number,
): Promise<Permit> | Permit | undefined {
  if (tools.pacer === undefined) return undefined;
  if (input.repeatable) return tools.pacer.charge(claims);
  return tools.pacer.acquire('token calls', claims, maxWaitMs, input.signal ?? new AbortController().signal);
}

const FAILURES = new WeakMap<PolyadError, Classification>();
const LOST = new WeakSet<PolyadError>();

/**
 * Whether the platform may have carried out a call that ended in this error, or an earlier attempt at it, without its
 * answer reaching us.
 */
export function answerLost(error: unknown): boolean {
  return error instanceof PolyadError && LOST.has(error);
}

/** The platform's classification behind an error of `runTokenCall`; undefined when the platform did not answer. */
export function failureOf(error: unknown): Classification | undefined {
  return error instanceof PolyadError ? FAILURES.get(error) : undefined;
}

type Outcome = { answer: unknown } | { error: PolyadError; notDelivered: boolean };

async function attempt(input: TokenCallInput, tools: TokenCallTools, leftMs: number): Promise<Outcome> {
  const { platform, hosts, call, values } = input;
  const base = hosts[call.host];
  if (base === undefined) throw new Error(`${platform.manifest.id}: no host \`${call.host}\` for a token call`);
  const params = fillParams(call.params, values);
  const headers: Record<string, string> = { accept: 'application/json', ...fillParams(call.headers ?? {}, values) };
  let url = base.replace(/\/+$/, '') + call.path;
  let body: string | undefined;
  if (call.encoding === 'query') {
    url += `${url.includes('?') ? '&' : '?'}${encodeQuery(params, platform.manifest.queryStyle)}`;
  } else if (call.encoding === 'form') {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    body = new URLSearchParams(params).toString();
  } else {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(params);
  }
  const limit = AbortSignal.timeout(Math.max(1_000, leftMs));
  const silence = input.spends === true ? TOKEN_CALL_DEADLINE_MS : SILENCE_MS;
  const signal = input.signal === undefined ? limit : AbortSignal.any([input.signal, limit]);
  let response: PlatformResponse;
  try {
    const answer = await tools.http.send({
      method: call.method,
      url,
      headers,
      ...(body === undefined ? {} : { body }),
      signal,
      headersTimeoutMs: silence,
      bodyTimeoutMs: silence,
    });
    response = { status: answer.status, headers: answer.headers, ...(await readBody(plainStream(answer))) };
  } catch (thrown) {
    input.signal?.throwIfAborted();
    const fault = transportFault(thrown, limit);
    const timeout = fault.kind === 'timeout' || fault.kind === 'aborted';
    // The transport error is not passed on as `cause`: some of undici's hold the URL, which may hold secrets.
    const error = new PolyadError(timeout ? 'platform_timeout' : 'platform_unavailable', {
      message: `${platform.manifest.name} could not be reached for a token (${fault.text}).`,
    });
    return { error, notDelivered: !fault.maybeDelivered };
  }
  return judge(input, response);
}

/** What an answer means, by the platform's own rules, with everything secret taken out of its words. */
function judge(input: TokenCallInput, response: PlatformResponse): Outcome {
  const { platform, call, values } = input;
  const request: PlatformRequest = {
    method: call.method,
    path: call.path,
    host: call.host,
    operation: call.path.replace(/^\/+|\/+$/g, ''),
  };
  const classification = platform.errors.classify(request, response);
  if (classification !== null) {
    const clean = scrub(classification, values);
    const message = platformWords(platform, clean);
    const error = new PolyadError(clean.code, {
      ...(message === undefined ? {} : { message }),
      ...(clean.details === undefined ? {} : { details: clean.details }),
      ...(clean.retryAfterMs === undefined ? {} : { retryAfterMs: clean.retryAfterMs }),
      platform: platformFault(platform, clean, response.status),
    });
    FAILURES.set(error, clean);
    return { error, notDelivered: false };
  }
  if (response.status >= 300 || response.json === null || typeof response.json !== 'object') {
    const error = new PolyadError('platform_unavailable', {
      message: `${platform.manifest.name} answered a token call with something that is not a token.`,
      platform: { integration_type: platform.manifest.type, status: response.status },
    });
    return { error, notDelivered: false };
  }
  learnSecrets(response.json);
  return { answer: response.json };
}

async function readBody(body: Readable | undefined): Promise<{ json: unknown; text: string }> {
  // In a coding that nobody knows.
  if (body === undefined) return { json: undefined, text: '' };
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER) {
      body.destroy();
      throw Object.assign(new Error('answer too large'), { code: 'ANSWER_TOO_LARGE' });
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return { json: parseExactJson(text), text: '' };
  } catch {
    return { json: undefined, text };
  }
}

/** Values that must not come back out; the client id and the redirect URL are public. */
const SECRET_VALUES = ['client_secret', 'code', 'refresh_token', 'access_token', 'code_verifier', 'state'] as const;

/** Platforms repeat parameters in their messages; ours must not carry them on. */
function scrub(classification: Classification, values: TokenValues): Classification {
  const secrets = SECRET_VALUES.map((name) => values[name]).filter((value) => value !== undefined && value.length >= 4);
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string')
      return secrets.reduce<string>((text, secret) => text.replaceAll(secret as string, HIDDEN), value);
    if (Array.isArray(value)) return value.map(clean);
    if (value !== null && typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, clean(member)]));
    return value;
  };
  return clean(classification) as Classification;
}
