/**
 * Rows that wait to be written, as lines of text in memory outside of the heap: the garbage collector would carry
 * thousands of small objects from one generation to the next, at every batch anew.
 */

/** Bytes that a batch begins with; it grows. */
const BYTES = 64 * 1024;
/** What grew beyond this for one long batch is not kept. */
const MOST_SPARE = 256 * 1024;
/** Most bytes of a character in UTF-8, for each unit of a text. */
const PER_UNIT = 3;

export class Batch {
  #bytes: Buffer;
  #used = 0;
  #rows = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get rows(): number {
    return this.#rows;
  }

  add(line: string): void {
    const needed = this.#used + line.length * PER_UNIT;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    this.#used += this.#bytes.write(line, this.#used);
    this.#rows += 1;
  }

  text(): string {
    return this.#bytes.toString('utf8', 0, this.#used);
  }

  lines(): string[] {
    return this.text().split(/(?<=\n)/);
  }

  /** Its memory, for another one. */
  give(): Buffer {
    const bytes = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    return bytes;
  }
}

export class RowBatches {
  readonly #most: number;
  readonly #batches: Batch[] = [];
  /** The batch that rows are added to; none once it is full, or being written. */
  #open: Batch | undefined;
  #spare: Buffer | undefined;
  #rows = 0;

  /** @param most rows of one batch */
  constructor(most: number) {
    this.#most = most;
  }

  get rows(): number {
    return this.#rows;
  }

  /** @param line ends with a line break, and has no other */
  add(line: string): void {
    if (this.#open === undefined) {
      this.#open = new Batch(this.#spare ?? Buffer.allocUnsafeSlow(BYTES));
      this.#spare = undefined;
      this.#batches.push(this.#open);
    }
    this.#open.add(line);
    this.#rows += 1;
    if (this.#open.rows >= this.#most) this.#open = undefined;
  }

  /** The oldest batch, to which nothing is added from now on. There must be one. */
  first(): Batch {
    const batch = this.#batches[0] as Batch;
    if (batch === this.#open) this.#open = undefined;
    return batch;
  }

  /** The oldest batch is written. */
  drop(): void {
    const batch = this.#batches.shift() as Batch;
    this.#rows -= batch.rows;
    const bytes = batch.give();
    if (bytes.length <= MOST_SPARE) this.#spare = bytes;
  }

  clear(): void {
    this.#batches.length = 0;
    this.#open = undefined;
    this.#rows = 0;
  }
}
