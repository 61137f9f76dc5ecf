/** Every limit of every platform can be declared: each row of the table is paced in virtual time and judged exactly. */
import { describe, expect, it } from 'vitest';
import { quotaClaims } from '../../src/core/calls/quota-claims.ts';
import { readUsage, waitIn } from '../../src/core/calls/quota-feedback.ts';
import type { Manifest } from '../../src/core/connector/types.ts';
import { boundaries } from '../../src/core/pacing/calendar.ts';
import { MemoryStore } from '../../src/core/pacing/memory-store.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import { AT, LIMITS, type LimitRow, USAGE } from './all-limits-table.ts';
import { Judge, type JudgedLimit, seeded, World } from './support/world.ts';

const never = new AbortController().signal;

/** All platforms whose documents were read. */
const PLATFORMS = [
  'amazon',
  'cm360',
  'criteo',
  'dv360',
  'google-ads',
  'linkedin',
  'meta',
  'microsoft',
  'openai-ads',
  'pinterest',
  'reddit',
  'sa360',
  'snapchat',
  'spotify',
  'thetradedesk',
  'tiktok',
  'x',
];

/** Buckets so large that judging each unit would take minutes are judged in larger units: the rule is the same. */
const MOST_CALLS = 600;

function claimsOf({ bucket, operation = 'any', write, units, tier }: LimitRow, scale: number) {
  const manifest = { id: 'p', quotas: [bucket] } as unknown as Manifest;
  const claims = quotaClaims(
    manifest,
    {
      environment: 'production',
      app: 'app',
      connectionId: 'connection',
      workspaceId: 'workspace',
      userId: 'user',
      ...(tier === undefined ? {} : { tier }),
    },
    {
      operation,
      organizationId: 'organization',
      quotaObject: 'object',
      access: write === true ? 'write' : 'read',
      ...(bucket.counts === undefined ? {} : { quotaUnits: { [bucket.counts]: units ?? 1 } }),
    },
  );
  return claims.map((claim) => ({ ...claim, cost: (claim.cost ?? 1) * scale }));
}

interface Outcome {
  judge: Judge;
  claimed: number;
  used: number;
  calls: number;
  cost: number;
  /** After the time to learn. */
  late: { calls: number; refused: number };
}

async function run(row: LimitRow): Promise<Outcome> {
  const { bucket, judge: counted = { kind: 'sliding' } } = row;
  const limit = (row.tier === undefined ? undefined : bucket.tiers?.[row.tier]) ?? bucket.limit;
  // A limit that is learned is judged by what is hidden; where the documents give its floor, by half as much again.
  const hidden = bucket.learn !== undefined;
  const truth = counted.kind === 'hidden' ? counted.limit : hidden ? limit * 1.5 : limit;
  const single = claimsOf(row, 1)[0]?.cost ?? 1;
  const scale = Math.max(1, Math.ceil(limit / single / (MOST_CALLS / 3)));
  const claims = claimsOf(row, scale);
  const cost = claims[0]?.cost ?? 1;
  const concurrent = counted.kind === 'concurrent';
  const rule: JudgedLimit = {
    name: 'limit',
    limit: truth,
    windowMs: bucket.windowMs,
    kind: counted.kind === 'hidden' ? 'sliding' : counted.kind,
    cost: () => cost,
    ...(bucket.rule?.kind === 'fixed'
      ? { start: (at: number) => boundaries((bucket.rule as { align: 'epoch' }).align, bucket.windowMs, at)[0] }
      : {}),
  };
  const world = new World();
  const judge = new Judge([rule]);
  const store = new MemoryStore(world);
  const pacer = new Pacer(world, store);
  const random = seeded(11);
  // Three windows under steady demand; hidden limits get ten minutes to learn, jobs half an hour.
  const windows = bucket.windowMs >= 3_600_000 ? 2 : 3;
  const forMs = concurrent
    ? 60_000
    : hidden
      ? Math.max(1_500_000, bucket.windowMs * (truth < 20 ? 60 : 20))
      : bucket.windowMs * windows;
  const end = world.ms + forMs;
  const learned = world.ms + Math.max(600_000, forMs / 3);
  const late = { calls: 0, refused: 0 };
  let calls = 0;
  let used = 0;
  const caller = async (): Promise<void> => {
    while (world.ms < end) {
      const permit = await pacer.acquire('w', claims, 100 * bucket.windowMs + 10 * forMs, never);
      calls += 1;
      await world.sleep(20 + random() * 140);
      const refused = judge.arrive(world.ms, { workspace: 'w' });
      if (refused === undefined) used += cost;
      if (world.ms > learned) {
        late.calls += 1;
        if (refused !== undefined) late.refused += 1;
      }
      await world.sleep(10 + random() * 60);
      permit.answered();
      if (bucket.rule?.kind === 'concurrency' && bucket.rule.holds === 'job') {
        await world.sleep(1_000);
        judge.leave({ workspace: 'w' });
        pacer.jobEnded(claims);
      } else judge.leave({ workspace: 'w' });
      if (refused !== undefined) {
        pacer.refused(claims[0] as (typeof claims)[number], 1_000);
        await world.sleep(1_000);
      }
    }
  };
  const callers = Math.min(60, Math.max(4, Math.ceil((truth / cost) * 2)));
  void Promise.all(Array.from({ length: callers }, caller)).catch(() => undefined);
  await world.until(end);
  return { judge, claimed: claims.length, used, calls, cost, late };
}

