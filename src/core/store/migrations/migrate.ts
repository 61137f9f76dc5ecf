import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { PolyadError } from '../../errors/index.ts';
import type { Db } from '../schema.ts';
import { MIGRATIONS } from './index.ts';
import type { Migration } from './migration.ts';

/** SHA-256 over a migration's statements: shows that a migration was edited after it had run. */
export function checksum(migration: Migration): string {
  return createHash('sha256').update(migration.statements.join('\n;\n')).digest('hex');
}

/**
 * Brings the database up to date, in one transaction under an advisory lock, so that of several nodes that start together
 * one migrates and the others wait and find nothing to do. Forward only.
 *
 * @returns ids of the migrations that were applied now.
 * @throws PolyadError `store_version_ahead`, `store_migration_changed`
 */
export async function migrate(db: Db, migrations: readonly Migration[] = MIGRATIONS): Promise<string[]> {
  return db.transaction().execute(async (trx) => {
    // Keyed by schema: installations that share a database but not a schema do not wait for each other.
    await sql`select pg_advisory_xact_lock(hashtext('polyad_migrations'), hashtext(current_schema()))`.execute(trx);
    await sql`create table if not exists polyad_migrations (
      id text primary key, checksum text not null, applied_at timestamptz(3) not null default now())`.execute(trx);
    const seen = await trx.selectFrom('polyad_migrations').select(['id', 'checksum']).orderBy('id').execute();
    check(seen, migrations);
    const pending = migrations.slice(seen.length);
    for (const migration of pending) {
      for (const statement of migration.statements) await sql.raw(statement).execute(trx);
      await trx
        .insertInto('polyad_migrations')
        .values({ id: migration.id, checksum: checksum(migration), applied_at: new Date() })
        .execute();
    }
    return pending.map((migration) => migration.id);
  });
}

function check(seen: readonly { id: string; checksum: string }[], migrations: readonly Migration[]): void {
  const known = new Set(migrations.map((migration) => migration.id));
  const unknown = seen.filter((row) => !known.has(row.id)).map((row) => row.id);
  if (unknown.length > 0) {
    throw new PolyadError('store_version_ahead', {
      message: `The database was written by a newer polyad: it has seen ${unknown.join(', ')}, which this version does not know.`,
      details: { unknown, newest_known: migrations.at(-1)?.id },
    });
  }
  for (const [index, row] of seen.entries()) {
    const migration = migrations[index];
    if (migration?.id !== row.id || checksum(migration) !== row.checksum) {
      throw new PolyadError('store_migration_changed', {
        message: `Migration ${row.id} differs from the one that this database has run.`,
        details: { migration: row.id },
      });
    }
  }
}
