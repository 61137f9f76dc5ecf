/** Which workspace an administrative call is about. */
import { hasScope } from '../core/auth/key-scopes.ts';
import { PolyadError } from '../core/errors/index.ts';
import { getWorkspace } from '../core/store/repositories/index.ts';
import type { Db, WorkspaceRow } from '../core/store/schema.ts';
import type { Principal } from './request.ts';

/**
 * The workspace that a call is about: the caller's own, or for operators the one named.
 *
 * @throws PolyadError `workspace_not_found`: there is none with that id, or it is another's.
 */
export async function workspaceOf(db: Db, principal: Principal, named: string | undefined): Promise<WorkspaceRow> {
  const own = principal.workspace.id;
  const allowed = named === undefined || named === own || hasScope(principal.key.scopes, 'operator');
  const row = allowed ? await getWorkspace(db, named ?? own) : undefined;
  // The same answer for a forbidden id as for one that does not exist: keys of one workspace learn nothing of another.
  if (row === undefined)
    throw new PolyadError('workspace_not_found', { details: { workspace_id: named?.slice(0, 64) } });
  return row;
}