describe('every limit in the platforms’ documents', () => {
  it('is in the table: all platforms, all ways of counting', () => {
    expect([...new Set(LIMITS.map(({ platform }) => platform))].sort()).toEqual(PLATFORMS);
    const keys = new Set(LIMITS.flatMap(({ bucket }) => bucket.keyedBy));
    for (const key of ['platform', 'app', 'token', 'user', 'organization', 'endpoint', 'object', 'ip'])
      expect(keys).toContain(key);
    const rules = new Set(LIMITS.map(({ bucket }) => bucket.rule?.kind ?? 'log'));
    expect([...rules].sort()).toEqual(['concurrency', 'fixed', 'log']);
    expect(LIMITS.some(({ bucket }) => bucket.counts !== undefined)).toBe(true);
  });

  it.each(LIMITS.map((row) => [`${row.platform}: ${row.says}`, row] as const))(
    '%s',
    async (_name, row) => {
      const { judge, claimed, used, calls, cost, late } = await run(row);
      expect(claimed).toBe(1);
      expect(calls).toBeGreaterThan(0);
      const { bucket } = row;
      if (bucket.learn !== undefined) {
        expect(late.calls).toBeGreaterThan(0);
        expect(late.refused / late.calls).toBeLessThan(0.01);
        return;
      }
      const kind = row.judge?.kind ?? 'sliding';
      expect(judge.refusals).toBe(0);
      const limit = (row.tier === undefined ? undefined : bucket.tiers?.[row.tier]) ?? bucket.limit;
      // The first window's units are used, and where there were calls enough, the later ones' too.
      if (kind !== 'concurrent') expect(used).toBeGreaterThanOrEqual(Math.min(limit - cost, limit * 0.8));
    },
    30_000,
  );
});

describe('calls that a platform does not count', () => {
  it('take nothing: follow-up pages of a search (sa360), conversions under a conversion token (pinterest)', () => {
    const quotas = [
      {
        ...{ name: 'searches', keyedBy: ['app'], limit: 3_000, windowMs: 60_000, counts: 'searches' },
        recovery: 'next_window',
      },
    ];
    const claims = (searches: number) =>
      quotaClaims(
        { id: 'sa360', quotas } as unknown as Manifest,
        { environment: 'production', app: 'a', connectionId: 'c' },
        { operation: 'search', quotaUnits: { searches } },
      );
    expect(claims(1)).toHaveLength(1);
    expect(claims(0)).toEqual([]);
  });
});

describe('what platforms report about use', () => {
  it.each(USAGE.map((row) => [`${row.platform}: ${JSON.stringify(row.reader).slice(0, 70)}`, row] as const))(
    '%s',
    (_name, { reader, headers = {}, json, reads }) => {
      if (typeof reads === 'number') expect(waitIn([reader], { headers, json }, AT)).toBe(reads);
      else {
        const found = readUsage([reader], headers, AT);
        expect(found.map(([bucket]) => bucket)).toEqual(reads.map(([bucket]) => bucket));
        found.forEach(([, view], index) => {
          const expected = reads[index]?.[1] ?? {};
          expect(Object.keys(view).sort()).toEqual(Object.keys(expected).sort());
          for (const [name, value] of Object.entries(expected))
            expect(view[name as keyof typeof view]).toBeCloseTo(value, 6);
        });
      }
    },
  );

  it('is passed over when it is damaged', () => {
    for (const { reader } of USAGE) {
      const names =
        reader.kind === 'headers' ? [reader.remaining] : reader.kind === 'percent' ? [reader.header] : ['ratelimit'];
      for (const text of ['', 'null', '[]', '{"a":', '";;;=', '-', 'NaN'])
        expect(() => readUsage([reader], Object.fromEntries(names.map((name) => [name, text])), AT)).not.toThrow();
    }
  });
});
