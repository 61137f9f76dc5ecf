import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  failureOf,
  fillParams,
  fillTemplate,
  runTokenCall,
  type TokenCallInput,
} from '../../src/core/auth/token-calls.ts';
import type { TokenCall } from '../../src/core/connector/auth-spec.ts';
import type { QuotaBucket } from '../../src/core/connector/types.ts';
import type { PolyadError } from '../../src/core/errors/index.ts';
import { Breakers, PROBE_INTERVAL_MS } from '../../src/core/http/breaker.ts';
import { HttpClient } from '../../src/core/http/client.ts';
import { EgressPolicy } from '../../src/core/http/egress.ts';
import { Pacer } from '../../src/core/pacing/pacer.ts';
import { settle, VirtualClock } from '../support/virtual-clock.ts';
import { type LoopAds, loopAdsPlatform, startLoopAds } from './support/loop-ads.ts';

const clock = new VirtualClock();
const http = new HttpClient(new EgressPolicy({ allow: ['127.0.0.0/8'] }));
const module = loopAdsPlatform();
let platform: LoopAds;
beforeAll(async () => {
  platform = await startLoopAds(() => clock.now().getTime());
});
afterAll(async () => {
  await http.destroy();
  await platform.close();
});
beforeEach(() => {
  platform.faults.length = 0;
  platform.seen.length = 0;
});

const values = {
  client_id: 'app-1',
  client_secret: 'very-secret-secret',
  refresh_token: 'rt-secret-value',
  code: 'code-secret-value',
};
const call = (more: Partial<TokenCall> = {}): TokenCall => ({
  host: 'api',
  method: 'POST',
  path: '/token/revoke',
  encoding: 'json',
  params: { client_id: '{client_id}', client_secret: '{client_secret}', mixed: 'a-{code}-z', none: '{code_verifier}' },
  ...more,
});

/** Runs a call with time moving on whenever it waits. */
async function run(more: Partial<TokenCallInput> = {}, breakers?: Breakers, pacer?: Pacer): Promise<unknown> {
  const running = runTokenCall(
    {
      platform: module,
      environment: 'production',
      hosts: { api: platform.url },
      call: call(),
      values,
      repeatable: true,
      ...more,
    },
    { http, clock, breakers, pacer },
  );
  const state: { done: boolean } = { done: false };
  running.then(
    () => Object.assign(state, { done: true }),
    () => Object.assign(state, { done: true }),
  );
  while (!state.done) {
    await settle();
    await clock.step();
  }
  return running;
}
const failed = (more: Partial<TokenCallInput> = {}, breakers?: Breakers): Promise<PolyadError> =>
  run(more, breakers).then(
    (answer) => {
      throw new Error(`succeeded: ${JSON.stringify(answer)}`);
    },
    (error: PolyadError) => error,
  );

describe('templates', () => {
  it('are filled by name; a parameter whose value is missing is left out', () => {
    expect(fillTemplate('Bearer {access_token}', { access_token: 't' })).toBe('Bearer t');
    expect(fillTemplate('{code}', {})).toBeUndefined();
    expect(fillTemplate('authorization_code', {})).toBe('authorization_code');
    expect(fillTemplate('{code}', { code: '{client_secret}', client_secret: 's' })).toBe('{client_secret}');
    expect(fillParams({ a: '{code}', b: '{state}', c: '' }, { code: '1' })).toEqual({ a: '1', c: '' });
  });
});

