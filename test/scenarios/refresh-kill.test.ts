/**
 * A process is killed (SIGKILL) at every step of a renewal, and another node goes on. With a provider that forgives a
 * repetition no connection is lost; with a strict one only those whose answer died with the process, and they say so.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { REFRESH_STEPS, type RefreshStep } from '../../src/core/auth/life/steps.ts';
import type { PolyadError } from '../../src/core/errors/index.ts';
import { getConnection, getTokenLife, listEvents } from '../../src/core/store/repositories/index.ts';
import { startChild } from '../tokens/support/children.ts';
import { connectMany, openNode, ownSchema } from '../tokens/support/node.ts';
import { endOf, startRotatingProvider } from '../tokens/support/rotating-provider.ts';

const database = process.env['POLYAD_TEST_DATABASE_URL'];
if (database === undefined || database === '')
  process.stderr.write('\n*** Killed renewals not tested: POLYAD_TEST_DATABASE_URL is not set. ***\n\n');

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Steps at which the platform has rotated and nobody alive knows the new token. */
const ANSWER_DIES: ReadonlySet<RefreshStep> = new Set(['call_under_way', 'answer_received']);

/** Kills one process per step, and answers what the next node got for each connection. */
async function killAtEveryStep(graceMs: number) {
  const schema = await ownSchema(database as string);
  closing.push(() => schema.drop());
  const [factor, origin] = [30, Date.now()];
  const now = (): number => origin + (Date.now() - origin) * factor;
  const provider = await startRotatingProvider({ now, lifeS: 30, graceMs, delayMs: () => 100 });
  closing.push(() => provider.close());
  const settings = {
    databaseUrl: schema.url,
    providerUrl: provider.url,
    factor,
    origin,
    leaseMs: 500,
    spendingMs: 1_000,
  };
  const node = await openNode(settings);
  closing.push(() => node.close());
  const rows = await connectMany(node, provider, REFRESH_STEPS.length);
  const workspaceId = rows[0]?.workspace_id as string;
  const ended = await Promise.all(
    REFRESH_STEPS.map((killAt, index) => {
      const connectionIds = [rows[index]?.id as string];
      const order = { ...settings, workspaceId, connectionIds, callers: 1, runMs: 20_000, pauseMs: 50, killAt };
      return startChild(order).ended;
    }),
  );
  for (const { signal, stderr } of ended) expect(signal, stderr).toBe('SIGKILL');
  // Whatever was stored by the dead is over now: each of them needs its renewal finished or begun anew.
  await new Promise((resolve) => setTimeout(resolve, (30_000 / factor) * 1.1));
  const outcomes = await Promise.all(
    REFRESH_STEPS.map(async (step, index) => {
      const id = rows[index]?.id as string;
      const row = await getConnection(node.store.db, workspaceId, id);
      if (row === undefined) throw new Error('no row');
      const begun = performance.now();
      const outcome = await node.tokens.tokenFor(row).catch((error: unknown) => error as PolyadError);
      const after = await getConnection(node.store.db, workspaceId, id);
      return {
        step,
        id,
        outcome,
        waitedMs: performance.now() - begun,
        row: after,
        life: await getTokenLife(node.store.db, id),
      };
    }),
  );
  return { node, provider, workspaceId, outcomes };
}

describe.runIf(database)('a process killed at every step of a renewal', () => {
  it('loses no connection where the platform forgives a repetition', async () => {
    const { node, provider, outcomes } = await killAtEveryStep(3_600_000);
    expect(provider.reuses).toBe(0);
    for (const { step, outcome, waitedMs, row, life } of outcomes) {
      expect(outcome, step).not.toBeInstanceOf(Error);
      expect(endOf((outcome as { accessToken: string }).accessToken), step).toBeGreaterThan(
        node.clock.now().getTime() - 30_000,
      );
      expect(row, step).toMatchObject({ health_state: 'healthy', life: 'healthy' });
      expect(life, step).toMatchObject({ holder: null, spending_version: null, failures: 0 });
      // The dead holder's lease, and a second at most.
      expect(waitedMs, step).toBeLessThan(1_000 + 1_000 + 1_500);
    }
  });

  it('loses at a strict platform only those whose answer died, and says so', async () => {
    const { node, workspaceId, outcomes } = await killAtEveryStep(0);
    for (const { step, id, outcome, row } of outcomes) {
      if (!ANSWER_DIES.has(step)) {
        expect(outcome, step).not.toBeInstanceOf(Error);
        expect(row, step).toMatchObject({ health_state: 'healthy', life: 'healthy' });
        continue;
      }
      expect(outcome, step).toMatchObject({
        code: 'connection_reconnect_required',
        details: { reconnect_url: expect.stringContaining(id) },
      });
      expect(row, step).toMatchObject({
        health_state: 'reconnect_required',
        life: 'revoked',
        unhealthy_message: expect.stringContaining('its answer never arrived'),
      });
      const [event] = await listEvents(node.store.db, workspaceId, {
        connection_id: id,
        type: 'connection.reconnect_required',
      });
      expect(event?.payload, step).toMatchObject({ reason: 'refresh_answer_lost' });
    }
  });
});
