import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../../src/core/store/pglite/lock.ts';
import { memoryLog } from './log.ts';

describe('the lock of a data directory', () => {
  let directory: string;
  let log: ReturnType<typeof memoryLog>;
  const file = () => join(directory, 'polyad.lock');
  const lock = () => lockDirectory(directory, log);
  const inUse = expect.objectContaining({ code: 'store_directory_in_use' });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'polyad-lock-'));
    log = memoryLog();
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Writes a lock file as if by another holder, `age` ms ago, and answers what it says. */
  const leave = (changes: Record<string, unknown>, age = 0) => {
    rmSync(file(), { force: true });
    const mine = lock();
    const holder = { ...JSON.parse(readFileSync(file(), 'utf8')), token: 'another', ...changes };
    mine.release();
    writeFileSync(file(), JSON.stringify(holder));
    const at = new Date(Date.now() - age);
    utimesSync(file(), at, at);
    return holder;
  };
  const endedPid = async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    return child.pid!;
  };

  it('is held once, says by whom, and is gone after release', () => {
    const held = lock();
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(lock).toThrow(
      expect.objectContaining({
        code: 'store_directory_in_use',
        message: expect.stringMatching(new RegExp(`process ${process.pid} .*POLYAD_DATA_DIR.*DATABASE_URL`)),
        details: expect.objectContaining({ pid: process.pid, file: file() }),
      }),
    );
    held.release();
    held.release();
    expect(readdirSync(directory)).toEqual([]);
    lock().release();
    expect(log.lines).toEqual([]);
  });

  it('of a process that has ended is recovered at once, with a line in the log', async () => {
    const pid = await endedPid();
    leave({ pid });
    const held = lock();
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { pid }, message: expect.stringContaining('recovered') },
    ]);
    expect(JSON.parse(readFileSync(file(), 'utf8')).pid).toBe(process.pid);
    expect(readdirSync(directory)).toEqual(['polyad.lock']);
    held.release();
  });

  it('of a process whose id was given to another one is recovered', () => {
    const holder = leave({ started: 'another boot:1' });
    expect(holder.pid).toBe(process.pid);
    lock().release();
    expect(log.lines).toHaveLength(1);
  });

  it('of a living process is kept, however old the file is', () => {
    leave({}, 3_600_000);
    expect(lock).toThrow(inUse);
    leave({ pid: 1, started: null }, 3_600_000);
    expect(lock).toThrow(inUse);
  });

  it('of another host or container is kept while it is refreshed, and recovered when it is not', () => {
    for (const elsewhere of [{ host: 'elsewhere' }, { namespace: 'pid:[1]' }]) {
      leave(elsewhere, 10_000);
      expect(lock).toThrow(inUse);
      leave(elsewhere, 60_000);
      lock().release();
    }
    expect(log.lines).toHaveLength(2);
  });

  it('that cannot be read is respected while it is fresh', () => {
    writeFileSync(file(), '');
    expect(lock).toThrow(inUse);
    utimesSync(file(), 0, 0);
    lock().release();
  });

  it('is refused while someone else is recovering it, and a recovery that was killed does not block', async () => {
    leave({ pid: await endedPid() });
    const other = readFileSync(file(), 'utf8').replace(/"pid":\d+/, `"pid":${process.pid}`);
    writeFileSync(`${file()}.recovery`, other);
    expect(lock).toThrow(inUse);
    writeFileSync(`${file()}.recovery`, readFileSync(file(), 'utf8'));
    lock().release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is not removed by a holder that lost it', () => {
    const held = lock();
    const other = readFileSync(file(), 'utf8').replace(/"token":"[^"]*"/, '"token":"another"');
    writeFileSync(file(), other);
    held.release();
    expect(existsSync(file())).toBe(true);
  });
});
