import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';
import { CATALOGUE } from './catalogue-table.ts';

let tiktok: TestTikTok;
let usd = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  usd = tiktok.ready.advertiser_ids[0]!;
});
afterAll(() => tiktok.close());

const header = (token: string) => ({ headers: { 'Access-Token': token } });
const json = (body: string) => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', 'Access-Token': tiktok.ready.access_token },
});
const read = async (response: Response) => JSON.parse(await response.text());
const info = (ids: unknown, options = {}) => tiktok.get('advertiser/info', { advertiser_ids: ids }, options);
const newApp = (scope: string[]) => tiktok.control('POST', '/apps', { scope, redirect_uris: ['https://a.test/'] });
const tokenFor = async (app: { id: string; secret: string }, more: Record<string, unknown> = {}) => {
  const { redirect_url } = await tiktok.control('POST', '/authorize', {
    app_id: app.id,
    redirect_uri: 'https://a.test/',
    ...more,
  });
  const auth_code = new URL(redirect_url).searchParams.get('auth_code');
  const { data } = await tiktok.post(
    'oauth2/access_token',
    { app_id: app.id, secret: app.secret, auth_code },
    { token: null },
  );
  return data.access_token as string;
};

describe('paths', () => {
  it.each([
    '/open_api/v1.3/advertiser/info',
    '/open_api/v1.3/no/such/path/',
    '/open_api/v1.3/',
    '/open_api/v9.9/user/info/',
    '/open_api/v1.3/campaign/get/7001035076276387841/',
    '/',
  ])('%s is a text 404', async (path) => {
    const response = await tiktok.raw(path, header(tiktok.ready.access_token));
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      404,
      'text/plain',
      '404 page not found',
    ]);
  });

  it('a documented path that is not simulated names the permission only where the token lacks it', async () => {
    const ask = (token: string) =>
      tiktok
        .get('video_template/status/get', { advertiser_id: usd }, { token })
        .then(({ code, message }) => [code, message]);
    const refusal = 'No permission to call /video_template/status/get/.';
    expect(await ask(tiktok.ready.access_token)).toEqual([40001, refusal]);
    expect(await ask(await tokenFor(await newApp(['2'])))).toEqual([
      40001,
      `${refusal} It needs one of the permissions 62.`,
    ]);
  });

  it('a wrong method is no path either', async () => {
    expect(
      (await tiktok.raw('/open_api/v1.3/user/info/', { method: 'POST', ...header(tiktok.ready.access_token) })).status,
    ).toBe(404);
    expect((await tiktok.raw('/open_api/v1.3/term/confirm/', header(tiktok.ready.access_token))).status).toBe(404);
    expect((await tiktok.raw('/open_api/v1.3/user/info/', { method: 'DELETE' })).status).toBe(404);
  });

  it('user/info alone works without the slash', async () => {
    expect((await tiktok.raw('/open_api/v1.3/user/info', header(tiktok.ready.access_token))).status).toBe(200);
  });

  it('an old version is gone', async () => {
    expect(await read(await tiktok.raw('/open_api/v1.2/user/info/'))).toMatchObject({ code: 40051, data: {} });
  });

  it('every documented path answers in the envelope, simulated or not', async () => {
    for (const [method, path] of CATALOGUE) {
      const verb = method === 'POST' ? 'POST' : 'GET';
      const response = await tiktok.raw(`/open_api/v1.3/${path}/`, {
        method: verb,
        ...header(tiktok.ready.access_token),
      });
      const answer = await read(response);
      expect([path, response.status]).toEqual([path, 200]);
      expect([path, typeof answer.code]).toEqual([path, 'number']);
      expect([path, answer.code]).not.toEqual([path, 50000]);
    }
  });

  it('a documented path that is not simulated says that the permission is missing', async () => {
    const answer = await tiktok.get('tto/tcm/rank', { advertiser_id: usd });
    expect(answer).toMatchObject({ code: 40001, data: {} });
    expect(answer.message).toMatch(/^No permission/);
    expect((await tiktok.get('tto/tcm/rank', {}, { token: null })).code).toBe(40104);
  });
});

