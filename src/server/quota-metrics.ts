/** Numbers about quotas for Prometheus. Labels are names of buckets, never keys: those would be without number. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { breathe } from '../core/breathe.ts';
import type { BucketSnapshot } from '../core/pacing/bucket.ts';
import type { Pacer } from '../core/pacing/pacer.ts';

/** All keys of one bucket together. */
interface Sum {
  fullest: number;
  keys: number;
  resting: number;
  learned: number;
}

async function sumUp(rows: Iterable<BucketSnapshot>): Promise<Map<string, Sum>> {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    let sum = sums.get(row.bucket);
    if (sum === undefined) {
      sum = { fullest: 0, keys: 0, resting: 0, learned: 0 };
      sums.set(row.bucket, sum);
    }
    sum.fullest = Math.max(sum.fullest, row.limit === 0 ? 0 : row.used / row.limit);
    sum.keys += 1;
    if (row.resting_until !== null) sum.resting += 1;
    if (row.learned) sum.learned += 1;
    // With thousands of tenants there are ten thousands of keys: calls go on between them.
    const pause = breathe();
    if (pause !== undefined) await pause;
  }
  return sums;
}

/** Registers the quota metrics over a pacer. */
export function quotaMetrics(
  pacer: Pick<Pacer, 'waiting' | 'rows' | 'counts' | 'status'>,
  registers: Registry[],
): void {
  let running: Promise<ReadonlyMap<string, Sum>> | undefined;
  /** The gauges of one scrape share one walk. */
  const summed = (): Promise<ReadonlyMap<string, Sum>> => {
    running ??= sumUp(pacer.rows()).finally(() => {
      running = undefined;
    });
    return running;
  };
  new Gauge({
    name: 'polyad_quota_waiting',
    help: 'Platform calls that wait for quota.',
    registers,
    collect() {
      this.set(pacer.waiting());
    },
  });
  const perBucket = (name: string, help: string, read: (sum: Sum) => number): void => {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['bucket'],
      registers,
      async collect() {
        const sums = await summed();
        gauge.reset();
        for (const [bucket, sum] of sums) gauge.set({ bucket }, read(sum));
      },
    });
  };
  perBucket('polyad_quota_used_ratio', 'Use of a quota, from 0 to 1: the fullest of its keys.', (sum) => sum.fullest);
  perBucket('polyad_quota_keys', 'Keys under which a quota is counted.', (sum) => sum.keys);
  perBucket('polyad_quota_resting', 'Keys of a quota that rest because the platform refused.', (sum) => sum.resting);
  perBucket('polyad_quota_learned', 'Keys of a quota whose limit was learned or lowered.', (sum) => sum.learned);
  new Gauge({
    name: 'polyad_quota_nodes',
    help: 'Nodes that share the quotas, as this one knows them.',
    registers,
    collect() {
      this.set(pacer.status().nodes);
    },
  });
  new Gauge({
    name: 'polyad_quota_degraded',
    help: '1 while the shared counter is out of reach and this node uses its share only.',
    registers,
    collect() {
      this.set(pacer.status().degraded === null ? 0 : 1);
    },
  });
  total('polyad_quota_granted_total', 'Permits given to platform calls.', () => [['', pacer.counts().granted]]);
  total('polyad_quota_waited_seconds_total', 'Time that platform calls waited for permits.', () => [
    ['', pacer.counts().waitedMs / 1000],
  ]);
  total('polyad_quota_refused_total', 'Calls refused because their turn could not come in time.', () => [
    ...pacer.counts().refused,
  ]);
  total('polyad_quota_refused_by_platform_total', 'Refusals of the platforms for a quota.', () => [
    ...pacer.counts().refusedByPlatform,
  ]);

  function total(name: string, help: string, read: () => (readonly [bucket: string, value: number])[]): void {
    new Counter({
      name,
      help,
      labelNames: ['bucket'],
      registers,
      collect() {
        this.reset();
        for (const [bucket, value] of read()) this.inc(bucket === '' ? {} : { bucket }, value);
      },
    });
  }
}
