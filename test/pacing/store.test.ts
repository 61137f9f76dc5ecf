/** One suite for both counters: each rule against a platform that counts arrivals exactly, in virtual time. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BucketClaim } from '../../src/core/pacing/pacer.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import type { QuotaStore } from '../../src/core/pacing/store.ts';
import { kinds, type StoreKind } from './support/stores.ts';
import { Judge, type JudgedLimit, seeded, World } from './support/world.ts';

const never = new AbortController().signal;

for (const { name } of kinds())
  describe(`quotas in ${name}`, () => {
    let kind: StoreKind;
    let world: World;
    let store: QuotaStore;
    let pacer: Pacer;

    beforeEach(async () => {
      kind = kinds().find((one) => one.name === name) as StoreKind;
      world = new World();
      store = await kind.open(world);
      pacer = new Pacer(world, store);
    });
    afterEach(() => kind.close());

    interface Load {
      claims: readonly BucketClaim[];
      limits: readonly JudgedLimit[];
      callers: number;
      forMs: number;
      spreadMs?: number;
      seed?: number;
    }

    /** Callers that want all they can get; arrivals between 20 and 160 ms after sending. */
    async function load({ claims, limits, callers, forMs, spreadMs = 140, seed = 1 }: Load): Promise<Judge> {
      const judge = new Judge(limits);
      const random = seeded(seed);
      const end = world.ms + forMs;
      const caller = async (index: number): Promise<void> => {
        while (world.ms < end) {
          const permit = await pacer.acquire(`w${index}`, claims, 10 * forMs, never);
          await world.sleep(20 + random() * spreadMs);
          const call = { workspace: `w${index}` };
          judge.arrive(world.ms, call);
          await world.sleep(10 + random() * 60);
          judge.leave(call);
          permit.answered();
        }
      };
      const all = Promise.all(Array.from({ length: callers }, (_unused, index) => caller(index)));
      await world.until(end);
      all.catch(() => undefined);
      return judge;
    }

    const claim = (limit: number, windowMs: number, more: Partial<BucketClaim> = {}): BucketClaim => ({
      name: 'b',
      key: 'k',
      limit,
      windowMs,
      ...more,
    });

    it('log: never over the limit in any window, 85 % of a second used', async () => {
      const judge = await load({
        claims: [claim(20, 1_000)],
        limits: [{ name: 'second', limit: 20, windowMs: 1_000 }],
        callers: 40,
        forMs: 60_000,
      });
      expect(judge.refusals).toBe(0);
      expect(judge.accepted / (20 * 60)).toBeGreaterThan(0.83);
    });

    it('log: 97 % of a minute used', async () => {
      const judge = await load({
        claims: [claim(120, 60_000)],
        limits: [{ name: 'minute', limit: 120, windowMs: 60_000 }],
        callers: 20,
        forMs: 600_000,
      });
      expect(judge.refusals).toBe(0);
      expect(judge.accepted / 1_200).toBeGreaterThanOrEqual(0.97);
    });

    it('points: calls of different cost share one score', async () => {
      const judge = await load({
        claims: [claim(60, 30_000, { cost: 3 })],
        limits: [{ name: 'score', limit: 60, windowMs: 30_000, cost: () => 3 }],
        callers: 30,
        forMs: 300_000,
      });
      expect(judge.refusals).toBe(0);
      expect(judge.accepted * 3).toBeGreaterThanOrEqual(600 * 0.95);
    });

    it('fixed: windows that the platform aligns are used at once when they begin, and not overrun at the edges', async () => {
      const judge = await load({
        claims: [claim(83, 5_000, { rule: { kind: 'fixed', align: 'epoch' } })],
        limits: [{ name: 'five', limit: 83, windowMs: 5_000, kind: 'fixed' }],
        callers: 100,
        forMs: 100_000,
      });
      expect(judge.refusals).toBe(0);
      expect(judge.accepted / (83 * 20)).toBeGreaterThanOrEqual(0.9);
    });

    it('fixed: a day of a time zone begins when it says, in summer time too', async () => {
      const daily = claim(3, 86_400_000, {
        rule: { kind: 'fixed', align: { at: '00:00', zone: 'America/Los_Angeles' } },
      });
      for (let call = 0; call < 3; call += 1) (await pacer.acquire('a', [daily], 0, never)).answered();
      const refused = await pacer.acquire('a', [daily], 1_000, never).then(
        () => undefined,
        (error) => error,
      );
      // 12:00 UTC is 04:00 in Los Angeles: twenty hours to go, and two seconds for clocks that disagree.
      expect(refused).toMatchObject({ code: 'quota_wait', details: { bucket: 'b' } });
      expect(refused.retryAfterMs).toBeGreaterThan(20 * 3_600_000 - 5_000);
      expect(refused.retryAfterMs).toBeLessThan(20 * 3_600_000 + 5_000);
      await world.leap(20 * 3_600_000 + 5_000);
      (await pacer.acquire('a', [daily], 0, never)).answered();
    });

    it('gcra: refills evenly, and stays within a token bucket of the platform', async () => {
      const judge = await load({
        claims: [claim(600, 60_000, { rule: { kind: 'gcra', burst: 30 } })],
        limits: [{ name: 'bucket', limit: 30, windowMs: 3_000, kind: 'leak' }],
        callers: 60,
        forMs: 120_000,
      });
      expect(judge.refusals).toBe(0);
      expect(judge.accepted / 1_200).toBeGreaterThanOrEqual(0.97);
    });

    it('concurrency: at most so many calls at a time', async () => {
      const judge = await load({
        claims: [claim(4, 600_000, { rule: { kind: 'concurrency', holds: 'call' } })],
        limits: [{ name: 'places', limit: 4, windowMs: 1, kind: 'concurrent' }],
        callers: 20,
        forMs: 20_000,
      });
      expect(judge.refusals).toBe(0);
      expect(judge.accepted).toBeGreaterThan(4 * (20_000 / 250));
    });

    it('concurrency: a job holds its place beyond the answer, until it ends or its longest time is over', async () => {
      const jobs = [claim(2, 3_600_000, { rule: { kind: 'concurrency', holds: 'job' } })];
      for (let job = 0; job < 2; job += 1) (await pacer.acquire('a', jobs, 0, never)).answered();
      await world.advance(5_000);
      await expect(pacer.acquire('a', jobs, 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
      pacer.jobEnded(jobs);
      await world.advance(500);
      (await pacer.acquire('a', jobs, 0, never)).answered();
      const waiting = pacer.acquire('a', jobs, 2 * 3_600_000, never);
      await world.leap(3_600_000 + 60_000);
      await world.advance(1_000);
      await expect(waiting).resolves.toBeDefined();
    });

    it('concurrency: who waits for a place has it when a job ends, whatever other quotas the call counts in', async () => {
      const places = claim(1, 3_600_000, { name: 'places', rule: { kind: 'concurrency', holds: 'job' } });
      const claims = [claim(100, 10_000, { name: 'app' }), places];
      (await pacer.acquire('a', claims, 0, never)).answered();
      await world.advance(1_000);
      let had = false;
      const waiting = pacer.acquire('a', claims, 2 * 3_600_000, never).then(() => {
        had = true;
      });
      await world.advance(1_000);
      expect(had).toBe(false);
      pacer.jobEnded(claims);
      await world.advance(1_000);
      expect(had).toBe(true);
      await waiting;
    });

    it('a call that cannot wait is counted all the same: those after it wait so much longer', async () => {
      const one = [claim(2, 10_000)];
      for (let call = 0; call < 3; call += 1) pacer.charge(one).answered();
      await world.advance(10);
      expect([...(await pacer.inspect())][0]?.used).toBe(3);
      await expect(pacer.acquire('a', one, 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
      await world.advance(10_200);
      (await pacer.acquire('a', one, 0, never)).answered();
    });

    it('a call whose answer tells that it took more is counted in full; less is not given back', async () => {
      const one = [claim(10, 10_000, { cost: 4 })];
      const permit = await pacer.acquire('a', one, 0, never);
      pacer.settle(one[0] as BucketClaim, 9);
      pacer.settle(one[0] as BucketClaim, 2);
      permit.answered();
      await world.advance(10);
      expect([...(await pacer.inspect())][0]?.used).toBe(9);
      await expect(pacer.acquire('a', one, 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
    });

    it('a limit that changes while calls are under way loses none of them and invents none', async () => {
      const [few, many] = [[claim(2, 10_000)], [claim(3, 10_000)]];
      const permits = [await pacer.acquire('a', few, 0, never), await pacer.acquire('a', few, 0, never)];
      permits.push(await pacer.acquire('a', many, 0, never));
      for (const permit of permits) permit.answered();
      await expect(pacer.acquire('a', many, 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
      await world.advance(10_200);
      for (let call = 0; call < 3; call += 1) (await pacer.acquire('a', many, 0, never)).answered();
      await expect(pacer.acquire('a', many, 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
    });

    it('nested buckets are taken together or not at all', async () => {
      const wide = claim(100, 10_000, { name: 'wide' });
      const narrow = claim(1, 10_000, { name: 'narrow' });
      await pacer.acquire('a', [wide, narrow], 0, never);
      await expect(pacer.acquire('a', [wide, narrow], 0, never)).rejects.toMatchObject({
        details: { bucket: 'narrow' },
      });
      const seen = [...(await pacer.inspect())];
      expect(seen.find(({ bucket }) => bucket === 'wide')?.used).toBe(1);
      // And the wide one is not held up by the narrow one.
      await pacer.acquire('a', [wide], 0, never);
    });

    it('a refusal rests the key and lowers the limit; clean minutes raise it to what was declared, not beyond', async () => {
      const one = claim(100, 1_000);
      (await pacer.acquire('a', [one], 0, never)).answered();
      pacer.refused(one, 300_000);
      await world.advance(10);
      await expect(pacer.acquire('a', [one], 45_000, never)).rejects.toMatchObject({ code: 'quota_wait' });
      const limit = async () => [...(await pacer.inspect())][0]?.limit;
      expect(await limit()).toBe(70);
      expect([...(await pacer.inspect())][0]?.resting_until).not.toBeNull();
      await world.advance(300_001);
      (await pacer.acquire('a', [one], 0, never)).answered();
      expect(await limit()).toBe(Math.floor(70 * 1.05 ** 5));
      await world.advance(600_000);
      (await pacer.acquire('a', [one], 0, never)).answered();
      expect(await limit()).toBe(100);
    });

    it('learns a hidden limit: under 1 % refused after ten minutes, most of it used', async () => {
      const hidden = 7;
      const one = claim(20, 1_000, { learn: { min: 1, max: 100 } });
      const judge = new Judge([{ name: 'hidden', limit: hidden, windowMs: 1_000 }]);
      const random = seeded(3);
      const seen: { at: number; refused: boolean }[] = [];
      // In Redis each call is a trip of the machine's time.
      const end = world.ms + (name === 'memory' ? 1_800_000 : 840_000);
      const learned = world.ms + 600_000;
      const caller = async (index: number): Promise<void> => {
        while (world.ms < end) {
          const permit = await pacer.acquire(`w${index}`, [one], 600_000, never);
          await world.sleep(20 + random() * 60);
          const refused = judge.arrive(world.ms, { workspace: 'w' }) !== undefined;
          seen.push({ at: world.ms, refused });
          await world.sleep(20);
          permit.answered();
          if (refused) pacer.refused(one, 1_000);
        }
      };
      void Promise.all(Array.from({ length: 12 }, (_unused, index) => caller(index)));
      await world.until(end);
      const late = seen.filter(({ at }) => at > learned);
      expect(late.filter(({ refused }) => refused).length / late.length).toBeLessThan(0.01);
      expect(late.length / (((end - learned) / 1_000) * hidden)).toBeGreaterThan(0.6);
    });

    it('what the platform says is left counts: others use the same quota', async () => {
      const one = claim(100, 60_000);
      (await pacer.acquire('a', [one], 0, never)).answered();
      pacer.observe(one, { limit: 50, remaining: 2, resetMs: 20_000 });
      await world.advance(10);
      for (let call = 0; call < 2; call += 1) (await pacer.acquire('a', [one], 0, never)).answered();
      await expect(pacer.acquire('a', [one], 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
      expect([...(await pacer.inspect())][0]).toMatchObject({ limit: 50, used_by_others: 47, used: 50 });
      await world.advance(20_500);
      (await pacer.acquire('a', [one], 0, never)).answered();
    });

    it('a percentage slows down from 75 and stops at 95 until the platform’s time', async () => {
      const one = claim(100, 3_600_000);
      pacer.observe(one, { fraction: 0.85, slowAt: 0.75, stopAt: 0.95, resetMs: 600_000 });
      await world.advance(10);
      for (let call = 0; call < 50; call += 1) (await pacer.acquire('a', [one], 0, never)).answered();
      await expect(pacer.acquire('a', [one], 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
      pacer.observe(one, { fraction: 0.97, slowAt: 0.75, stopAt: 0.95, resetMs: 1_140_000 });
      await world.advance(700_000);
      await expect(pacer.acquire('a', [one], 0, never)).rejects.toMatchObject({ code: 'quota_wait' });
      await world.advance(450_000);
      (await pacer.acquire('a', [one], 0, never)).answered();
    });

    it('urgent calls go first, and none waits for ever', async () => {
      const one = [claim(1, 1_000)];
      const order: string[] = [];
      const call = async (priority: 'interactive' | 'sync' | 'backfill'): Promise<void> => {
        const permit = await pacer.acquire({ workspace: priority, connection: 'c', priority }, one, 600_000, never);
        order.push(priority);
        permit.answered();
      };
      for (let count = 0; count < 5; count += 1) void call('backfill');
      await world.advance(50);
      for (let count = 0; count < 40; count += 1) void call('interactive');
      for (let count = 0; count < 2; count += 1) void call('sync');
      await world.advance(120_000);
      expect(order).toHaveLength(47);
      // One backfill call had gone before the others came.
      expect(order.slice(1, 11)).toEqual(Array(10).fill('interactive'));
      expect(order.indexOf('sync')).toBeLessThan(25);
      expect(order.slice(0, 40).filter((priority) => priority !== 'interactive').length).toBeGreaterThanOrEqual(3);
    });

    it('keeps a reserve for urgent calls while there are any', async () => {
      const one = [claim(100, 60_000)];
      const run = (priority: 'interactive' | 'backfill') =>
        pacer.acquire({ workspace: priority, connection: 'c', priority }, one, 0, never).then(
          (permit) => {
            permit.answered();
            return 1;
          },
          () => 0,
        );
      const total = async (priority: 'interactive' | 'backfill', count: number): Promise<number> => {
        let done = 0;
        for (let index = 0; index < count; index += 1) done += await run(priority);
        return done;
      };
      expect(await total('interactive', 30)).toBe(30);
      expect(await total('backfill', 100)).toBe(50);
      expect(await total('interactive', 30)).toBe(20);
      await world.advance(600_000);
      // Nobody urgent for ten minutes: everything may be used.
      expect(await total('backfill', 120)).toBe(100);
    });

    it('shares by weight between workspaces and alike between their connections', async () => {
      const one = [claim(10, 1_000)];
      const got = new Map<string, number>();
      const caller = async (workspace: string, connection: string, weight: number): Promise<void> => {
        for (;;) {
          const permit = await pacer.acquire({ workspace, connection, weight }, one, 3_600_000, never);
          for (const key of [workspace, `${workspace}/${connection}`]) got.set(key, (got.get(key) ?? 0) + 1);
          await world.sleep(30);
          permit.answered();
        }
      };
      for (let index = 0; index < 50; index += 1) void caller('greedy', 'c', 1);
      for (let index = 0; index < 15; index += 1) void caller('double', 'c', 2);
      for (let index = 0; index < 9; index += 1) void caller('small', index < 8 ? 'a' : 'b', 1);
      await world.advance(300_000);
      const of = (key: string) => got.get(key) ?? 0;
      expect(of('small') / of('greedy')).toBeGreaterThan(0.9);
      expect(of('double') / of('greedy')).toBeGreaterThan(1.8);
      expect(of('double') / of('greedy')).toBeLessThan(2.2);
      expect(of('small/b')).toBeGreaterThan(0);
    });

    it('a caller gets a slot within its deadline, or is told at once and honestly', async () => {
      const one = [claim(5, 1_000)];
      let late = 0;
      let served = 0;
      const waits: number[] = [];
      for (let index = 0; index < 100; index += 1) {
        const start = world.ms;
        void pacer.acquire(`w${index}`, one, 5_000, never).then(
          (permit) => {
            served += 1;
            permit.answered();
          },
          (error) => {
            if (world.ms - start > 100) late += 1;
            else waits.push(error.retryAfterMs);
          },
        );
        await world.advance(1);
      }
      await world.advance(20_000);
      expect(served).toBeGreaterThanOrEqual(20);
      expect(served).toBeLessThanOrEqual(35);
      expect(late).toBeLessThanOrEqual(6);
      // Told at once: the wait is longer than the caller's patience.
      expect(waits.length).toBeGreaterThanOrEqual(60);
      for (const wait of waits) expect(wait).toBeGreaterThan(5_000);
    });
  });
