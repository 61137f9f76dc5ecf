import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Write-ahead log, in bytes, after which a checkpoint is made: bounds the log's size and the time of a recovery. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

/** So many, and a share of what the table has. */
interface Limit {
  least: number;
  share: number;
}

/** Changed rows after which a table is analyzed, and dead or new ones after which it is vacuumed: those of a Postgres server. */
const MODIFIED: Limit = { least: 50, share: 0.1 };
const DEAD: Limit = { least: 50, share: 0.2 };
const INSERTED: Limit = { least: 1_000, share: 0.2 };
/** … but never more than this: after a fifth of a large table it would be one long statement. */
const MOST_INSERTED = 50_000;
/** Pages, for what the counters do not know: those a table has grown by, and those not known to be clean. */
const GROWN: Limit = { least: 8, share: 0.1 };
const UNSEEN: Limit = { least: 8, share: 0.2 };
/** Transactions after which old rows must be marked as such, before their numbers come round again. */
const FREEZE_AGE = 200_000_000;
/** System tables have lower numbers. There are many, and to ask for the size of each took most of the time of a look. */
const FIRST_OWN_OID = 16_384;

interface Due {
  name: string;
  vacuum_due: boolean;
  analyze_due: boolean;
}

export interface MaintenanceDone {
  /** Names of the tables whose statistics were renewed. */
  analyzed: string[];
  /** Names of the tables whose dead rows were cleared away. */
  vacuumed: string[];
  checkpoint: boolean;
}

/**
 * What a Postgres server does in the background and the single-user engine never does by itself: statistics (without them
 * a list over a large table reads all of it), vacuum, and checkpoints (the log would grow without bound). Call it now and
 * then, one call at a time; it does nothing while little was written.
 *
 * There is one connection for everybody, so whatever runs here holds up all others. Hence table by table, one statement
 * each, between which the others have their turn; and only the tables that changed, as autovacuum chooses them.
 */
export class Maintenance {
  #first = true;

  /**
   * Answers what was done. Runs through Kysely, so never inside someone's transaction. A table that fails does not keep
   * the others from their turn; the first failure is thrown at the end.
   */
  async run(db: Db): Promise<MaintenanceDone> {
    const tables = await this.#due(db);
    this.#first = false;
    const done: MaintenanceDone = { analyzed: [], vacuumed: [], checkpoint: false };
    const failures: unknown[] = [];
    const work = async (names: string[], name: string, statement: string) => {
      try {
        await sql.raw(`${statement} ${name}`).execute(db);
        names.push(name);
      } catch (error) {
        failures.push(error);
      }
    };
    for (const { name, vacuum_due, analyze_due } of tables) {
      // Values kept out of line are a table of their own here: theirs is another statement.
      if (vacuum_due) await work(done.vacuumed, name, 'vacuum (process_toast false)');
      if (analyze_due) await work(done.analyzed, name, 'analyze');
    }
    const log = await sql<{ written: number }>`
      select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 as written
      from pg_control_checkpoint()`.execute(db);
    if (log.rows[0]!.written > CHECKPOINT_BYTES) {
      await sql`checkpoint`.execute(db);
      done.checkpoint = true;
    }
    if (failures.length > 0) throw failures[0];
    return done;
  }

  /**
   * The tables that changed enough since they were last looked after, system tables among them.
   *
   * The engine counts changed rows, but forgets the counts when it ends. So a table that was never analyzed, or has become
   * larger than it was when it last was, counts as changed; and the first look of a process also takes those of whose pages
   * many were not known to be clean then.
   */
  async #due(db: Db): Promise<Due[]> {
    // Counts are published now and then only; with this one, when its own statement ends.
    await sql`select pg_stat_force_next_flush()`.execute(db);
    const beyond = (limit: Limit, of: string) => sql.raw(`${limit.least} + ${limit.share} * ${of}`);
    const { rows } = await sql<Due>`
      with seen as (
        select oid, relkind, relpages, relallvisible, reltuples, greatest(reltuples, 0) as held,
          case when relkind = 'r' and oid >= ${sql.lit(FIRST_OWN_OID)}
            then pg_relation_size(oid) / 8192 else relpages end as pages,
          pg_stat_get_mod_since_analyze(oid) as modified,
          pg_stat_get_dead_tuples(oid) as dead,
          pg_stat_get_ins_since_vacuum(oid) as inserted,
          age(relfrozenxid) as age
        from pg_class where relkind in ('r', 'm', 't') and relpersistence <> 't'),
      due as (
        select oid,
          dead > ${beyond(DEAD, 'held')}
            or inserted > least(${beyond(INSERTED, 'held')}, ${sql.lit(MOST_INSERTED)})
            or ${sql.lit(this.#first)} and pages - relallvisible > ${beyond(UNSEEN, 'pages')}
            or age > ${sql.lit(FREEZE_AGE)} as vacuum_due,
          relkind <> 't' and oid <> 'pg_statistic'::regclass and (
            reltuples < 0 and pages > 0
            or modified > ${beyond(MODIFIED, 'held')}
            or pages > relpages + ${beyond(GROWN, 'relpages')}) as analyze_due
        from seen)
      select oid::regclass::text as name, vacuum_due, analyze_due from due
      where vacuum_due or analyze_due order by oid`.execute(db);
    return rows;
  }
}