describe('token calls', () => {
  it('send JSON, form or query, and nothing that has no value', async () => {
    await run();
    await run({ call: call({ encoding: 'form' }) });
    await run({ call: call({ encoding: 'query', method: 'GET', path: '/me' }) }).catch(() => undefined);
    const expected = { client_id: 'app-1', client_secret: 'very-secret-secret', mixed: 'a-code-secret-value-z' };
    expect(platform.seen[0]?.body).toEqual(expected);
    expect(platform.seen[1]?.body).toEqual(expected);
    expect(Object.fromEntries(platform.seen[2]?.query ?? [])).toEqual(expected);
  });

  it('keep whole numbers beyond 2^53, as some platforms number their scopes, to the digit', async () => {
    platform.faults.push({ path: '/token/revoke', status: 200, body: '{"scope":[4,7043626160646818562]}' });
    expect(await run()).toEqual({ scope: [4, '7043626160646818562'] });
  });

  it('say what the platform said, without anything that was filled in', async () => {
    platform.faults.push({
      path: '/token/revoke',
      status: 200,
      body: { code: 'E_PATH', message: 'bad code-secret-value for very-secret-secret' },
    });
    const error = await failed();
    expect(error).toMatchObject({
      code: 'platform_rejected',
      message: 'Loop Ads answered E_PATH: bad [hidden] for [hidden]',
      platform: { integration_type: 'loopads', status: 200, code: 'E_PATH', request_id: 'loop-1' },
    });
    expect(failureOf(error)).toMatchObject({ scope: 'request', native: { message: 'bad [hidden] for [hidden]' } });
    expect(JSON.stringify([error, error.stack, error.cause])).not.toContain('secret-value');
  });

  it('repeat what may be repeated, and only that', async () => {
    const busy = { path: '/token/revoke', status: 503, body: 'busy' };
    platform.faults.push({ ...busy }, { ...busy });
    await expect(run()).resolves.toEqual({ ok: true });
    expect(platform.seen).toHaveLength(3);
    platform.seen.length = 0;
    platform.faults.push({ ...busy });
    expect((await failed({ repeatable: false })).code).toBe('platform_unavailable');
    expect(platform.seen).toHaveLength(1);
    platform.seen.length = 0;
    platform.faults.push(...Array.from({ length: 9 }, () => ({ ...busy, status: 429 })));
    expect((await failed()).code).toBe('platform_rate_limited');
    expect(platform.seen).toHaveLength(4);
  });

  it('tell the quotas of a refusal, and do not ask again before the recovery time', async () => {
    const quotas: QuotaBucket[] = [
      { name: 'app', keyedBy: ['app'], limit: 100, windowMs: 60_000, recovery: { restMs: 300_000 } },
    ];
    const limited = { ...module, manifest: { ...module.manifest, quotas } };
    const pacer = new Pacer(clock);
    const from = clock.now().getTime();
    platform.faults.push({ path: '/token/revoke', status: 429, body: 'busy' });
    await expect(run({ platform: limited }, undefined, pacer)).rejects.toMatchObject({ code: 'platform_rate_limited' });
    expect(platform.seen).toHaveLength(1);
    const [bucket] = pacer.snapshot();
    expect(Date.parse(bucket?.resting_until as string) - from).toBeGreaterThanOrEqual(300_000);
    expect([...pacer.counts().refusedByPlatform.values()]).toEqual([1]);
  });

  it('repeat after a dropped connection only what may be repeated', async () => {
    platform.faults.push({ path: '/token/revoke', status: 0, body: '', drop: true });
    await expect(run()).resolves.toEqual({ ok: true });
    platform.faults.push({ path: '/token/revoke', status: 0, body: '', drop: true });
    const error = await failed({ repeatable: false });
    expect(error.code).toBe('platform_unavailable');
    expect(failureOf(error)).toBeUndefined();
    expect(error.cause).toBeUndefined();
  });

  it('repeat even an exchange when nothing was sent', async () => {
    const nobody = { api: 'http://127.0.0.1:9' };
    const before = clock.now().getTime();
    expect((await failed({ hosts: nobody, repeatable: false })).code).toBe('platform_unavailable');
    expect(clock.now().getTime()).toBeGreaterThan(before);
  });

  it('follow no redirect and take nothing but a JSON object', async () => {
    const answers = [
      { status: 302, body: '', headers: { location: `${platform.url}/me` } },
      { status: 200, body: '<html>gateway</html>' },
      { status: 200, body: 'null' },
      { status: 200, body: '"token"' },
      { status: 200, body: '' },
    ];
    for (const answer of answers) {
      platform.seen.length = 0;
      platform.faults.push({ path: '/token/revoke', ...answer });
      expect((await failed({ repeatable: false })).code).toBe('platform_unavailable');
      expect(platform.seen).toHaveLength(1);
    }
  });

  it('do not read endless answers', async () => {
    platform.faults.push({ path: '/token/revoke', status: 200, body: ' '.repeat(1_100_000) });
    expect((await failed({ repeatable: false })).code).toBe('platform_unavailable');
  });

  it('reach only a host of the environment they were given', async () => {
    await expect(run({ call: call({ host: 'elsewhere' }) })).rejects.toThrow('no host `elsewhere`');
    expect(platform.seen).toHaveLength(0);
  });

  it('stop when the caller does', async () => {
    const stop = new AbortController();
    platform.gate = new Promise(() => undefined);
    const running = runTokenCall(
      {
        platform: module,
        environment: 'production',
        hosts: { api: platform.url },
        call: call(),
        values,
        repeatable: true,
        signal: stop.signal,
      },
      { http, clock },
    );
    while (platform.seen.length === 0) await settle();
    stop.abort(new Error('hung up'));
    await expect(running).rejects.toThrow('hung up');
    platform.gate = undefined;
  });
});

