/** Events that survive: eight producers, servers that are killed under them, a platform that fails now and then. */
import { describe, expect, it } from 'vitest';
import { type LoadReport, runLoad } from '../conversions/load.ts';

/** A million by `npm run test:tiktok-depth`. */
const EVENTS = Number(process.env['POLYAD_TEST_EVENTS'] ?? 20_000);
const MANY = EVENTS > 100_000;
const FAULTS = ['drop_after', 'drop_before', 'server_error', 'truncate'].map((kind) => ({
  ...{ kind, path: '/event/track/', rate: 0.05 },
}));
const POSTGRES = (process.env['POLYAD_TEST_DATABASE_URL'] ?? '') !== '';

const run = (embedded: boolean): Promise<LoadReport> =>
  runLoad({
    ...{ events: EVENTS, producers: 8, perCall: MANY ? 500 : 100, servers: embedded ? 1 : 2, embedded },
    ...{
      kills: 3,
      faults: FAULTS,
      poisonEvery: MANY ? 10_007 : 997,
      repeatEvery: MANY ? 50 : 5,
    },
  });

describe.each([
  ['the embedded database', true],
  ...(POSTGRES ? ([['Postgres and two servers', false]] as const) : []),
] as const)('events on %s', (_name, embedded) => {
  it('are each accepted exactly once, and poison harms only itself', {
    timeout: MANY ? 1_800_000 : 240_000,
  }, async () => {
    const found = await run(embedded);
    expect(found.kills).toBe(3);
    expect(found.duplicates).toBeGreaterThan(0);
    expect(found.platform).toMatchObject({ accepted: EVENTS - found.poison, missing: 0, foreign: 0 });
    expect(found.fates).toMatchObject({
      accepted: EVENTS - found.poison,
      refused: found.poison,
      waiting: 0,
      withheld: 0,
    });
  });
});
