import { describe, expect, it } from 'vitest';
import { imageFacts, isOtherType, makeMp4, makePng, md5, videoFacts } from './media.ts';

/** A JPEG that is nothing but headers: an APP0 segment, a frame of the given kind, the end. */
function jpeg(width: number, height: number, frame = 0xc0): Buffer {
  const head = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, 0xc4, 0, 3, 0]);
  const body = Buffer.from([0xff, frame, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]);
  return Buffer.concat([head, body, Buffer.from([0xff, 0xd9])]);
}

describe('imageFacts', () => {
  it('reads PNG, JPEG and GIF', () => {
    expect(imageFacts(makePng(720, 1280, 'x'))).toEqual({ format: 'png', width: 720, height: 1280 });
    expect(imageFacts(jpeg(1024, 300))).toEqual({ format: 'jpeg', width: 1024, height: 300 });
    expect(imageFacts(jpeg(70, 80, 0xc2))).toEqual({ format: 'jpeg', width: 70, height: 80 });
    expect(imageFacts(Buffer.from('GIF89a\x20\x03\x58\x02\0\0', 'latin1'))).toEqual({
      format: 'gif',
      width: 800,
      height: 600,
    });
  });

  it('knows nothing of anything else', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('hello'),
      Buffer.from([0xff, 0xd8, 0xff]),
      jpeg(1, 1).subarray(0, 16),
    ]) {
      expect(imageFacts(bytes)).toBeUndefined();
    }
  });
});

describe('videoFacts', () => {
  it('reads size and duration of an mp4', () => {
    expect(videoFacts(makeMp4(720, 1280, 13.5))).toEqual({ format: 'mp4', width: 720, height: 1280, duration: 13.5 });
  });

  it('knows other containers by their first bytes', () => {
    expect(videoFacts(Buffer.from('RIFF\0\0\0\0AVI LIST', 'latin1'))).toEqual({ format: 'avi' });
    expect(videoFacts(Buffer.from([0, 0, 1, 0xba, 0, 0, 0, 0, 0]))).toEqual({ format: 'mpeg' });
    expect(videoFacts(Buffer.from('\0\0\0\x14ftypqt  \0\0\0\0', 'latin1'))).toEqual({ format: 'mov' });
    expect(videoFacts(Buffer.from('hello, world'))).toBeUndefined();
  });

  it('survives a broken box', () => {
    const broken = makeMp4(720, 1280, 13.5);
    broken.writeUInt32BE(0xffffffff, 24);
    expect(videoFacts(broken)).toEqual({ format: 'mp4' });
  });
});

it('isOtherType tells pictures, documents and text from unknown bytes', () => {
  expect(isOtherType(makePng(10, 10, 'x'))).toBe(true);
  expect(isOtherType(Buffer.from('%PDF-1.7 …'))).toBe(true);
  expect(isOtherType(Buffer.from('just text\n'))).toBe(true);
  expect(isOtherType(Buffer.from([1, 2, 3, 0, 255]))).toBe(false);
});

it('placeholders depend on their seed alone', () => {
  expect(md5(makePng(100, 100, 'a'))).toBe(md5(makePng(100, 100, 'a')));
  expect(md5(makePng(100, 100, 'a'))).not.toBe(md5(makePng(100, 100, 'b')));
});
