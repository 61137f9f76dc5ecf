/**
 * Rows that do not fit in memory, in a temporary file: divided by entity into parts, each of which is read back whole. The
 * file has no name while it is in use (where the system allows that), so a killed process leaves nothing behind.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Parts of a file: a report of ten million rows has some 80,000 in each. */
const PARTS = 128;
/** Text of one part that is kept before it is written, in characters. */
const BLOCK = 16 * 1024;

interface Part {
  pending: string;
  /** Offset and length in bytes of each block in the file. */
  blocks: [offset: number, length: number][];
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

export class Spill {
  readonly parts = PARTS;
  readonly #file: FileHandle;
  /** Set where an open file cannot lose its name. */
  readonly #path: string | undefined;
  readonly #parts: Part[] = Array.from({ length: PARTS }, () => ({ pending: '', blocks: [] }));
  #end = 0;
  #closed: Promise<void> | undefined;

  private constructor(file: FileHandle, path: string | undefined) {
    this.#file = file;
    this.#path = path;
  }

  /** Opens a file in the system's folder for temporary files (TMPDIR), readable by this user alone. */
  static async open(): Promise<Spill> {
    const path = join(tmpdir(), `polyad-report-${randomBytes(8).toString('hex')}`);
    const file = await open(path, 'wx+', 0o600);
    const named = await unlink(path).then(
      () => false,
      () => true,
    );
    return new Spill(file, named ? path : undefined);
  }

  /** Adds a line (without line breaks) to the part of `key`; a promise when it has to be waited for. */
  add(key: string, line: string): Promise<void> | undefined {
    const part = this.#parts[hash(key) % PARTS] as Part;
    part.pending += `${line}\n`;
    return part.pending.length < BLOCK ? undefined : this.#write(part);
  }

  async #write(part: Part): Promise<void> {
    const block = Buffer.from(part.pending);
    part.pending = '';
    const offset = this.#end;
    this.#end += block.length;
    part.blocks.push([offset, block.length]);
    for (let done = 0; done < block.length; ) {
      const { bytesWritten } = await this.#file.write(block, done, block.length - done, offset + done);
      done += bytesWritten;
    }
  }

  /** The lines of one part, in the order they were added. */
  async lines(number: number): Promise<string[]> {
    const { blocks, pending } = this.#parts[number] as Part;
    const texts: string[] = [];
    for (const [offset, length] of blocks) {
      const block = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await this.#file.read(block, done, length - done, offset + done);
        if (bytesRead === 0) throw new Error('a temporary file of a report ends early');
        done += bytesRead;
      }
      texts.push(block.toString());
    }
    texts.push(pending);
    const lines = texts.join('').split('\n');
    lines.pop();
    return lines;
  }

  /** Gives the file up. Safe to call twice. */
  close(): Promise<void> {
    this.#closed ??= this.#file.close().then(async () => {
      if (this.#path !== undefined) await unlink(this.#path).catch(() => undefined);
    });
    return this.#closed;
  }
}
