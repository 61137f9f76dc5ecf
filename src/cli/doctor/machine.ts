/** Checks of the machine and the data directory: nothing here needs a server. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../core/config.ts';
import { type Finding, failure, note, ok, warning } from './findings.ts';

/** First Node that runs TypeScript sources, and the one that the project is tested with. */
const OLDEST: readonly [number, number] = [22, 18];
const TESTED = 24;

export function checkNode(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    return failure(
      'node',
      `Node ${version} is too old.`,
      `Install Node ${TESTED}, or start by \`npm start\`, which brings its own.`,
    );
  if (major < TESTED)
    return note('node', `Node ${version} works; releases are tested with ${TESTED}.`, `Prefer Node ${TESTED}.`);
  return ok('node', `Node ${version}`);
}

const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8).padStart(4, '0');
/** Windows protects files by access lists, which mode bits do not show. */
const hasModes = process.platform !== 'win32';

export function checkDataDirectory({ dataDir }: Config): Finding {
  const check = 'data directory';
  if (!existsSync(dataDir)) return note(check, `${dataDir} does not exist yet; the first start makes it.`);
  if (!statSync(dataDir).isDirectory())
    return failure(check, `${dataDir} is not a folder.`, 'Set POLYAD_DATA_DIR to a folder.');
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return failure(check, `${dataDir} cannot be written by this user.`, `Run: chown -R "$(id -u)" ${dataDir}`);
  }
  if (hasModes && (statSync(dataDir).mode & 0o077) !== 0)
    return warning(check, `${dataDir} is open to other users (mode ${mode(dataDir)}).`, `Run: chmod 700 ${dataDir}`);
  return ok(check, dataDir);
}

export function checkMasterKey({ dataDir, masterKey }: Config): Finding {
  const check = 'master key';
  if (masterKey !== undefined) return ok(check, 'POLYAD_MASTER_KEY is set and well-formed.');
  const file = join(dataDir, 'master.key');
  if (!existsSync(file))
    return existsSync(join(dataDir, 'pgdata'))
      ? failure(
          check,
          `${file} is missing, and there is a database whose secrets need it.`,
          'Restore the file from a back-up.',
        )
      : note(check, 'None yet; the first start makes one.', 'Keep a copy apart from the database’s back-ups.');
  if (hasModes && (statSync(file).mode & 0o077) !== 0)
    return failure(check, `${file} can be read by others (mode ${mode(file)}).`, `Run: chmod 600 ${file}`);
  return ok(check, `${file} (mode ${mode(file)})`);
}

export interface LockState {
  finding: Finding;
  /** Another live process holds the directory, so the database cannot be opened here. */
  held: boolean;
}

/** Who holds the embedded database. */
export function checkLock({ dataDir, databaseUrl }: Config): LockState {
  const check = 'lock';
  if (databaseUrl !== undefined) return { held: false, finding: ok(check, 'None is needed with PostgreSQL.') };
  const file = join(dataDir, 'polyad.lock');
  if (!existsSync(file)) return { held: false, finding: ok(check, 'Nobody holds the data directory.') };
  let holder: { pid?: number; host?: string; since?: string };
  try {
    holder = JSON.parse(readFileSync(file, 'utf8')) as typeof holder;
  } catch {
    return {
      held: true,
      finding: note(check, `${file} cannot be read; a start replaces it when it is 30 seconds old.`),
    };
  }
  const who = `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  try {
    process.kill(holder.pid as number, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH')
      return { held: false, finding: note(check, `Left behind by ${who}; the next start recovers it.`) };
  }
  return { held: true, finding: ok(check, `Held by ${who}.`) };
}

/** `listening`: where the server listens, or would. */
export function checkPublicUrl(config: Config, production: boolean, listening: string): Finding {
  const check = 'redirect URL';
  const given = config.publicUrl;
  if (given === undefined)
    return production
      ? warning(
          check,
          `POLYAD_PUBLIC_URL is not set, so platforms would send customers to ${listening}.`,
          'Set POLYAD_PUBLIC_URL to the https address of this server.',
        )
      : ok(check, `${listening} (POLYAD_PUBLIC_URL is not set: fine for development)`);
  const url = new URL(given);
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'https:' || loopback) return ok(check, given);
  return failure(
    check,
    `${given} is neither https nor loopback; platforms refuse it.`,
    'Set POLYAD_PUBLIC_URL to an https address.',
  );
}
