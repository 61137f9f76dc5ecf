import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Write-ahead log, in bytes, after which the planner's statistics are renewed: some ten thousand rows. */
const ANALYZE_BYTES = 8 * 1024 * 1024;
/** … after which a checkpoint is made: bounds the log's size and the time of a recovery. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
/** … after which dead rows are cleared away. */
const VACUUM_BYTES = 256 * 1024 * 1024;

export interface MaintenanceDone {
  analyze: boolean;
  checkpoint: boolean;
  vacuum: boolean;
}

/**
 * What a Postgres server does in the background and the single-user engine never does by itself: statistics (without them
 * a list over a large table reads all of it), checkpoints (the log would grow without bound) and vacuum. Call it now and
 * then; it does nothing while little was written.
 */
export class Maintenance {
  /** Position in the log of the last of each; before the first one, where this object first looked. */
  #analyzedAt: string | null = null;
  #vacuumedAt: string | null = null;

  /** Answers what was done. Runs through Kysely, so never inside someone's transaction. */
  async run(db: Db): Promise<MaintenanceDone> {
    const state = await sql<{ now: string; checkpointed: number; analyzed: number; vacuumed: number }>`
      select now::text, pg_wal_lsn_diff(now, redo_lsn)::float8 as checkpointed,
        pg_wal_lsn_diff(now, coalesce(${this.#analyzedAt}::pg_lsn, redo_lsn))::float8 as analyzed,
        pg_wal_lsn_diff(now, coalesce(${this.#vacuumedAt}::pg_lsn, redo_lsn))::float8 as vacuumed
      from pg_control_checkpoint(), pg_current_wal_insert_lsn() as now`.execute(db);
    const written = state.rows[0]!;
    this.#analyzedAt ??= written.now;
    this.#vacuumedAt ??= written.now;
    const vacuum = written.vacuumed > VACUUM_BYTES;
    const analyze = vacuum || written.analyzed > ANALYZE_BYTES;
    const checkpoint = vacuum || written.checkpointed > CHECKPOINT_BYTES;
    if (vacuum) {
      await sql`vacuum (analyze)`.execute(db);
      this.#vacuumedAt = written.now;
    } else if (analyze) {
      await sql`analyze`.execute(db);
    }
    if (analyze) this.#analyzedAt = written.now;
    if (checkpoint) await sql`checkpoint`.execute(db);
    return { analyze, checkpoint, vacuum };
  }
}
