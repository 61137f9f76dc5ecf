/** Numbers about quotas for Prometheus. Labels are names of buckets, never keys: those would be without number. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Pacer } from '../core/pacing/pacer.ts';

/** Registers the quota metrics over a pacer. */
export function quotaMetrics(
  pacer: Pick<Pacer, 'waiting' | 'snapshot' | 'counts' | 'status'>,
  registers: Registry[],
): void {
  new Gauge({
    name: 'polyad_quota_waiting',
    help: 'Platform calls that wait for quota.',
    registers,
    collect() {
      this.set(pacer.waiting());
    },
  });
  const used = new Gauge({
    name: 'polyad_quota_used_ratio',
    help: 'Use of a quota, from 0 to 1: the fullest of its keys.',
    labelNames: ['bucket'],
    registers,
    collect() {
      for (const gauge of [used, keys, resting, learned]) gauge.reset();
      for (const row of pacer.snapshot()) {
        const labels = { bucket: row.bucket };
        const ratio = row.limit === 0 ? 0 : row.used / row.limit;
        fullest.set(row.bucket, Math.max(fullest.get(row.bucket) ?? 0, ratio));
        used.set(labels, fullest.get(row.bucket) as number);
        keys.inc(labels);
        if (row.resting_until !== null) resting.inc(labels);
        if (row.learned) learned.inc(labels);
      }
      fullest.clear();
    },
  });
  const fullest = new Map<string, number>();
  const keys = new Gauge({
    name: 'polyad_quota_keys',
    help: 'Keys under which a quota is counted.',
    labelNames: ['bucket'],
    registers,
  });
  const resting = new Gauge({
    name: 'polyad_quota_resting',
    help: 'Keys of a quota that rest because the platform refused.',
    labelNames: ['bucket'],
    registers,
  });
  const learned = new Gauge({
    name: 'polyad_quota_learned',
    help: 'Keys of a quota whose limit was learned or lowered.',
    labelNames: ['bucket'],
    registers,
  });
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
