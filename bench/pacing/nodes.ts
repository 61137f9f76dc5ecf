/** Three nodes, 200 workspaces, one app at TikTok's Basic limits, half an hour of virtual time; things die meanwhile. */
import { randomUUID } from 'node:crypto';
import type { BucketClaim } from '../../src/core/pacing/pacer.ts';
import { polyadNode, reconnected, runCluster } from '../../test/pacing/support/cluster.ts';
import { RedisServer } from '../../test/pacing/support/redis-server.ts';
import { Judge, jain, seeded, World } from '../../test/pacing/support/world.ts';

/** TikTok docs 1740029171730433, Basic level. */
export const BASIC = [
  { name: 'second', limit: 10, windowMs: 1_000 },
  { name: 'minute', limit: 600, windowMs: 60_000 },
  { name: 'day', limit: 864_000, windowMs: 86_400_000 },
] as const;

/** A minute that binds before the second does. */
export const MINUTE = [
  { name: 'second', limit: 10, windowMs: 1_000 },
  { name: 'minute', limit: 300, windowMs: 60_000 },
  { name: 'day', limit: 864_000, windowMs: 86_400_000 },
] as const;

const WORKSPACES = 200;
/** The last fifty want less than their share. */
const SMALL_FROM = 150;

export interface NodesResult {
  refusals: number;
  /** Of the limit that binds. */
  use: number;
  /** Among those who want more than their share. */
  fairness: number;
  /** Longest time that one of the small ones waited, in seconds. */
  smallWaitS: number;
  /** Least share of its demand that a small one got. */
  calls: number;
}

export type Trouble = 'none' | 'redis killed twice' | 'node killed' | 'clocks 2 s apart' | 'all of it';

export async function nodesScenario(
  limits: readonly { name: string; limit: number; windowMs: number }[],
  trouble: Trouble,
  forMs: number,
): Promise<NodesResult> {
  const world = new World();
  const judge = new Judge(limits);
  const server = await RedisServer.start();
  const prefix = `{bench:${randomUUID()}}:`;
  const claims: BucketClaim[] = limits.map((limit) => ({ ...limit, key: 'app', scope: 'all' }));
  const skews = trouble === 'clocks 2 s apart' || trouble === 'all of it' ? [0, 2_000, -2_000] : [0, 0, 0];
  const nodes: Awaited<ReturnType<typeof polyadNode>>[] = [];
  for (let index = 0; index < 3; index += 1)
    nodes.push(
      await polyadNode(world, { url: server.url, prefix, name: `n${index}`, claims, skewMs: skews[index] ?? 0 }),
    );
  await world.advance(1_200);

  const random = seeded(42);
  // Very unequal: the first has some sixty callers, most have one or two, on nodes as it happens.
  const callers = Array.from({ length: 3 }, () => Array<number>(WORKSPACES).fill(0));
  for (let workspace = 0; workspace < WORKSPACES; workspace += 1) {
    const count = workspace < SMALL_FROM ? 2 + Math.floor(60 / (workspace + 1)) : 1;
    for (let index = 0; index < count; index += 1) {
      const row = callers[Math.floor(random() * 3)] as number[];
      row[workspace] = (row[workspace] as number) + 1;
    }
  }
  const kill = (at: number, awayMs: number) =>
    [
      [at, () => server.kill()],
      [
        at + awayMs,
        async () => {
          await server.start();
          await reconnected(nodes);
        },
      ],
    ] as const;
  const events = [
    ...(trouble === 'redis killed twice' || trouble === 'all of it'
      ? [...kill(forMs * 0.25, 20_000), ...kill(forMs * 0.6, 2_000)]
      : []),
    ...(trouble === 'node killed' || trouble === 'all of it' ? [[forMs * 0.45, () => nodes[1]?.kill()] as const] : []),
  ];
  const { served, longestWaitMs } = await runCluster({
    world,
    judge,
    nodes,
    callers,
    forMs,
    pauseMs: (workspace) => (workspace < SMALL_FROM ? 0 : 90_000),
    events,
    seed: 3,
  });
  for (const node of nodes) await node.close();
  await server.kill();
  const binding = limits.reduce((least, one) =>
    one.limit / one.windowMs < least.limit / least.windowMs ? one : least,
  );
  const alive = (workspace: number): boolean =>
    nodes.some((node, index) => node.alive && (callers[index]?.[workspace] ?? 0) > 0);
  const greedy = served.filter((_count, workspace) => workspace < SMALL_FROM && alive(workspace));
  const dead = nodes.some((node) => !node.alive);
  return {
    refusals: judge.refusals,
    use: judge.accepted / ((binding.limit * forMs) / binding.windowMs),
    // Who loses callers with its node gets less afterwards: only workspaces with callers elsewhere are compared.
    fairness: jain(
      dead
        ? served.filter((_count, at) => at < SMALL_FROM && (callers[0]?.[at] ?? 0) > 0 && (callers[2]?.[at] ?? 0) > 0)
        : greedy,
    ),
    smallWaitS: Math.max(...longestWaitMs.slice(SMALL_FROM)) / 1_000,
    calls: judge.accepted,
  };
}

/** Twenty ad accounts with hidden limits of two to six a second: share refused and used, per minute. */
export async function hiddenScenario(forMs: number): Promise<{ afterTen: number; worstMinute: number; use: number }> {
  const { Pacer } = await import('../../src/core/pacing/pacer.ts');
  const world = new World();
  const random = seeded(9);
  const accounts = Array.from({ length: 20 }, (_unused, index) => ({ id: `a${index}`, limit: 2 + (index % 5) }));
  const judges = accounts.map(({ limit }) => new Judge([{ name: 'hidden', limit, windowMs: 1_000 }]));
  const pacer = new Pacer(world);
  const never = new AbortController().signal;
  const start = world.ms;
  const end = start + forMs;
  const minutes = Array.from({ length: Math.ceil(forMs / 60_000) + 1 }, () => ({ calls: 0, refused: 0 }));
  let accepted = 0;
  accounts.forEach(({ id }, account) => {
    const claims: BucketClaim[] = [
      { name: 'advertiser endpoint', key: id, limit: 10, windowMs: 1_000, learn: { min: 1, max: 50 } },
    ];
    const caller = async (): Promise<void> => {
      while (world.ms < end) {
        const permit = await pacer.acquire(id, claims, forMs, never);
        await world.sleep(20 + random() * 140);
        const refused = judges[account]?.arrive(world.ms, { workspace: id }) !== undefined;
        const minute = minutes[Math.floor((world.ms - start) / 60_000)];
        if (minute !== undefined) {
          minute.calls += 1;
          if (refused) minute.refused += 1;
          else accepted += 1;
        }
        await world.sleep(10 + random() * 70);
        permit.answered();
        if (refused) pacer.refused(claims[0] as BucketClaim, 1_000);
      }
    };
    for (let index = 0; index < 8; index += 1) void caller();
  });
  await world.until(end);
  const late = minutes.slice(10).filter(({ calls }) => calls > 0);
  const sum = (rows: typeof minutes, field: 'calls' | 'refused') => rows.reduce((all, row) => all + row[field], 0);
  return {
    afterTen: sum(late, 'refused') / sum(late, 'calls'),
    worstMinute: Math.max(...late.map(({ calls, refused }) => refused / calls)),
    use: accepted / ((accounts.reduce((all, { limit }) => all + limit, 0) * forMs) / 1_000),
  };
}
