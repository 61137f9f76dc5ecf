/** What the audit log is told of requests: acts of administration, writes, refusals, uses of credentials. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuditActor, AuditEntry } from '../core/audit/log.ts';
import { watchWrites } from '../core/audit/watch.ts';
import type { WriteWatch } from '../core/calls/scope.ts';
import { asPolyadError } from '../core/errors/index.ts';
import { redactUrl } from '../core/http/redact.ts';
import type { Deps } from './deps.ts';
import type { Operation } from './operation.ts';
import { type AuditFacts, type Principal, principalOf, statusOf } from './request.ts';

/** Refusals that say that somebody tried what he may not. */
const DENIED = new Set(['key_scope', 'key_connection', 'workspace_not_found']);

const actorOf = ({ key }: Principal): AuditActor => ({ kind: 'api_key', id: key.id, name: key.name });

/** The members of a row that every request has. */
const rowOf = (request: FastifyRequest, principal: Principal) =>
  ({
    workspaceId: principal.workspace.id,
    actor: actorOf(principal),
    requestId: request.id,
    ipAddress: request.ip,
  }) satisfies Partial<AuditEntry>;

/** Adds to what the audit log will say of this request. Never secrets. */
export function noteAct(request: FastifyRequest, facts: AuditFacts): void {
  Object.assign(request.state.audit, facts);
}

/** `createApiKey` is about an ApiKey. */
const typeOf = (operation: string): string => operation.replace(/^[a-z]+(?:Ads)?/, '');

/** An id in an answer. */
function idIn(answer: unknown): string | undefined {
  const id = (answer as { id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' ? id : undefined;
}

/** Does what an operation does, and writes it down before it is answered. */
export async function act(
  { services }: Deps,
  request: FastifyRequest,
  { id: action }: Operation,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const principal = principalOf(request);
  const { state } = request;
  const params = request.params as Record<string, string>;
  const body = request.body;
  const entry = (): AuditEntry => ({
    ...rowOf(request, principal),
    workspaceId: state.audit.workspaceId ?? principal.workspace.id,
    action,
    objectType: typeOf(action),
    objectId: state.audit.objectId ?? params['id'],
    connectionId: state.audit.connectionId ?? state.connection?.id,
    details:
      state.audit.details ??
      // Names alone: values may be secrets.
      (body !== null && typeof body === 'object' ? { fields: Object.keys(body) } : {}),
  });
  let answer: unknown;
  try {
    answer = await work();
  } catch (thrown) {
    const { code, status } = asPolyadError(thrown);
    // What was refused as malformed was no act; refusals for lack of rights are noted with the request.
    if (state.audit.dryRun !== true && (state.meter.calls > 0 || status >= 500))
      await services.audit.append({ ...entry(), outcome: code });
    throw thrown;
  }
  if (state.audit.dryRun === true) return answer;
  const done = entry();
  done.objectId ??= idIn(answer);
  await services.audit.append(done);
  return answer;
}

/** Watches the writes of a request through a connection. */
export function writeWatch({ services }: Deps, request: FastifyRequest, connectionId: string): WriteWatch {
  const principal = principalOf(request);
  return watchWrites({
    audit: services.audit,
    scopes: principal.key.scopes,
    row: { ...rowOf(request, principal), connectionId },
  });
}

/** What is told of every request when it is over: refusals, uses of a customer's credentials, writes by pass-through. */
export function noteRequest({ services, runtime }: Deps, request: FastifyRequest, reply: FastifyReply): void {
  const { principal, connection, meter, error } = request.state;
  if (principal === undefined) return;
  const { operation, access } = request.routeOptions.config;
  // Writes that may not spend have their row already.
  if (error !== undefined && DENIED.has(error.code) && error.details?.['members'] === undefined)
    services.audit.note({
      ...rowOf(request, principal),
      action: operation ?? request.method,
      objectType: typeOf(operation ?? ''),
      objectId: (request.params as Record<string, string> | undefined)?.['id'],
      connectionId: connection?.id,
      outcome: error.code,
      details: { method: request.method, path: redactUrl(request.url).slice(0, 500) },
    });
  if (connection === undefined || meter.calls === 0) return;
  const passthrough = operation?.includes('Passthrough') === true;
  services.audit.used({
    workspaceId: principal.workspace.id,
    connectionId: connection.id,
    keyId: principal.key.id,
    purpose: passthrough ? 'passthrough' : 'call',
    count: meter.calls,
  });
  if (!passthrough || access === 'read') return;
  const { secretParams } = runtime.registry.find(connection.integration_type)?.manifest ?? {};
  const status = statusOf(reply);
  services.audit.note({
    ...rowOf(request, principal),
    action: operation ?? request.method,
    objectType: 'Passthrough',
    connectionId: connection.id,
    outcome: error?.code ?? (status < 400 ? undefined : `http_${status}`),
    details: { method: request.method, path: redactUrl(request.url, secretParams ?? []).slice(0, 2000), status },
  });
}
