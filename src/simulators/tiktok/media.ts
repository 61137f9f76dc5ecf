import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import { hash32 } from '../kit/random.ts';

/** Facts about uploaded pictures and videos, read from their bytes, and placeholders made of nothing. Pure. */

/** What a picture's header says. */
export interface ImageFacts {
  format: 'png' | 'jpeg' | 'gif';
  width: number;
  height: number;
}

/** Reads the header of a PNG, JPEG or GIF; undefined for anything else. */
export function imageFacts(bytes: Buffer): ImageFacts | undefined {
  if (bytes.length >= 24 && bytes.readUInt32BE(0) === 0x89504e47 && bytes.toString('latin1', 12, 16) === 'IHDR') {
    return { format: 'png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (bytes.length >= 10 && /^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6))) {
    return { format: 'gif', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  }
  return bytes.length >= 4 && bytes.readUInt16BE(0) === 0xffd8 ? jpegFacts(bytes) : undefined;
}

/** Walks a JPEG's segments to the frame header, which holds the size. */
function jpegFacts(bytes: Buffer): ImageFacts | undefined {
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    // Fill bytes and markers without a length.
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    // C0 to CF are frame headers, except the tables DHT (C4), JPG (C8) and DAC (CC).
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (frame) return { format: 'jpeg', width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** What a video file says about itself; a member is absent where the container does not tell. */
export interface VideoFacts {
  format: 'mp4' | 'mov' | 'avi' | 'mpeg';
  width?: number;
  height?: number;
  /** Seconds. */
  duration?: number;
}

/** Boxes of an ISO media file between two offsets: [type, start of content, end]. */
function* boxes(bytes: Buffer, from: number, to: number): Generator<[string, number, number]> {
  let at = from;
  while (at + 8 <= to) {
    const short = bytes.readUInt32BE(at);
    const long = short === 1 && at + 16 <= to;
    const size = long ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? to - at : short;
    if (size < 8 || at + size > to) return;
    yield [bytes.toString('latin1', at + 4, at + 8), at + (long ? 16 : 8), at + size];
    at += size;
  }
}

const find = (bytes: Buffer, from: number, to: number, type: string) => {
  for (const box of boxes(bytes, from, to)) if (box[0] === type) return box;
  return undefined;
};

/** Reads the container of a video: ISO media (mp4, mov) in detail, AVI and MPEG by their first bytes. */
export function videoFacts(bytes: Buffer): VideoFacts | undefined {
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'AVI ') return { format: 'avi' };
  if (bytes.length >= 4 && [0x1ba, 0x1b3].includes(bytes.readUInt32BE(0))) return { format: 'mpeg' };
  const type = bytes.toString('latin1', 4, 8);
  if (type !== 'ftyp' && type !== 'moov') return undefined;
  const facts: VideoFacts = { format: bytes.toString('latin1', 8, 10) === 'qt' ? 'mov' : 'mp4' };
  const movie = find(bytes, 0, bytes.length, 'moov');
  if (!movie) return facts;
  const header = find(bytes, movie[1], movie[2], 'mvhd');
  if (header) {
    const [, at] = header;
    const long = bytes[at] === 1;
    const scale = bytes.readUInt32BE(at + (long ? 20 : 12));
    const units = long ? Number(bytes.readBigUInt64BE(at + 24)) : bytes.readUInt32BE(at + 16);
    if (scale > 0) facts.duration = Math.round((units / scale) * 1000) / 1000;
  }
  for (const [name, from, to] of boxes(bytes, movie[1], movie[2])) {
    const track = name === 'trak' ? find(bytes, from, to, 'tkhd') : undefined;
    if (!track) continue;
    // The last eight bytes are width and height, 16.16 fixed point; sound tracks have 0.
    const width = bytes.readUInt32BE(track[2] - 8) >>> 16;
    if (width > 0) Object.assign(facts, { width, height: bytes.readUInt32BE(track[2] - 4) >>> 16 });
  }
  return facts;
}

/** Is it something else for sure: a picture, a document, an archive, or plain text? */
export function isOtherType(bytes: Buffer): boolean {
  if (imageFacts(bytes)) return true;
  const head = bytes.subarray(0, 512);
  if (['%PDF', 'PK\u0003\u0004'].includes(head.toString('latin1', 0, 4))) return true;
  return (
    head.length > 0 && head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))
  );
}

/** MD5 in lower-case hexadecimal: TikTok's `image_signature` and `video_signature`. */
export const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

const chunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
};

/** A striped two-colour PNG whose colours depend on `seed`: a placeholder that can be told from the next one. */
export function makePng(width: number, height: number, seed: string): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // One bit per pixel with a palette, so that even a large picture is a few hundred bytes.
  header.set([1, 3, 0, 0, 0], 8);
  const colour = hash32('png', seed);
  const palette = Buffer.from([(colour >> 16) & 255, (colour >> 8) & 255, colour & 255, 245, 245, 245]);
  const row = 1 + Math.ceil(width / 8);
  const pixels = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) pixels.fill(Math.floor(y / 40) % 2 ? 0xff : 0x00, y * row + 1, (y + 1) * row);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', palette),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const box = (type: string, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
};

/** An mp4 with one empty picture track: says its size and duration (seconds) and shows nothing. */
export function makeMp4(width: number, height: number, duration: number): Buffer {
  const movie = Buffer.alloc(100);
  movie.writeUInt32BE(1000, 12);
  movie.writeUInt32BE(Math.round(duration * 1000), 16);
  movie.writeUInt32BE(0x10000, 20);
  movie.writeUInt32BE(2, 96);
  const track = Buffer.alloc(84);
  track.writeUInt32BE(7, 0);
  track.writeUInt32BE(1, 12);
  track.writeUInt32BE(Math.round(duration * 1000), 20);
  track.writeUInt32BE(width * 65_536, 76);
  track.writeUInt32BE(height * 65_536, 80);
  return Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\x02\0isommp41', 'latin1')),
    box('moov', box('mvhd', movie), box('trak', box('tkhd', track))),
  ]);
}
