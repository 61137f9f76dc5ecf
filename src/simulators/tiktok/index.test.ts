import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTikTok } from '../../../test/support/tiktok-simulator.ts';
import { simulator } from './index.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'polyad-tiktok-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('TikTok simulator', () => {
  it('is ready with a test app, tokens and ad accounts that are always the same', async () => {
    const [one, two] = [await startTikTok(), await startTikTok()];
    const { sandbox_url, authorize_url, events_manager_url, ...fixed } = one.running.ready;
    expect(two.running.ready).toMatchObject(fixed);
    expect([sandbox_url, authorize_url, events_manager_url]).toEqual([
      `${one.url}/sandbox`,
      `${one.url}/portal/auth`,
      `${one.url}/events_manager`,
    ]);
    expect(one.running.controlUrl).toBe(`${one.url}/_control`);
    expect(one.ready.advertiser_ids).toHaveLength(6);
    await Promise.all([one.close(), two.close()]);
  });

  it('has accounts that deliver, in every currency of the base seed', async () => {
    const tiktok = await startTikTok();
    const daysAgo = (days: number) =>
      new Date(tiktok.running.clock.now().getTime() - days * 86_400_000).toISOString().slice(0, 10);
    for (const advertiser_id of tiktok.ready.advertiser_ids.slice(0, 5)) {
      const { data } = await tiktok.get('report/integrated/get', {
        advertiser_id,
        report_type: 'BASIC',
        data_level: 'AUCTION_ADVERTISER',
        dimensions: ['advertiser_id'],
        metrics: ['spend', 'impressions'],
        start_date: daysAgo(20),
        end_date: daysAgo(2),
      });
      expect([advertiser_id, Number(data.list[0].metrics.spend) > 0]).toEqual([advertiser_id, true]);
    }
    await tiktok.close();
  });

  it('keeps what was made, revoked and set over a restart', async () => {
    const first = await startTikTok({ dataDir });
    const { id } = await first.control('POST', '/advertisers', {
      name: 'Kept',
      currency: 'KWD',
      timezone: 'Asia/Kuwait',
    });
    await first.control('POST', '/grants/revoke', { access_token: first.ready.access_token });
    await first.control('PATCH', '/settings', { token_model: 'guide' });
    const before = await first.control('GET', '/state');
    await first.close();

    const second = await startTikTok({ dataDir });
    const { counts, settings } = await second.control('GET', '/state');
    expect({ counts, settings }).toEqual({ counts: before.counts, settings: before.settings });
    expect((await second.get('user/info')).code).toBe(40105);
    const { advertisers } = await second.control('GET', '/advertisers');
    expect(advertisers.map((row: { id: string }) => row.id)).toContain(id);
    await second.close();
  });

  it('lets go of its folder when it cannot start', async () => {
    const taken = await startTikTok();
    const port = Number(new URL(taken.url).port);
    await expect(simulator.start({ port, dataDir })).rejects.toThrow('EADDRINUSE');
    const free = await startTikTok({ dataDir });
    await Promise.all([taken.close(), free.close()]);
  });

  it('says 127.0.0.1 when it listens everywhere', async () => {
    const running = await simulator.start({ port: 0, host: '0.0.0.0' });
    expect(running.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${running.url}/_control/clock`)).status).toBe(200);
    await running.close();
  });
});
