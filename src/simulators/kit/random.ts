/**
 * Randomness that is a function of its inputs: the same parts always give the same number, on every machine and in
 * every run, so that a simulator's data need not be stored and a failing run can be repeated.
 */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Stands between parts, so that ('ab', 'c') and ('a', 'bc') differ. No text holds a lone surrogate of this value. */
const SEPARATOR = 0xdfff;

/** Stable 32-bit hash (0 .. 2^32-1) of the parts: FNV-1a over their UTF-16 units, then the finaliser of MurmurHash3. */
export function hash32(...parts: (string | number)[]): number {
  let hash = FNV_OFFSET;
  for (const part of parts) {
    const text = typeof part === 'string' ? part : String(part);
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
    hash = Math.imul(hash ^ SEPARATOR, FNV_PRIME);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** `hash32` as a fraction: 0 <= unit < 1. */
export function unit(...parts: (string | number)[]): number {
  return hash32(...parts) / 0x1_0000_0000;
}

/** `length` lower-case hexadecimal characters, a function of the parts. */
export function hex(length: number, ...parts: (string | number)[]): string {
  let text = '';
  for (let i = 0; text.length < length; i++)
    text += hash32(i, ...parts)
      .toString(16)
      .padStart(8, '0');
  return text.slice(0, length);
}
