/** `definePlatform` checks at start what types cannot say, so that a wrong declaration never serves a request. */
import type { Platform } from './types.ts';

export function definePlatform(platform: Platform): Platform {
  const { manifest, auth, objects } = platform;
  const fail = (why: string): never => {
    throw new Error(`platform ${manifest.id}: ${why}`);
  };
  if (manifest.apiVersions.filter((version) => version.default).length !== 1)
    fail('exactly one API version must be the default');
  if (auth.grants.length === 0) fail('at least one grant is needed');
  const names = new Set(manifest.quotas.map((bucket) => bucket.name));
  if (names.size !== manifest.quotas.length) fail('quota bucket names must differ');
  for (const [name, spec] of Object.entries(objects)) {
    const refused = Object.keys(spec.refusals ?? {});
    for (const verb of refused) if (verb in spec) fail(`${name}.${verb} is both offered and refused`);
  }
  return platform;
}
