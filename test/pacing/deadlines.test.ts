/**
 * Who cannot have a turn within its deadline hears so at once, with the quota that is full and when to come back; who is
 * let wait has its turn in time, but for a few that others overtook. In virtual time, on one counter and on three nodes.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { PolyadError } from '../../src/core/errors/index.ts';
import type { BucketClaim, Priority } from '../../src/core/pacing/pacer.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import { planCalls } from '../../src/core/pacing/plan.ts';
import { RedisStore } from '../../src/core/pacing/redis-store.ts';
import { hasRedisServer, RedisServer } from './support/redis-server.ts';
import { kinds, REDIS_URL, redisKind } from './support/stores.ts';
import { Judge, seeded, World } from './support/world.ts';

/** Calls per second, minute and day of one app at TikTok's Basic level (TikTok docs 1740029171730433). */
const APP = [
  { name: 'second', limit: 10, windowMs: 1_000 },
  { name: 'minute', limit: 600, windowMs: 60_000 },
  { name: 'day', limit: 864_000, windowMs: 86_400_000 },
] as const;
const PATIENCE_MS = 45_000;
/** What is soon enough to be called "at once": the queue is looked at four times a second. */
const AT_ONCE_MS = 600;
const never = new AbortController().signal;

describe('a plan', () => {
  it('takes the time of answers into account: the calls are through when it said', async () => {
    const world = new World();
    const judge = new Judge(APP);
    const pacer = new Pacer(world);
    const claims: BucketClaim[] = APP.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
    const call = async (): Promise<number> => {
      const permit = await pacer.acquire('w', claims, PATIENCE_MS, never);
      const at = world.ms;
      await world.sleep(70);
      judge.arrive(world.ms, { workspace: 'w' });
      await world.sleep(70);
      permit.answered();
      return at;
    };
    const first = Array.from({ length: 10 }, call);
    await world.advance(60_000);
    await Promise.all(first);
    const start = world.ms;
    const { wait_ms: planned } = await planCalls(pacer, [{ claims, count: 300 }]);
    const all = Promise.all(Array.from({ length: 300 }, call));
    await world.advance(60_000);
    const took = Math.max(...(await all)) - start;
    expect(judge.refusals).toBe(0);
    expect(planned / took).toBeGreaterThan(0.97);
    expect(planned / took).toBeLessThan(1.03);
  });
});

interface Told {
  ok: boolean;
  /** Since the start. */
  askedMs: number;
  tookMs: number;
  error?: PolyadError;
}

interface Load {
  world: World;
  judge: Judge;
  told: Told[];
  call(pacer: Pacer, workspace: string, more?: { account?: string; priority?: Priority }): Promise<Told>;
}

function load(): Load {
  const world = new World();
  const judge = new Judge(APP);
  const random = seeded(11);
  const told: Told[] = [];
  const start = world.ms;
  return {
    world,
    judge,
    told,
    async call(pacer, workspace, { account, priority } = {}) {
      const claims: BucketClaim[] = APP.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
      if (account !== undefined) claims.push({ name: 'account', key: account, limit: 10, windowMs: 1_000 });
      const asked = world.ms;
      let one: Told;
      try {
        const who = { workspace, connection: workspace, ...(priority === undefined ? {} : { priority }) };
        const permit = await pacer.acquire(who, claims, PATIENCE_MS, never);
        one = { ok: true, askedMs: asked - start, tookMs: world.ms - asked };
        void (async () => {
          await world.sleep(20 + random() * 140);
          judge.arrive(world.ms, { workspace });
          await world.sleep(10 + random() * 70);
          permit.answered();
        })();
      } catch (error) {
        one = { ok: false, askedMs: asked - start, tookMs: world.ms - asked, error: error as PolyadError };
      }
      told.push(one);
      return one;
    },
  };
}

const refusals = (told: readonly Told[]): Told[] => told.filter(({ ok }) => !ok);
/** Of those, how many heard later than that. */
const share = (told: readonly Told[], afterMs: number): number =>
  told.filter(({ tookMs }) => tookMs > afterMs).length / told.length;
const overdue = (told: readonly Told[]): number => Math.max(...told.map(({ tookMs }) => tookMs)) - PATIENCE_MS;

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
  close = undefined;
});

