/** Conformance: every quota is kept before the platform has to say no, and its word counts when it says no. */
import { describe, expect, it } from 'vitest';
import { PolyadError } from '../../src/core/errors/index.ts';
import { conformance } from './suite.ts';

/** Callers at once. */
const CALLERS = 8;

await conformance('quotas', { clock: 'virtual', limits: 'on' }, (fixture) => {
  const { facts } = fixture;
  const polyad = () => fixture.polyad;
  const ready = () => polyad().simulator.ready;

  it('cover buckets that the manifest has', () => {
    const known = polyad().platform.manifest.quotas.map(({ name }) => name);
    for (const { buckets } of facts.quotas) expect(known).toEqual(expect.arrayContaining([...buckets]));
  });

  it.each(facts.quotas)('$name: $calls calls, three times the limit, without one refusal', async (quota) => {
    const connection =
      quota.environment === 'simulator'
        ? fixture.connection
        : (await polyad().ok('POST', '/unified/connection', facts.importBody(ready(), quota.environment))).id;
    polyad().advance(86_400_000);
    await polyad().clearLog();
    const ctx = polyad().app.runtime.context(await polyad().scope(connection));
    const request = quota.request(ready());
    const start = polyad().now().getTime();
    let left = quota.calls;
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        try {
          await ctx.request(request);
        } catch (error) {
          if (!(error instanceof PolyadError)) throw error;
          // A wait longer than a caller's patience is told, not slept through: the call is made again then.
          if (error.code !== 'quota_wait') continue;
          left += 1;
          await polyad().app.runtime.clock.sleep(error.retryAfterMs as number);
        }
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    const log = await polyad().requests(request.path);
    expect(log.length).toBe(quota.calls);
    expect(log.filter(({ code }) => facts.errors[String(code)] === 'platform_rate_limited')).toEqual([]);
    // And no slower than the quotas want.
    const { quotas } = polyad().platform.manifest;
    // By window, longest first: the tightest limit decides.
    const tightest = new Map<number, number>();
    for (const { name, limit, windowMs } of quotas.toSorted((one, other) => other.windowMs - one.windowMs))
      if (quota.buckets.includes(name)) tightest.set(windowMs, Math.min(limit, tightest.get(windowMs) ?? limit));
    let needed = 0;
    let rest = quota.calls;
    for (const [windowMs, limit] of tightest) {
      needed += (Math.ceil(rest / limit) - 1) * windowMs;
      rest = Math.min(rest, limit);
    }
    expect(polyad().now().getTime() - start).toBeLessThanOrEqual(needed * 1.03 + 2_000);
  });

  describe('used up by another client of the same app', () => {
    it.each(facts.exhausted)('$name: one refusal, then rest for as long as the platform’s rule says', async (one) => {
      polyad().advance(86_400_000);
      const connection =
        one.environment === undefined
          ? fixture.connection
          : (await polyad().ok('POST', '/unified/connection', facts.importBody(ready(), one.environment))).id;
      const organization = (one.organization ?? facts.organization)(ready());
      const read = () => polyad().call('GET', `/ads/${connection}/campaign?org_id=${organization}&limit=1`);
      expect((await read()).status).toBe(200);
      polyad().advance(120_000);
      await one.exhaust(polyad());
      await polyad().clearLog();
      const refused = async () =>
        (await polyad().requests()).filter(({ code }) => facts.errors[String(code)] === 'platform_rate_limited');
      for (const [before, { bucket, ms }] of one.rests.entries()) {
        const start = polyad().now();
        const restMs = ms(start);
        const first = await read();
        expect(await refused()).toHaveLength(before + 1);
        if (restMs < 40_000) {
          // Within a caller's patience: waited for.
          expect(first.status).toBe(200);
          expect(polyad().now().getTime() - start.getTime()).toBeGreaterThanOrEqual(restMs);
          return;
        }
        expect(first).toMatchObject({ status: 429, body: { code: 'platform_rate_limited', retry: 'after' } });
        expect(first.body.retry_after_ms).toBeGreaterThan(restMs * 0.9);
        const second = await read();
        const name = `${polyad().platform.manifest.id}.${bucket}`;
        expect(second).toMatchObject({ status: 429, body: { code: 'quota_wait', details: { bucket: name } } });
        expect(second.body.retry_after_ms).toBeGreaterThan(restMs * 0.9);
        expect(second.body.retry_after_ms).toBeLessThan(restMs * 1.01 + 2_000);
        expect(await refused()).toHaveLength(before + 1);
        polyad().advance(second.body.retry_after_ms);
      }
      expect((await read()).status).toBe(200);
      expect(await refused()).toHaveLength(one.rests.length);
    });
  });
});
