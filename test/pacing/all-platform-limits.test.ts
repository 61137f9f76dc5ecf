/**
 * Every limit of every platform can be declared: each row of the table is counted by what its documents say, paced in
 * virtual time to the very moment at which the next call may go, and then judged exactly under load.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { quotaClaims, restUntil } from '../../src/core/calls/quota-claims.ts';
import { readUsage, unitsIn, waitIn } from '../../src/core/calls/quota-feedback.ts';
import type { Manifest, QuotaKey } from '../../src/core/connector/types.ts';
import { MemoryStore } from '../../src/core/pacing/memory-store.ts';
import { type BucketClaim, Pacer } from '../../src/core/pacing/pacer.ts';
import { AT, LIMITS, type LimitRow, USAGE } from './all-limits-table.ts';
import { OTHER_LIMITS, PLACES } from './other-limits-table.ts';
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
  'unified',
  'x',
];

/** Buckets so large that judging each unit would take minutes are judged in larger units: the rule is the same. */
const MOST_CALLS = 600;
/** Calls of the scenario that looks for the moment at which the next one may go. */
const FEW_CALLS = 40;

const KEYS: readonly QuotaKey[] = [
  'platform',
  'app',
  'workspace',
  'token',
  'user',
  'organization',
  'endpoint',
  'object',
  'ip',
];

const manifestOf = ({ bucket }: LimitRow) => ({ id: 'p', quotas: [bucket] }) as unknown as Manifest;

type Subject = Parameters<typeof quotaClaims>[1];
type Asked = Parameters<typeof quotaClaims>[2];

/** A call that counts against the row's bucket. */
function callOf({ bucket, operation = 'any', write, units, tier, environment, facts }: LimitRow): [Subject, Asked] {
  return [
    {
      environment: environment ?? 'production',
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
      ...(facts === undefined ? {} : { quotaFacts: facts }),
    },
  ];
}

function claimOf(row: LimitRow): BucketClaim {
  const claims = quotaClaims(manifestOf(row), ...callOf(row));
  expect(claims).toHaveLength(1);
  return claims[0] as BucketClaim;
}

/** What the table says, read without the code that is judged. */
function statedLimit({ bucket, tier, grown }: LimitRow): number {
  return grown ?? (tier === undefined ? undefined : bucket.tiers?.[tier]) ?? bucket.limit;
}

/** The same claim in calls so large that at most `calls` of them fit. */
function scaled(claim: BucketClaim, limit: number, calls: number): BucketClaim & { cost: number } {
  const single = claim.cost ?? 1;
  return { ...claim, cost: single * Math.max(1, Math.ceil(limit / single / calls)) };
}

const isPlaces = ({ bucket }: LimitRow): boolean => bucket.rule?.kind === 'concurrency';
const isJob = ({ bucket }: LimitRow): boolean => bucket.rule?.kind === 'concurrency' && bucket.rule.holds === 'job';

/** Another app, user, ad account: which of them changes what a call is counted under. */
function separates(row: LimitRow): QuotaKey[] {
  const key = (subject: Partial<Subject>, asked: Partial<Asked>): string | undefined => {
    const [who, what] = callOf(row);
    const { operations: _all, except: _none, ...bucket } = row.bucket;
    return quotaClaims(manifestOf({ ...row, bucket }), { ...who, ...subject }, { ...what, ...asked })[0]?.key;
  };
  const others: Record<QuotaKey, [Partial<Subject>, Partial<Asked>] | undefined> = {
    platform: undefined,
    ip: undefined,
    app: [{ app: 'another' }, {}],
    workspace: [{ workspaceId: 'another' }, {}],
    token: [{ connectionId: 'another' }, {}],
    user: [{ userId: 'another' }, {}],
    organization: [{}, { organizationId: 'another' }],
    endpoint: [{}, { operation: 'another' }],
    object: [{}, { quotaObject: 'another' }],
  };
  const own = key({}, {});
  return KEYS.filter((name) => {
    const other = others[name];
    return other !== undefined && key(...other) !== own;
  });
}

