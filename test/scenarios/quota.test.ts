/** One TikTok app, many customers: the app's quota is shared fairly, and a wait that is too long is told at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startTestApp, type TestApp } from '../support/app.ts';

let polyad: TestApp;
let busy: string;
let calm: string;
beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', limits: 'on' });
  busy = (await polyad.connect()).get('id') as string;
  polyad.advance(2_000);
  calm = (await polyad.connect()).get('id') as string;
  polyad.advance(120_000);
});
afterAll(() => polyad.close());

const call = (connection: string): Promise<Answer> =>
  polyad.call('GET', `/ads/${connection}/campaign?org_id=${(polyad.simulator.ready['advertiser_ids'] as string[])[0]}`);
const refusals = async () => (await polyad.requests()).filter(({ code }) => code === 40100);

describe('two customers of one app', () => {
  it('share its calls by turns: a crowd of one does not keep the other waiting', async () => {
    await Promise.all([call(busy), call(calm)]);
    polyad.advance(120_000);
    await polyad.clearLog();
    const start = polyad.now().getTime();
    const ends: Record<'busy' | 'calm', number[]> = { busy: [], calm: [] };
    const timed = (who: 'busy' | 'calm', connection: string) =>
      call(connection).then(({ status }) => {
        expect(status).toBe(200);
        ends[who].push(polyad.now().getTime() - start);
      });
    const release = polyad.hold();
    const crowd = Array.from({ length: 300 }, () => timed('busy', busy));
    await polyad.queued(290);
    const few = Array.from({ length: 20 }, () => timed('calm', calm));
    await polyad.queued(310);
    release();
    await Promise.all([...crowd, ...few]);
    // 320 calls at 10 a second take 31 seconds; the twenty, taking turns, are through in the first part of it.
    expect(Math.max(...ends.busy)).toBeGreaterThan(25_000);
    expect(Math.max(...ends.busy)).toBeLessThan(40_000);
    expect(Math.max(...ends.calm)).toBeLessThan(12_000);
    expect(await refusals()).toEqual([]);
  });

  it('hear in time when a call cannot have its turn, and nobody asks TikTok in vain', async () => {
    polyad.advance(600_000);
    // The ad accounts are read anew, and the connection's health is noted: after that a call is one call.
    await call(busy);
    await call(busy);
    polyad.advance(120_000);
    await polyad.clearLog();
    const release = polyad.hold();
    // Those whose turn cannot come in time are told at once; the others wait.
    let told = 0;
    const crowd = Array.from({ length: 700 }, () =>
      call(busy).then((answer) => {
        told += 1;
        return answer;
      }),
    );
    await polyad.queued(() => 680 - told);
    expect(told).toBeGreaterThan(150);
    const start = polyad.now().getTime();
    release();
    const answers = await Promise.all(crowd);
    const late = answers.filter(({ status }) => status !== 200);
    // 45 seconds of patience are 450 calls at ten a second; the others hear of it then, not later.
    expect(polyad.now().getTime() - start).toBeLessThan(50_000);
    expect(answers.length - late.length).toBeGreaterThan(400);
    expect(late.length).toBeGreaterThan(200);
    for (const { status, headers, body } of late) {
      expect({ status, code: body.code, retry: body.retry }).toEqual({
        status: 429,
        code: 'quota_wait',
        retry: 'after',
      });
      expect(body.details.bucket).toMatch(/^tiktok\.app per /);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await refusals()).toEqual([]);
    polyad.advance(Math.max(...late.map(({ body }) => body.retry_after_ms)));
    expect((await call(busy)).status).toBe(200);
    expect(await refusals()).toEqual([]);
  });

  it('connecting a customer while the app is busy does not pass its quota either', async () => {
    await call(busy);
    polyad.advance(120_000);
    await polyad.clearLog();
    const release = polyad.hold();
    const crowd = Array.from({ length: 60 }, () => call(busy));
    await polyad.queued(50);
    release();
    const connected = await Promise.all(Array.from({ length: 3 }, () => polyad.connect()));
    for (const answer of connected) expect(answer.get('id')).not.toBeNull();
    await Promise.all(crowd);
    expect(await refusals()).toEqual([]);
  });
});
