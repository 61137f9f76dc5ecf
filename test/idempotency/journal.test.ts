import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OwnDatabase, ownDatabase } from '../../bench/support/database.ts';
import { openStore } from '../../src/core/store/port.ts';
import { journalSuite } from './journal.suite.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
let dataDir: string;
let database: OwnDatabase | undefined;

journalSuite(
  'the embedded engine',
  async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'polyad-journal-'));
    return openStore({ dataDir, log });
  },
  async (store) => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  },
);

const url = process.env['POLYAD_TEST_DATABASE_URL'];
if (!url)
  process.stderr.write('\n*** Journal of writes not run on Postgres: POLYAD_TEST_DATABASE_URL is not set. ***\n\n');
else
  journalSuite(
    'PostgreSQL',
    async () => {
      database = await ownDatabase('journal');
      return openStore({ databaseUrl: database?.url, dataDir: tmpdir(), log });
    },
    async (store) => {
      await store.close();
      await database?.drop();
    },
  );
