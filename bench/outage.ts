/**
 * `npm run bench:outage`: what a platform that fails is asked, and what callers meet. A thousand callers ask and ask again
 * (as `retry_after_ms` tells them) while the upstream answers 503, breaks connections off, refuses them, or is silent;
 * then it comes back. Beside it, in the same run: the same callers with four attempts each and neither breaker nor budget.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Breakers, PROBE_INTERVAL_MS } from '../src/core/http/breaker.ts';
import { RetryBudgets } from '../src/core/http/budget.ts';
import { type Behaviour, type PipelineWorld, startPipelineWorld } from '../test/support/pipeline-world.ts';
import { Noise } from './support/machine.ts';
import { atMost, record } from './support/results.ts';
import { quantile, short } from './support/stats.ts';

const CALLERS = 1_000;
const OUTAGE_MS = 10_000;
/** Time a caller gives one call. */
const PATIENCE_MS = 2_000;

type Kind = '503' | 'connection broken off' | 'connection refused' | 'silence';
const BEHAVIOUR: Record<Kind, Behaviour> = {
  '503': 'error',
  'connection broken off': 'reset',
  'connection refused': 'ok',
  silence: 'hang',
};

interface Outage {
  /** Requests that reached the upstream in the first ten seconds. */
  asked: number;
  /** Most requests of one probe interval after the breaker had opened. */
  probes: number;
  /** From the end of the outage to the first call that works, and until all callers have an answer. */
  firstMs: number;
  /** How much longer than its patience a call took, at most. */
  overrunMs: number;
  /** Longest time the process did not get to run anything: on a shared machine it is not ours to change. */
  stallMs: number;
}

/** Nothing stands between the caller and its four attempts. */
function unguarded(world: PipelineWorld): void {
  world.breakers.waitMs = () => 0;
  world.breakers.enter = () => ({ probe: false, ended() {} });
  world.budgets.take = () => 1;
}

async function outage(kind: Kind, guarded: boolean): Promise<Outage> {
  const world = await startPipelineWorld();
  if (!guarded) unguarded(world);
  let attempts = 0;
  let down = true;
  const openedAt: number[] = [];
  world.behave(() => (down ? BEHAVIOUR[kind] : 'ok'));
  if (kind === 'connection refused') await world.listen(false);
  // A refused connection never arrives, so what is counted is what leaves.
  const { enter } = world.breakers;
  const sentAt: number[] = [];
  world.breakers.enter = (circuit) => {
    const passage = enter.call(world.breakers, circuit);
    if (typeof passage !== 'number') {
      attempts += 1;
      sentAt.push(performance.now());
    }
    return passage;
  };
  let firstMs = Number.NaN;
  let endedAt = Number.NaN;
  let overrunMs = 0;
  const begun = performance.now();
  const caller = async (): Promise<void> => {
    for (;;) {
      const from = performance.now();
      try {
        await world.request({}, PATIENCE_MS);
        if (Number.isNaN(firstMs)) firstMs = performance.now() - endedAt;
        return;
      } catch (error) {
        overrunMs = Math.max(overrunMs, performance.now() - from - PATIENCE_MS);
        const [first] = world.breakers.report();
        if (openedAt.length === 0 && first !== undefined && first.state !== 'closed') openedAt.push(performance.now());
        await sleep((error as { retryAfterMs?: number }).retryAfterMs ?? 1_000);
      }
    }
  };
  let stallMs = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    const at = performance.now();
    stallMs = Math.max(stallMs, at - last - 10);
    last = at;
  }, 10);
  const callers = Promise.all(Array.from({ length: CALLERS }, caller));
  await sleep(OUTAGE_MS);
  const asked = attempts;
  const opened = openedAt[0] ?? Number.POSITIVE_INFINITY;
  // Those that were under way when the breaker opened are not probes.
  const later = sentAt.filter((at) => at > opened + 50 && at < begun + OUTAGE_MS);
  const probes = Math.max(
    0,
    ...later.map((at) => later.filter((other) => other >= at && other < at + PROBE_INTERVAL_MS - 100).length),
  );
  down = false;
  if (kind === 'connection refused') await world.listen(true);
  endedAt = performance.now();
  await callers;
  clearInterval(watch);
  await world.close();
  return { asked, probes, firstMs, overrunMs, stallMs };
}

