/** Which base URLs a connection may reach. Environments never mix: there is one set of hosts for each. */
import { PolyadError } from '../errors/index.ts';
import type { Environment, Hosts, Platform } from './types.ts';

export const ENVIRONMENTS: readonly Environment[] = ['production', 'sandbox', 'simulator'];

/** Base URLs given by the operator or learned from running simulators: `<platform id>/<environment>` -> base URL. */
export type HostOverrides = ReadonlyMap<string, string>;

/** Hosts of a platform that was given one base URL for all of them. */
const overridden = new WeakMap<Platform, Map<string, Hosts>>();

function allAt(platform: Platform, base: string): Hosts {
  const known = overridden.get(platform) ?? new Map<string, Hosts>();
  let hosts = known.get(base);
  if (hosts === undefined) {
    const bare = base.replace(/\/+$/, '');
    const names = [...Object.keys(platform.manifest.hosts.production), 'api'];
    hosts = Object.fromEntries(names.map((host) => [host, bare])) as Hosts;
    // Simulators on ports of their own may come and go, as they do in tests.
    if (known.size >= 100) known.clear();
    overridden.set(platform, known.set(base, hosts));
  }
  return hosts;
}

/** Base URLs of a platform in an environment. Throws `environment_unsupported` where there are none. */
export function hostsFor(platform: Platform, environment: Environment, overrides: HostOverrides): Hosts {
  const { id, name, hosts } = platform.manifest;
  const base = overrides.get(`${id}/${environment}`);
  if (base !== undefined) return allAt(platform, base);
  const declared =
    environment === 'production' ? hosts.production : environment === 'sandbox' ? hosts.sandbox : undefined;
  if (declared !== undefined) return declared;
  throw new PolyadError('environment_unsupported', {
    message:
      environment === 'simulator'
        ? `The ${name} simulator is not running.`
        : `${name} has no ${environment} environment.`,
    details: { environment, allowed: environmentsOf(platform, overrides) },
  });
}

/** Environments in which a platform can be used by this server now. */
export function environmentsOf(platform: Platform, overrides: HostOverrides): Environment[] {
  return ENVIRONMENTS.filter(
    (environment) =>
      environment === 'production' ||
      (environment === 'sandbox' && platform.manifest.hosts.sandbox !== undefined) ||
      overrides.has(`${platform.manifest.id}/${environment}`),
  );
}

/** Any letter case in; throws `environment_unsupported`. Undefined stays undefined. */
export function parseEnvironment(text: string | undefined): Environment | undefined {
  if (text === undefined || text === '') return undefined;
  const lower = text.toLowerCase();
  const found = ENVIRONMENTS.find((environment) => environment === lower);
  if (found === undefined)
    throw new PolyadError('environment_unsupported', {
      message: `There is no environment \`${text}\`.`,
      details: { allowed: [...ENVIRONMENTS] },
    });
  return found;
}

/** How an environment is written on the wire: the two names existing clients know keep their spelling. */
export function wireEnvironment(environment: string): string {
  if (environment === 'production') return 'Production';
  if (environment === 'sandbox') return 'Sandbox';
  return environment;
}
