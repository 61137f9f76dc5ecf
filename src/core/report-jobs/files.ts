/** The folder of report files: rows of pieces (`segments`) and results of jobs (`results`). */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PolyadError } from '../errors/index.ts';

/** Names of files that are being written end in this; whoever finds an old one may remove it. */
const PART = '.part';
/** A file without a row in the database is left alone for so long: its writer may be about to record it, in ms. */
const STRAY_MS = 6 * 3_600_000;

/** What failed at the disk, as an error with a code. */
export function storageError(cause: unknown): PolyadError {
  const { code } = cause as NodeJS.ErrnoException;
  return new PolyadError('report_storage_failed', { details: { reason: code ?? 'unknown' }, cause });
}

export class ReportFiles {
  readonly directory: string;
  #made: Promise<unknown> | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Makes the folder, readable by this user alone. */
  async ready(): Promise<void> {
    this.#made ??= mkdir(this.directory, { recursive: true, mode: 0o700 });
    await this.#made.catch((error: unknown) => {
      this.#made = undefined;
      throw storageError(error);
    });
  }

  /**
   * Writes a file as a whole: under its name there is everything or nothing, and it is on the disk when this resolves.
   * Answers its size in bytes.
   */
  async write(name: string, streams: readonly [Readable, ...NodeJS.ReadWriteStream[]]): Promise<number> {
    await this.ready();
    const part = this.path(name + PART);
    try {
      await pipeline([...streams, createWriteStream(part, { mode: 0o600, flush: true })]);
      return await this.settle(name);
    } catch (error) {
      await unlink(part).catch(() => undefined);
      throw error;
    }
  }

  /** Where another thread writes what `settle` will give its name. */
  async partPath(name: string): Promise<string> {
    await this.ready();
    return this.path(name + PART);
  }

  /** Gives a written part its name. Answers its size. */
  async settle(name: string): Promise<number> {
    const path = this.path(name);
    const handle = await open(path + PART, 'r+');
    let size: number;
    try {
      await handle.sync();
      ({ size } = await handle.stat());
    } finally {
      await handle.close();
    }
    await rename(path + PART, path);
    return size;
  }

  /** Size of a file; undefined = this node does not have it. */
  async size(name: string): Promise<number | undefined> {
    return stat(this.path(name)).then(
      ({ size }) => size,
      () => undefined,
    );
  }

  async remove(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => unlink(this.path(name)).catch(() => undefined)));
  }

  /** Files that are older than what may still be in the making, for whoever knows which of them are needed. */
  async old(now: number): Promise<string[]> {
    const names = await readdir(this.directory).catch(() => []);
    const found: string[] = [];
    for (const name of names) {
      const facts = await stat(this.path(name)).catch(() => undefined);
      if (facts?.isFile() === true && now - facts.mtimeMs > STRAY_MS) found.push(name);
    }
    return found;
  }
}