async function tenth(): Promise<{ worked: number; ratio: number }> {
  const world = await startPipelineWorld();
  let nth = 0;
  world.behave(() => {
    nth += 1;
    return (nth * 0.618_033_988_75) % 1 < 0.1 ? 'error' : 'ok';
  });
  let left = 10_000;
  let worked = 0;
  const caller = async (): Promise<void> => {
    while (left-- > 0)
      await world.request().then(
        () => {
          worked += 1;
        },
        () => undefined,
      );
  };
  await Promise.all(Array.from({ length: 64 }, caller));
  const ratio = world.arrivals.length / 10_000;
  await world.close();
  return { worked: worked / 10_000, ratio };
}

/** CPU of breaker and budget on the way of a call that works, in µs. */
function cost(): number {
  const breakers = new Breakers({ now: () => new Date(), sleep: async () => {} });
  const budgets = new RetryBudgets();
  const circuit = { platform: 'acme', environment: 'production', endpoints: 'things' };
  const runs: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const before = process.cpuUsage();
    for (let call = 0; call < 100_000; call += 1) {
      breakers.waitMs(circuit);
      const passage = breakers.enter(circuit);
      if (typeof passage !== 'number') passage.ended(true);
      budgets.worked('acme/production', 0);
    }
    const { user, system } = process.cpuUsage(before);
    runs.push((user + system) / 100_000);
  }
  return quantile(runs, 0.5);
}

const noise = new Noise([]);
const kinds = Object.keys(BEHAVIOUR) as Kind[];
const guarded = new Map<Kind, Outage>();
const bare = new Map<Kind, Outage>();
for (const kind of kinds) {
  guarded.set(kind, await outage(kind, true));
  bare.set(kind, await outage(kind, false));
}
const random = await tenth();
const overhead = cost();
const all = [...guarded.values()];
const most = Math.max(...all.map(({ asked }) => asked)) / CALLERS;
const probes = Math.max(...all.map((one) => one.probes));
const first = Math.max(...all.map(({ firstMs }) => firstMs));
const overrun = Math.max(...all.map(({ overrunMs, stallMs }) => overrunMs - stallMs));
const met = record({
  name: 'outage',
  what: `A platform that is down for ${OUTAGE_MS / 1000} s, ${CALLERS} callers that ask again as they are told`,
  noise: noise.share(),
  rows: kinds.map((kind) => {
    const [ours, theirs] = [guarded.get(kind) as Outage, bare.get(kind) as Outage];
    return {
      outage: kind,
      'requests per caller': short(ours.asked / CALLERS),
      'without breaker and budget': short(theirs.asked / CALLERS),
      'probes per interval': ours.probes,
      'back after, ms': Math.round(ours.firstMs),
      'beyond the deadline, ms': Math.round(ours.overrunMs),
      'process held up, ms': Math.round(ours.stallMs),
    };
  }),
  targets: [
    { name: 'requests per caller in the first 10 s', value: short(most), target: '<= 1.1', met: most <= 1.1 },
    { name: 'probes per interval once open', value: probes, target: '<= 1', met: probes <= 1 },
    {
      name: 'first call that works after the outage, ms',
      value: Math.round(first),
      target: `<= ${PROBE_INTERVAL_MS} + 1 retry`,
      met: first <= PROBE_INTERVAL_MS * 2,
    },
    {
      name: 'one answer in ten fails: calls that work',
      value: `${(random.worked * 100).toFixed(2)} %`,
      target: '>= 99.9 %',
      met: random.worked >= 0.999,
    },
    {
      name: 'one answer in ten fails: requests per call',
      value: short(random.ratio),
      target: '<= 1.12',
      met: random.ratio <= 1.12,
    },
    {
      name: 'longest call beyond its deadline, less what the machine held the process up, ms',
      value: Math.max(0, Math.round(overrun)),
      target: '<= 50',
      met: overrun <= 50,
    },
    atMost('breaker and budget per call, CPU', overhead, 'µs', 5),
  ],
});
if (!met) process.exitCode = 1;
