/** Counting rules side by side: what each lets through, judged by arrivals. Virtual time, one counter, four nodes' load. */
import type { BucketClaim } from '../../src/core/pacing/pacer.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import { Judge, seeded, World } from '../../test/pacing/support/world.ts';

interface Rule {
  /** Milliseconds until the next call may go; 0 = taken. */
  take(now: number): number;
}

const fixedWindow = (limit: number, windowMs: number): Rule => {
  let start = 0;
  let used = 0;
  return {
    take(now) {
      const window = Math.floor(now / windowMs) * windowMs;
      if (window !== start) [start, used] = [window, 0];
      if (used >= limit) return start + windowMs - now;
      used += 1;
      return 0;
    },
  };
};

const slidingCounter = (limit: number, windowMs: number): Rule => {
  let start = 0;
  let used = 0;
  let before = 0;
  return {
    take(now) {
      const window = Math.floor(now / windowMs) * windowMs;
      if (window !== start) [before, used, start] = [window - start === windowMs ? used : 0, 0, window];
      const part = (now - start) / windowMs;
      if (before * (1 - part) + used + 1 > limit) return Math.max(1, windowMs / limit / 2);
      used += 1;
      return 0;
    },
  };
};

const gcra = (limit: number, windowMs: number): Rule => {
  const burst = Math.max(1, limit * 0.05);
  const interval = windowMs / (limit - burst);
  let full = 0;
  return {
    take(now) {
      const room = (burst - 1) * interval;
      if (full - now > room) return Math.max(1, full - now - room);
      full = Math.max(full, now) + interval;
      return 0;
    },
  };
};

const sentLog = (limit: number, windowMs: number): Rule => {
  const sent: number[] = [];
  return {
    take(now) {
      while (sent.length > 0 && now - (sent[0] as number) >= windowMs) sent.shift();
      if (sent.length >= limit) return Math.max(1, (sent[0] as number) + windowMs - now);
      sent.push(now);
      return 0;
    },
  };
};

const CASES = [
  { limit: 20, windowMs: 1_000, forMs: 60_000, callers: 60 },
  { limit: 600, windowMs: 60_000, forMs: 1_200_000, callers: 60 },
  { limit: 10_000, windowMs: 3_600_000, forMs: 14_400_000, callers: 40 },
];

/** Steady demand with pauses now and then: `use` is of the limit over the whole time. */
async function judged(
  { limit, windowMs, forMs, callers }: (typeof CASES)[number],
  acquire: (world: World) => () => Promise<() => void>,
): Promise<{ worst: number; refused: number; use: number }> {
  const world = new World();
  const judge = new Judge([{ name: 'limit', limit, windowMs }]);
  const next = acquire(world);
  const random = seeded(5);
  const end = world.ms + forMs;
  let calls = 0;
  const caller = async (): Promise<void> => {
    while (world.ms < end) {
      const answered = await next();
      calls += 1;
      await world.sleep(20 + random() * 140);
      judge.arrive(world.ms, { workspace: 'w' });
      await world.sleep(10 + random() * 70);
      answered();
    }
  };
  void Promise.all(Array.from({ length: callers }, caller));
  await world.until(end);
  return {
    worst: (judge.worst.get('limit') ?? 0) / limit,
    refused: judge.refusals / calls,
    use: judge.accepted / ((limit * forMs) / windowMs),
  };
}

const polling =
  (rule: Rule) =>
  (world: World): (() => Promise<() => void>) =>
  async () => {
    for (;;) {
      const wait = rule.take(world.ms);
      if (wait === 0) return () => undefined;
      await world.sleep(wait);
    }
  };

const ours =
  (claim: BucketClaim) =>
  (world: World): (() => Promise<() => void>) => {
    const pacer = new Pacer(world);
    const never = new AbortController().signal;
    return async () => (await pacer.acquire('w', [claim], Number.MAX_SAFE_INTEGER, never)).answered;
  };

const show = ({ worst, refused, use }: { worst: number; refused: number; use: number }): string =>
  `${worst.toFixed(2)} / ${(refused * 100).toFixed(1)} % / ${(use * 100).toFixed(0)} %`;

/** One row per rule: worst window ÷ limit, share refused, use. */
export async function compareRules(): Promise<{
  rows: Record<string, unknown>[];
  ours: { refused: number; use: number }[];
}> {
  const makers: [string, (limit: number, windowMs: number) => (world: World) => () => Promise<() => void>][] = [
    ['fixed window', (limit, windowMs) => polling(fixedWindow(limit, windowMs))],
    ['sliding counter', (limit, windowMs) => polling(slidingCounter(limit, windowMs))],
    ['gcra, burst 5 %', (limit, windowMs) => polling(gcra(limit, windowMs))],
    ['exact log of sends', (limit, windowMs) => polling(sentLog(limit, windowMs))],
    [
      'polyad gcra, burst 5 %',
      (limit, windowMs) =>
        ours({ name: 'b', key: 'k', limit: limit * 0.95, windowMs, rule: { kind: 'gcra', burst: limit * 0.05 } }),
    ],
    ['polyad log of answers', (limit, windowMs) => ours({ name: 'b', key: 'k', limit, windowMs })],
  ];
  const rows: Record<string, unknown>[] = [];
  const last: { refused: number; use: number }[] = [];
  for (const [name, make] of makers) {
    const row: Record<string, unknown> = { 'rule (worst / refused / use)': name };
    for (const one of CASES) {
      const found = await judged(one, make(one.limit, one.windowMs));
      row[`${one.limit} per ${one.windowMs / 1000} s`] = show(found);
      if (name === 'polyad log of answers') last.push(found);
    }
    rows.push(row);
  }
  return { rows, ours: last };
}
