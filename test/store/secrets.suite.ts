import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { Keyring } from '../../src/core/auth/keyring.ts';
import { SecretStore } from '../../src/core/auth/secret-store.ts';
import { Vault } from '../../src/core/auth/vault.ts';
import type { Store } from '../../src/core/store/port.ts';
import * as repo from '../../src/core/store/repositories/index.ts';

const SECRET = { access_token: 'tok-1234567890', nested: { list: [1, 'ü'] } };

/** Secrets at rest: part of the suite of both engines. */
export function secretsSuite(store: () => Store): void {
  describe('secrets', () => {
    const secrets = new SecretStore(new Vault(new Keyring([{ id: 'k1', bytes: randomBytes(32) }])));
    const owner = async (kind: 'connection' | 'integration' = 'connection') => {
      const { db } = store();
      const workspace = await repo.createWorkspace(db, { name: 'Acme' });
      const row =
        kind === 'connection'
          ? await repo.createConnection(db, workspace.id, { integration_type: 'tiktok', environment: 'sandbox' })
          : await repo.putIntegration(db, workspace.id, 'tiktok', 'sandbox');
      return { workspaceId: workspace.id, kind, id: row.id } satisfies repo.SecretOwner;
    };

    it('read back as they were put, with a version that counts up, and lie encrypted', async () => {
      const { db } = store();
      const mine = await owner();
      expect(await secrets.get(db, mine, 'tokens')).toBeUndefined();
      expect(await secrets.put(db, mine, 'tokens', SECRET)).toBe(1);
      expect(await secrets.get(db, mine, 'tokens')).toEqual({ plain: SECRET, version: 1 });
      expect(await secrets.put(db, mine, 'tokens', { access_token: 'b' }, { version: 1 })).toBe(2);
      expect(await secrets.get(db, mine, 'tokens')).toEqual({ plain: { access_token: 'b' }, version: 2 });
      await secrets.put(db, mine, 'tokens', SECRET);
      const stored = await sql<{
        all: string;
      }>`select row_to_json(s)::text as "all" from secrets s where owner_id = ${mine.id}`.execute(db);
      expect(stored.rows[0]!.all).toContain('"kid"');
      expect(stored.rows[0]!.all).not.toContain('tok-1234567890');
      expect(stored.rows[0]!.all).not.toContain(Buffer.from('tok-1234567890').toString('base64url'));
    });

    it('refuse a write that was made from an old version', async () => {
      const { db } = store();
      const mine = await owner();
      await secrets.put(db, mine, 'tokens', { n: 1 }, { version: 0 });
      const conflict = { code: 'record_conflict' };
      await expect(secrets.put(db, mine, 'tokens', { n: 2 }, { version: 0 })).rejects.toMatchObject(conflict);
      await secrets.put(db, mine, 'tokens', { n: 3 }, { version: 1 });
      await expect(secrets.put(db, mine, 'tokens', { n: 4 }, { version: 1 })).rejects.toMatchObject(conflict);
      expect(await secrets.get(db, mine, 'tokens')).toEqual({ plain: { n: 3 }, version: 2 });
    });

    it('keep one of several that are put at the same time, readable', async () => {
      const { db } = store();
      const mine = await owner();
      await Promise.all([1, 2, 3].map((n) => secrets.put(db, mine, 'tokens', { n })));
      const { plain, version } = (await secrets.get(db, mine, 'tokens'))!;
      expect(version).toBe(3);
      expect([1, 2, 3]).toContain(plain['n']);
    });

    it('do not open on another row: copied between tenants, owners, kinds, or put back from an older version', async () => {
      const { db } = store();
      const [mine, theirs] = [await owner(), await owner()];
      await secrets.put(db, mine, 'tokens', SECRET);
      await secrets.put(db, theirs, 'tokens', { access_token: 'theirs' });
      const old = (await repo.getSecret(db, mine, 'tokens'))!.envelope;
      const mismatch = { code: 'vault_binding_mismatch' };
      await sql`update secrets set envelope = ${JSON.stringify(old)}::jsonb where owner_id = ${theirs.id}`.execute(db);
      await expect(secrets.get(db, theirs, 'tokens')).rejects.toMatchObject(mismatch);
      await sql`update secrets set kind = 'app' where owner_id = ${mine.id}`.execute(db);
      await expect(secrets.get(db, mine, 'app')).rejects.toMatchObject(mismatch);
      await sql`update secrets set kind = 'tokens', workspace_id = ${theirs.workspaceId} where owner_id = ${mine.id}`.execute(
        db,
      );
      await expect(secrets.get(db, { ...mine, workspaceId: theirs.workspaceId }, 'tokens')).rejects.toMatchObject(
        mismatch,
      );
      await sql`update secrets set workspace_id = ${mine.workspaceId} where owner_id = ${mine.id}`.execute(db);
      expect((await secrets.get(db, mine, 'tokens'))!.plain).toEqual(SECRET);
      await secrets.put(db, mine, 'tokens', { access_token: 'new' });
      await sql`update secrets set envelope = ${JSON.stringify(old)}::jsonb where owner_id = ${mine.id}`.execute(db);
      await expect(secrets.get(db, mine, 'tokens')).rejects.toMatchObject(mismatch);
    });

    it('are not found under another workspace, and go with their owner', async () => {
      const { db } = store();
      const [mine, theirs, app] = [await owner(), await owner(), await owner('integration')];
      await secrets.put(db, mine, 'tokens', SECRET);
      await secrets.put(db, mine, 'other', SECRET);
      await secrets.put(db, app, 'app', SECRET);
      expect(await secrets.get(db, { ...mine, workspaceId: theirs.workspaceId }, 'tokens')).toBeUndefined();
      expect(await secrets.remove(db, { ...mine, workspaceId: theirs.workspaceId })).toBe(0);
      expect(await secrets.remove(db, mine, 'other')).toBe(1);
      await repo.deleteConnection(db, theirs.workspaceId, mine.id);
      expect(await secrets.get(db, mine, 'tokens')).toBeDefined();
      await repo.deleteConnection(db, mine.workspaceId, mine.id);
      expect(await secrets.get(db, mine, 'tokens')).toBeUndefined();
      await repo.deleteIntegration(db, app.workspaceId, 'tiktok', 'sandbox');
      expect(await secrets.get(db, app, 'app')).toBeUndefined();
    });

    it('are undone with their transaction', async () => {
      const { db } = store();
      const mine = await owner();
      await secrets.put(db, mine, 'tokens', { n: 1 });
      const failing = db.transaction().execute(async (trx) => {
        await secrets.put(trx, mine, 'tokens', { n: 2 });
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await secrets.get(db, mine, 'tokens')).toEqual({ plain: { n: 1 }, version: 1 });
    });
  });
}
