import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';
import { bucketsOf } from './limits.ts';
import { TEST_APP } from './seed.ts';

let tiktok: TestTikTok;
beforeEach(async () => {
  tiktok = await startTikTok({ limits: 'on' });
  await tiktok.control('POST', '/clock/set', { at: '2026-06-01T12:00:00Z' });
  await tiktok.control('POST', '/clock/freeze');
});
afterEach(() => tiktok.close());

const advance = (by: Record<string, number>) => tiktok.control('POST', '/clock/advance', by);
const call = async (options = {}) => (await tiktok.get('user/info', {}, options)).code;
/** `n` calls, a second apart after every `perSecond`. */
const calls = async (n: number, perSecond: number, options = {}) => {
  const codes: number[] = [];
  for (let i = 0; i < n; i++) {
    if (i > 0 && i % perSecond === 0) await advance({ seconds: 1 });
    codes.push(await call(options));
  }
  return codes;
};

describe('rate limits', () => {
  it('QPS: ten calls a second on the Basic level, free again in the next second', async () => {
    expect((await calls(10, 100)).every((code) => code === 0)).toBe(true);
    const refused = await tiktok.get('user/info');
    expect([refused.code, refused.message]).toEqual([40100, 'App reaches the QPS limit.']);
    await advance({ seconds: 1 });
    expect(await call()).toBe(0);
  });

  it('QPM: the 601st call of a minute stops the app for five minutes', async () => {
    await tiktok.control('POST', '/clock/set', { at: '2026-06-01T12:01:00Z' });
    const codes = await calls(600, 10);
    expect(codes.every((code) => code === 0)).toBe(true);
    const refused = await tiktok.get('user/info');
    expect(refused.code).toBe(40100);
    expect(refused.message).toBe('Due to too many requests, requests from App are temporarily restricted.');
    await advance({ seconds: 299 });
    expect(await call()).toBe(40100);
    await advance({ seconds: 1 });
    expect(await call()).toBe(0);
  });

  it('QPM: an app that ignores the QPS limit runs into it', async () => {
    await tiktok.control('POST', '/clock/set', { at: '2026-06-01T12:01:00Z' });
    const codes = await calls(31, 31, { sandbox: true });
    expect(codes.filter((code) => code === 0)).toHaveLength(1);
    await advance({ seconds: 60 });
    expect(await call({ sandbox: true })).toBe(40100);
    await advance({ seconds: 240 });
    expect(await call({ sandbox: true })).toBe(0);
  });

  it('QPD: above it the app is stopped until midnight UTC', () => {
    const day = bucketsOf(TEST_APP, 'campaign/get', 'production')[0]!.rules.find((rule) => rule.name === 'QPD')!;
    expect([day.windowMs, day.limit, day.lockMs]).toEqual([86_400_000, 864_000, undefined]);
  });

  it('sandbox: one call a second per endpoint', async () => {
    const sandbox = { sandbox: true };
    expect([await call(sandbox), await call(sandbox)]).toEqual([0, 40100]);
    const term = { advertiser_id: tiktok.ready.sandbox_advertiser_id, term_type: 'Pixel' };
    expect((await tiktok.get('term/check', term, sandbox)).code).toBe(0);
  });

  it('levels and endpoint limits are those of the documentation', () => {
    const limits = (path: string, level: 'Basic' | 'Premium') =>
      bucketsOf({ ...TEST_APP, level }, path, 'production').map(({ rules }) => rules.map((rule) => rule.limit));
    expect(limits('campaign/get', 'Basic')).toEqual([[10, 600, 864_000]]);
    expect(limits('campaign/get', 'Premium')).toEqual([[30, 1_800, 2_592_000]]);
    expect(limits('ad/create', 'Basic')).toEqual([
      [10, 600, 864_000],
      [5, 150, 86_400],
    ]);
    expect(limits('event/track', 'Basic')).toEqual([[1_000, 600_000, 86_400_000]]);
  });

  it('an endpoint’s own limit holds below the app’s', async () => {
    const body = { advertiser_id: tiktok.ready.advertiser_ids[0], report_type: 'BASIC' };
    const codes: number[] = [];
    for (let i = 0; i < 3; i++) codes.push((await tiktok.post('report/task/create', body)).code);
    expect(codes.map((code) => code === 40100)).toEqual([false, false, true]);
    expect(await call()).toBe(0);
  });

  it('an ad account has one on a path when it is switched on', async () => {
    await tiktok.control('PATCH', '/settings', { advertiser_path_qps: 2 });
    const [first, second] = tiktok.ready.advertiser_ids;
    const check = (advertiser_id = first) => tiktok.get('term/check', { advertiser_id, term_type: 'Pixel' });
    expect([(await check()).code, (await check()).code]).toEqual([0, 0]);
    const refused = await check();
    expect(refused.code).toBe(40133);
    expect(refused.message).toBe(
      `Advertiser (${first})'s QPS (3) reaches QPS limit 2 for current path, request is temporarily restricted.`,
    );
    expect((await check(second)).code).toBe(0);
  });

  it('are off, and cleared, by control', async () => {
    await calls(11, 100);
    await tiktok.control('POST', '/limits/clear');
    expect(await call()).toBe(0);
    await tiktok.control('PATCH', '/settings', { limits: 'off' });
    expect((await calls(30, 100)).every((code) => code === 0)).toBe(true);
  });

  it('do not count calls without a valid token', async () => {
    await calls(20, 100, { token: 'nonsense' });
    expect(await call()).toBe(0);
  });
});
