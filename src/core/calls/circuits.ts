/** Which circuit breaker watches over a call, and what is answered while it is open. */
import { platformFault, platformWords } from '../connector/classified.ts';
import type { Classification, Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import type { Circuit } from '../http/breaker.ts';

/** The breaker of all that a platform does not know by name. */
const OTHER = 'other';

/**
 * The breaker of an operation. `given`: the caller chose it, so without the platform's own classes it is one among all
 * others: breakers and the labels of their metric must be as many as we know, not as callers make up.
 */
export function circuitOf(platform: Platform, environment: string, operation: string, given = false): Circuit {
  const { endpointClass, manifest } = platform;
  const own = given ? OTHER : operation.replace(/^\/+/, '').split('/', 1)[0] || 'all';
  const endpoints = endpointClass === undefined ? own : (endpointClass(operation) ?? OTHER);
  return { platform: manifest.id, environment, endpoints };
}

/** The answer while the breaker is open. What the platform said last in this call belongs to it. */
export function circuitOpen(
  platform: Platform,
  circuit: Circuit,
  operation: string,
  retryAfterMs: number,
  last?: Classification,
): PolyadError {
  const words = last === undefined ? undefined : platformWords(platform, last);
  const { name, type } = platform.manifest;
  return new PolyadError('platform_unavailable', {
    message: `${name} fails at the moment (${circuit.endpoints}), so it is not asked.${words === undefined ? '' : ` ${words}`}`,
    details: { operation, circuit: circuit.endpoints },
    platform: last === undefined ? { integration_type: type } : platformFault(platform, last),
    retryAfterMs,
  });
}
