import { INPUTS } from './inputs-table.ts';
import type { Call, Endpoint } from './types.ts';

/** Short forms for endpoints whose parameters are in `inputs-table.ts` and whose scopes are the catalogue's. */

type Handle = Endpoint['handle'];

function inputOf(path: string): Endpoint['params'] {
  const params = INPUTS[path];
  if (!params) throw new Error(`no input is declared for ${path}`);
  return params;
}

/** A GET. */
export const reads = (path: string, handle: Handle, more: Partial<Endpoint> = {}): Endpoint => ({
  method: 'GET',
  path,
  auth: 'token',
  params: inputOf(path),
  handle,
  ...more,
});

/** A POST that needs the admin or operator role on its ad account. */
export const writes = (path: string, handle: Handle, more: Partial<Endpoint> = {}): Endpoint => ({
  method: 'POST',
  path,
  auth: 'token',
  write: true,
  params: inputOf(path),
  handle,
  ...more,
});

/** A list of texts that a call may have; undefined if it has none. */
export const textsOf = (call: Call, name: string): string[] | undefined =>
  (call.params[name] ?? undefined) as string[] | undefined;
