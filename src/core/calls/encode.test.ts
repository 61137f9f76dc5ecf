import { describe, expect, it } from 'vitest';
import { encodeMultipart, encodeQuery } from './encode.ts';

describe('query encoding', () => {
  it('follows the platform’s style for lists and objects, and leaves out what is not set', () => {
    const query = { ids: ['1', '2'], filter: { a: 1 }, flag: false, none: undefined, text: 'a b&c' };
    expect(encodeQuery(query, 'json')).toBe(
      'ids=%5B%221%22%2C%222%22%5D&filter=%7B%22a%22%3A1%7D&flag=false&text=a%20b%26c',
    );
    expect(encodeQuery(query, 'repeat')).toBe('ids=1&ids=2&filter=%7B%22a%22%3A1%7D&flag=false&text=a%20b%26c');
    expect(encodeQuery(query, 'comma')).toContain('ids=1%2C2');
  });
});

describe('multipart encoding', () => {
  it('can be read back, file bytes unchanged, and no name can break out of its header', async () => {
    const data = new Uint8Array([0, 13, 10, 45, 45, 255]);
    const { body, contentType } = encodeMultipart([
      { name: 'advertiser_id', value: '7' },
      { name: 'image_file', value: { filename: 'a"\r\nX: 1.png', contentType: 'image/png', data } },
    ]);
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
    expect(form.get('advertiser_id')).toBe('7');
    const file = form.get('image_file') as File;
    expect(file.name).toBe('a___X: 1.png');
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(data);
  });
});
