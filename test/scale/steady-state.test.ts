/** What a call costs once everything has been seen: no query of the database, and one request to the platform. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PgliteClient } from '../../src/core/store/pglite/client.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let connection: string;
const statements: string[] = [];

beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok' });
  connection = (await app.connect()).get('id') as string;
  const { query } = PgliteClient.prototype;
  Object.assign(PgliteClient.prototype, {
    query(this: PgliteClient, ...given: Parameters<typeof query>) {
      statements.push(String(given[0]));
      return Reflect.apply(query, this, given);
    },
  });
});
afterAll(() => app.close());

/**
 * Reads, which calls would wait for; the call log and its kin are written behind them, many rows at once. A node looks at
 * its master keys every few seconds, whoever calls.
 */
const reads = (): string[] => statements.filter((sql) => /^\s*select\b/i.test(sql) && !/master_keys/.test(sql));
/** Below what the platform takes in a second, so that pacing does not make the test long. */
const CALLS = 6;

describe('a call that has been made before', () => {
  it.each([
    ['unified list', () => `/ads/${connection}/campaign?limit=50`],
    ['pass-through', () => `/passthrough/${connection}/open_api/v1.3/user/info/`],
    ['report', () => `/ads/${connection}/report?level=campaign&type=COST`],
  ])('reads nothing from the database (%s)', async (_name, path) => {
    for (let warm = 0; warm < 3; warm += 1) expect((await app.call('GET', path())).status).toBe(200);
    await app.app.services.callLog.flush();
    statements.length = 0;
    await app.clearLog();
    for (let count = 0; count < CALLS; count += 1) expect((await app.call('GET', path())).status).toBe(200);
    expect(reads()).toEqual([]);
    expect((await app.requests()).length).toBeGreaterThanOrEqual(CALLS);
  });

  it('notes its key together with those of other calls', async () => {
    await app.app.services.callLog.flush();
    statements.length = 0;
    // Not paced: these go to no platform.
    await Promise.all(Array.from({ length: 60 }, () => app.call('GET', `/unified/connection/${connection}`)));
    await app.app.services.callLog.flush();
    expect(statements.filter((sql) => /update "?api_keys/i.test(sql)).length).toBeLessThanOrEqual(6);
    expect(statements.filter((sql) => /^(?:copy|insert into) "?api_calls/i.test(sql)).length).toBeLessThanOrEqual(6);
  });
});
