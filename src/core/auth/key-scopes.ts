/**
 * What an API key may do. Each scope holds the ones before it: `read` reads through connections, `write` changes through
 * them, `admin` administers its own workspace (keys, app credentials, settings), `operator` administers all workspaces of
 * the installation.
 */
export const KEY_SCOPES = ['read', 'write', 'admin', 'operator'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** True when `scopes` give what `needed` asks. */
export function hasScope(scopes: readonly string[], needed: KeyScope): boolean {
  const rank = KEY_SCOPES.indexOf(needed);
  return KEY_SCOPES.some((scope, index) => index >= rank && scopes.includes(scope));
}
