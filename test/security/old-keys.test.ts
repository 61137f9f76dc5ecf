/** Keys of installations from before there was a scope for spending. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { hasScope } from '../../src/core/auth/key-scopes.ts';
import { MIGRATIONS } from '../../src/core/store/migrations/index.ts';
import { migrate } from '../../src/core/store/migrations/migrate.ts';
import { openStore } from '../../src/core/store/port.ts';
import { createWorkspace, listApiKeys } from '../../src/core/store/repositories/index.ts';

it('keys made before may do what they could: those that wrote may spend, readers still only read', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'polyad-old-'));
  const store = await openStore({ dataDir, log: { debug() {}, info() {}, warn() {}, error() {} } });
  const { db } = store;
  try {
    // The embedded database has one connection, so this holds for all that follows.
    await sql`create schema old`.execute(db);
    await sql`set search_path to old`.execute(db);
    const before = MIGRATIONS.findIndex(({ id }) => id === '0004-access');
    await migrate(db, MIGRATIONS.slice(0, before));
    const { id } = await createWorkspace(db, { name: 'Old' });
    const scopes = [['read'], ['write'], ['read', 'write'], ['admin'], ['read', 'write', 'admin', 'operator']];
    for (const [index, given] of scopes.entries())
      await sql`insert into api_keys (id, workspace_id, name, prefix, hash, scopes, created_at)
        values (${`k${index}`}, ${id}, ${`k${index}`}, 'polyad_x', ${`hash ${index}`}, ${given}::text[], now())`.execute(
        db,
      );
    await migrate(db);
    const now = Object.fromEntries((await listApiKeys(db, id)).map((row) => [row.id, row]));
    expect(Object.keys(now)).toHaveLength(5);
    for (const index of [1, 2, 3, 4]) {
      expect([index, hasScope(now[`k${index}`]?.scopes ?? [], 'spend')]).toEqual([index, true]);
      expect(now[`k${index}`]?.scopes).toEqual(expect.arrayContaining(scopes[index] as string[]));
    }
    expect(now['k0']?.scopes).toEqual(['read']);
    expect(now['k0']?.connection_ids).toBeNull();
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
