import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PolyadError } from '../../errors/index.ts';
import type { StoreLog } from '../port.ts';

/**
 * The lock of the embedded directory. The engine has none of its own: two processes on one directory would not notice each
 * other and would each lose the other's writes.
 *
 * The file says who holds it: process id, start time of that process (ids are used again), host and process namespace. A
 * holder of this host and namespace can be looked up, so a lock that a killed process left behind is recovered at once. A
 * holder elsewhere (another container or machine on a shared volume) cannot, so the file's time, which a live holder
 * refreshes, decides.
 */

const FILE = 'polyad.lock';
/** How often a holder refreshes the file's time, in ms. */
const HEARTBEAT_MS = 5_000;
/** A lock of another host whose file is older than this, in ms, is taken for abandoned. */
const FOREIGN_STALE_MS = 30_000;

interface Holder {
  /** Tells this lock from every other, also those of the same process. */
  token: string;
  pid: number;
  /** Start of the process, in the system's own words; null where the system does not tell. */
  started: string | null;
  host: string;
  /** Process-id namespace; null where there is none. */
  namespace: string | null;
  /** For the reader. */
  since: string;
}

export interface DirectoryLock {
  /** Gives the directory up; a second call does nothing. */
  release(): void;
}

/**
 * Takes the lock of `directory`, which must exist.
 *
 * @throws PolyadError `store_directory_in_use` naming the holder's pid and the file.
 */
export function lockDirectory(directory: string, log: StoreLog): DirectoryLock {
  const file = join(directory, FILE);
  const mine: Holder = {
    token: randomUUID(),
    pid: process.pid,
    started: startOf(process.pid),
    host: hostname(),
    namespace: namespace(),
    since: new Date().toISOString(),
  };
  if (!place(file, mine)) {
    recover(file, mine, log);
  }
  const heartbeat = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch (error) {
      log.warn({ file, error: String(error) }, 'cannot refresh the lock file');
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    release() {
      clearInterval(heartbeat);
      if (read(file)?.token === mine.token) rmSync(file, { force: true });
    },
  };
}

/** Makes the lock file with its content in one step; false when there is one. */
function place(file: string, holder: Holder): boolean {
  const content = `${JSON.stringify(holder)}\n`;
  const draft = `${file}.${holder.token}`;
  writeFileSync(draft, content, { flag: 'wx', mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') return false;
    // A filesystem without hard links: exclusive creation is as good but for a moment in which the file is empty.
    try {
      writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (second) {
      if ((second as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw second;
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Replaces an abandoned lock, or refuses. */
function recover(file: string, mine: Holder, log: StoreLog): void {
  // Of several that find the lock abandoned only one may remove it: another could remove the winner's new lock.
  const gate = `${file}.recovery`;
  if (!place(gate, mine)) {
    if (alive(read(gate), gate)) throw inUse(file, read(gate));
    rmSync(gate, { force: true });
    if (!place(gate, mine)) throw inUse(file, read(gate));
  }
  try {
    const holder = read(file);
    if (alive(holder, file)) throw inUse(file, holder);
    rmSync(file, { force: true });
    if (!place(file, mine)) throw inUse(file, read(file));
    log.warn({ file, pid: holder?.pid, since: holder?.since }, 'recovered the lock of a process that has ended');
  } finally {
    rmSync(gate, { force: true });
  }
}

function inUse(file: string, holder: Holder | undefined): PolyadError {
  const who =
    holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return new PolyadError('store_directory_in_use', {
    message:
      `The data directory is in use by ${who}. Stop that process, or give this one its own POLYAD_DATA_DIR, ` +
      `or set DATABASE_URL to share a Postgres. If no such process runs anywhere, remove ${file}.`,
    details: { file, pid: holder?.pid, host: holder?.host, since: holder?.since },
  });
}

/** The holder; undefined when the file is missing or not readable as a lock. */
function read(file: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Holder;
    return Number.isInteger(holder.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function alive(holder: Holder | undefined, file: string): boolean {
  if (holder === undefined || holder.host !== hostname() || holder.namespace !== namespace()) return fresh(file);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives and is another user's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder.started === null || holder.started === startOf(holder.pid);
}

/** Whether the file was refreshed lately. */
function fresh(file: string): boolean {
  try {
    return Date.now() - statSync(file).mtimeMs < FOREIGN_STALE_MS;
  } catch {
    return false;
  }
}

/** When process `pid` started: Linux's boot id and clock ticks since boot, elsewhere what `ps` prints. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything, so counting starts behind it.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}:${ticks}`;
  } catch {
    try {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
    } catch {
      return null;
    }
  }
}

function namespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}