describe('answers', () => {
  it('carry request id and trace headers', async () => {
    const response = await tiktok.raw('/open_api/v1.3/user/info/', header(tiktok.ready.access_token));
    const answer = await read(response);
    expect(answer).toMatchObject({ code: 0, message: 'OK' });
    expect(answer.request_id).toMatch(/^20\d{12}[0-9A-F]{20}$/);
    expect(response.headers.get('X-TT-LOGID')).toBe(answer.request_id);
    expect(response.headers.get('x-tt-trace-id')).toContain(answer.request_id.toLowerCase());
    expect(response.headers.get('content-type')).toContain('application/json');
  });
});

describe('input', () => {
  it('takes lists as one JSON document only', async () => {
    expect((await info([usd])).data.list[0].advertiser_id).toBe(usd);
    for (const text of [usd, `${usd},${usd}`, `["${usd}"`, '{"a":1}']) {
      const answer = await info(text);
      expect([text, answer.code]).toEqual([text, 40002]);
      expect(answer.message).toContain('advertiser_ids');
    }
    expect((await info([Number(usd)])).message).toBe('advertiser_ids.0: Not a valid string');
    expect((await info(undefined)).message).toBe('Missing required field(s): advertiser_ids.');
  });

  it('refuses bodies that are no JSON object', async () => {
    for (const body of ['{"a":', '[1]', '"x"']) {
      expect((await read(await tiktok.raw('/open_api/v1.3/term/confirm/', json(body)))).code).toBe(40002);
    }
    const missing = await read(await tiktok.raw('/open_api/v1.3/term/confirm/', json('')));
    expect(missing.message).toBe('Missing required field(s): advertiser_id, term_type.');
  });

  it('takes forms and multipart where a body is expected', async () => {
    const members = { advertiser_id: usd, term_type: 'Pixel' };
    const form = new FormData();
    for (const [name, value] of Object.entries(members)) form.append(name, value);
    for (const body of [new URLSearchParams(members), form]) {
      const response = await tiktok.raw('/open_api/v1.3/term/confirm/', {
        method: 'POST',
        body,
        ...header(tiktok.ready.access_token),
      });
      expect(await read(response)).toMatchObject({ code: 0 });
    }
  });
});

describe('tokens and hosts', () => {
  it('come by header alone', async () => {
    const answer = await read(await tiktok.raw(`/open_api/v1.3/user/info/?Access-Token=${tiktok.ready.access_token}`));
    expect(answer).toMatchObject({
      code: 40104,
      message: 'Access token is null, you should set it in http header with key Access-Token.',
    });
    const bearer = { headers: { authorization: `Bearer ${tiktok.ready.access_token}` } };
    expect((await read(await tiktok.raw('/open_api/v1.3/user/info/', bearer))).code).toBe(40104);
    expect((await tiktok.get('user/info', {}, { token: 'nonsense' })).code).toBe(40105);
  });

  it('never cross between production and sandbox', async () => {
    const { access_token, sandbox_access_token } = tiktok.ready;
    expect((await tiktok.get('user/info', {}, { sandbox: true })).code).toBe(0);
    expect((await tiktok.get('user/info', {}, { sandbox: true, token: access_token })).code).toBe(40105);
    expect((await tiktok.get('user/info', {}, { token: sandbox_access_token })).code).toBe(40105);
  });

  it('the sandbox host has only its own endpoints and account', async () => {
    const sandbox = { sandbox: true };
    expect((await tiktok.get('bc/get', {}, sandbox)).code).toBe(40009);
    expect((await tiktok.get('advertiser/info', { advertiser_ids: [usd] }, sandbox)).code).toBe(40009);
    const term = { term_type: 'Pixel' };
    expect(
      (await tiktok.get('term/check', { ...term, advertiser_id: tiktok.ready.sandbox_advertiser_id }, sandbox)).code,
    ).toBe(0);
    expect((await tiktok.get('term/check', { ...term, advertiser_id: usd }, sandbox)).code).toBe(40001);
  });

  it('the sandbox can be made per app', async () => {
    const app = await newApp(['2']);
    const { advertiser_id, access_token } = await tiktok.control('POST', `/apps/${app.id}/sandbox`, {
      currency: 'JPY',
    });
    const check = { advertiser_id, term_type: 'Pixel' };
    expect((await tiktok.get('term/check', check, { sandbox: true, token: access_token })).code).toBe(0);
    expect((await tiktok.get('term/check', check, { sandbox: true })).code).toBe(40001);
    await expect(tiktok.control('POST', `/apps/${app.id}/sandbox`, {})).rejects.toThrow('409');
  });
});

