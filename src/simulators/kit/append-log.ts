import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parseExact, stringifyExact } from './exact-json.ts';
import type { AppendLog } from './types.ts';

/** One log of a store; its table, `entries`, is made by the store. */
export class StoreLog implements AppendLog {
  generation = 0;
  private readonly name: string;
  private readonly database: DatabaseSync | undefined;
  private readonly insert: StatementSync | undefined;

  constructor(name: string, database?: DatabaseSync) {
    this.name = name;
    this.database = database;
    this.insert = database?.prepare('INSERT INTO entries (log, data) VALUES (?, ?)');
  }

  append(entry: unknown): void {
    this.insert?.run(this.name, stringifyExact(entry));
  }

  *read(): Generator<unknown> {
    if (!this.database) return;
    const lines = this.database.prepare('SELECT data FROM entries WHERE log = ? ORDER BY seq');
    for (const line of lines.iterate(this.name)) yield parseExact(String(line['data']));
  }

  clear(): void {
    this.database?.prepare('DELETE FROM entries WHERE log = ?').run(this.name);
    this.forget();
  }

  /** The store has emptied the table. */
  forget(): void {
    this.generation++;
  }
}
