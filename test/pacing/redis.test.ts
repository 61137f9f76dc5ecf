/** Several nodes on one shared counter: nothing over a limit, whatever dies. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BucketClaim, Pacer } from '../../src/core/pacing/pacer.ts';
import { planCalls } from '../../src/core/pacing/plan.ts';
import { type Node, polyadNode, reconnected, runCluster } from './support/cluster.ts';
import { hasRedisServer, RedisServer } from './support/redis-server.ts';
import { REDIS_URL } from './support/stores.ts';
import { Judge, jain, World } from './support/world.ts';

/** Basic level: calls per second, minute and day of one app (TikTok docs 1740029171730433). */
const LIMITS = [
  { name: 'second', limit: 10, windowMs: 1_000 },
  { name: 'minute', limit: 600, windowMs: 60_000 },
  { name: 'day', limit: 864_000, windowMs: 86_400_000 },
] as const;
const CLAIMS: BucketClaim[] = LIMITS.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));

/** The minute binds here: 2 a second would be 120 a minute. */
const SLOW = [
  { name: 'second', limit: 20, windowMs: 1_000 },
  { name: 'minute', limit: 240, windowMs: 60_000 },
] as const;

if (!hasRedisServer) console.warn('SKIPPED: nodes whose Redis is killed (no redis-server on this machine)');

