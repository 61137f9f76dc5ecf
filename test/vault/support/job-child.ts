/**
 * A process that the kill tests start and kill: opens the database of a directory, runs a vault job, and meanwhile reads and
 * writes secrets; prints a line for every write that the database has acknowledged. Arguments: directory, job, target store.
 */
import { openVault } from '../../../src/app/secrets.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { loadConfig } from '../../../src/core/config.ts';
import { openStore } from '../../../src/core/store/port.ts';
import type { SecretOwner } from '../../../src/core/store/repositories/index.ts';

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const log = {
  debug() {},
  info() {},
  warn() {},
  error: (fields: object, message: string) => say({ error: message, fields }),
};
const [dataDir, job, to] = process.argv.slice(2) as [string, 'rotate' | 'migrate', 'vault' | 'aws'];

try {
  const config = loadConfig({ ...process.env, POLYAD_DATA_DIR: dataDir });
  const store = await openStore({ dataDir, databaseUrl: config.databaseUrl, log });
  const { admin, secrets } = await openVault({ config, store, clock: systemClock, log }, { server: false });
  const rows = await store.db
    .selectFrom('secrets')
    .select(['workspace_id', 'owner_id', 'version'])
    .orderBy('id')
    .execute();
  say({ ready: process.pid });
  if (job === 'rotate') say({ key: await admin.newKey() });
  // A write moves its secret too, so most are left to the migration.
  const used = job === 'migrate' ? rows.slice(0, Math.ceil(rows.length / 8)) : rows;
  const work = async (): Promise<void> => {
    for (let at = 0; ; at++) {
      const row = used[(at * 37) % used.length]!;
      const owner: SecretOwner = { workspaceId: row.workspace_id, kind: 'connection', id: row.owner_id };
      const { plain, version } = (await secrets.get(store.db, owner, 'tokens'))!;
      if (plain['n'] !== version)
        throw new Error(`secret ${owner.id} holds ${String(plain['n'])} at version ${version}`);
      await secrets.put(store.db, owner, 'tokens', { owner: owner.id, n: version + 1 }, { version });
      say({ written: owner.id, version: version + 1 });
    }
  };
  const failing = work();
  const run = async (): Promise<void> => {
    for (;;)
      try {
        await admin.run({ name: job, to, progress: ({ done, left }) => say({ done, left }) });
        return;
      } catch (error) {
        // On a shared database nobody knows at once that the worker before was killed: its lease must end.
        if ((error as { code?: string }).code !== 'vault_job_running') throw error;
        await systemClock.sleep(500);
      }
  };
  await Promise.race([run(), failing]);
  say({ finished: job });
  await failing;
} catch (error) {
  say({ failed: (error as { code?: string }).code ?? 'unknown', message: (error as Error).message });
  process.exit(3);
}
