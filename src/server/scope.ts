/** From a request with `:connection_id` to the scope in which the core works. */
import type { FastifyRequest } from 'fastify';
import type { Scope } from '../core/calls/scope.ts';
import { PolyadError } from '../core/errors/index.ts';
import { writeWatch } from './audit.ts';
import { requireConnection } from './authentication.ts';
import type { Deps } from './deps.ts';
import { principalOf } from './request.ts';

/**
 * The scope of a call on a connection.
 *
 * @throws PolyadError `key_connection` (not on the key's list), `connection_not_found` (unknown, deleted, or another
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
    ...(request.method === 'GET' ? {} : { watch: writeWatch(deps, request, connection.id) }),
  };
}
