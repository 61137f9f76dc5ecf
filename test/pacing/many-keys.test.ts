/** With thousands of tenants there are ten thousands of counters: nothing walks through them while calls must wait. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { BucketClaim } from '../../src/core/pacing/bucket.ts';
import { QuotaJournal } from '../../src/core/pacing/journal.ts';
import { MemoryStore } from '../../src/core/pacing/memory-store.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import { quotaMetrics } from '../../src/server/quota-metrics.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const KEYS = 30_000;
const claim = (key: number): BucketClaim => ({ name: 'acme.day', key: `${key}`, limit: 10, windowMs: 86_400_000 });
const quiet = { warn: (facts: object, text: string) => expect.fail(`${text} ${JSON.stringify(facts)}`) };

let directory: string;
let file: string;
let store: MemoryStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polyad-keys-'));
  file = join(directory, 'quotas.json');
  store = new MemoryStore(systemClock);
  for (let key = 0; key < KEYS; key += 1) store.take([claim(key)], { rank: 0 });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** How many turns of the event loop others have while `work` goes on. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let going = true;
  const turn = (): void => {
    turns += 1;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  going = false;
  return turns;
}

describe(`with ${KEYS.toLocaleString('en')} keys`, () => {
  it('the journal is written in pieces, whole, and only when something changed', async () => {
    const journal = new QuotaJournal(store, file, quiet);
    // Waiting for a file takes some turns as well: fewer than these.
    expect(await turnsDuring(() => journal.save())).toBeGreaterThan(8);
    const written = await readFile(file, 'utf8');
    expect(JSON.parse(written).buckets).toHaveLength(KEYS);
    await rm(file);
    await journal.save();
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
    store.answered([claim(1)]);
    await journal.close();
    const next = new MemoryStore(systemClock);
    const reopened = new QuotaJournal(next, file, quiet);
    await reopened.open();
    await reopened.close();
    expect([...next.rows()].reduce((sum, { used }) => sum + used, 0)).toBe(KEYS);
  });

  it('metrics are gathered in pieces, and are those of one walk', async () => {
    const registry = new Registry();
    const pacer = new Pacer(systemClock, store);
    store.refused(claim(3), 60_000, false);
    quotaMetrics(pacer, [registry]);
    let text = '';
    const turns = await turnsDuring(async () => {
      text = await registry.metrics();
    });
    expect(turns).toBeGreaterThan(2);
    expect(text).toContain(`polyad_quota_keys{bucket="acme.day"} ${KEYS}\n`);
    expect(text).toContain('polyad_quota_resting{bucket="acme.day"} 1\n');
    expect(text).toContain('polyad_quota_used_ratio{bucket="acme.day"} 0.1\n');
    await pacer.close();
  });
});

describe('keys that nobody uses any more', () => {
  const minute = (key: number): BucketClaim => ({ name: 'acme.minute', key: `${key}`, limit: 10, windowMs: 60_000 });

  it('are forgotten, and counted from nothing when their callers come back', async () => {
    const clock = new VirtualClock();
    const own = new MemoryStore(clock);
    const claims = Array.from({ length: 10_001 }, (_, key) => minute(key));
    for (const one of claims) {
      own.take([one], { rank: 0 });
      own.answered([one]);
    }
    await clock.advance(120_000);
    own.take([minute(20_000)], { rank: 0 });
    expect([...own.rows()]).toHaveLength(1);
    // The same claim objects, as connections keep them.
    for (let call = 0; call < 3; call += 1) own.take([claims[7] as BucketClaim], { rank: 0 });
    expect([...own.rows()].find(({ key }) => key === '7')).toMatchObject({ used: 3, limit: 10 });
    own.cancelled([minute(7)]);
    expect([...own.rows()].find(({ key }) => key === '7')).toMatchObject({ used: 2 });
    // In another store the same objects stand for its own counters.
    const other = new MemoryStore(clock);
    other.take([claims[7] as BucketClaim], { rank: 0 });
    expect([...other.rows()]).toMatchObject([{ key: '7', used: 1 }]);
  });
});
