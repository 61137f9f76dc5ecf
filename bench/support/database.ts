/** A Postgres database of its own for one run, on the server of POLYAD_TEST_DATABASE_URL. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface OwnDatabase {
  url: string;
  /** One statement as the database's owner. */
  query<T extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<T[]>;
  drop(): Promise<void>;
}

/** Undefined where no server is named. */
export async function ownDatabase(label: string): Promise<OwnDatabase | undefined> {
  const base = process.env['POLYAD_TEST_DATABASE_URL'];
  if (base === undefined || base === '') return undefined;
  const name = `polyad_${label}_${randomBytes(5).toString('hex')}`;
  const admin = async (sql: string): Promise<void> => {
    const client = new pg.Client(base);
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await admin(`create database ${name}`);
  const url = new URL(base);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 1 });
  pool.on('error', () => undefined);
  return {
    url: url.href,
    query: async (sql, values) => (await pool.query(sql, values)).rows,
    async drop() {
      await pool.end();
      await admin(`drop database if exists ${name} with (force)`);
    },
  };
}
