/** The errors with which calls end that failed at the platform. */
import { platformFault, platformWords } from '../connector/classified.ts';
import type { Classification, Platform, PlatformRequest } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { isLost } from './answers.ts';
import type { Scope } from './scope.ts';

/** The end of a grant that showed in an expired token which nothing renews: what the platform said belongs to it. */
export function withPlatformWords(error: unknown, platform: Platform, failure: Classification): unknown {
  if (!(error instanceof PolyadError) || error.code !== 'connection_reconnect_required') return error;
  if (error.platform?.code !== undefined) return error;
  return new PolyadError(error.code, {
    message: error.message,
    ...(error.details === undefined ? {} : { details: error.details }),
    platform: platformFault(platform, failure),
  });
}

/**
 * The error for a failure that is not tried again.
 *
 * @param safe the request changes nothing, may be repeated, or was surely not carried out
 * @param quotaWait milliseconds for which a quota rests after it
 * @param reconnectUrl where the grant is renewed, when it is gone
 */
export function callFailed(
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
