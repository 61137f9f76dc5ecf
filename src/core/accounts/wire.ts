/** Accounts as they are answered: how each is, and what has to be done about it. */
import type { AccountsSpec } from '../connector/accounts-spec.ts';
import { toWire } from '../model/index.ts';
import type { AccountRow, ConnectionRow } from '../store/schema.ts';

/**
 * `ok`. `read_only`: reads work, changes are refused for want of a role. `not_granted`: the customer has it and did not tick
 * it. `pending`, `suspended`, `rejected`: as the platform says. `revoked`: went with its business. `no_permission`: went by
 * itself. `unreachable`: the connection's grant is gone, so nothing is known.
 */
export const ACCOUNT_HEALTH = [
  'ok',
  'read_only',
  'not_granted',
  'pending',
  'suspended',
  'rejected',
  'revoked',
  'no_permission',
  'unreachable',
] as const;
export type AccountHealth = (typeof ACCOUNT_HEALTH)[number];

/** How an account is. */
export function healthOf(
  row: AccountRow,
  connection: Pick<ConnectionRow, 'health_state' | 'lost_organizations'>,
  spec: AccountsSpec,
): { state: AccountHealth; fix?: string } {
  const { node, kind, lost_at, lost_with } = row;
  const { restore } = spec;
  if (connection.health_state === 'reconnect_required')
    return { state: 'unreachable', fix: 'Have the customer authorise again.' };
  if (lost_at !== null)
    return kind === 'business' || lost_with !== null
      ? { state: 'revoked', fix: restore.business }
      : { state: 'no_permission', fix: restore.organization };
  if (kind === 'organization' && !node.granted) return { state: 'not_granted', fix: restore.notGranted };
  if (kind === 'organization' && connection.lost_organizations[row.id] !== undefined)
    return { state: 'no_permission', fix: restore.organization };
  if (node.status === 'suspended' || node.status === 'pending' || node.status === 'rejected')
    return {
      state: node.status,
      fix: `The platform says ${node.native_status ?? node.status}: the customer settles that with the platform.`,
    };
  if (kind === 'organization' && node.role !== 'none' && !spec.writes.includes(node.role))
    return { state: 'read_only', fix: restore.role };
  return { state: 'ok' };
}

/** One account on the wire. */
export function accountWire(row: AccountRow, connection: ConnectionRow, spec: AccountsSpec) {
  const { node } = row;
  const health = healthOf(row, connection, spec);
  const chosen = connection.account.selected_organization_ids;
  return toWire({
    id: row.id,
    kind: row.kind,
    name: row.name ?? undefined,
    status: node.status,
    native_status: node.native_status,
    role: node.role,
    native_role: node.native_role,
    owner_id: node.owner_id,
    owner_name: node.owner_name,
    parent_ids: node.parent_ids,
    currency: node.currency,
    timezone: node.time_zone,
    granted: row.kind === 'organization' ? node.granted : undefined,
    selected:
      row.kind === 'organization' ? node.granted && (chosen === undefined || chosen.includes(row.id)) : undefined,
    health: health.state,
    fix: health.fix,
    lost_at: row.lost_at ?? undefined,
    lost_with: row.lost_with ?? undefined,
    seen_at: row.seen_at,
  });
}
