import { describe, expect, it } from 'vitest';
import { challengeOf, newVerifier } from './pkce.ts';

describe('PKCE', () => {
  it('makes the challenge of RFC 7636 appendix B', () => {
    expect(challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  it('makes verifiers of the allowed form, never twice', () => {
    const verifiers = Array.from({ length: 100 }, newVerifier);
    for (const verifier of verifiers) expect(verifier).toMatch(/^[A-Za-z0-9\-._~]{43,128}$/);
    expect(new Set(verifiers).size).toBe(100);
  });
});
