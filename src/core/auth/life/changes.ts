/** What a customer gained and lost by authorising again. */
import type { ConnectionRow } from '../../store/schema.ts';

/** Differences between the grant before and after. Lists are empty where nothing changed. */
export interface GrantChanges {
  permissions_gained: string[];
  permissions_lost: string[];
  organizations_gained: string[];
  organizations_lost: string[];
}

const without = (list: readonly string[], others: readonly string[]): string[] =>
  list.filter((one) => !others.includes(one));

/** Compares two grants of one connection. Ad accounts are compared where both grants name some. */
export function grantChanges(before: ConnectionRow, after: ConnectionRow): GrantChanges {
  const reachedBefore = before.account.organization_ids ?? [];
  const reachedAfter = after.account.organization_ids ?? [];
  const comparable = reachedBefore.length > 0 && reachedAfter.length > 0;
  return {
    permissions_gained: without(after.permissions, before.permissions),
    permissions_lost: without(before.permissions, after.permissions),
    organizations_gained: comparable ? without(reachedAfter, reachedBefore) : [],
    organizations_lost: comparable ? without(reachedBefore, reachedAfter) : [],
  };
}

/** Permissions that were asked for and not granted. */
export function missingPermissions(row: ConnectionRow): string[] {
  const asked = row.account['asked'];
  return Array.isArray(asked) ? without(asked as string[], row.permissions) : [];
}
