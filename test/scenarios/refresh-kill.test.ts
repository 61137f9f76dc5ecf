/**
 * A server is killed (SIGKILL) at every step of a renewal, and another one goes on. With a provider that forgives a
 * repetition no connection is lost; with a strict one only those whose answer died with the process, and they say so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { REFRESH_STEPS, type RefreshStep } from '../../src/core/auth/life/steps.ts';
import { getTokenLife, listEvents } from '../../src/core/store/repositories/index.ts';
import { endOf } from '../tokens/support/rotating-provider.ts';
import { type Installation, install } from '../tokens/support/servers.ts';

const database = process.env['POLYAD_TEST_DATABASE_URL'] || undefined;
const redisUrl = process.env['POLYAD_TEST_REDIS_URL'] || undefined;
if (database === undefined)
  process.stderr.write('\n*** Killed renewals not tested: POLYAD_TEST_DATABASE_URL is not set. ***\n\n');

/** Steps at which the platform has rotated and nobody alive knows the new token. */
const ANSWER_DIES: ReadonlySet<RefreshStep> = new Set(['call_under_way', 'answer_received']);
/** Steps at which it is on record that a token is being spent: the next node waits for as long as its answer may take. */
const SPENDING: ReadonlySet<RefreshStep> = new Set(['spending_noted', 'call_under_way', 'answer_received']);
// A caller waits 45 s of the test's clock, 4.5 s of ours: what another node's renewal may take must leave time for the call.
const [LEASE_MS, SPENDING_MS, FACTOR, LIFE_S] = [1_000, 2_500, 10, 60];
/** Beyond the end of a lease the next node needs a look at it and the renewal itself, on a machine with others on it. */
const MORE_MS = 2_500;

let polyad: Installation;
afterEach(() => polyad?.close());

/** Kills one server per step, and answers what the next one got for each connection. */
async function killAtEveryStep(graceMs: number) {
  polyad = await install({
    databaseUrl: database as string,
    redisUrl,
    connections: REFRESH_STEPS.length,
    factor: FACTOR,
    leaseMs: LEASE_MS,
    spendingMs: SPENDING_MS,
    lifeS: LIFE_S,
    graceMs,
    delayMs: () => 100,
    // Each server renews what it is asked about, and nothing else.
    rounds: false,
  });
  const { provider, rows, node, call } = polyad;
  const survivor = await polyad.start();
  const victims = await Promise.all(REFRESH_STEPS.map((step) => polyad.start(step)));
  // Tokens that are over: the first call of each victim renews one.
  const end = Math.max(...[...provider.grants.values()].map((grant) => endOf(grant.access)));
  await sleep(Math.max(0, (end - node.clock.now().getTime()) / FACTOR));
  const killed = await Promise.all(
    victims.map(async (victim, index) => {
      // Nobody answers who was killed.
      await call(victim, 'GET', `/ads/${rows[index]?.id}/organization`).catch(() => undefined);
      return victim.ended;
    }),
  );
  expect(killed).toEqual(REFRESH_STEPS.map(() => 'SIGKILL'));
  const issued = provider.issued;
  const outcomes = await Promise.all(
    REFRESH_STEPS.map(async (step, index) => {
      const id = rows[index]?.id as string;
      const from = performance.now();
      const answer = await call(survivor, 'GET', `/ads/${id}/organization`);
      const waitedMs = performance.now() - from;
      const { body } = await call(survivor, 'GET', `/unified/connection/${id}`);
      const life = await getTokenLife(node.store.db, id);
      return { step, id, answer, waitedMs, health: body.health, life, account: rows[index]?.external_xref };
    }),
  );
  return { outcomes, issued };
}

describe.runIf(database)('a server killed at every step of a renewal', () => {
  it('loses no connection where the platform forgives a repetition', async () => {
    const { outcomes, issued } = await killAtEveryStep(3_600_000);
    expect(polyad.provider.reuses).toBe(0);
    for (const { step, answer, waitedMs, health, life, account } of outcomes) {
      expect(answer, step).toMatchObject({ status: 200, body: [{ id: account }] });
      expect(health, step).toMatchObject({ state: 'healthy', lifecycle: 'healthy' });
      expect(life, step).toMatchObject({ holder: null, spending_version: null, failures: 0 });
      // The dead holder's lease, and a look at it at most.
      expect(waitedMs, step).toBeLessThan((SPENDING.has(step) ? SPENDING_MS : LEASE_MS) + MORE_MS);
    }
    // The one that was killed after storing had done its work: nobody did it again.
    expect(polyad.provider.issued - issued).toBeLessThanOrEqual(REFRESH_STEPS.length);
  }, 180_000);

  it('loses at a strict platform only those whose answer died, and says so', async () => {
    const { outcomes } = await killAtEveryStep(0);
    for (const { step, id, answer, health } of outcomes) {
      if (!ANSWER_DIES.has(step)) {
        expect(answer.status, step).toBe(200);
        expect(health, step).toMatchObject({ state: 'healthy', lifecycle: 'healthy' });
        continue;
      }
      expect(answer, step).toMatchObject({
        status: 403,
        body: {
          code: 'connection_reconnect_required',
          actor: 'customer',
          details: { reconnect_url: expect.stringContaining(id) },
        },
      });
      expect(health, step).toMatchObject({
        state: 'unhealthy',
        lifecycle: 'revoked',
        message: expect.stringContaining('its answer never arrived'),
        reconnect_url: expect.stringContaining(id),
      });
      const { node, rows } = polyad;
      const [event] = await listEvents(node.store.db, rows[0]?.workspace_id as string, {
        connection_id: id,
        type: 'connection.reconnect_required',
      });
      expect(event?.payload, step).toMatchObject({ reason: 'refresh_answer_lost' });
    }
  }, 180_000);
});
