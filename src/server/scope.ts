/** From a request with `:connection_id` to the scope in which the core works. */
import type { FastifyRequest } from 'fastify';
import type { Scope } from '../core/calls/scope.ts';
import { PolyadError } from '../core/errors/index.ts';
import { PRIORITIES, type Priority } from '../core/pacing/bucket.ts';
import { writeWatch } from './audit.ts';
import { requireConnection } from './authentication.ts';
import type { Deps } from './deps.ts';
import { principalOf } from './request.ts';

/** Header in which a caller says how urgent a call is when platform quota is short. */
const PRIORITY_HEADER = 'x-priority';

/** @throws PolyadError `input_invalid` for words that are none of the priorities */
function priorityOf(request: FastifyRequest): { priority?: Priority } {
  const given = request.headers[PRIORITY_HEADER];
  if (given === undefined) return {};
  const priority = PRIORITIES.find((one) => one === String(given).trim().toLowerCase());
  if (priority === undefined)
    throw new PolyadError('input_invalid', {
      message: `The header X-Priority must be one of ${PRIORITIES.join(', ')}.`,
      details: { issues: [{ path: PRIORITY_HEADER, reason: `must be one of ${PRIORITIES.join(', ')}` }] },
    });
  return { priority };
}

/**
 * The scope of a call on a connection.
 *
 * @throws PolyadError `input_invalid` (X-Priority), `key_connection` (not on the key's list), `connection_not_found` (unknown, deleted, or another
 *   workspace's)
 */
export async function scopeOf(deps: Deps, request: FastifyRequest): Promise<Scope> {
  const principal = principalOf(request);
  const { workspace } = principal;
  const { connection_id: id } = request.params as { connection_id: string };
  requireConnection(principal, id);
  const connection = await deps.services.cache.connection(workspace.id, id);
  if (connection === undefined)
    throw new PolyadError('connection_not_found', { details: { connection_id: id.slice(0, 64) } });
  request.state.connection = connection;
  return {
    ...{ workspace, connection, requestId: request.id, signal: request.state.signal, meter: request.state.meter },
    ...priorityOf(request),
    ...(request.method === 'GET' ? {} : { watch: writeWatch(deps, request, connection.id) }),
  };
}
