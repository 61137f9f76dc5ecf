import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../test/support/virtual-clock.ts';
import { Breakers, type Circuit, type Passage, PROBE_INTERVAL_MS } from './breaker.ts';

const circuit: Circuit = { platform: 'acme', environment: 'production', endpoints: 'campaign' };

describe('circuit breaker', () => {
  let clock: VirtualClock;
  let breakers: Breakers;
  beforeEach(() => {
    clock = new VirtualClock();
    breakers = new Breakers(clock);
  });
  const call = (worked: boolean | undefined): boolean => {
    const passage = breakers.enter(circuit);
    if (typeof passage === 'number') return false;
    passage.ended(worked);
    return true;
  };
  const many = (count: number, worked: boolean): number =>
    Array.from({ length: count }, () => call(worked)).filter(Boolean).length;

  it('stays closed while fewer than half of the calls fail, and with few calls', () => {
    many(19, false);
    expect(breakers.report()[0]).toMatchObject({ state: 'closed', calls: 19, failures: 19 });
    many(21, true);
    many(1, false);
    expect(breakers.waitMs(circuit)).toBe(0);
  });

  it('forgets failures after ten seconds', async () => {
    many(19, false);
    await clock.advance(11_000);
    many(2, false);
    expect(breakers.report()[0]).toMatchObject({ state: 'closed', calls: 2, failures: 2 });
  });

  it('opens at twenty calls with half of them failed, and refuses from then on', () => {
    expect(many(100, false)).toBe(20);
    expect(breakers.waitMs(circuit)).toBe(PROBE_INTERVAL_MS);
    expect(breakers.report()[0]).toMatchObject({ ...circuit, state: 'open' });
  });

  it('knows each platform, environment and class of endpoints apart', () => {
    many(20, false);
    for (const other of [{ platform: 'other' }, { environment: 'sandbox' }, { endpoints: 'report' }])
      expect(breakers.waitMs({ ...circuit, ...other })).toBe(0);
  });

  it('lets one probe through per interval, and closes when it works', async () => {
    many(20, false);
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(PROBE_INTERVAL_MS);
      expect(many(50, false)).toBe(1);
    }
    await clock.advance(PROBE_INTERVAL_MS);
    const probe = breakers.enter(circuit) as Passage;
    expect(probe.probe).toBe(true);
    expect(breakers.enter(circuit)).toBeGreaterThan(0);
    probe.ended(true);
    expect(many(10, true)).toBe(10);
    expect(breakers.report()[0]).toMatchObject({ state: 'closed', open_since: null });
  });

  it('a probe that was given up makes room for the next at once', async () => {
    many(20, false);
    await clock.advance(PROBE_INTERVAL_MS);
    expect(call(undefined)).toBe(true);
    expect(call(true)).toBe(true);
    expect(breakers.waitMs(circuit)).toBe(0);
  });

  it('calls that were under way when it opened neither close it nor delay the probe', async () => {
    const early = Array.from({ length: 40 }, () => breakers.enter(circuit) as Passage);
    for (const passage of early.slice(0, 20)) passage.ended(false);
    await clock.advance(3_000);
    for (const passage of early.slice(20, 30)) passage.ended(false);
    for (const passage of early.slice(30)) passage.ended(true);
    expect(breakers.waitMs(circuit)).toBe(2_000);
  });
});
