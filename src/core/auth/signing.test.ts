import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Signer } from './signing.ts';

const key = Buffer.alloc(32, 1);
const signer = new Signer([key]);

describe('signed addresses', () => {
  it('round-trips parts for their purpose only', () => {
    const token = signer.sign('state', 'workspace', 'row');
    expect(signer.verify('state', token)).toEqual(['workspace', 'row']);
    expect(signer.verify('link', token)).toBeUndefined();
    expect(signer.verify('reauth', token)).toBeUndefined();
  });

  it('refuses every change of a token', () => {
    const token = signer.sign('state', 'a'.repeat(24), 'b'.repeat(24));
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'abcXYZ019-_.='), (at, char) => {
        const changed = token.slice(0, at) + char + token.slice(at + 1);
        fc.pre(changed !== token);
        expect(signer.verify('state', changed)).toBeUndefined();
      }),
    );
    for (const wrong of [
      '',
      '.',
      'a.b',
      `${token}=`,
      `${token}A`,
      `${token}.`,
      ` ${token}`,
      token.slice(1),
      'x'.repeat(4096),
    ])
      expect(signer.verify('state', wrong), wrong.slice(0, 80)).toBeUndefined();
  });

  it('does not accept another installation’s tokens', () => {
    expect(new Signer([randomBytes(32)]).verify('state', signer.sign('state', 'a', 'b'))).toBeUndefined();
  });

  it('keeps links alive over a key rotation, and signs with the newest key', () => {
    const next = Buffer.alloc(32, 2);
    const rotated = new Signer([next, key]);
    expect(rotated.verify('link', signer.sign('link', 'a', 'b'))).toEqual(['a', 'b']);
    expect(new Signer([next]).verify('link', rotated.sign('link', 'a', 'b'))).toEqual(['a', 'b']);
    expect(signer.verify('link', rotated.sign('link', 'a', 'b'))).toBeUndefined();
  });

  it('fits into a path segment of a hundred characters', () => {
    expect(signer.sign('link', 'a'.repeat(24), 'b'.repeat(24)).length).toBeLessThanOrEqual(100);
  });

  it('refuses parts that would read as two', () => {
    expect(() => signer.sign('state', 'a.b')).toThrow('dot');
  });
});
