import { secretId } from '../ids.ts';
import { type Db, json, type OAuthStateRow } from '../schema.ts';

export interface NewOAuthState {
  type: string;
  environment: string;
  payload: Record<string, unknown>;
  /** Hash of the cookie that only the browser which began the flow holds. */
  browser_hash: string;
  expires_at: Date;
}

/** Begins a connect flow. The id of the row cannot be guessed. */
export function createOAuthState(db: Db, workspaceId: string, input: NewOAuthState): Promise<OAuthStateRow> {
  return db
    .insertInto('oauth_states')
    .values({
      id: secretId(),
      workspace_id: workspaceId,
      type: input.type,
      environment: input.environment,
      payload: json(input.payload),
      browser_hash: input.browser_hash,
      expires_at: input.expires_at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/**
 * Takes a state: it answers the row to exactly one caller, once, before it expires and for the browser that began the
 * flow; every other call gets undefined. A wrong browser does not use the state up, so a stolen link cannot be spoiled.
 * `payload` replaces what the row holds: of a used flow nothing secret need be kept.
 */
export function consumeOAuthState(
  db: Db,
  workspaceId: string,
  stateId: string,
  browserHash: string,
  now: Date = new Date(),
  payload?: Record<string, unknown>,
): Promise<OAuthStateRow | undefined> {
  return db
    .updateTable('oauth_states')
    .set({ used_at: now, ...(payload === undefined ? {} : { payload: json(payload) }) })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', stateId)
    .where('browser_hash', '=', browserHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
}

/** Keeps what came of a used flow, for whoever asks again. */
export async function putOAuthOutcome(
  db: Db,
  workspaceId: string,
  stateId: string,
  payload: Record<string, unknown>,
): Promise<void> {
  await db
    .updateTable('oauth_states')
    .set({ payload: json(payload) })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', stateId)
    .where('used_at', 'is not', null)
    .execute();
}

/** Deletes states that expired before `before`, of all workspaces (housekeeping). Answers how many. */
export async function pruneOAuthStates(db: Db, before: Date): Promise<number> {
  const result = await db.deleteFrom('oauth_states').where('expires_at', '<', before).executeTakeFirst();
  return Number(result.numDeletedRows);
}

/** `browser_hash` of a flow that no browser has taken up yet. No hash is empty, so no cookie matches it. */
export const UNBOUND = '';

/** The state as it is, used and expired ones too; undefined when there is none. */
export function getOAuthState(db: Db, workspaceId: string, stateId: string): Promise<OAuthStateRow | undefined> {
  return db
    .selectFrom('oauth_states')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', stateId)
    .executeTakeFirst();
}

/**
 * Binds a state that no browser has taken up to one browser. Answers the row to that browser only; undefined when it is
 * used, expired, or another browser's.
 */
export function bindOAuthState(
  db: Db,
  workspaceId: string,
  stateId: string,
  change: { browser_hash: string; payload: Record<string, unknown>; expires_at: Date },
  now: Date,
): Promise<OAuthStateRow | undefined> {
  return db
    .updateTable('oauth_states')
    .set({ browser_hash: change.browser_hash, payload: json(change.payload), expires_at: change.expires_at })
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', stateId)
    .where('browser_hash', '=', UNBOUND)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returningAll()
    .executeTakeFirst();
}