describe('an endpoint that is down', () => {
  const down = { path: '/token/revoke', status: 503, body: 'busy' };
  const once = { repeatable: false } as const;

  /** A breaker that twenty failed calls have opened. */
  async function opened(): Promise<Breakers> {
    const breakers = new Breakers(clock);
    for (let number = 0; number < 20; number += 1) {
      platform.faults.push({ ...down });
      expect((await failed(once, breakers)).code).toBe('platform_unavailable');
    }
    platform.seen.length = 0;
    return breakers;
  }

  it('is left alone until a probe has worked, and named meanwhile', async () => {
    const breakers = await opened();
    const error = await failed(once, breakers);
    expect(error).toMatchObject({
      code: 'platform_unavailable',
      retry: 'after',
      details: { circuit: 'token', operation: 'token/revoke' },
    });
    expect(error.retryAfterMs).toBeLessThanOrEqual(PROBE_INTERVAL_MS);
    expect(platform.seen).toHaveLength(0);
    expect(breakers.report()).toMatchObject([{ platform: 'loop', endpoints: 'token', state: 'open' }]);
    await clock.advance(PROBE_INTERVAL_MS);
    await expect(run(once, breakers)).resolves.toEqual({ ok: true });
    expect(breakers.report().filter(({ state }) => state !== 'closed')).toEqual([]);
  });

  it('is not what refuses a grant: such answers keep the breaker closed', async () => {
    const breakers = new Breakers(clock);
    for (let number = 0; number < 30; number += 1) {
      platform.faults.push({ path: '/token/revoke', status: 400, body: { code: 'E_PATH', message: 'no' } });
      expect((await failed(once, breakers)).code).toBe('platform_rejected');
    }
    expect(platform.seen).toHaveLength(30);
  });

  it('is offered a spent refresh token once more all the same: later may be too late', async () => {
    const breakers = new Breakers(clock);
    for (let number = 0; number < 19; number += 1) {
      platform.faults.push({ ...down });
      await failed(once, breakers);
    }
    platform.seen.length = 0;
    // The twentieth failure opens the breaker; it is this call's own answer that was lost.
    platform.faults.push({ path: '/token/revoke', status: 0, body: '', drop: true });
    await expect(run({ spends: true }, breakers)).resolves.toEqual({ ok: true });
    expect(platform.seen).toHaveLength(2);
  });
});
