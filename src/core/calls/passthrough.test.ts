import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../http/address.ts';
import { passthroughUrl } from './passthrough.ts';

describe('pass-through URL', () => {
  it('joins the path to the base as it was written, slashes and encodings kept', () => {
    expect(passthroughUrl('https://api.test', 'open_api/v1.3/event/track/', '').href).toBe(
      'https://api.test/open_api/v1.3/event/track/',
    );
    expect(passthroughUrl('https://api.test/sandbox', '/a%2Fb/', 'x=%7B%22a%22%3A1%7D').href).toBe(
      'https://api.test/sandbox/a%2Fb/?x=%7B%22a%22%3A1%7D',
    );
  });

  it.each([
    'https://evil.test/x',
    '//evil.test/x',
    '\\\\evil.test\\x',
    '/\\evil.test',
    'http:evil.test',
    '../other',
    'a/../../b',
    'a/%2e%2e/b',
    'a/.%2E/b',
    'javascript:alert(1)',
    'x\r\nHost: evil.test',
    'a b',
    '/\tevil.test',
  ])('refuses %j', (path) => {
    expect(() => passthroughUrl('https://api.test/base', path, '')).toThrow(
      expect.objectContaining({ code: 'passthrough_host_refused' }),
    );
  });

  it('never leaves the base, whatever the path is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'/\\.:%@?#2eEabc ') }), (path) => {
        let url: Address;
        try {
          url = passthroughUrl('https://api.test/base', path, '');
        } catch {
          return;
        }
        expect(url.origin).toBe('https://api.test');
        expect(url.pathname.startsWith('/base/')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
