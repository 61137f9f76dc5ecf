/**
 * The secrets this process has seen, so that they can be taken out of any text, wherever they stand in it: in a URL,
 * percent-encoded (also twice), cut short, inside JSON or HTML. Names of members say where a secret should be; this says
 * what it is, for the places where no name helps: a platform's error that quotes the request, a library's message.
 *
 * A text is read once with a rolling hash over eight characters. A filter of bits says nearly always that no secret begins
 * here, so a log line costs a few microseconds however many secrets are known.
 */

/** Characters that begin a match. Shorter values are not learnt: they would hide ordinary words. */
const WINDOW = 8;
/** A secret cut short is hidden from this many characters on. Key prefixes that are shown on purpose have 12. */
const PARTIAL = 16;
/** Most secrets that are kept; of those not seen lately the oldest is forgotten. Some 20 MB when full of long tokens. */
const CAPACITY = 50_000;
/** Texts are decoded this often in search of encoded secrets. */
const DECODINGS = 3;

const BASE = 16_777_619;
/** BASE to the power of WINDOW − 1, in 32 bits. */
const TOP = Array.from({ length: WINDOW - 1 }).reduce<number>((power) => Math.imul(power, BASE), 1);
const FILTER_BITS = 20;
const filterSlot = (hash: number): number => Math.imul(hash, 0x9e3779b1) >>> (32 - FILTER_BITS);

function hashAt(text: string, start: number): number {
  let hash = 0;
  for (let index = start; index < start + WINDOW; index += 1)
    hash = (Math.imul(hash, BASE) + text.charCodeAt(index)) | 0;
  return hash;
}

interface Known {
  /** How it can stand in a text. */
  readonly forms: readonly string[];
  /** Seen again since it was learnt, or since it was last spared. */
  seen: boolean;
}

interface Range {
  from: number;
  to: number;
}

export class KnownSecrets {
  readonly #capacity: number;
  /** In the order in which they were learnt, or spared when their turn to be forgotten came. */
  readonly #known = new Map<string, Known>();
  readonly #byHash = new Map<number, string[]>();
  #filter = new Uint8Array(1 << (FILTER_BITS - 3));
  #forgotten = 0;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** How many secrets are known. */
  get size(): number {
    return this.#known.size;
  }

  /** Remembers a secret, or that it is still in use. */
  learn(secret: string | undefined): void {
    if (secret === undefined || secret.length < WINDOW) return;
    const known = this.#known.get(secret);
    if (known !== undefined) {
      known.seen = true;
      return;
    }
    const forms = formsOf(secret);
    this.#known.set(secret, { forms, seen: false });
    for (const form of forms) this.#index(form);
    if (this.#known.size > this.#capacity) this.#forgetOne();
  }

  /** `text` with every known secret in it replaced by `mark`; the same text when there is none. */
  hide(text: string, mark: string): string {
    if (this.#known.size === 0 || text.length < WINDOW) return text;
    const found = this.#scan(text);
    if (text.includes('%')) {
      let layer: Decoded | undefined = decode(text, undefined);
      for (let count = 0; count < DECODINGS && layer !== undefined; count += 1) {
        const { starts } = layer;
        for (const { from, to } of this.#scan(layer.text))
          found.push({ from: starts[from] as number, to: starts[to] as number });
        layer = layer.text.includes('%') ? decode(layer.text, starts) : undefined;
      }
    }
    if (found.length === 0) return text;
    found.sort((left, right) => left.from - right.from);
    let out = '';
    let at = 0;
    for (const { from, to } of found) {
      if (to <= at) continue;
      // What overlaps the one before belongs to its mark.
      if (from >= at) out += text.slice(at, from) + mark;
      at = to;
    }
    return out + text.slice(at);
  }

  #scan(text: string): Range[] {
    const found: Range[] = [];
    const last = text.length - WINDOW;
    if (last < 0) return found;
    const filter = this.#filter;
    let hash = hashAt(text, 0);
    for (let at = 0; ; ) {
      const slot = filterSlot(hash);
      if (((filter[slot >>> 3] as number) & (1 << (slot & 7))) !== 0) {
        const length = this.#matchAt(text, at, hash);
        if (length > 0) {
          found.push({ from: at, to: at + length });
          at += length;
          if (at > last) return found;
          hash = hashAt(text, at);
          continue;
        }
      }
      if (at === last) return found;
      hash = (Math.imul((hash - Math.imul(text.charCodeAt(at), TOP)) | 0, BASE) + text.charCodeAt(at + WINDOW)) | 0;
      at += 1;
    }
  }

  /** Characters of the longest secret, whole or cut short, that begins at `at`; 0 = none. */
  #matchAt(text: string, at: number, hash: number): number {
    let longest = 0;
    for (const form of this.#byHash.get(hash) ?? []) {
      if (form.length <= longest) continue;
      if (text.startsWith(form, at)) {
        longest = form.length;
        continue;
      }
      const most = Math.min(form.length, text.length - at);
      let common = 0;
      while (common < most && text.charCodeAt(at + common) === form.charCodeAt(common)) common += 1;
      if (common >= PARTIAL && common > longest) longest = common;
    }
    return longest;
  }

  #index(form: string): void {
    const hash = hashAt(form, 0);
    const present = this.#byHash.get(hash);
    if (present === undefined) this.#byHash.set(hash, [form]);
    else present.push(form);
    this.#mark(hash);
  }

