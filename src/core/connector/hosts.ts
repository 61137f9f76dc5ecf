/** Which base URLs a connection may reach. Environments never mix: there is one set of hosts for each. */
import { PolyadError } from '../errors/index.ts';
import type { Environment, Hosts, Platform } from './types.ts';

export const ENVIRONMENTS: readonly Environment[] = ['production', 'sandbox', 'simulator'];

/** Base URLs given by the operator or learned from running simulators: `<platform id>/<environment>` -> base URL. */
export type HostOverrides = ReadonlyMap<string, string>;

/** Base URLs of a platform in an environment. Throws `environment_unsupported` where there are none. */
export function hostsFor(platform: Platform, environment: Environment, overrides: HostOverrides): Hosts {
  const { id, name, hosts } = platform.manifest;
  const base = overrides.get(`${id}/${environment}`)?.replace(/\/+$/, '');
  if (base !== undefined)
    return Object.fromEntries([...Object.keys(hosts.production), 'api'].map((host) => [host, base])) as Hosts;
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
