/** The simulator's control API is reached at its own address and by no call through a connection. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let connection: string;
beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  connection = (await app.connect()).get('id') as string;
}, 120_000);
afterAll(() => app?.close());

/** A path as it stands, which `fetch` would tidy up. */
function send(method: string, path: string): Promise<{ status: number; code: unknown; text: string }> {
  return new Promise((resolve, reject) => {
    const target = { method, path: `/passthrough/${connection}${path}`, headers: { authorization: app.key } };
    const sending = request(`${app.url}/`, target, async (answer) => {
      let text = '';
      for await (const chunk of answer) text += chunk;
      let code: unknown;
      try {
        code = JSON.parse(text).code;
      } catch {}
      resolve({ status: answer.statusCode ?? 0, code, text });
    });
    sending.on('error', reject);
    sending.end();
  });
}

describe('pass-through of a simulator connection', () => {
  it('would reach it by this path: the control API answers there', async () => {
    expect((await fetch(`${app.simulator.url}/_control/clock`)).status).toBe(200);
  });

  it.each([
    ['GET', '/_control'],
    ['GET', '/_control/'],
    ['GET', '/_control/clock'],
    ['GET', '/_control/clock?x=1'],
    ['POST', '/_control/clock/advance'],
    ['POST', '/_control/grants/revoke'],
    ['DELETE', '/_control/log'],
    ['GET', '/_control%2Fclock'],
    ['GET', '/%2F_control%2Fclock'],
    ['GET', '/%5Fcontrol/clock'],
    ['GET', '/%5fcon%74rol/clock'],
    ['GET', '/_control%2Fclock/'],
    ['GET', '/_CONTROL/clock'],
    ['GET', '/_control%3Fx'],
  ])('refuses %s %s by name', async (method, path) => {
    const before = app.now().getTime();
    const answer = await send(method, path);
    expect(answer).toMatchObject({ status: 400, code: 'passthrough_host_refused' });
    expect(answer.text).toContain('control API');
    expect(app.now().getTime()).toBe(before);
  });

  it.each(['//_control/clock', '/x/../_control/clock', '/open_api/%2e%2e/_control/clock', '/;/_control/clock'])(
    'does not reach it by %s',
    async (path) => {
      const { status, text } = await send('GET', path);
      expect([status, text]).not.toEqual([200, await (await fetch(`${app.simulator.url}/_control/clock`)).text()]);
      expect(text).not.toContain('"frozen"');
    },
  );

  it('goes on reaching the platform, also where a path only looks like it', async () => {
    expect((await send('GET', '/open_api/v1.3/user/info/')).code).toBe(0);
    // TikTok's own answer for a path that it does not have.
    expect((await send('GET', '/open_api/v1.3/_control/')).code).not.toBe('passthrough_host_refused');
    expect((await send('GET', '/_controls/')).code).not.toBe('passthrough_host_refused');
  });
});
