/** Which of a connection's ad accounts are used: chosen by the workspace, or by the customer on a hosted page. */
import { PolyadError } from '../errors/index.ts';
import type { Store } from '../store/port.ts';
import { appendEvent, getConnection, updateConnection } from '../store/repositories/index.ts';
import type { ConnectionRow } from '../store/schema.ts';

/**
 * Stores the choice; undefined = all, those to come included. Every list, look-up and report of the connection keeps to it.
 *
 * @throws PolyadError `organization_unknown` (an id that the grant does not reach), `input_invalid` (none chosen),
 *   `connection_not_found`.
 */
export async function selectOrganizations(
  store: Store,
  connection: ConnectionRow,
  ids: readonly string[] | undefined,
  now: Date,
): Promise<ConnectionRow> {
  const chosen = ids === undefined ? undefined : [...new Set(ids)];
  if (chosen?.length === 0)
    throw new PolyadError('input_invalid', {
      message: 'Choose at least one ad account, or delete the connection.',
      details: { issues: [{ path: 'organization_ids', reason: 'is empty' }] },
    });
  return store.db.transaction().execute(async (trx) => {
    const row = await getConnection(trx, connection.workspace_id, connection.id);
    if (row === undefined) throw new PolyadError('connection_not_found');
    const known = new Set(row.account.organization_ids ?? []);
    const unknown = chosen?.filter((id) => !known.has(id)) ?? [];
    if (unknown.length > 0)
      throw new PolyadError('organization_unknown', {
        message: `${unknown.length === 1 ? `\`${unknown[0]}\` is` : `${unknown.length} ids are`} not among the ad accounts of this connection.`,
        details: { unknown: unknown.slice(0, 20), count: known.size },
      });
    const { selected_organization_ids: _, ...account } = row.account;
    const changed = await updateConnection(
      trx,
      row.workspace_id,
      row.id,
      { account: { ...account, ...(chosen === undefined ? {} : { selected_organization_ids: chosen }) } },
      { now, version: row.version },
    );
    await appendEvent(
      trx,
      row.workspace_id,
      {
        type: 'connection.organizations_selected',
        connection_id: row.id,
        payload: { organizations: chosen?.length ?? null, of: known.size },
      },
      now,
    );
    return changed;
  });
}
