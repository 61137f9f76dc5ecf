/** Keeps pass-through out of the control API of simulators. */
import { PolyadError } from '../errors/index.ts';
import type { Address } from '../http/address.ts';

/** Where every simulator has its control API, below its address. */
const CONTROL = '_control';

/**
 * Refuses an address in a simulator's control API: it is no part of the platform, and whoever may call through one
 * connection must not move everybody's clock or revoke everybody's grants. Holds too where the simulator stands in for
 * another environment.
 *
 * @param simulator base URL of the platform's simulator; undefined = none runs.
 * @param bases base URLs that `url` may have been made from.
 * @throws PolyadError `passthrough_host_refused`
 */
export function refuseControl(url: Address, simulator: string | undefined, bases: readonly string[]): void {
  if (simulator === undefined || new URL(simulator).origin !== url.origin) return;
  const prefixes = new Set(['', ...[simulator, ...bases].map((base) => new URL(base).pathname.replace(/\/$/, ''))]);
  for (const prefix of prefixes) {
    if (!url.pathname.startsWith(prefix)) continue;
    // As a router reads it: escapes resolved, slashes too many left out.
    const first = unescaped(url.pathname.slice(prefix.length))
      .split('/')
      .find((segment) => segment !== '');
    if (first?.toLowerCase() === CONTROL)
      throw new PolyadError('passthrough_host_refused', {
        message:
          'The control API of the simulator is no part of the platform. Call it at its own address (`control_url`).',
        details: { path: url.pathname.slice(0, 200) },
      });
  }
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
