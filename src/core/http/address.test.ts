import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBelow } from './address.ts';

const MEMBERS = [
  'href',
  'origin',
  'protocol',
  'host',
  'hostname',
  'port',
  'username',
  'password',
  'pathname',
  'search',
  'hash',
] as const;
/** What plain addresses have, and what makes them something else. */
const text = fc.string({ unit: fc.constantFrom(...'ab09_-.~/%:=,@+&?#2eE;!\'"<>^`{|}[]()*$\\é \t'), maxLength: 12 });

describe('an address below a base', () => {
  it.each(['https://api.test', 'https://api.test:8443/base', 'http://127.0.0.1:9000/a/b/', 'https://[::1]/x'])(
    'is the one that a URL makes of it (%s)',
    (base) => {
      const root = base.endsWith('/') ? base : `${base}/`;
      fc.assert(
        fc.property(text, text, (path, query) => {
          const url = new URL(`${root}${path}${query === '' ? '' : `?${query}`}`);
          url.hash = '';
          const address = addressBelow(base, path, query);
          if (!url.href.startsWith(new URL(root).href)) expect(address).toBeUndefined();
          else for (const member of MEMBERS) expect(address?.[member]).toBe(url[member]);
        }),
        { numRuns: 5_000 },
      );
    },
  );

  it('is not made where the path leads out of the base', () => {
    expect(addressBelow('https://api.test/base', '../other', '')).toBeUndefined();
    expect(addressBelow('https://api.test/base', 'a/../../other', 'x=1')).toBeUndefined();
    expect(addressBelow('https://api.test/base', 'a/%2E%2e/%2e%2E/other', '')).toBeUndefined();
  });
});