/** Calls that the bucket must not count. */
function uncounted(row: LimitRow): number {
  const { bucket } = row;
  const [who, what] = callOf(row);
  const manifest = manifestOf(row);
  let found = 0;
  if (bucket.operations !== undefined) found += quotaClaims(manifest, who, { ...what, operation: 'other' }).length;
  for (const operation of bucket.except ?? []) found += quotaClaims(manifest, who, { ...what, operation }).length;
  if (bucket.access === 'write') found += quotaClaims(manifest, who, { ...what, access: 'read' }).length;
  if (bucket.environments !== undefined)
    for (const environment of ['production', 'sandbox', 'simulator'] as const)
      if (!bucket.environments.includes(environment))
        found += quotaClaims(manifest, { ...who, environment }, what).length;
  if (bucket.counts !== undefined)
    found += quotaClaims(manifest, who, { ...what, quotaUnits: { [bucket.counts]: 0 } }).length;
  return found;
}

/** When a waiting call goes, in milliseconds from `AT`. */
interface Gone {
  at: number | undefined;
}

function ask(world: World, pacer: Pacer, claim: BucketClaim): Gone {
  const gone: Gone = { at: undefined };
  pacer.acquire('w', [claim], 200 * claim.windowMs, never).then(
    () => {
      gone.at = world.ms - AT;
    },
    () => undefined,
  );
  return gone;
}

const ANSWER_MS = 100;

/** The limit's worth of calls goes at once; when the next one goes, and when it should. */
async function edge(row: LimitRow): Promise<{ fit: number; went: number; next: number; from: number; to: number }> {
  const limit = statedLimit(row);
  const claim = scaled(claimOf(row), limit, FEW_CALLS);
  const fit = Math.floor(limit / claim.cost);
  const world = new World(AT);
  const pacer = new Pacer(world, new MemoryStore(world));
  const permits: { answered(): void }[] = [];
  for (let call = 0; call < fit; call += 1)
    void pacer.acquire('w', [claim], 0, never).then(
      (permit) => permits.push(permit),
      () => undefined,
    );
  await world.until(AT);
  const went = permits.length;
  const next = ask(world, pacer, claim);
  await world.advance(ANSWER_MS);
  expect(next.at).toBeUndefined();
  for (const permit of permits) permit.answered();
  const { windowMs, rule } = row.bucket;
  let [from, to] = [0, 0];
  if (isPlaces(row)) {
    await world.advance(900);
    if (isJob(row)) {
      // The answer frees nothing: the job goes on.
      expect(next.at).toBeUndefined();
      pacer.jobEnded([claim]);
    }
    from = to = isJob(row) ? 1_000 : ANSWER_MS;
    await world.advance(10);
  } else {
    if (rule?.kind === 'fixed') {
      from = Date.parse(row.resets as string) - AT;
      // Clocks may differ: a call so near to the edge could count in both windows.
      to = from + Math.min(2_000, windowMs * 0.02);
    } else {
      // A hidden limit is tried out after a whole window at it; else a window is over a window after the answers.
      from = windowMs + (row.bucket.learn === undefined ? ANSWER_MS : 0);
      to = windowMs + ANSWER_MS + windowMs / 100 + 1;
    }
    await world.until(AT + to + 1_000);
  }
  return { fit, went, next: next.at ?? Number.POSITIVE_INFINITY, from, to };
}

/** How long a key rests after a refusal that names no time. */
async function rest(row: LimitRow): Promise<{ went: number; until: number }> {
  const claim = claimOf(row);
  const world = new World(AT);
  const pacer = new Pacer(world, new MemoryStore(world));
  (await pacer.acquire('w', [claim], 0, never)).cancel();
  const failure = { code: 'platform_rate_limited', retry: 'after', scope: 'app', native: {} } as const;
  pacer.refused(claim, restUntil(row.bucket, failure, world.now()) - AT);
  const gone = ask(world, pacer, claim);
  const { recovery, windowMs } = row.bucket;
  const until =
    recovery === 'next_window'
      ? windowMs
      : recovery === 'utc_midnight'
        ? Date.parse('2026-11-23T00:00:00Z') - AT
        : 'restMs' in recovery
          ? recovery.restMs
          : Date.parse(row.resets as string) - AT;
  await world.until(AT + until + 1_000);
  return { went: gone.at ?? Number.POSITIVE_INFINITY, until };
}

