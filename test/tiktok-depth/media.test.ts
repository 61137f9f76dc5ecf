/** Large files: in pieces, through lost answers, in bounded memory. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let connection: string;
let org: string;

beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  connection = (await app.connect()).get('id') as string;
  org = (await app.ok('GET', `/ads/${connection}/organization`))[0].id;
});
afterAll(() => app.close());

const MB = 1024 * 1024;

/** Sends `size` bytes of a pattern in small chunks. */
async function send(name: string, size: number, announced = size): Promise<{ status: number; body: Json }> {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= size) return controller.close();
      const chunk = new Uint8Array(Math.min(64 * 1024, size - at)).fill(at % 251);
      at += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const { request } = await import('undici');
  const answer = await request(`${app.url}/ads/${connection}/media?org_id=${org}&name=${name}`, {
    method: 'POST',
    headers: { authorization: app.key, 'content-type': 'video/mp4', 'content-length': String(announced) },
    body: Readable.fromWeb(body as never),
  });
  return { status: answer.statusCode, body: await answer.body.json() };
}

describe('a large video', () => {
  it('goes up in pieces and is in the library', async () => {
    await app.clearLog();
    const { status, body } = await send('holiday.mp4', 40 * MB);
    expect(body).toMatchObject({ type: 'VIDEO', organization_id: org });
    expect(status).toBe(200);
    expect((await app.requests('/file/transfer/upload')).length).toBeGreaterThan(1);
    expect(await app.requests('/file/start/upload')).toHaveLength(1);
    expect(await app.requests('/file/finish/upload')).toHaveLength(1);
    const listed = await app.ok('GET', `/ads/${connection}/asset?org_id=${org}&type=VIDEO`);
    expect(listed.map((row: Json) => row.id)).toContain(body.id);
  }, 60_000);

  it('survives pieces whose answers are lost, and connections that break', async () => {
    await app.control('POST', '/faults', { kind: 'drop_after', path: '/file/transfer/upload', times: 2 });
    await app.control('POST', '/faults', { kind: 'drop_before', path: '/file/transfer/upload', times: 1 });
    const { status, body } = await send('broken.mp4', 25 * MB);
    await app.control('DELETE', '/faults');
    expect(body).toMatchObject({ id: expect.any(String) });
    expect(status).toBe(200);
  }, 60_000);

  it('that ends too early is refused, and made of nothing', async () => {
    await app.clearLog();
    const refused = await app.call('POST', `/ads/${connection}/media?org_id=${org}&name=x.mp4`);
    expect(refused.body.code).toBe('input_body_invalid');
    expect(await app.requests('/file/finish/upload')).toEqual([]);
  });
});
