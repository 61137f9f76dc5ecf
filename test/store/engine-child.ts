/** A process that opens the embedded database in the directory given, makes it work for a while and closes it. */
import { sql } from 'kysely';
import { openStore } from '../../src/core/store/port.ts';
import { createWorkspace } from '../../src/core/store/repositories/index.ts';
import { memoryLog } from './log.ts';

const store = await openStore({ dataDir: process.argv[2] as string, log: memoryLog() });
for (let n = 0; n < 100; n += 1) {
  await createWorkspace(store.db, { name: `w${n}` });
  await sql`select id, name from workspaces where name = ${`w${n}`} order by id limit 1`.execute(store.db);
}
await store.close();