describe('permissions', () => {
  it('40125 when the app lacks it, 40001 when the advertiser did not grant it, hierarchy counts', async () => {
    const reports = await newApp(['4']);
    expect((await info([usd], { token: await tokenFor(reports) })).code).toBe(40125);
    const both = await newApp(['4', '10']);
    expect((await info([usd], { token: await tokenFor(both, { scope: ['4'] }) })).code).toBe(40001);
    expect((await info([usd], { token: await tokenFor(both, { scope: ['10'] }) })).code).toBe(0);
  });

  it('ad accounts must be ticked', async () => {
    const app = await newApp(['1']);
    const token = await tokenFor(app, { advertiser_ids: [usd] });
    expect((await info([usd], { token })).code).toBe(0);
    const denied = await info([usd, tiktok.ready.advertiser_ids[1]], { token });
    expect(denied.code).toBe(40001);
    expect(denied.message).toContain(tiktok.ready.advertiser_ids[1]);
  });

  it('analysts read and do not write', async () => {
    const app = await newApp(['1']);
    const { users } = await tiktok.control('GET', '/users');
    const idOf = (name: string) => users.find((user: { display_name: string }) => user.display_name === name).id;
    const term = { advertiser_id: usd, term_type: 'LeadAds' };
    const analyst = await tokenFor(app, { user_id: idOf('Ana Analyst') });
    expect((await tiktok.get('term/check', term, { token: analyst })).code).toBe(0);
    expect((await tiktok.post('term/confirm', term, { token: analyst })).code).toBe(40001);
    const operator = await tokenFor(app, { user_id: idOf('Omar Operator') });
    expect((await tiktok.post('term/confirm', term, { token: operator })).code).toBe(0);
    expect((await tiktok.get('term/check', term, { token: analyst })).data).toEqual({ confirmed: true });
  });
});

describe('faults in TikTok’s voice', () => {
  it.each([
    ['rate_limited', 40100],
    ['revoked', 40105],
    ['server_error', 50000],
  ])('%s is HTTP 200 with %i', async (kind, code) => {
    await tiktok.control('POST', '/faults', { kind, times: 1 });
    const response = await tiktok.raw('/open_api/v1.3/user/info/', header(tiktok.ready.access_token));
    expect([response.status, (await read(response)).code]).toEqual([200, code]);
  });

  it('a stale read shows the account as it was', async () => {
    await tiktok.control('POST', '/clock/freeze');
    await tiktok.control('POST', '/clock/advance', { minutes: 5 });
    await tiktok.control('PATCH', `/advertisers/${usd}`, { name: 'Renamed' });
    await tiktok.control('POST', '/faults', { kind: 'stale_reads', ms: 60_000, times: 1 });
    expect((await info([usd])).data.list[0].name).toBe('Acme US');
    expect((await info([usd])).data.list[0].name).toBe('Renamed');
    await tiktok.control('POST', '/clock/reset');
  });
});
