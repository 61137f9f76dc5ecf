/** One attempt at a platform request, once it has its permit: let out, sent, answered, and everybody told how it ended. */
import { Readable } from 'node:stream';
import type { PlatformRequest } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Circuit, Passage } from '../http/breaker.ts';
import { type OutgoingRequest, transportFault } from '../http/client.ts';
import { Patience } from '../http/patience.ts';
import type { Permit } from '../pacing/pacer.ts';
import { isLost, isOutage, MAX_JSON_BYTES, type Reader, type ReadResult, tooLarge } from './answers.ts';
import type { PipelineParts } from './pipeline.ts';
import type { Prepared } from './prepare.ts';
import { changes, type Scope, type WriteFate } from './scope.ts';

const isStream = (value: unknown): boolean =>
  value !== null && typeof value === 'object' && (value as { body?: unknown }).body instanceof Readable;

/** Lets one request out: through the breaker, and past whoever watches over a write. A number = the breaker refuses. */
export async function letOut(
  { breakers }: PipelineParts,
  scope: Scope,
  permit: Permit,
  request: PlatformRequest,
  circuit: Circuit,
): Promise<Passage | number> {
  const passage = breakers.enter(circuit);
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

/**
 * Sends a request that was let out, and reads its answer.
 *
 * @param deadline until when the answer must be there, in ms since 1970
 * @param whole the body is taken as a whole; else `read` gets it as a stream
 * @returns what was read, or what the failure means; `delivered`: it may have reached the platform.
 */
export async function attempt<T>(
  { clock, http }: PipelineParts,
  scope: Scope,
  permit: Permit,
  passage: Passage,
  prepared: Prepared,
  request: PlatformRequest,
  deadline: number,
  whole: boolean,
  read: Reader<T>,
): Promise<ReadResult<T> & { delivered: boolean }> {
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
