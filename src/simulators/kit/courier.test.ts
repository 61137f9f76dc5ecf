import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createClock } from './clock.ts';
import { createCourier } from './courier.ts';
import { openStore } from './store.ts';

let receiver: Server;
let url = '';
let statuses: number[] = [];
let bodies: string[] = [];
beforeAll(async () => {
  receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      bodies.push(text);
      response.statusCode = statuses.shift() ?? 200;
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
});
afterAll(() => receiver.close());
beforeEach(() => {
  statuses = [];
  bodies = [];
});

const parcel = (body: string, lifeMs = 10_000) => ({ url, headers: {}, body, about: 'test', lifeMs });
function make(more: { allowed?: () => boolean } = {}) {
  const clock = createClock({ machine: () => 0 });
  const store = openStore();
  const courier = createCourier({ store, clock, retryMs: (attempt) => attempt * 1000, ...more });
  return { clock, courier };
}

it('tries again after longer and longer, and then no more', async () => {
  const { clock, courier } = make();
  statuses = [500, 404, 500, 500, 500];
  courier.post(parcel('a'));
  const tries: number[] = [];
  for (let second = 0; second < 12; second++) {
    await courier.round();
    tries.push(bodies.length);
    clock.advance(1000);
  }
  // At 0 s, 1 s, 3 s and 6 s; the next would be at 10 s, when its time is over.
  expect(tries).toEqual([1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4]);
  expect(courier.list()[0]).toMatchObject({ status: 'given_up', attempts: 4, last: 'HTTP 500' });
});

it('takes no redirect, and says what a connection met', async () => {
  const { courier } = make();
  statuses = [302];
  courier.post(parcel('a'));
  courier.post({ ...parcel('b'), url: 'http://127.0.0.1:1/' });
  expect(await courier.round()).toEqual({ delivered: 0, failed: 2 });
  expect(courier.list().map(({ last }) => last)).toEqual(['HTTP 302', expect.stringMatching(/\w/)]);
});

it('sends each once however many rounds run at the same time, and once more when told', async () => {
  const { courier } = make();
  const { id } = courier.post(parcel('a'));
  await Promise.all([courier.round(), courier.round(), courier.round()]);
  expect(bodies).toEqual(['a']);
  expect(courier.again(id)).toBe(true);
  await courier.round();
  expect(bodies).toEqual(['a', 'a']);
  expect(courier.again('nothing')).toBe(false);
});

it('does not send what is not allowed any more', async () => {
  let allowed = true;
  const { clock, courier } = make({ allowed: () => allowed });
  statuses = [500];
  courier.post(parcel('a'));
  await courier.round();
  allowed = false;
  clock.advance(2000);
  await courier.round();
  expect(bodies).toHaveLength(1);
  expect(courier.list()[0]!.status).toBe('given_up');
});