interface Outcome {
  refusals: number;
  used: number;
  cost: number;
  /** After the time to learn. */
  late: { calls: number; refused: number };
}

const runs = new Map<string, Promise<Outcome>>();

/** The same limit under another name behaves alike: it is run once. */
function underLoad(row: LimitRow): Promise<Outcome> {
  const claim = scaled(claimOf(row), statedLimit(row), MOST_CALLS / 3);
  const { name: _name, key: _key, scope: _scope, id: _id, ...shape } = claim;
  const same = JSON.stringify([shape, row.judge, row.bucket.recovery]);
  const known = runs.get(same) ?? load(row, claim);
  runs.set(same, known);
  return known;
}

async function load(row: LimitRow, claim: BucketClaim & { cost: number }): Promise<Outcome> {
  const { bucket, judge: counted = { kind: 'sliding' } } = row;
  const limit = statedLimit(row);
  // A limit that is learned is judged by what is hidden; where the documents give its floor, by half as much again.
  const hidden = bucket.learn !== undefined;
  const truth = counted.kind === 'hidden' ? counted.limit : hidden ? limit * 1.5 : limit;
  const claims = [claim];
  const kind = counted.kind === 'hidden' ? (counted.counts ?? 'sliding') : counted.kind;
  const first = row.resets === undefined ? 0 : Date.parse(row.resets);
  const rule: JudgedLimit = {
    name: 'limit',
    limit: Math.max(truth, claim.cost),
    windowMs: bucket.windowMs,
    kind,
    cost: () => claim.cost,
    // November has no change of clocks: days follow one another by 24 hours.
    ...(kind === 'fixed'
      ? { start: (at: number) => first + Math.floor((at - first) / bucket.windowMs) * bucket.windowMs }
      : {}),
  };
  const world = new World(AT);
  // Where it is not said whether points end evenly or all at once, both must be content.
  const judge = new Judge(kind === 'leak' && !hidden ? [rule, { ...rule, name: 'sliding', kind: 'sliding' }] : [rule]);
  const pacer = new Pacer(world, new MemoryStore(world));
  const random = seeded(11);
  // Some windows under steady demand; hidden limits get ten minutes to learn.
  const windows = bucket.windowMs >= 3_600_000 ? 2 : 3;
  const forMs =
    isPlaces(row) && !hidden
      ? 60_000
      : hidden
        ? Math.max(1_000_000, bucket.windowMs * (truth < 20 ? 60 : 20))
        : bucket.windowMs * windows;
  const end = world.ms + forMs;
  const learned = world.ms + Math.max(600_000, forMs / 3);
  const late = { calls: 0, refused: 0 };
  let used = 0;
  const caller = async (): Promise<void> => {
    while (world.ms < end) {
      const permit = await pacer.acquire('w', claims, 100 * bucket.windowMs + 10 * forMs, never);
      await world.sleep(20 + random() * 140);
      const refused = judge.arrive(world.ms, { workspace: 'w' });
      if (refused === undefined) used += claim.cost;
      if (world.ms > learned) {
        late.calls += 1;
        if (refused !== undefined) late.refused += 1;
      }
      await world.sleep(10 + random() * 60);
      permit.answered();
      if (refused !== undefined) {
        // A job that was refused was never begun.
        pacer.jobEnded(claims);
        pacer.refused(claim, isPlaces(row) ? 5_000 : 1_000);
        await world.sleep(1_000);
        continue;
      }
      if (isJob(row)) {
        await world.sleep(hidden ? 20_000 : 1_000);
        judge.leave({ workspace: 'w' });
        pacer.jobEnded(claims);
      } else judge.leave({ workspace: 'w' });
    }
  };
  const callers = Math.min(60, Math.max(4, Math.ceil((truth / claim.cost) * 2)));
  void Promise.all(Array.from({ length: callers }, caller)).catch(() => undefined);
  await world.until(end);
  return { refusals: judge.refusals, used, cost: claim.cost, late };
}

