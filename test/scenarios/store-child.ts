/**
 * A process that the store scenarios start, kill and talk to: opens the directory given as its first argument and says so.
 * With `write` as its second argument it then makes and changes connections for ever, and prints a line for each one after
 * the database has acknowledged it.
 */
import { openStore } from '../../src/core/store/port.ts';
import {
  createConnection,
  createWorkspace,
  insertApiCalls,
  updateConnection,
} from '../../src/core/store/repositories/index.ts';
import { call } from '../store/rows.ts';

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const log = {
  debug() {},
  info() {},
  warn: (fields: object, message: string) => say({ warn: message, ...fields }),
  error: (fields: object, message: string) => say({ error: message, ...fields }),
};

const [dataDir, task] = process.argv.slice(2);
try {
  const store = await openStore({ dataDir: dataDir!, log });
  say({ ready: process.pid });
  process.on('SIGTERM', () => void store.close().then(() => process.exit(0)));
  if (task === 'write') {
    const { db } = store;
    const workspace = await createWorkspace(db, { name: 'kill' });
    for (;;) {
      const { id } = await createConnection(db, workspace.id, { integration_type: 'tiktok', environment: 'sandbox' });
      say({ id, version: 1, workspace: workspace.id });
      await updateConnection(db, workspace.id, id, { external_xref: id });
      say({ id, version: 2, workspace: workspace.id });
      // A transaction is seen whole or not at all.
      await db.transaction().execute(async (trx) => {
        await updateConnection(trx, workspace.id, id, { is_paused: true });
        await insertApiCalls(trx, [call(workspace.id, { connection_id: id })]);
      });
      say({ id, version: 3, workspace: workspace.id });
    }
  }
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  say({ failed: code, message });
  process.exit(3);
}
