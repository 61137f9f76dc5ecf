/** Transport: what is repeated, what is given up, and how a platform that fails is left alone. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { PROBE_INTERVAL_MS } from '../../src/core/http/breaker.ts';
import { MAX_ATTEMPTS } from '../../src/core/http/retry.ts';
import { type PipelineWorld, startPipelineWorld } from '../support/pipeline-world.ts';

/** A clock on which waiting costs no time. */
class EagerClock implements Clock {
  time = Date.parse('2026-11-22T12:00:00Z');
  readonly slept: number[] = [];

  now(): Date {
    return new Date(this.time);
  }

  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.time += ms;
  }
}

let world: PipelineWorld;
afterEach(() => world.close());

/** Small and repeatable: the fraction of `nth` times the golden ratio. */
const scattered = (nth: number): number => (nth * 0.618_033_988_75) % 1;

async function each(count: number, parallel: number, work: () => Promise<unknown>) {
  const outcome = { worked: 0, failed: [] as Error[] };
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0)
      await work().then(
        () => {
          outcome.worked += 1;
        },
        (error) => outcome.failed.push(error),
      );
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return outcome;
}

describe('repetition', () => {
  it('of reads: with growing pauses of full jitter, four times in all', async () => {
    const clock = new EagerClock();
    world = await startPipelineWorld({ clock, random: () => 0.5 });
    world.behave(() => 'error');
    await expect(world.request()).rejects.toMatchObject({ code: 'platform_unavailable' });
    expect(world.arrivals).toHaveLength(MAX_ATTEMPTS);
    expect(clock.slept).toEqual([125, 250, 500]);
  });

  it('of writes: none once something was delivered, whatever broke', async () => {
    world = await startPipelineWorld({ clock: new EagerClock() });
    for (const behaviour of ['error', 'reset'] as const) {
      world.arrivals.length = 0;
      world.behave(() => behaviour);
      const write = world.request({ method: 'POST', json: {} });
      await expect(write).rejects.toMatchObject({ code: 'write_outcome_unknown' });
      expect(world.arrivals).toHaveLength(1);
    }
  });

  it('of writes that set a state, and of those that certainly did not arrive', async () => {
    world = await startPipelineWorld({ clock: new EagerClock() });
    world.behave((nth) => (nth < 3 ? 'reset' : 'ok'));
    await world.request({ method: 'POST', json: {}, idempotent: true });
    expect(world.arrivals).toHaveLength(3);
    await world.listen(false);
    const refused = world.request({ method: 'POST', json: {} });
    await expect(refused).rejects.toMatchObject({ code: 'platform_unavailable' });
  });

  it('waits as long as the platform asks, and not at all when that is too long', async () => {
    const clock = new EagerClock();
    world = await startPipelineWorld({ clock, random: () => 0 });
    world.behave((nth) => (nth === 1 ? { retryAfterSeconds: 7 } : 'ok'));
    await world.request();
    expect(clock.slept).toEqual([7_000]);
    world.behave(() => ({ retryAfterSeconds: 600 }));
    await expect(world.request()).rejects.toMatchObject({ code: 'platform_unavailable', retryAfterMs: 600_000 });
    expect(clock.slept).toEqual([7_000]);
  });
});

describe('a platform of which one answer in ten fails', () => {
  it('is asked at most 1.12 times per call, and 999 of 1,000 calls work', async () => {
    world = await startPipelineWorld({ clock: new EagerClock() });
    world.behave((nth) => (scattered(nth) < 0.1 ? 'error' : 'ok'));
    const { worked } = await each(2_000, 16, () => world.request());
    expect(worked).toBeGreaterThanOrEqual(1_998);
    expect(world.arrivals.length).toBeLessThanOrEqual(2_000 * 1.12);
  });
});

describe('a platform that is down', () => {
  it('is asked at most 1.1 times per caller, then once per interval, and is used again when it is back', async () => {
    const clock = new EagerClock();
    world = await startPipelineWorld({ clock });
    world.behave(() => 'error');
    const { failed } = await each(1_000, 1_000, () => world.request());
    expect(failed).toHaveLength(1_000);
    expect(world.arrivals.length).toBeLessThanOrEqual(1_100);
    expect(world.breakers.report()[0]).toMatchObject({ platform: 'acme', endpoints: 'things', state: 'open' });

    for (let interval = 0; interval < 3; interval += 1) {
      clock.time += PROBE_INTERVAL_MS;
      world.arrivals.length = 0;
      const round = await each(200, 50, () => world.request());
      expect(world.arrivals).toHaveLength(1);
      for (const error of round.failed) {
        expect(error).toMatchObject({ code: 'platform_unavailable' });
        expect((error as { retryAfterMs?: number }).retryAfterMs).toBeLessThanOrEqual(PROBE_INTERVAL_MS);
      }
    }
    world.behave(() => 'ok');
    clock.time += PROBE_INTERVAL_MS;
    await world.request();
    expect((await each(200, 50, () => world.request())).failed).toEqual([]);
  });

  it('does not keep other endpoints from being used', async () => {
    world = await startPipelineWorld({ clock: new EagerClock() });
    world.behave((_nth, request) => (request.url?.includes('reports') ? 'error' : 'ok'));
    await each(100, 50, () => world.request({ path: '/reports', operation: 'report/get' }));
    expect(world.breakers.report()[0]).toMatchObject({ endpoints: 'report', state: 'open' });
    expect((await each(100, 50, () => world.request())).failed).toEqual([]);
  });

  it('says so at once, without waiting, and names what is down', async () => {
    world = await startPipelineWorld({ clock: new EagerClock() });
    world.behave(() => 'error');
    await each(100, 100, () => world.request());
    world.arrivals.length = 0;
    await expect(world.request()).rejects.toMatchObject({
      code: 'platform_unavailable',
      details: { circuit: 'things', operation: 'things/get' },
    });
    expect(world.arrivals).toEqual([]);
  });
});

