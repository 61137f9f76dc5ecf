/**
 * What an API key may do. `read` reads through connections; `write` changes through them; `spend` lets a change raise what
 * is spent (see `key-spending.ts`) and is of use beside `write`; `admin` administers its own workspace (keys, app
 * credentials, settings, audit log) and may do all of the above; `operator` administers all workspaces of the installation.
 */
export const KEY_SCOPES = ['read', 'write', 'spend', 'admin', 'operator'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** Which scopes give each one. */
const GIVEN_BY: Record<KeyScope, readonly KeyScope[]> = {
  read: ['read', 'write', 'spend', 'admin', 'operator'],
  write: ['write', 'admin', 'operator'],
  spend: ['spend', 'admin', 'operator'],
  admin: ['admin', 'operator'],
  operator: ['operator'],
};

/** True when `scopes` give what `needed` asks. */
export function hasScope(scopes: readonly string[], needed: KeyScope): boolean {
  return GIVEN_BY[needed].some((scope) => scopes.includes(scope));
}

/** What a key is checked for beyond its scopes. */
export interface KeyReach {
  /** Null = every connection of the workspace. */
  connection_ids: readonly string[] | null;
}

/** True when the key may use the connection. */
export function reaches(key: KeyReach, connectionId: string): boolean {
  return key.connection_ids === null || key.connection_ids.includes(connectionId);
}
