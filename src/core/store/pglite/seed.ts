import { createHash } from 'node:crypto';
import { constants, cpSync } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Kysely, PGliteDialect } from 'kysely';
import { MIGRATIONS } from '../migrations/index.ts';
import { checksum, migrate } from '../migrations/migrate.ts';
import type { Database } from '../schema.ts';
import { PgliteClient } from './client.ts';

/**
 * A new embedded database takes seconds to make and to migrate, and a fraction of one to copy. So the first one made on a
 * machine is kept beside the installed packages and later ones are copies of it: those of tests, of demos, of every fresh
 * data directory. The seed has the tables of this version's migrations and no row but theirs; it holds nothing of anybody.
 * Its name says which engine and which migrations made it, so other ones make another.
 */
async function seedDirectory(): Promise<string> {
  const engine = dirname(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite')));
  const { version } = JSON.parse(await readFile(join(engine, 'package.json'), 'utf8')) as { version: string };
  const tables = createHash('sha256').update(MIGRATIONS.map(checksum).join()).digest('hex').slice(0, 12);
  return join(dirname(dirname(engine)), '.cache', 'polyad', `pglite-${version}-${tables}`);
}

/**
 * Makes the seed unless there is one. Start-up does so by itself; running this file (`node seed.ts`) does it ahead, for
 * example while something else is being installed.
 *
 * @returns the directory of the seed, or undefined where none can be kept (packages installed by another user).
 */
export async function prepareSeed(): Promise<string | undefined> {
  const seed = await seedDirectory();
  if (await exists(seed)) return seed;
  try {
    await mkdir(dirname(seed), { recursive: true });
    await access(dirname(seed), constants.W_OK);
  } catch {
    return undefined;
  }
  await make(seed, initialise);
  return seed;
}

/** Fills `directory` with a new, migrated cluster if it does not exist yet. */
export async function plantSeed(directory: string): Promise<void> {
  if (await exists(directory)) return;
  // Under the directory's lock nobody else is making one, so these were left by a start that was killed.
  for (const name of await readdir(dirname(directory))) {
    if (name.startsWith(draftOf(basename(directory)))) {
      await rm(join(dirname(directory), name), { recursive: true, force: true });
    }
  }
  const seed = await prepareSeed();
  await make(directory, async (draft) => {
    if (seed === undefined) return initialise(draft);
    // A thousand small files: the promise form takes eight times as long, and nothing else runs yet that would wait.
    cpSync(seed, draft, { recursive: true, mode: constants.COPYFILE_FICLONE });
  });
}

async function initialise(directory: string): Promise<void> {
  const client = await PgliteClient.start(directory, () => {});
  try {
    await migrate(new Kysely<Database>({ dialect: new PGliteDialect({ pglite: client }) }));
  } finally {
    await client.close();
  }
}

/**
 * Fills a draft and gives it the name `target` when it is whole, so a start that was killed half-way leaves no half
 * cluster. Of two that make the same one the first to finish wins and both may use it.
 */
async function make(target: string, fill: (draft: string) => Promise<void>): Promise<void> {
  const draft = await mkdtemp(draftOf(target));
  try {
    await fill(draft);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(target))) throw error;
  }
}

const draftOf = (name: string): string => `${name}.draft-`;

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stderr.write(`${(await prepareSeed()) ?? 'The packages’ directory is not writable: no seed is kept.'}\n`);
}
