/**
 * `npm run bench:conversions`: a million conversion events from eight producers through two servers on Postgres to TikTok's
 * simulator, with servers killed and a platform that fails now and then. Each event must be accepted exactly once, by the
 * simulator's own count. POLYAD_BENCH_EVENTS sets another number; without POLYAD_TEST_DATABASE_URL it is one server on the
 * embedded database.
 */
import { runLoad } from '../test/conversions/load.ts';
import { Noise } from './support/machine.ts';
import { atLeast, record } from './support/results.ts';
import { quantile, short } from './support/stats.ts';

const EVENTS = Number(process.env['POLYAD_BENCH_EVENTS'] ?? 1_000_000);
const TARGET_PER_SECOND = 2_000;
const FAULTS = ['drop_after', 'drop_before', 'server_error', 'truncate'].map((kind) => ({
  ...{ kind, path: '/event/track/', rate: 0.02 },
}));

const noise = new Noise(['self']);
const found = await runLoad({
  ...{ events: EVENTS, producers: 8, perCall: 500, servers: 2, kills: 3, faults: FAULTS },
  ...{ poisonEvery: 10_007, repeatEvery: 50, progress: (text) => process.stderr.write(`${text}\n`) },
});
const { platform, fates, poison, cpu, answerMs } = found;
const rate = EVENTS / found.totalSeconds;
const exact =
  platform.accepted === EVENTS - poison &&
  platform.missing === 0 &&
  platform.foreign === 0 &&
  fates.accepted === EVENTS - poison &&
  fates.refused === poison;

const met = record({
  name: 'conversions',
  what: `${EVENTS.toLocaleString('en')} conversion events from 8 producers, 500 a call, to their fate at the platform (${found.engine}); CPU of servers, simulator and producers is part of the noise`,
  noise: noise.share(),
  rows: [
    {
      'events/s': short(rate),
      'taken/s': short(EVENTS / found.takenSeconds),
      'p50 ms': short(quantile(answerMs, 0.5)),
      'p99 ms': short(quantile(answerMs, 0.99)),
      kills: found.kills,
      'calls repeated': found.failedCalls,
      'server MB': short(found.serverMb),
      'server CPU µs/event': short((cpu.servers / EVENTS) * 1e6),
      'simulator CPU µs/event': short((cpu.simulator / EVENTS) * 1e6),
    },
  ],
  targets: [
    atLeast('events a second, end to end', rate, '', TARGET_PER_SECOND),
    {
      name: 'accepted exactly once',
      value: `${platform.accepted} of ${EVENTS - poison}, ${platform.missing} missing, ${platform.foreign} foreign`,
      target: 'all',
      met: exact,
    },
    { name: 'refused, for poison alone', value: fates.refused, target: String(poison), met: fates.refused === poison },
  ],
  more: {
    platform,
    fates,
    duplicates: found.duplicates,
    cpu,
    takenSeconds: found.takenSeconds,
    totalSeconds: found.totalSeconds,
  },
});
process.exitCode = met ? 0 : 1;
