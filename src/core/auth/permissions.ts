/** Between the permissions of the wire contract and the scopes of a platform. */

import type { Platform } from '../connector/types.ts';
import { PolyadError } from '../errors/index.ts';
import { OBJECTS } from '../model/objects.ts';
import {
  isPermission,
  METHODS,
  type ObjectName,
  PERMISSIONS,
  type Permission,
  permissionFor,
} from '../model/permissions.ts';

/** The permissions that make sense on a platform: those of the methods it has. In the contract's order. */
export function offeredPermissions(platform: Platform): Permission[] {
  const offered = new Set<string>();
  for (const name of Object.keys(OBJECTS) as ObjectName[]) {
    const has = (method: string): boolean =>
      name === 'report'
        ? method === 'list' && platform.report !== undefined
        : (platform.objects[name] as Record<string, unknown> | undefined)?.[method] !== undefined;
    for (const method of METHODS) {
      const permission = permissionFor(name, method);
      if (permission !== undefined && has(method)) offered.add(permission);
    }
  }
  return PERMISSIONS.filter((permission) => offered.has(permission));
}

/**
 * The permissions asked for: all that the platform offers, or those named. Names that the contract knows and the platform
 * does not offer are left out, so that one list serves every platform; the connection says what it got.
 *
 * @throws PolyadError `input_invalid` for a name that is no permission, or when nothing is left.
 */
export function askedPermissions(platform: Platform, scopes: readonly string[] | undefined): Permission[] {
  const offered = offeredPermissions(platform);
  const names = (scopes ?? []).flatMap((scope) => scope.split(/[\s,]+/)).filter((name) => name !== '');
  if (names.length === 0) return offered;
  const unknown = names.filter((name) => !isPermission(name));
  const asked = offered.filter((permission) => names.includes(permission));
  if (unknown.length > 0 || asked.length === 0)
    throw new PolyadError('input_invalid', {
      message:
        unknown.length > 0
          ? `\`scopes\` names what is no permission: ${unknown.join(', ')}.`
          : `${platform.manifest.name} offers none of the permissions asked for.`,
      details: { issues: [{ path: 'scopes', reason: `must be of ${offered.join(', ')}` }], allowed: offered },
    });
  return asked;
}

/** True when one of `needed` was granted, itself or by a scope above it. */
export function granted(platform: Platform, needed: readonly string[], scopes: ReadonlySet<string>): boolean {
  const parents = platform.auth.scopeParents ?? {};
  return needed.some((scope) => {
    const seen = new Set<string>();
    for (let at: string | undefined = scope; at !== undefined && !seen.has(at); at = parents[at]) {
      if (scopes.has(at)) return true;
      seen.add(at);
    }
    return false;
  });
}

/**
 * What a grant amounts to: of the permissions asked for, those that its native scopes give. A platform that does not say
 * which scopes it granted (`scopes` empty) is taken to have granted what was asked.
 */
export function grantedPermissions(
  platform: Platform,
  asked: readonly Permission[],
  scopes: readonly string[],
): Permission[] {
  if (scopes.length === 0) return [...asked];
  const have = new Set(scopes);
  return asked.filter((permission) => {
    const needed = platform.auth.permissions[permission];
    return needed === undefined || granted(platform, needed, have);
  });
}

/** Native scopes to ask for: for each permission the first of those that give it. */
export function nativeScopes(platform: Platform, asked: readonly Permission[]): string[] {
  const scopes = new Set<string>();
  for (const permission of asked) {
    const first = platform.auth.permissions[permission]?.[0];
    if (first !== undefined) scopes.add(first);
  }
  return [...scopes];
}
