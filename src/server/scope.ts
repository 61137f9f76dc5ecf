/** From a request with `:connection_id` to the scope in which the core works. */
import type { FastifyRequest } from 'fastify';
import { DEFAULT_PATIENCE_MS, type Scope } from '../core/calls/scope.ts';
import { PolyadError } from '../core/errors/index.ts';
import { PRIORITIES, type Priority } from '../core/pacing/bucket.ts';
import { writeWatch } from './audit.ts';
import { requireConnection } from './authentication.ts';
import type { Deps } from './deps.ts';
import { principalOf } from './request.ts';

/** Longest time that a call waits for quota, in seconds. */
const LONGEST_WAIT_S = DEFAULT_PATIENCE_MS / 1_000;

/** Header in which a caller says how urgent a call is when platform quota is short. */
const PRIORITY_HEADER = 'x-priority';

/** Header in which a caller says how many seconds it waits for platform quota. */
const MAX_WAIT_HEADER = 'x-max-wait';

/** The same for the reference of operations that call a platform. */
export const QUOTA_HEADERS = {
  'X-Priority': `How urgent the call is when platform quota is short: ${PRIORITIES.map((one) => `\`${one}\``).join(', ')}. Default \`${PRIORITIES[0]}\`.`,
  'X-Max-Wait': `Most seconds to wait for platform quota, ${LONGEST_WAIT_S} at most, which is the default. A call whose turn cannot come by then is refused at once (\`quota_wait\`).`,
};

/** What is wrong with a header. */
const refused = (name: string, title: string, reason: string): PolyadError =>
  new PolyadError('input_invalid', {
    message: `The header ${title} ${reason}.`,
    details: { issues: [{ path: name, reason }] },
  });

/** @throws PolyadError `input_invalid` for words that are none of the priorities */
function priorityOf(request: FastifyRequest): { priority?: Priority } {
  const given = request.headers[PRIORITY_HEADER];
  if (given === undefined) return {};
  const priority = PRIORITIES.find((one) => one === String(given).trim().toLowerCase());
  if (priority === undefined) throw refused(PRIORITY_HEADER, 'X-Priority', `must be one of ${PRIORITIES.join(', ')}`);
  return { priority };
}

/** @throws PolyadError `input_invalid` for anything but a number of seconds that a call may wait */
function quotaDeadlineOf(request: FastifyRequest, now: number): { quotaDeadline?: number } {
  const given = request.headers[MAX_WAIT_HEADER];
  if (given === undefined) return {};
  const seconds = Number(given);
  if (!/^\d+(\.\d+)?$/.test(String(given)) || seconds > LONGEST_WAIT_S)
    throw refused(MAX_WAIT_HEADER, 'X-Max-Wait', `must be a number of seconds from 0 to ${LONGEST_WAIT_S}`);
  return { quotaDeadline: now + seconds * 1_000 };
}

/**
 * The scope of a call on a connection.
 *
 * @throws PolyadError `input_invalid` (X-Priority, X-Max-Wait), `key_connection` (not on the key's list), `connection_not_found` (unknown, deleted, or another
 *   workspace's)
 */
export async function scopeOf(deps: Deps, request: FastifyRequest): Promise<Scope> {
  const principal = principalOf(request);
  const { workspace } = principal;
  const { connection_id: id } = request.params as { connection_id: string };
  requireConnection(principal, id);
  const { cache } = deps.services;
  const connection = cache.knownConnection(workspace.id, id) ?? (await cache.connection(workspace.id, id));
  if (connection === undefined)
    throw new PolyadError('connection_not_found', { details: { connection_id: id.slice(0, 64) } });
  request.state.connection = connection;
  return {
    ...{ workspace, connection, requestId: request.id, signal: request.state.signal, meter: request.state.meter },
    caller: { key: principal.key.id, address: request.ip },
    ...priorityOf(request),
    ...quotaDeadlineOf(request, deps.runtime.clock.now().getTime()),
    ...(request.method === 'GET' ? {} : { watch: writeWatch(deps, request, connection.id) }),
  };
}