  #mark(hash: number): void {
    const slot = filterSlot(hash);
    this.#filter[slot >>> 3] = (this.#filter[slot >>> 3] as number) | (1 << (slot & 7));
  }

  /** Second chance: whoever was seen since its last turn goes to the end of the line instead. */
  #forgetOne(): void {
    for (const [secret, known] of this.#known) {
      if (!known.seen) {
        this.#forget(secret, known);
        return;
      }
      known.seen = false;
      this.#known.delete(secret);
      this.#known.set(secret, known);
    }
  }

  #forget(secret: string, known: Known): void {
    for (const form of known.forms) {
      const hash = hashAt(form, 0);
      const left = (this.#byHash.get(hash) ?? []).filter((other) => other !== form);
      if (left.length === 0) this.#byHash.delete(hash);
      else this.#byHash.set(hash, left);
    }
    this.#known.delete(secret);
    // Bits of the filter are shared, so they cannot be taken back one by one.
    this.#forgotten += 1;
    if (this.#forgotten < this.#capacity) return;
    this.#forgotten = 0;
    this.#filter = new Uint8Array(this.#filter.length);
    for (const hash of this.#byHash.keys()) this.#mark(hash);
  }
}

/** The forms in which a secret stands in JSON and in HTML, besides itself. Percent-encoding is undone while reading. */
function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const html = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = html.replaceAll('"', '&quot;').replaceAll("'", '&#39;');
  return [...new Set([secret, json, quoted])];
}

interface Decoded {
  text: string;
  /** Where each character, and the end, stood in the first text. */
  starts: number[];
}

/** Percent-encoding undone byte by byte: secrets are ASCII. Undefined when there is none. */
function decode(text: string, before: readonly number[] | undefined): Decoded | undefined {
  let out = '';
  const starts: number[] = [];
  let decoded = false;
  for (let at = 0; at < text.length; ) {
    starts.push(before?.[at] ?? at);
    const code = text.charCodeAt(at) === 0x25 ? Number.parseInt(text.slice(at + 1, at + 3), 16) : Number.NaN;
    if (code >= 0 && /^[0-9a-f]{2}$/i.test(text.slice(at + 1, at + 3))) {
      out += String.fromCharCode(code);
      decoded = true;
      at += 3;
    } else {
      out += text[at];
      at += 1;
    }
  }
  starts.push(before?.[text.length] ?? text.length);
  return decoded ? { text: out, starts } : undefined;
}

/** The secrets of this process. */
export const knownSecrets = new KnownSecrets();
