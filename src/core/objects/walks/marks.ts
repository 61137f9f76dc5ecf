/** What rows of a list are known by: 64 bits of their identity each, in typed arrays, so that long lists cost little. */
import type { Unified } from '../../connector/types.ts';

let low = 0;
let high = 0;

/** Two multiplicative hashes side by side (as in cyrb53); not for secrets. */
function add(text: string): void {
  let a = low;
  let b = high;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  // Between two members, so that one cannot go on in the other.
  low = Math.imul(a ^ 0x1f, 0x9e3779b1);
  high = Math.imul(b ^ 0x1f, 0x5f356495);
}

let lastOrganization: unknown;
let lastType: unknown;
let firstLow = 0;
let firstHigh = 0;

/** The hash of what is the same for most rows of a list, kept from row to row. */
function begin(organization: unknown, type: unknown): void {
  if (organization !== lastOrganization || type !== lastType || firstLow === 0) {
    low = 0xdeadbeef;
    high = 0x41c6ce57;
    add(typeof organization === 'string' ? organization : '');
    add(typeof type === 'string' ? type : '');
    [lastOrganization, lastType, firstLow, firstHigh] = [organization, type, low, high];
  }
  low = firstLow;
  high = firstHigh;
}

/**
 * Writes the mark of a row to `into[at]` and `into[at + 1]`: by its id, its ad account and, where `typed`, its type, because
 * some platforms number things of each type anew. False = it has no id, so nothing is known of it.
 */
export function markRow(row: Unified, typed: boolean, into: Uint32Array, at: number): boolean {
  const { id } = row;
  if (typeof id !== 'string' || id === '') return false;
  begin(row['organization_id'], typed ? row['type'] : undefined);
  add(id);
  const a = low;
  const b = high;
  const mixed = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  into[at] = mixed;
  into[at + 1] = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  // 0, 0 stands for an empty place in `Marks`.
  if (into[at] === 0 && into[at + 1] === 0) into[at] = 1;
  return true;
}

/** A set of marks: open addressing, at most half full. */
export class Marks {
  #slots: Uint32Array;
  #mask: number;
  #size = 0;

  /** @param expected how many it will hold; it grows when they are more */
  constructor(expected: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(16, expected * 2)));
    this.#slots = new Uint32Array(places * 2);
    this.#mask = places - 1;
  }

  has(a: number, b: number): boolean {
    const at = this.#find(a, b);
    return this.#slots[at] !== 0 || this.#slots[at + 1] !== 0;
  }

  /** Answers whether it is new. */
  add(a: number, b: number): boolean {
    const at = this.#find(a, b);
    if (this.#slots[at] !== 0 || this.#slots[at + 1] !== 0) return false;
    this.#slots[at] = a;
    this.#slots[at + 1] = b;
    this.#size += 1;
    if (this.#size * 2 > this.#mask) this.#grow();
    return true;
  }

  addAll(marks: Uint32Array): void {
    for (let at = 0; at < marks.length; at += 2) this.add(marks[at] as number, marks[at + 1] as number);
  }

  /** Where the mark is, or belongs. */
  #find(a: number, b: number): number {
    const slots = this.#slots;
    let place = a & this.#mask;
    for (;;) {
      const at = place * 2;
      const first = slots[at];
      const second = slots[at + 1];
      if ((first === a && second === b) || (first === 0 && second === 0)) return at;
      place = (place + 1) & this.#mask;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    this.#mask = old.length - 1;
    this.#size = 0;
    for (let at = 0; at < old.length; at += 2)
      if (old[at] !== 0 || old[at + 1] !== 0) this.add(old[at] as number, old[at + 1] as number);
  }
}
