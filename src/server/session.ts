/** Sessions of the status page: a signed cookie that names an API key, worthless once that key is revoked. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasScope } from '../core/auth/key-scopes.ts';
import { getWorkspace, listApiKeys } from '../core/store/repositories/index.ts';
import type { Deps } from './deps.ts';
import type { Principal } from './request.ts';

export const SESSION_COOKIE = 'polyad_session';
/** Life of a session in ms. */
const SESSION_LIFE_MS = 12 * 60 * 60_000;

const cookieOptions = (deps: Deps) =>
  ({
    path: '/dashboard',
    httpOnly: true,
    sameSite: 'strict',
    secure: deps.services.publicUrl().startsWith('https:'),
  }) as const;

export function openSession(deps: Deps, reply: FastifyReply, { key }: Principal): void {
  const ends = deps.runtime.clock.now().getTime() + SESSION_LIFE_MS;
  const token = deps.services.signer.sign('session', key.workspace_id, key.id, ends.toString(36));
  reply.setCookie(SESSION_COOKIE, token, { ...cookieOptions(deps), maxAge: SESSION_LIFE_MS / 1000 });
}

export function closeSession(deps: Deps, reply: FastifyReply): void {
  reply.clearCookie(SESSION_COOKIE, cookieOptions(deps));
}

/** Who is signed in; undefined without a session, after its end, or when its key may no longer administer. */
export async function sessionOf(deps: Deps, request: FastifyRequest): Promise<Principal | undefined> {
  const token = request.cookies[SESSION_COOKIE];
  const parts = token === undefined ? undefined : deps.services.signer.verify('session', token);
  const [workspaceId, keyId, ends] = parts ?? [];
  const now = deps.runtime.clock.now();
  if (workspaceId === undefined || keyId === undefined || !(Number.parseInt(ends ?? '', 36) > now.getTime()))
    return undefined;
  const { db } = deps.runtime.store;
  const [workspace, keys] = await Promise.all([getWorkspace(db, workspaceId), listApiKeys(db, workspaceId)]);
  const key = keys.find(({ id }) => id === keyId);
  if (workspace === undefined || key === undefined || key.revoked_at !== null) return undefined;
  if ((key.expires_at !== null && key.expires_at <= now) || !hasScope(key.scopes, 'admin')) return undefined;
  return { key, workspace };
}
