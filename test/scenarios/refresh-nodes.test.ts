/**
 * Three processes on one Postgres, a provider that rotates strictly and is sometimes slower than the lease: no refresh
 * token is ever used twice, and no caller fails.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { startChild } from '../tokens/support/children.ts';
import { connectMany, openNode, ownSchema } from '../tokens/support/node.ts';
import { startRotatingProvider } from '../tokens/support/rotating-provider.ts';

const database = process.env['POLYAD_TEST_DATABASE_URL'];
if (database === undefined || database === '')
  process.stderr.write('\n*** Renewal by several processes not tested: POLYAD_TEST_DATABASE_URL is not set. ***\n\n');

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

describe.runIf(database)('three processes', () => {
  it('1,000 callers, 100 connections, tokens that expire all the time: each refresh token is used once', async () => {
    const schema = await ownSchema(database as string);
    closing.push(() => schema.drop());
    // Six minutes of the tokens' time in twelve seconds; tokens live a minute and a half of it.
    const [factor, origin, leaseMs] = [30, Date.now(), 400];
    const now = (): number => origin + (Date.now() - origin) * factor;
    const provider = await startRotatingProvider({
      now,
      lifeS: 90,
      // One answer of ten takes longer than the lease.
      delayMs: (call) => (call % 10 === 0 ? leaseMs * 1.5 : 5),
    });
    closing.push(() => provider.close());
    const settings = {
      databaseUrl: schema.url,
      providerUrl: provider.url,
      factor,
      origin,
      leaseMs,
      spendingMs: 10_000,
    };
    const node = await openNode(settings);
    closing.push(() => node.close());
    const rows = await connectMany(node, provider, 100);
    const order = {
      ...settings,
      workspaceId: rows[0]?.workspace_id as string,
      connectionIds: rows.map((row) => row.id),
      callers: 334,
      runMs: 12_000,
      pauseMs: 1_500,
    };
    const nodes = await Promise.all([1, 2, 3].map(() => startChild(order).ended));
    for (const { report, stderr } of nodes) {
      expect(report, stderr).toBeDefined();
      expect(report?.errors).toEqual([]);
      expect(report?.stale).toBe(0);
      expect(report?.taken).toBeGreaterThan(334);
    }
    expect(provider.reuses).toBe(0);
    expect([...provider.grants.values()].filter((grant) => grant.ended)).toEqual([]);
    // One call per token that was ever given out, those of the first grants aside.
    expect(provider.calls).toBe(provider.issued - 100);
    expect(provider.calls).toBeGreaterThan(150);
  });
});
