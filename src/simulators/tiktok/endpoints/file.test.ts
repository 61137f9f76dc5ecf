import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';
import { makeMp4, makePng, md5 } from '../media.ts';

let tiktok: TestTikTok;
let usd = '';
/** A web server of somebody else on this machine. */
let web: Server;
let site = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  usd = tiktok.ready.advertiser_ids[0]!;
  web = createServer((request, response) => {
    if (request.url === '/square.png') response.setHeader('content-type', 'image/png').end(makePng(640, 640, 'web'));
    else if (request.url === '/moved.png') response.writeHead(302, { location: '/square.png' }).end();
    else response.writeHead(404).end('no');
  });
  await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
  site = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await tiktok.close();
  web.close();
});

const kinds = { image: 'image', video: 'video' } as const;
type Kind = keyof typeof kinds;

/** Multipart upload of bytes, as a browser or the official client sends it. */
async function upload(kind: Kind, bytes: Buffer, more: Record<string, string> = {}, filename = `${kind}_file`) {
  const form = new FormData();
  const parts = { advertiser_id: usd, upload_type: 'UPLOAD_BY_FILE', [`${kind}_signature`]: md5(bytes), ...more };
  for (const [name, value] of Object.entries(parts)) form.set(name, value);
  form.set(`${kind}_file`, new Blob([new Uint8Array(bytes)]), filename);
  const headers = { 'Access-Token': tiktok.ready.access_token };
  const response = await tiktok.raw(`/open_api/v1.3/file/${kind}/ad/upload/`, { method: 'POST', body: form, headers });
  return JSON.parse(await response.text());
}

const byUrl = (kind: Kind, url: string, more = {}) =>
  tiktok.post(`file/${kind}/ad/upload`, {
    advertiser_id: usd,
    upload_type: 'UPLOAD_BY_URL',
    [`${kind}_url`]: url,
    ...more,
  });