describe.runIf(REDIS_URL !== undefined && hasRedisServer)('nodes with a shared counter', () => {
  let world: World;
  let server: RedisServer;
  let opened: Node[];

  beforeEach(async () => {
    world = new World();
    server = await RedisServer.start();
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((node) => node.close()));
    await server.kill();
  });

  async function nodes(count: number, claims: readonly BucketClaim[], skews: readonly number[] = []) {
    const prefix = `{test:${randomUUID()}}:`;
    const made = [];
    for (let index = 0; index < count; index += 1)
      made.push(
        await polyadNode(world, { url: server.url, prefix, name: `n${index}`, claims, skewMs: skews[index] ?? 0 }),
      );
    opened.push(...made);
    // All know of all.
    await world.advance(1_200);
    return made;
  }

  /** Ten workspaces on every node, the first with far more callers. */
  const crowd = (count: number) => Array.from({ length: count }, () => [30, 8, 4, 3, 3, 2, 2, 2, 2, 2]);

  it('clocks two seconds apart do no harm; shares are alike', async () => {
    const judge = new Judge(LIMITS);
    const three = await nodes(3, CLAIMS, [0, 2_000, -2_000]);
    const { served } = await runCluster({ world, judge, nodes: three, callers: crowd(3), forMs: 180_000 });
    expect(judge.refusals).toBe(0);
    expect(judge.accepted / 1_800).toBeGreaterThanOrEqual(0.85);
    expect(jain(served)).toBeGreaterThanOrEqual(0.98);
  });

  it('workspaces that live on one node get the same as those that live on all', async () => {
    const judge = new Judge(LIMITS);
    const three = await nodes(3, CLAIMS);
    const callers = [
      [20, 0, 0, 0, 0, 0, 0, 0, 5],
      [0, 9, 2, 2, 2, 2, 2, 2, 5],
      [0, 0, 0, 0, 0, 0, 0, 0, 5],
    ];
    const { served } = await runCluster({ world, judge, nodes: three, callers, forMs: 180_000 });
    expect(judge.refusals).toBe(0);
    expect(jain(served)).toBeGreaterThanOrEqual(0.98);
  });

  it('Redis killed and restarted empty, twice: no call over the limit, hardly any lost', async () => {
    const judge = new Judge(SLOW);
    const claims = SLOW.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
    const three = await nodes(3, claims, [0, 2_000, -2_000]);
    const away = (at: number, forMs: number) =>
      [
        [at, () => server.kill()],
        [
          at + forMs,
          async () => {
            await server.start();
            await reconnected(three);
          },
        ],
      ] as const;
    await runCluster({
      world,
      judge,
      nodes: three,
      callers: crowd(3),
      forMs: 480_000,
      events: [...away(90_000, 40_000), ...away(300_500, 3_000)],
    });
    expect(Object.fromEntries(judge.refused)).toEqual({});
    expect(judge.accepted / (240 * 8)).toBeGreaterThanOrEqual(0.9);
  });

  it('goes on with a share while Redis is away for long', async () => {
    const judge = new Judge(LIMITS);
    const three = await nodes(3, CLAIMS);
    const { minutes } = await runCluster({
      world,
      judge,
      nodes: three,
      callers: crowd(3),
      forMs: 240_000,
      events: [[30_000, () => server.kill()]],
    });
    expect(judge.refusals).toBe(0);
    // Whole minutes alone: shares of four, three and three a second.
    for (const { calls } of minutes.slice(2, 4)) expect(calls).toBeGreaterThan(400);
  });

  it('a node killed in the middle: its share is free again within a minute, and nothing is overrun', async () => {
    const judge = new Judge(SLOW);
    const claims = SLOW.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
    const three = await nodes(3, claims);
    const { minutes } = await runCluster({
      world,
      judge,
      nodes: three,
      callers: crowd(3),
      forMs: 420_000,
      events: [[100_000, () => three[1]?.kill()]],
    });
    expect(judge.refusals).toBe(0);
    for (const { calls } of minutes.slice(4, 7)) expect(calls).toBeGreaterThanOrEqual(230);
  });

  it('a node killed while the minute is nearly full: the others go on at once', async () => {
    const judge = new Judge(LIMITS);
    const three = await nodes(3, CLAIMS);
    const seen: number[] = [];
    const look = Array.from(
      { length: 13 },
      (_, at) => [101_000 + at * 5_000, () => void seen.push(judge.accepted)] as const,
    );
    await runCluster({
      world,
      judge,
      nodes: three,
      callers: crowd(3),
      forMs: 240_000,
      events: [[100_000, () => three[1]?.kill()], ...look],
    });
    expect(judge.refusals).toBe(0);
    // Fifty in five seconds with all of the quota; a third is left to the node that may be alone.
    const every = seen.slice(1).map((calls, at) => calls - (seen[at] as number));
    expect(Math.min(...every)).toBeGreaterThanOrEqual(20);
  });

  it('nodes cut off one after the other, and back in another order: nothing is overrun', async () => {
    const judge = new Judge(SLOW);
    const claims = SLOW.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
    const three = await nodes(3, claims);
    const cut = (at: number, node: number) => [at, () => three[node]?.redis.disconnect()] as const;
    const back = (at: number, node: number) =>
      [at, async () => void (await three[node]?.redis.connect().catch(() => undefined))] as const;
    await runCluster({
      world,
      judge,
      nodes: three,
      callers: crowd(3),
      forMs: 420_000,
      events: [
        ...[cut(60_000, 0), cut(75_000, 1), back(85_000, 0), back(110_000, 1)],
        ...[cut(200_000, 2), cut(210_000, 1), back(220_000, 1), cut(230_000, 0), back(240_000, 2), back(250_000, 0)],
      ],
    });
    expect(Object.fromEntries(judge.refused)).toEqual({});
  });

  it('a node cut off alone counts on its share only, and comes back without overrun', async () => {
    const judge = new Judge(SLOW);
    const claims = SLOW.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
    const three = await nodes(3, claims);
    const { minutes } = await runCluster({
      world,
      judge,
      nodes: three,
      callers: crowd(3),
      forMs: 300_000,
      events: [
        [60_000, () => three[2]?.redis.disconnect()],
        [90_000, async () => void (await three[2]?.redis.connect().catch(() => undefined))],
      ],
    });
    expect(judge.refusals).toBe(0);
    for (const { calls } of minutes.slice(2, 5)) expect(calls).toBeGreaterThanOrEqual(225);
  });

  it('a long rest of a short window: all that waits is told at once, at every node', async () => {
    const brief: BucketClaim[] = [{ name: 'second', limit: 5, windowMs: 1_000, key: 'app' }];
    const [one, other] = await nodes(2, brief);
    const never = new AbortController().signal;
    const start = world.ms;
    const told: number[] = [];
    for (let index = 0; index < 60; index += 1)
      void other?.pacer.acquire(`w${index % 6}`, brief, 45_000, never).then(
        (permit) => permit.answered(),
        (error) => {
          expect(error).toMatchObject({ code: 'quota_wait', details: { bucket: 'second' } });
          expect(error.retryAfterMs).toBeGreaterThan(250_000);
          told.push(world.ms - start);
        },
      );
    await world.advance(2_000);
    one?.refused(300_000, 'second');
    await world.advance(2_000);
    expect(told.length).toBeGreaterThan(40);
    expect(Math.max(...told)).toBeLessThan(3_500);
    // Who comes while the counter is away hears the same.
    await server.kill();
    await world.advance(5_000);
    for (const node of [one, other])
      await expect(node?.pacer.acquire('w', brief, 45_000, never)).rejects.toMatchObject({ code: 'quota_wait' });
  });

  it.each([
    // Whoever does not know whether it was taken in again waits for a whole minute.
    ['in the middle of it', 0, 0],
    ['just after', 60, 20],
  ])('a node that comes back and is cut off again %s overruns nothing', async (_when, afterMs, least) => {
    const judge = new Judge(SLOW);
    const claims = SLOW.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
    const three = await nodes(3, claims);
    const third = three[2] as (typeof three)[number];
    const granted: number[] = [];
    const cut = () => third.redis.disconnect();
    const back = async (andCut: boolean) => {
      await third.redis.connect().catch(() => undefined);
      await reconnected(three);
      if (andCut) cut();
    };
    await runCluster({
      world,
      judge,
      nodes: three,
      callers: crowd(3),
      forMs: 240_000,
      events: [
        [60_000, cut],
        [62_000, () => back(afterMs === 0)],
        ...(afterMs > 0 ? [[62_000 + afterMs, cut] as const] : []),
        ...[63_000, 108_000].map((at) => [at, () => void granted.push(third.pacer.counts().granted)] as const),
        [110_000, () => back(false)],
      ],
    });
    expect(Object.fromEntries(judge.refused)).toEqual({});
    // Its share is 80 a minute.
    const [soon, later] = granted as [number, number];
    expect(later - soon).toBeGreaterThanOrEqual(least);
  });

  it('a hidden limit that was learned holds while Redis is away, and after it comes back empty', async () => {
    const hidden = [{ name: 'hidden', limit: 3, windowMs: 1_000 }];
    const claims: BucketClaim[] = [
      { name: 'hidden', limit: 10, windowMs: 1_000, key: 'a', learn: { min: 1, max: 50 } },
    ];
    const judge = new Judge(hidden);
    const two = await nodes(2, claims);
    const plan = { world, judge, nodes: two, callers: [Array(3).fill(4), Array(3).fill(4)] };
    await runCluster({ ...plan, forMs: 120_000 });
    const before = judge.refusals;
    const { minutes } = await runCluster({
      ...plan,
      forMs: 120_000,
      events: [
        [20_000, () => server.kill()],
        [
          60_000,
          async () => {
            await server.start();
            await reconnected(two);
          },
        ],
      ],
    });
    expect(judge.refusals - before).toBeLessThanOrEqual(3);
    expect(minutes.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(150);
  });

  it('a plan is the same at a node that has not called as at one that has', async () => {
    const [one, other] = await nodes(2, CLAIMS);
    const never = new AbortController().signal;
    for (let call = 0; call < 10; call += 1) (await one?.pacer.acquire('w', CLAIMS, 0, never))?.answered();
    one?.refused(300_000, 'minute');
    await world.advance(50);
    const plan = await planCalls(other?.pacer as Pacer, [{ claims: CLAIMS, count: 5 }]);
    expect(plan).toMatchObject({ bucket: 'minute' });
    expect(plan.wait_ms).toBeGreaterThan(299_000);
  });

  it('keeps what a refusal taught for a month, and a hidden limit that was never met for minutes', async () => {
    const claims = ['met', 'never met'].map(
      (key): BucketClaim => ({ name: 'hidden', limit: 10, windowMs: 1_000, key, learn: { min: 1, max: 50 } }),
    );
    const [one] = await nodes(1, claims);
    const never = new AbortController().signal;
    for (const claim of claims) (await one?.pacer.acquire('w', [claim], 0, never))?.answered();
    one?.pacer.refused(claims[0] as BucketClaim, 1_000);
    await world.advance(1_000);
    const redis = new Redis(server.url);
    const [met = '', other = ''] = (await redis.keys('*}:b:hidden|*')).sort();
    expect(await redis.pttl(met)).toBeGreaterThan(20 * 86_400_000);
    expect(await redis.pttl(other)).toBeLessThan(600_000);
    redis.disconnect();
  });

  it('a refusal rests the key on all nodes', async () => {
    const [one, other] = await nodes(2, CLAIMS);
    one?.refused(300_000, 'minute');
    await world.advance(50);
    const never = new AbortController().signal;
    await expect(other?.pacer.acquire('w', CLAIMS, 0, never)).rejects.toMatchObject({
      code: 'quota_wait',
      details: { bucket: 'minute' },
    });
    expect(
      [...((await other?.pacer.inspect()) ?? [])].find(({ bucket }) => bucket === 'minute')?.resting_until,
    ).not.toBeNull();
  });

  it('any number of keys is listed, whole, while calls go on; those of the day before are forgotten', async () => {
    const claims = Array.from(
      { length: 3_000 },
      (_, key): BucketClaim => ({ name: 'minute', limit: 10, windowMs: 60_000, key: `k${key}` }),
    );
    const [one] = await nodes(1, claims);
    const { pacer } = one as NonNullable<typeof one>;
    const never = new AbortController().signal;
    const call = async (claim: BucketClaim): Promise<void> => (await pacer.acquire('w', [claim], 0, never)).answered();
    await Promise.all(claims.map(call));
    const [listed] = await Promise.all([pacer.inspect(), ...claims.slice(0, 500).map(call)]);
    const rows = [...listed];
    expect(rows).toHaveLength(3_000);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(3_000);
    expect(rows.every(({ used }) => used >= 1)).toBe(true);

    const redis = new Redis(server.url);
    const [index = ''] = await redis.keys('*}:idx');
    // As if nobody had used them since.
    await redis.zadd(index, ...claims.slice(0, 2_900).flatMap(({ key }) => [1, `minute|${key}`]));
    redis.disconnect();
    for (let beat = 0; beat < 40; beat += 1) await world.advance(500);
    expect([...(await pacer.inspect())]).toHaveLength(100);
  });
});