describe.each(kinds())('deadlines, counted in $name', (kind) => {
  it('a crowd at one moment: all that can be served are, all others hear at once, and the time told is true', async () => {
    const { world, judge, told, call } = load();
    close = () => kind.close();
    const pacer = new Pacer(world, await kind.open(world));
    for (let index = 0; index < 800; index += 1) void call(pacer, `w${index % 20}`);
    await world.advance(PATIENCE_MS + 5_000);
    expect(told).toHaveLength(800);
    expect(judge.refusals).toBe(0);
    // 45 seconds at ten a second, less the time that answers take.
    expect(told.length - refusals(told).length).toBeGreaterThan(370);
    expect(overdue(told)).toBeLessThanOrEqual(50);
    expect(share(refusals(told), AT_ONCE_MS)).toBeLessThan(0.03);
    for (const { error } of refusals(told)) {
      expect(error).toMatchObject({ code: 'quota_wait', details: { bucket: 'second' } });
      // No slot before the deadline, and none of the crowd would have been through after all its calls.
      expect(error?.retryAfterMs).toBeGreaterThan(PATIENCE_MS * 0.9);
      expect(error?.retryAfterMs).toBeLessThan(100_000);
    }
    // Whoever comes back when told is served.
    expect((await Promise.all([call(pacer, 'w1'), world.advance(1_000)]))[0]).toMatchObject({ ok: true });
  });

  it('twice the quota for minutes, of unequal workspaces: hardly anyone waits in vain, and nothing is left unused', async () => {
    const { world, judge, told, call } = load();
    close = () => kind.close();
    const pacer = new Pacer(world, await kind.open(world));
    const random = seeded(2);
    const forMs = 180_000;
    for (let at = 0; at < forMs; at += 50) {
      const workspace = Math.floor(40 * random() ** 3);
      void call(pacer, `w${workspace}`, { account: `w${workspace}/${Math.floor(random() * 5)}` });
      await world.advance(50);
    }
    const used = judge.accepted / ((10 * forMs) / 1_000);
    await world.advance(PATIENCE_MS + 1_000);
    expect(judge.refusals).toBe(0);
    expect(used).toBeGreaterThanOrEqual(0.83);
    expect(overdue(told)).toBeLessThanOrEqual(50);
    const settled = refusals(told).filter(({ askedMs }) => askedMs > 60_000);
    expect(settled.length).toBeGreaterThan(800);
    expect(share(settled, AT_ONCE_MS)).toBeLessThan(0.08);
  });

  it('urgent calls that keep coming: less urgent ones hear early that their turn is too far', async () => {
    const { world, told, call } = load();
    close = () => kind.close();
    const pacer = new Pacer(world, await kind.open(world));
    const random = seeded(4);
    const low: Told[] = [];
    for (let at = 0; at < 90_000; at += 50) {
      const workspace = `w${Math.floor(random() * 10)}`;
      if (random() < 0.3) void call(pacer, workspace, { priority: 'backfill' }).then((one) => low.push(one));
      else void call(pacer, workspace, { priority: 'interactive' });
      await world.advance(50);
    }
    await world.advance(PATIENCE_MS + 1_000);
    expect(overdue(told)).toBeLessThanOrEqual(50);
    expect(low.filter(({ ok }) => ok).length).toBeGreaterThan(25);
    expect(share(refusals(low), AT_ONCE_MS)).toBeLessThan(0.1);
  });
});

describe.runIf(REDIS_URL !== undefined)('deadlines on three nodes', () => {
  it('a crowd spread over them hears as early: each node knows what waits at the others', async () => {
    const { world, judge, told, call } = load();
    const kind = redisKind(REDIS_URL as string);
    close = () => kind.close();
    const nodes: Pacer[] = [];
    for (let index = 0; index < 3; index += 1) nodes.push(new Pacer(world, await kind.open(world)));
    await world.advance(1_200);
    for (let index = 0; index < 900; index += 1) void call(nodes[index % 3] as Pacer, `w${index % 20}`);
    await world.advance(PATIENCE_MS + 5_000);
    expect(told).toHaveLength(900);
    expect(judge.refusals).toBe(0);
    expect(told.length - refusals(told).length).toBeGreaterThan(340);
    expect(overdue(told)).toBeLessThanOrEqual(50);
    expect(share(refusals(told), 2 * AT_ONCE_MS)).toBeLessThan(0.1);
  });
});

if (!hasRedisServer) console.warn('SKIPPED: a shared counter that does not answer (no redis-server on this machine)');

describe.runIf(hasRedisServer)('a shared counter that does not answer', () => {
  it('keeps nobody longer than he has time', async () => {
    const server = await RedisServer.start();
    const store = new RedisStore({ redis: server.url, clock: systemClock, node: 'n', prefix: '{test:stopped}:' });
    close = async () => {
      server.resume();
      await store.close();
      await server.kill();
    };
    expect(await store.joined()).toBe(true);
    const pacer = new Pacer(systemClock, store);
    const claims: BucketClaim[] = [{ name: 'second', key: 'k', limit: 10, windowMs: 1_000 }];
    (await pacer.acquire('w', claims, 1_000, never)).answered();
    server.stop();
    // The command itself would be waited for ten times as long.
    let answered = false;
    const asked = store.take(claims, { domain: 'd', rank: 0, workspace: 'w', weight: 1, queued: false });
    void (asked as Promise<unknown>).then(() => {
      answered = true;
    });
    await expect(pacer.acquire('w', claims, 50, never)).rejects.toMatchObject({ code: 'quota_wait' });
    expect(answered).toBe(false);
  });
});
