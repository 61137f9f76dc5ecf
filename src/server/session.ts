/**
 * Sessions of the dashboard: kept in the database under a hash of what the cookie holds, so that signing out ends them for
 * whoever has a copy of the cookie, and worthless once their key may no longer administer.
 */
import { createHash, randomBytes } from 'node:crypto';
import session, { type FastifySessionOptions } from '@fastify/session';
import type { FastifyInstance, FastifyRequest, Session } from 'fastify';
import { hasScope } from '../core/auth/key-scopes.ts';
import {
  deleteDashboardSession,
  getDashboardSession,
  getWorkspace,
  listApiKeys,
  putDashboardSession,
} from '../core/store/repositories/index.ts';
import type { Deps } from './deps.ts';
import type { Principal } from './request.ts';

/**
 * Over https the cookie is this host's alone and needs the path `/`: browsers take such a name from nobody else. Over http
 * (a developer's machine) such names do not work.
 */
export const sessionCookie = (publicUrl: string | undefined): { name: string; path: string } =>
  publicUrl?.startsWith('https:') === true
    ? { name: '__Host-polyad_session', path: '/' }
    : { name: 'polyad_session', path: '/dashboard' };
/** Longest life of a session in ms, however busy it is. */
export const SESSION_LIFE_MS = 12 * 60 * 60_000;
/** Life of a session that nobody uses, in ms. */
export const SESSION_IDLE_MS = 60 * 60_000;
/** Use is noted at most this often. */
const SEEN_EVERY_MS = 60_000;

declare module 'fastify' {
  interface Session {
    workspaceId?: string;
    keyId?: string;
  }
}

const idOf = (sessionId: string): string => createHash('sha256').update(sessionId).digest('hex');

/** The store of `@fastify/session` over our table. */
function storeOf({ runtime }: Deps): NonNullable<FastifySessionOptions['store']> {
  const { db } = runtime.store;
  const now = (): Date => runtime.clock.now();
  const load = async (sessionId: string): Promise<Session | null> => {
    const row = await getDashboardSession(db, idOf(sessionId));
    const at = now();
    if (row === undefined || row.expires_at <= at || at.getTime() - row.seen_at.getTime() > SESSION_IDLE_MS)
      return null;
    if (at.getTime() - row.seen_at.getTime() > SEEN_EVERY_MS) await putDashboardSession(db, { ...row, seen_at: at });
    return { workspaceId: row.workspace_id, keyId: row.key_id } as Session;
  };
  const save = async (sessionId: string, { workspaceId, keyId }: Session): Promise<void> => {
    // A session in which nobody is signed in is nothing to keep.
    if (workspaceId === undefined || keyId === undefined) return;
    const at = now();
    await putDashboardSession(db, {
      id: idOf(sessionId),
      workspace_id: workspaceId,
      key_id: keyId,
      created_at: at,
      seen_at: at,
      expires_at: new Date(at.getTime() + SESSION_LIFE_MS),
    });
  };
  return {
    get: (sessionId, done) => void load(sessionId).then((found) => done(null, found), done),
    set: (sessionId, value, done) => void save(sessionId, value).then(() => done(), done),
    destroy: (sessionId, done) => void deleteDashboardSession(db, idOf(sessionId)).then(() => done(), done),
  };
}

/** Makes sessions known to the routes of `app`. */
export async function useSessions(app: FastifyInstance, deps: Deps): Promise<void> {
  const { signer } = deps.services;
  const { publicUrl } = deps.runtime.config;
  const { name, path } = sessionCookie(publicUrl);
  const secure = path === '/';
  // The server itself speaks http; that browsers reach it by https is what the public address says.
  if (secure)
    app.addHook('onRequest', (request, _reply, done) => {
      Object.defineProperty(request, 'protocol', { value: 'https' });
      done();
    });
  await app.register(session, {
    cookieName: name,
    cookie: { path, httpOnly: true, sameSite: 'strict', secure, maxAge: SESSION_LIFE_MS },
    // Signed as everything else of ours is: the signature outlives a rotation of the master key.
    secret: {
      sign: (value) => signer.sign('session', value),
      unsign: (input) => {
        const value = signer.verify('session', input)?.[0] ?? null;
        return { valid: value !== null, renew: false, value };
      },
    },
    idGenerator: () => randomBytes(32).toString('base64url'),
    saveUninitialized: false,
    rolling: false,
    store: storeOf(deps),
  });
}

/** Begins a session under a new id, so that one which was put into the browser before is worth nothing. */
export async function openSession(request: FastifyRequest, { key }: Principal): Promise<void> {
  await request.session.regenerate();
  request.session.set('workspaceId', key.workspace_id);
  request.session.set('keyId', key.id);
}

/** Ends the session: its cookie is worth nothing from now on. */
export const closeSession = (request: FastifyRequest): Promise<void> => request.session.destroy();

/** Who is signed in; undefined without a session, after its end, or when its key may no longer administer. */
export async function sessionOf(deps: Deps, request: FastifyRequest): Promise<Principal | undefined> {
  const { workspaceId, keyId } = request.session;
  if (workspaceId === undefined || keyId === undefined) return undefined;
  const { db } = deps.runtime.store;
  const [workspace, keys] = await Promise.all([getWorkspace(db, workspaceId), listApiKeys(db, workspaceId)]);
  const key = keys.find(({ id }) => id === keyId);
  if (workspace === undefined || key === undefined || key.revoked_at !== null) return undefined;
  if ((key.expires_at !== null && key.expires_at <= deps.runtime.clock.now()) || !hasScope(key.scopes, 'admin'))
    return undefined;
  return { key, workspace };
}
