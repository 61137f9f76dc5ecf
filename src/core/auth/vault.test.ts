import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SealedEnvelope } from '../store/schema.ts';
import { Keyring, type MasterKey } from './keyring.ts';
import { type Binding, Vault } from './vault.ts';

const key = (id: string): MasterKey => ({ id, bytes: randomBytes(32) });
const binding: Binding = { workspaceId: 'w', ownerKind: 'connection', ownerId: 'c', kind: 'tokens', version: 1 };
const mismatch = expect.objectContaining({ code: 'vault_binding_mismatch' });

/** Few letters and the separators a careless encoding would trip over, so that different bindings look alike. */
const part = fc.string({ unit: fc.constantFrom('a', 'b', ':', '"', ',', '\\', '\u0000'), maxLength: 4 });
const bindings: fc.Arbitrary<Binding> = fc.record({
  workspaceId: part,
  ownerKind: fc.constantFrom('connection', 'integration'),
  ownerId: part,
  kind: part,
  version: fc.integer({ min: 1, max: 3 }),
});

describe('vault', () => {
  const vault = new Vault(new Keyring([key('k1')]));

  it('opens what it sealed, whatever it is', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), bindings, (plain, at) => {
        const copy = JSON.parse(JSON.stringify(plain)) as Record<string, unknown>;
        const stored = JSON.parse(JSON.stringify(vault.seal(plain, at))) as SealedEnvelope;
        expect(vault.open(stored, at)).toEqual(copy);
      }),
    );
  });

  it('opens under no other binding', () => {
    fc.assert(
      fc.property(bindings, bindings, (mine, other) => {
        fc.pre(JSON.stringify(mine) !== JSON.stringify(other));
        const sealed = vault.seal({ token: 'x' }, mine);
        expect(() => vault.open(sealed, other)).toThrow(mismatch);
      }),
      { numRuns: 300 },
    );
  });

  it('notices every changed byte, and parts of two envelopes put together', () => {
    const [one, two] = [vault.seal({ token: 'one' }, binding), vault.seal({ token: 'two' }, binding)];
    expect(() => vault.open({ ...one, ct: two.ct }, binding)).toThrow(mismatch);
    expect(() => vault.open({ ...one, dek: two.dek }, binding)).toThrow(mismatch);
    for (const member of ['dek', 'ct'] as const) {
      const bytes = Buffer.from(one[member], 'base64url');
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at]! ^= 1;
        expect(() => vault.open({ ...one, [member]: changed.toString('base64url') }, binding)).toThrow(mismatch);
        const cut = bytes.subarray(0, at).toString('base64url');
        expect(() => vault.open({ ...one, [member]: cut }, binding)).toThrow(mismatch);
      }
    }
    expect(() => vault.open({ ...one, v: 3 as 2 }, binding)).toThrow(mismatch);
  });

  it('uses a new data key and nonce each time, and shows nothing of the secret', () => {
    const sealed = Array.from({ length: 50 }, () => vault.seal({ token: 'the secret' }, binding));
    expect(new Set(sealed.map((envelope) => envelope.dek)).size).toBe(50);
    expect(
      new Set(sealed.map((envelope) => Buffer.from(envelope.ct, 'base64url').subarray(0, 12).toString('hex'))).size,
    ).toBe(50);
    for (const envelope of sealed) {
      expect(Buffer.from(envelope.ct, 'base64url').includes('the secret')).toBe(false);
    }
  });

  it('names neither secret nor key in its errors', () => {
    const sealed = vault.seal({ token: 'hunter2' }, binding);
    try {
      vault.open(sealed, { ...binding, version: 2 });
      expect.unreachable();
    } catch (error) {
      const text = JSON.stringify(error) + String(error) + String((error as Error).stack);
      expect(text).not.toContain('hunter2');
      expect(text).not.toContain(sealed.ct);
    }
  });
});

describe('key rotation', () => {
  it('encrypts with the first key and still opens what the others encrypted', () => {
    const [old, fresh] = [key('old'), key('new')];
    const before = new Vault(new Keyring([old])).seal({ n: 1 }, binding);
    const rotated = new Vault(new Keyring([fresh, old]));
    const after = rotated.seal({ n: 2 }, binding);
    expect([before.kid, after.kid]).toEqual(['old', 'new']);
    expect([rotated.open(before, binding), rotated.open(after, binding)]).toEqual([{ n: 1 }, { n: 2 }]);
    expect(() => new Vault(new Keyring([fresh])).open(before, binding)).toThrow(
      expect.objectContaining({ code: 'vault_key_missing', message: expect.stringContaining('"old"') }),
    );
  });

  it('does not open under another key of the same name', () => {
    const sealed = new Vault(new Keyring([key('k')])).seal({ n: 1 }, binding);
    expect(() => new Vault(new Keyring([key('k')])).open(sealed, binding)).toThrow(mismatch);
  });
});
