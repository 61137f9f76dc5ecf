import { describe, expect, it } from 'vitest';
import { createFaults } from './faults.ts';

describe('faults', () => {
  it('hit by path and method, as often as they should', () => {
    const faults = createFaults();
    const { id } = faults.add({ kind: 'server_error', path: 'campaign', method: 'post', times: 2 });
    expect(faults.apply('POST', '/adgroup/get/').outcome).toBeUndefined();
    expect(faults.apply('GET', '/campaign/get/').outcome).toBeUndefined();
    expect(faults.apply('POST', '/campaign/create/').outcome).toBe('server_error');
    expect(faults.list()).toMatchObject([{ id, times: 1 }]);
    expect(faults.apply('POST', '/campaign/create/').outcome).toBe('server_error');
    expect(faults.list()).toEqual([]);
    expect(faults.apply('POST', '/campaign/create/')).toEqual({ delayMs: 0 });
  });

  it('add latencies up and let the first deciding fault win, without using up the others', () => {
    const faults = createFaults();
    faults.add({ kind: 'latency', ms: 10 });
    faults.add({ kind: 'latency', ms: 20 });
    faults.add({ kind: 'drop_after' });
    faults.add({ kind: 'html_gateway', times: 1 });
    expect(faults.apply('GET', '/x')).toEqual({ delayMs: 30, outcome: 'drop_after', noted: 'drop_after' });
    expect(faults.list()).toHaveLength(4);
  });

  it('draw the same requests in every run', () => {
    const run = () => {
      const faults = createFaults();
      faults.add({ id: 'half', kind: 'drop_before', rate: 0.5 });
      return Array.from({ length: 200 }, () => (faults.apply('GET', '/x').outcome ? 1 : 0));
    };
    const hits = run();
    expect(run()).toEqual(hits);
    const sum = hits.reduce<number>((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(70);
    expect(sum).toBeLessThan(130);
  });

  it('make only reads stale', () => {
    const faults = createFaults();
    faults.add({ kind: 'stale_reads', ms: 5000 });
    expect(faults.apply('GET', '/x')).toEqual({ delayMs: 0, staleMs: 5000, noted: 'stale_reads' });
    expect(faults.apply('POST', '/x')).toEqual({ delayMs: 0 });
  });

  it('are removed one by one or all at once', () => {
    const faults = createFaults();
    const { id } = faults.add({ kind: 'revoked' });
    faults.add({ kind: 'truncate' });
    expect(faults.remove(id)).toBe(true);
    expect(faults.remove(id)).toBe(false);
    faults.clear();
    expect(faults.list()).toEqual([]);
  });
});
