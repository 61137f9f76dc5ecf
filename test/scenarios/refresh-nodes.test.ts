/**
 * Three whole servers on one Postgres and one Redis, a provider that rotates strictly and is sometimes slower than the
 * lease, 1,000 callers over HTTP on 100 connections whose tokens expire all the time: no refresh token is ever used twice,
 * and no caller fails.
 *
 * Five minutes of the tokens' time take one minute. POLYAD_TEST_REFRESH_MINUTES asks for more (`npm run test:refresh`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Installation, install, type Server } from '../tokens/support/servers.ts';

const database = process.env['POLYAD_TEST_DATABASE_URL'] || undefined;
const redisUrl = process.env['POLYAD_TEST_REDIS_URL'] || undefined;
if (database === undefined)
  process.stderr.write('\n*** Renewal by several servers not tested: POLYAD_TEST_DATABASE_URL is not set. ***\n\n');

const [CONNECTIONS, CALLERS, FACTOR, LIFE_S, LEASE_MS] = [100, 1_000, 5, 30, 400];
const MINUTES = Number(process.env['POLYAD_TEST_REFRESH_MINUTES'] || 5);
/** Longest pause of a caller between two calls, in ms of the machine's time. */
const PAUSE_MS = 8_000;

describe.runIf(database)('three servers', () => {
  let polyad: Installation;
  const servers: Server[] = [];
  beforeAll(async () => {
    polyad = await install({
      databaseUrl: database as string,
      redisUrl,
      connections: CONNECTIONS,
      factor: FACTOR,
      leaseMs: LEASE_MS,
      spendingMs: 10_000,
      lifeS: LIFE_S,
      // One answer of ten takes longer than the lease.
      delayMs: (call) => (call % 10 === 0 ? LEASE_MS * 1.5 : 5),
    });
    for (let number = 0; number < 3; number += 1) servers.push(await polyad.start());
  }, 120_000);
  afterAll(() => polyad?.close());

  it(
    `1,000 callers, 100 connections, ${MINUTES} minutes of tokens that expire: each refresh token is used once, no caller fails`,
    async () => {
      const { provider, rows, node, call } = polyad;
      const began = provider.issued;
      const end = node.clock.now().getTime() + MINUTES * 60_000;
      const failures: string[] = [];
      let calls = 0;
      const caller = async (): Promise<void> => {
        // Not all of them in the first moment: that would measure how fast sockets open.
        await sleep((Math.random() * PAUSE_MS) / 2);
        while (node.clock.now().getTime() < end) {
          const row = rows[Math.floor(Math.random() * rows.length)] as (typeof rows)[number];
          const server = servers[Math.floor(Math.random() * servers.length)] as Server;
          const { status, body } = await call(server, 'GET', `/ads/${row.id}/organization`);
          calls += 1;
          // The answer is that of the connection's own grant.
          if (status !== 200 || body[0]?.id !== row.external_xref) failures.push(`${status} ${JSON.stringify(body)}`);
          await sleep(Math.random() * PAUSE_MS);
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));

      expect(failures.slice(0, 5), servers.map((server) => server.log().slice(-500)).join('\n')).toEqual([]);
      expect(calls).toBeGreaterThan(CALLERS * 2);
      expect(provider.reuses).toBe(0);
      expect([...provider.grants.values()].filter((grant) => grant.ended)).toEqual([]);
      // One call per token that was ever given out, those of the first grants aside.
      expect(provider.calls).toBe(provider.issued - CONNECTIONS);
      // Every connection's token was over again and again: a life is half a minute.
      expect(provider.issued - began).toBeGreaterThan(CONNECTIONS * MINUTES);
      // Nobody was handed a token that had been over for long: what is refused had ended on its way.
      expect(provider.refused).toBeLessThan(provider.served / 100);
      expect(provider.longestOver).toBeLessThan(LIFE_S * 1_000);
      for (const { id } of rows) {
        const { body } = await call(servers[0] as Server, 'GET', `/unified/connection/${id}`);
        expect(body.health.state, JSON.stringify(body.health)).toBe('healthy');
      }
    },
    MINUTES * 60_000 + 120_000,
  );
});