describe('pass-through', () => {
  it('hands failures through once, and stops asking a platform that is down', async () => {
    const clock = new EagerClock();
    world = await startPipelineWorld({ clock });
    world.behave(() => 'error');
    expect(await world.passThrough()).toBe(503);
    expect(world.arrivals).toHaveLength(1);
    const { worked } = await each(100, 1, () => world.passThrough());
    expect(worked).toBe(19);
    // Both ways to the platform share what is known of it.
    await expect(world.request()).rejects.toMatchObject({ details: { circuit: 'things' } });
    world.behave(() => 'ok');
    clock.time += PROBE_INTERVAL_MS;
    expect(await world.passThrough()).toBe(200);
    expect((await world.request()).json).toEqual({ ok: true });
  });
});

describe('the retry budget', () => {
  it('bounds repetitions where the breaker does not open: many endpoints that fail a little', async () => {
    world = await startPipelineWorld({ clock: new EagerClock() });
    world.behave(() => 'error');
    let class_ = 0;
    // Fewer calls per class than a breaker needs to judge.
    await each(300, 1, () => world.request({ operation: `class${class_++ % 100}/get` }));
    expect(world.arrivals.length).toBeLessThanOrEqual(300 + 100);
    expect(world.budgets.report()).toEqual([{ key: 'acme/production', left: 0, capacity: 500 }]);
  });
});

describe('the deadline', () => {
  it('ends a call that is not answered, within 50 ms', async () => {
    world = await startPipelineWorld();
    world.behave(() => 'hang');
    const begun = performance.now();
    await expect(world.request({}, 300)).rejects.toMatchObject({ code: 'platform_timeout' });
    const took = performance.now() - begun;
    expect(took).toBeGreaterThanOrEqual(295);
    // The promise is 50 ms; a loaded machine wakes late.
    expect(took).toBeLessThan(600);
  });

  it('does not cut off a stream whose headers came in time; the caller does', async () => {
    world = await startPipelineWorld();
    world.behave(() => 'slow_body');
    const request = { method: 'GET', path: '/file', operation: 'file/get' } as const;
    const whole = await world.pipeline.stream(world.scope(), world.platform, request, 150);
    let bytes = 0;
    for await (const chunk of whole.body) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(32);

    const caller = new AbortController();
    const cut = await world.pipeline.stream(world.scope(caller.signal), world.platform, request, 150);
    setTimeout(() => caller.abort(new Error('gone')), 120);
    await expect(Array.fromAsync(cut.body)).rejects.toThrow();
  });
});

describe('long answers that come together', () => {
  it('are read in turns of their own, with everybody else in between', async () => {
    world = await startPipelineWorld();
    const bytes = Buffer.from(
      JSON.stringify({ list: Array.from({ length: 1_000 }, (_, id) => ({ id, name: 'long' })) }),
    );
    world.behave(() => ({ headers: {}, bytes }));
    // Connections are there, so that the answers come in one turn.
    await each(16, 16, () => world.request());
    let turn = 0;
    let counting = true;
    const next = (): void => {
      turn += 1;
      if (counting) setImmediate(next);
    };
    const readIn = new Map<number, number>();
    const parse = JSON.parse;
    vi.spyOn(JSON, 'parse').mockImplementation((text, reviver) => {
      for (const end = performance.now() + 3; performance.now() < end; );
      readIn.set(turn, (readIn.get(turn) ?? 0) + 1);
      return parse(text, reviver);
    });
    setImmediate(next);
    const outcome = await each(16, 16, () => world.request());
    counting = false;
    vi.restoreAllMocks();
    expect(outcome).toMatchObject({ worked: 16, failed: [] });
    // One that finds the turn young, and one that waited for it.
    expect(Math.max(...readIn.values())).toBeLessThanOrEqual(2);
  });
});
