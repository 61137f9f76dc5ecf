import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';
import { CATALOGUE } from '../catalogue-table.ts';
import { endpoints } from './index.ts';

/** The endpoints that the sandbox host has (TikTok docs on the sandbox). */
const SANDBOX = [
  ...['campaign', 'adgroup', 'ad'].flatMap((level) =>
    ['create', 'get', 'status/update', 'update'].map((verb) => `${level}/${verb}`),
  ),
  ...['file/image/ad/upload', 'file/video/ad/upload', 'report/integrated/get', 'user/info'],
  ...['term/check', 'term/confirm', 'term/get', 'identity/create', 'identity/delete', 'identity/get'],
].sort();

let tiktok: TestTikTok;
beforeAll(async () => {
  tiktok = await startTikTok();
});
afterAll(() => tiktok.close());

describe('all endpoints', () => {
  it('are documented, with the documented method', () => {
    const methods = new Map(CATALOGUE.map(([method, path]) => [path, method]));
    for (const { path, method } of endpoints) {
      expect([path, ['*', method].includes(methods.get(path) ?? 'none')]).toEqual([path, true]);
    }
  });

  it('are on the sandbox host where TikTok says so', () => {
    const found = endpoints.filter(({ sandbox }) => sandbox).map(({ path }) => path);
    expect(found.sort()).toEqual(SANDBOX);
  });

  it('need a token, and never answer for a stranger’s ad account', async () => {
    const { id } = await tiktok.control('POST', '/advertisers', { name: 'Stranger', currency: 'USD', timezone: 'UTC' });
    for (const { path, method, auth, params } of endpoints) {
      if (auth !== 'token') continue;
      const call = (options = {}) =>
        method === 'GET'
          ? tiktok.get(path, { advertiser_id: id }, options)
          : tiktok.post(path, { advertiser_id: id }, options);
      expect([path, (await call({ token: null })).code]).toEqual([path, 40104]);
      if (!params.some(({ name }) => name === 'advertiser_id')) continue;
      expect([path, [40001, 40002, 40118, 40125].includes((await call()).code)]).toEqual([path, true]);
    }
  });

  it('know the sandbox by the Host header too', async () => {
    const code = await new Promise((resolve, reject) => {
      const headers = { host: 'sandbox-ads.tiktok.com', 'access-token': tiktok.ready.sandbox_access_token };
      request(`${tiktok.url}/open_api/v1.3/user/info/`, { headers }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(JSON.parse(text).code));
      })
        .on('error', reject)
        .end();
    });
    expect(code).toBe(0);
  });
});
