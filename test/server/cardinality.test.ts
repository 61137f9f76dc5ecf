/** What callers make up does not become labels, rows or memory without end. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PlatformUsage } from '../../src/core/calls/usage.ts';
import { systemClock } from '../../src/core/clock.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;
let connection: string;
beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok', tap: true });
  connection = (await app.connect()).get('id') as string;
  app.tap.answer('/', { status: 503, body: '<html>down</html>', headers: { 'content-type': 'text/html' } });
});
afterAll(() => app.close());

const ask = async (path: string): Promise<void> =>
  void (await app.call('GET', `/passthrough/${connection}/open_api/v1.3/${path}/`));

it('paths of pass-through: breakers go by the platform’s own families of endpoints, all else is one', async () => {
  for (let start = 0; start < 600; start += 20)
    await Promise.all(Array.from({ length: 20 }, (_, index) => ask(`made_up_${start + index}/get`)));
  for (const path of ['campaign/get', 'adgroup/get', 'report/integrated/get', 'made_up', 'Report/get', '__proto__/get'])
    await ask(path);
  // Connecting asked them, a moment ago.
  const before = new Set(['oauth2', 'user']);
  const circuits = app.app.runtime.breakers.report().map(({ endpoints }) => endpoints);
  expect(circuits.filter((endpoints) => !before.has(endpoints)).sort()).toEqual(['ads', 'other', 'report']);
  const metrics = await (await fetch(`${app.url}/metrics`, { headers: { authorization: app.key } })).text();
  expect(metrics).toMatch(/polyad_circuit_open\{[^}]*endpoints="other"/);
  expect(metrics).not.toContain('made_up');
  expect(metrics.match(/^polyad_circuit_open\{/gm)?.length).toBeLessThanOrEqual(5);
});

it('names of operations are counted one by one up to more than platforms have, then together', async () => {
  const { db } = app.app.store;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const usage = new PlatformUsage({ db, clock: systemClock, log });
  const subject = { workspace_id: app.workspace.id, integration_type: 'tiktokads', environment: 'sandbox' };
  for (let index = 0; index < 5_000; index += 1) usage.note(subject, `n${index}/get`, undefined);
  usage.note(subject, 'n1/get', undefined);
  await usage.close();
  const rows = await db
    .selectFrom('platform_usage')
    .select(['operation', 'calls'])
    .where('environment', '=', 'sandbox')
    .execute();
  expect(rows).toHaveLength(501);
  const calls = new Map(rows.map((row) => [row.operation, Number(row.calls)]));
  expect([calls.get('n1/get'), calls.get('(other)')]).toEqual([2, 4_500]);
});