describe('pictures', () => {
  it('an upload answers one object with what is in the file, and can be seen', async () => {
    const bytes = makePng(720, 1280, 'upload');
    const data = ok(await upload('image', bytes, { file_name: 'hero' }));
    expect(data).toMatchObject({
      image_id: expect.stringMatching(/^ad-site-i18n-sg\//),
      width: 720,
      height: 1280,
      format: 'png',
      size: bytes.length,
      signature: md5(bytes),
      file_name: 'hero',
      displayable: true,
      create_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(Buffer.from(await (await fetch(data.image_url)).arrayBuffer())).toEqual(bytes);
    const info = await tiktok.get('file/image/ad/info', { advertiser_id: usd, image_ids: [data.image_id] });
    expect(ok(info).list).toEqual([data]);
  });

  it('refuses a wrong signature, a taken name, a wrong type, too many pixels, no file', async () => {
    const bytes = makePng(300, 300, 'refused');
    expect((await upload('image', bytes, { image_signature: md5(Buffer.from('x')) })).code).toBe(40900);
    expect((await upload('image', bytes, { file_name: 'taken' })).code).toBe(0);
    expect((await upload('image', bytes, { file_name: 'taken' })).code).toBe(40911);
    expect((await upload('image', Buffer.from('no picture'))).code).toBe(40908);
    expect((await upload('image', makePng(2561, 1440, 'big'))).code).toBe(40907);
    expect((await upload('image', makePng(2560, 1440, 'just'))).code).toBe(0);
    expect((await upload('image', bytes, { file_name: 'x'.repeat(101) })).code).toBe(40002);
    expect((await tiktok.post('file/image/ad/upload', { advertiser_id: usd })).message).toMatch(/image_file/);
  });

  it('the same content twice makes two pictures with two names', async () => {
    const bytes = makePng(300, 300, 'twice');
    const [a, b] = [ok(await upload('image', bytes, {}, 'same.png')), ok(await upload('image', bytes, {}, 'same.png'))];
    expect(a.file_name).toBe('same.png');
    expect(b.image_id).not.toBe(a.image_id);
    expect(b.file_name).not.toBe(a.file_name);
  });

  it('by URL: this machine is asked, the world is not', async () => {
    expect(ok(await byUrl('image', `${site}/square.png`))).toMatchObject({
      width: 640,
      height: 640,
      file_name: 'square.png',
    });
    expect((await byUrl('image', `${site}/missing.png`)).code).toBe(40902);
    expect((await byUrl('image', `${site}/moved.png`)).code).toBe(40902);
    expect((await byUrl('image', 'http://127.0.0.1:9/x.png')).code).toBe(40902);
    expect((await byUrl('image', 'file:///etc/passwd')).code).toBe(40002);
    expect((await byUrl('image', 'square.png')).code).toBe(40002);
    const [a, b, c] = [
      ok(await byUrl('image', 'https://cdn.test/a.png')),
      ok(await byUrl('image', 'https://cdn.test/a.png')),
      ok(await byUrl('image', 'https://cdn.test/b.png')),
    ];
    expect(a.signature).toBe(b.signature);
    expect(a.signature).not.toBe(c.signature);
    expect((await fetch(a.image_url)).headers.get('content-type')).toBe('image/png');
  });

  it('are found, renamed and deleted', async () => {
    const { image_id, material_id } = ok(await upload('image', makePng(123, 321, 'find'), { file_name: 'find me' }));
    const search = async (filtering: Record<string, unknown>) =>
      ok(await tiktok.get('file/image/ad/search', { advertiser_id: usd, filtering })).list.map(
        (row: { image_id: string }) => row.image_id,
      );
    expect(await search({ width: 123 })).toEqual([image_id]);
    expect(await search({ material_ids: [material_id] })).toEqual([image_id]);
    expect(await search({ image_ids: [image_id], ratio: [0.38] })).toEqual([image_id]);
    expect(await search({ image_ids: [image_id], ratio: [1.78] })).toEqual([]);
    expect((await tiktok.get('file/image/ad/search', { advertiser_id: usd, filtering: { colour: 1 } })).code).toBe(
      40002,
    );
    const names = async (file_name: string) =>
      ok(await tiktok.get('file/name/check', { advertiser_id: usd, file_name, file_type: 'IMAGE' })).list[0].existed;
    expect([await names('find me'), await names('found')]).toEqual([true, false]);
    ok(await tiktok.post('file/image/ad/update', { advertiser_id: usd, image_id, file_name: 'found' }));
    expect([await names('find me'), await names('found')]).toEqual([false, true]);
    const removed = await tiktok.post('creative/asset/delete', { advertiser_id: usd, image_ids: [image_id, 'x'] });
    expect(ok(removed)).toEqual({ failed_image_ids: ['x'], failed_video_ids: [] });
    expect(await search({ image_ids: [image_id] })).toEqual([]);
  });

  it('pages the search', async () => {
    for (const n of [1, 2, 3]) ok(await upload('image', makePng(77, 77, `page ${n}`)));
    const page = async (page: number) =>
      ok(
        await tiktok.get('file/image/ad/search', { advertiser_id: usd, filtering: { width: 77 }, page, page_size: 2 }),
      );
    expect((await page(1)).page_info).toEqual({ page: 1, page_size: 2, total_number: 3, total_page: 2 });
    expect((await page(2)).list).toHaveLength(1);
  });
});

describe('videos', () => {
  it('an upload answers an array; the video is shown after its transcoding', async () => {
    const bytes = makeMp4(1080, 1920, 15.4);
    const data = ok(await upload('video', bytes, { file_name: 'clip' }, 'clip.mp4'));
    expect(data).toEqual([
      expect.objectContaining({
        video_id: expect.stringMatching(/^v10033g5/),
        width: 1080,
        height: 1920,
        duration: 15.4,
        format: 'mp4',
        size: bytes.length,
        signature: md5(bytes),
        file_name: 'clip',
        displayable: false,
      }),
    ]);
    const info = async () =>
      ok(await tiktok.get('file/video/ad/info', { advertiser_id: usd, video_ids: [data[0].video_id] })).list[0];
    const covers = () =>
      tiktok.get('file/video/suggestcover', { advertiser_id: usd, video_id: data[0].video_id, poster_number: 3 });
    expect((await covers()).code).toBe(40901);
    tiktok.running.clock.advance(5000);
    expect((await info()).displayable).toBe(true);
    const { list } = ok(await covers());
    expect(list).toHaveLength(3);
    expect(ok(await byUrl('image', list[0].url))).toMatchObject({ width: 1080, height: 1920 });
    expect(Buffer.from(await (await fetch(data[0].preview_url)).arrayBuffer())).toEqual(bytes);
    expect((await fetch(data[0].video_cover_url)).status).toBe(200);
  });

  it('refuses a wrong signature, a taken name and a wrong type', async () => {
    const bytes = makeMp4(720, 1280, 9);
    expect((await upload('video', bytes, { video_signature: '0'.repeat(32) })).code).toBe(40900);
    ok(await upload('video', bytes, { file_name: 'taken video' }));
    expect((await upload('video', bytes, { file_name: 'taken video' })).code).toBe(40911);
    expect((await upload('video', makePng(10, 10, 'x'))).code).toBe(40908);
    expect((await upload('video', Buffer.from('words'))).code).toBe(40908);
  });

  it('reports flaws when asked', async () => {
    const bytes = makeMp4(320, 240, 3);
    expect(ok(await upload('video', bytes))[0].flaw_types).toBeNull();
    expect(ok(await upload('video', bytes, { flaw_detect: 'true', auto_fix_enabled: 'true' }))[0]).toMatchObject({
      flaw_types: ['LOW_RESOLUTION', 'ILLEGAL_DURATION'],
      fix_task_id: expect.any(String),
    });
  });

  it('copies a video of another account of the token', async () => {
    const [{ video_id }] = ok(await byUrl('video', 'https://cdn.test/copy.mp4'));
    const body = { upload_type: 'UPLOAD_BY_VIDEO_ID', video_id };
    const [copy] = ok(
      await tiktok.post('file/video/ad/upload', { advertiser_id: tiktok.ready.advertiser_ids[1], ...body }),
    );
    expect(copy.video_id).not.toBe(video_id);
    expect((await tiktok.post('file/video/ad/upload', { advertiser_id: usd, ...body, video_id: 'v1' })).code).toBe(
      40905,
    );
  });

  it('at most 60 at once', async () => {
    const video_ids = Array.from({ length: 61 }, (_, i) => `v${i}`);
    expect((await tiktok.get('file/video/ad/info', { advertiser_id: usd, video_ids })).code).toBe(40011);
    expect(ok(await tiktok.get('file/video/ad/info', { advertiser_id: usd, video_ids: ['v1'] })).list).toEqual([]);
  });

  it('a video in an ad is not deleted', async () => {
    const ad = ok(await tiktok.get('ad/get', { advertiser_id: usd })).list[0];
    const answer = await tiktok.post('creative/asset/delete', { advertiser_id: usd, video_ids: [ad.video_id] });
    expect(ok(answer).failed_video_ids).toEqual([ad.video_id]);
  });
});

describe('temporary files', () => {
  const send = async (path: string, parts: Record<string, string>, bytes: Buffer) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ advertiser_id: usd, signature: md5(bytes), ...parts }))
      form.set(name, value);
    form.set('file', new Blob([new Uint8Array(bytes)]), 'part');
    const headers = { 'Access-Token': tiktok.ready.access_token };
    return JSON.parse(
      await (await tiktok.raw(`/open_api/v1.3/${path}/`, { method: 'POST', body: form, headers })).text(),
    );
  };

  it('become a picture by their id', async () => {
    const bytes = makePng(500, 500, 'temporary');
    const { file_id, signature } = ok(
      await send('file/temporarily/upload', { upload_type: 'FILE', content_type: 'image' }, bytes),
    );
    expect(signature).toBe(md5(bytes));
    const body = { advertiser_id: usd, upload_type: 'UPLOAD_BY_FILE_ID', file_id };
    expect(ok(await tiktok.post('file/image/ad/upload', body))).toMatchObject({ width: 500, signature });
    expect((await tiktok.post('file/image/ad/upload', { ...body, file_id: '1' })).code).toBe(40905);
  });

  it('arrive in chunks', async () => {
    const bytes = makeMp4(720, 1280, 20);
    const start = { advertiser_id: usd, size: bytes.length, content_type: 'video', name: 'chunks.mp4' };
    const { upload_id, start_offset } = ok(await tiktok.post('file/start/upload', start));
    expect(start_offset).toBe(0);
    const half = Math.floor(bytes.length / 2);
    const chunk = (from: number, to: number) =>
      send('file/transfer/upload', { upload_id, start_offset: String(from) }, bytes.subarray(from, to));
    expect(ok(await chunk(0, half)).start_offset).toBe(half);
    expect((await chunk(0, half)).message).toMatch(/start_offset/);
    expect((await tiktok.post('file/finish/upload', { advertiser_id: usd, upload_id })).code).toBe(40002);
    ok(await chunk(half, bytes.length));
    const { file_id, signature } = ok(await tiktok.post('file/finish/upload', { advertiser_id: usd, upload_id }));
    expect(signature).toBe(md5(bytes));
    const body = { advertiser_id: usd, upload_type: 'UPLOAD_BY_FILE_ID', file_id };
    expect(ok(await tiktok.post('file/video/ad/upload', body))[0]).toMatchObject({
      duration: 20,
      file_name: 'chunks.mp4',
    });
  });
});

it('media, codes and identities outlive a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tiktok-files-'));
  try {
    let other = await startTikTok({ dataDir });
    const advertiser_id = other.ready.advertiser_ids[0]!;
    const body = { advertiser_id, upload_type: 'UPLOAD_BY_URL', image_url: `${site}/square.png` };
    const { image_id } = ok(await other.post('file/image/ad/upload', body));
    const auth_code = '#Mia+makes/7x2Lq9VbT0rKpW4s=';
    ok(await other.post('tt_video/authorize', { advertiser_id, auth_code }));
    await other.close();
    other = await startTikTok({ dataDir });
    const [image] = ok(await other.get('file/image/ad/info', { advertiser_id, image_ids: [image_id] })).list;
    expect(Buffer.from(await (await fetch(image.image_url)).arrayBuffer())).toEqual(makePng(640, 640, 'web'));
    expect(ok(await other.get('tt_video/info', { advertiser_id, auth_code })).item_info.auth_code).toBe(auth_code);
    await other.close();
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

it('odd addresses of media do no harm', async () => {
  expect((await fetch(`${tiktok.url}/media/video/v1`)).status).toBe(404);
  expect(ok(await byUrl('image', 'https://cdn.test/100%25%zz.png')).file_name).not.toBe('');
});
