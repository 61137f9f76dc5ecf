/** The connect flow attacked by plain HTTP, on the real server, with the simulator's consent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok' });
}, 120_000);
afterAll(() => app.close());

interface Ready {
  /** Where the platform sends the browser. */
  address: string;
  cookie: string;
  link: string;
}

/** A flow whose person has said yes. */
async function ready(): Promise<Ready> {
  const { type } = app.platform.manifest;
  const back = `${app.url}/dashboard`;
  const query = new URLSearchParams({ env: 'simulator', success_redirect: back, failure_redirect: back });
  const link = await (await fetch(`${app.url}/unified/integration/auth/${app.workspace.id}/${type}?${query}`)).text();
  const cookie = ((await fetch(link)).headers.getSetCookie()[0] as string).split(';', 1)[0] as string;
  const going = await fetch(link, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'action=continue',
  });
  const asked = Object.fromEntries(new URL(going.headers.get('location') as string).searchParams);
  const { redirect_url: address } = await app.control('POST', '/authorize', asked);
  return { address, cookie, link };
}

const come = async (address: string, cookie?: string, init: RequestInit = {}) => {
  const answer = await fetch(address, {
    redirect: 'manual',
    ...init,
    headers: { ...(cookie === undefined ? {} : { cookie }) },
  });
  return { status: answer.status, location: answer.headers.get('location'), text: await answer.text() };
};
const count = async (): Promise<number> => (await app.ok('GET', '/unified/connection?limit=100')).length;

describe('the callback over HTTP', () => {
  it('makes one connection for two clicks, and both see the success', async () => {
    const { address, cookie } = await ready();
    const before = await count();
    await app.clearLog();
    const answers = await Promise.all([come(address, cookie), come(address, cookie)]);
    expect(answers.map(({ status }) => status)).toEqual([302, 302]);
    expect(answers[0]?.location).toBe(answers[1]?.location);
    expect(answers[0]?.location).toMatch(/[?&]id=[0-9a-f]{24}/);
    expect(await count()).toBe(before + 1);
    expect(await app.requests('oauth2/access_token')).toHaveLength(1);
  });

  it.each([
    ['no cookie', async ({ address }: Ready) => come(address)],
    ['another browser’s cookie', async ({ address }: Ready) => come(address, (await ready()).cookie)],
    ['a cookie of another form', async ({ address }: Ready) => come(address, 'polyad_connect=1')],
    [
      'another platform’s callback',
      async ({ address, cookie }: Ready) => come(address.replace('/tiktokads', '/metaads'), cookie),
    ],
    [
      'a state that is cut',
      async ({ address, cookie }: Ready) => come(address.replace(/(state=[^&]{20})[^&]*/, '$1'), cookie),
    ],
    [
      'two states, ours second',
      async ({ address, cookie }: Ready) => come(address.replace('state=', 'state=x&state='), cookie),
    ],
    [
      'the link’s token as state',
      async ({ address, cookie, link }: Ready) =>
        come(address.replace(/state=[^&]+/, `state=${link.split('/').at(-1)}`), cookie),
    ],
  ])('connects nothing and sends nobody anywhere with %s', async (_name, attack) => {
    const flow = await ready();
    const before = await count();
    await app.clearLog();
    const { status, location } = await attack(flow);
    expect([status >= 400, location]).toEqual([true, null]);
    expect(await count()).toBe(before);
    expect(await app.requests('oauth2/access_token')).toHaveLength(0);
    // And the flow is as good as before, for whom it belongs to.
    expect((await come(flow.address, flow.cookie)).location).toMatch(/[?&]id=/);
  });

  it.each(['POST', 'PUT', 'DELETE'])('is not there for %s', async (method) => {
    const { address, cookie } = await ready();
    expect((await come(address, cookie, { method })).status).toBeGreaterThanOrEqual(404);
  });
});
