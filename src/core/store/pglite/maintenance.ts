import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Write-ahead log, in bytes, after which a checkpoint is made: bounds the log's size and the time of a recovery. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** Write-ahead log, in bytes, after which dead rows are cleared away and statistics renewed. */
const VACUUM_BYTES = 256 * 1024 * 1024;

/**
 * What a Postgres server does in the background and the single-user engine never does by itself: checkpoints (its log
 * would grow without bound) and vacuum. Call it now and then; it does nothing while little was written.
 */
export class Maintenance {
  #vacuumedAt: string | undefined;

  /** Answers what was done. Runs through Kysely, so never inside someone's transaction. */
  async run(db: Db): Promise<{ checkpoint: boolean; vacuum: boolean }> {
    const state = await sql<{ lsn: string; since_checkpoint: number; since_vacuum: number }>`
      select pg_current_wal_insert_lsn()::text as lsn,
        pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as since_checkpoint,
        pg_wal_lsn_diff(pg_current_wal_insert_lsn(), coalesce(${this.#vacuumedAt ?? null}::pg_lsn, redo_lsn))::float8
          as since_vacuum
      from pg_control_checkpoint()`.execute(db);
    const row = state.rows[0]!;
    this.#vacuumedAt ??= row.lsn;
    const vacuum = row.since_vacuum > VACUUM_BYTES;
    if (vacuum) {
      await sql`vacuum (analyze)`.execute(db);
      this.#vacuumedAt = row.lsn;
    }
    const checkpoint = vacuum || row.since_checkpoint > CHECKPOINT_BYTES;
    if (checkpoint) await sql`checkpoint`.execute(db);
    return { checkpoint, vacuum };
  }
}