describe('every limit in the platforms’ documents', () => {
  it('is in the table: all platforms, all keys, all ways of counting', () => {
    expect([...new Set(LIMITS.map(({ platform }) => platform))].sort()).toEqual(PLATFORMS);
    const keys = new Set(LIMITS.flatMap(({ bucket }) => bucket.keyedBy));
    expect([...keys].sort()).toEqual([...KEYS].sort());
    const rules = new Set(LIMITS.map(({ bucket }) => bucket.rule?.kind ?? 'log'));
    expect([...rules].sort()).toEqual(['concurrency', 'fixed', 'log']);
    const names = LIMITS.map(({ platform, says }) => `${platform}: ${says}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it.each(LIMITS.map((row) => [`${row.platform}: ${row.says}`, row] as const))(
    '%s',
    async (_name, row) => {
      const { bucket } = row;
      if (row.none === true) {
        expect(quotaClaims(manifestOf(row), ...callOf(row))).toEqual([]);
        return;
      }
      // Counted: how much, under what, and what not.
      const claim = claimOf(row);
      expect(claim.limit).toBe(statedLimit(row));
      if (row.facts !== undefined) {
        const { facts: _unknown, grown: _grown, ...plain } = row;
        expect(claimOf(plain).limit).toBe(bucket.limit);
      }
      expect(separates(row)).toEqual(
        KEYS.filter((key) => bucket.keyedBy.includes(key) && key !== 'platform' && key !== 'ip'),
      );
      expect(uncounted(row)).toBe(0);
      // Paced: all of it at once, the next one when the rule says, and after a refusal when the platform says.
      const { fit, went, next, from, to } = await edge(row);
      expect(went).toBe(fit);
      expect(next).toBeGreaterThanOrEqual(from);
      expect(next).toBeLessThanOrEqual(to);
      const rested = await rest(row);
      expect(Math.abs(rested.went - rested.until)).toBeLessThanOrEqual(1);
      // Judged, with a network that spreads.
      const { refusals, used, cost, late } = await underLoad(row);
      if (bucket.learn !== undefined) {
        expect(late.calls).toBeGreaterThan(0);
        expect(late.refused / late.calls).toBeLessThan(0.01);
        return;
      }
      expect(refusals).toBe(0);
      const limit = statedLimit(row);
      // The first window's units are used, and where there were calls enough, the later ones' too.
      if (!isPlaces(row)) expect(used).toBeGreaterThanOrEqual(Math.min(limit - cost, limit * 0.8));
    },
    30_000,
  );
});

describe('limits that are no matter of pacing', () => {
  it.each(OTHER_LIMITS.map((row) => [`${row.platform}: ${row.says}`, row] as const))('%s', (_name, { held }) => {
    const [file, word] = PLACES[held];
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain(word);
  });

  it('are there for every platform', () => {
    const found = new Set(OTHER_LIMITS.map(({ platform }) => platform));
    expect(PLATFORMS.filter((platform) => !found.has(platform))).toEqual([]);
  });
});

describe('what platforms report about use', () => {
  it('is about buckets that are in the table', () => {
    const declared = new Set(LIMITS.map(({ platform, bucket }) => `${platform}: ${bucket.name}`));
    const named = USAGE.flatMap(({ platform, reader }) =>
      (reader.kind === 'percent'
        ? Object.values(reader.buckets)
        : reader.kind === 'ietf'
          ? Object.values(reader.policies)
          : reader.kind === 'body_wait'
            ? []
            : [reader.bucket]
      ).map((name) => `${platform}: ${name}`),
    );
    expect(named.filter((name) => !declared.has(name))).toEqual([]);
  });

  it.each(USAGE.map((row) => [`${row.platform}: ${JSON.stringify(row.reader).slice(0, 70)}`, row] as const))(
    '%s',
    (_name, { reader, headers = {}, json, reads }) => {
      if (reader.kind === 'units') expect(unitsIn(reader, json)).toBe(reads);
      else if (typeof reads === 'number') expect(waitIn([reader], { headers, json }, AT)).toBe(reads);
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
      if (reader.kind === 'units')
        for (const json of [undefined, null, [], 'x', { queryResourceConsumption: -5 }, { elements: 7 }])
          expect(unitsIn(reader, json) ?? 0).toBe(0);
    }
  });
});
