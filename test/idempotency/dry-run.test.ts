/** Every write of the API can be rehearsed: nothing is sent, nothing is recorded, and what would be sent is shown. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../support/app.ts';
import {
  CASES,
  type Case,
  CLIP,
  connection,
  endpoints,
  members,
  OWN,
  openRehearsals,
  org,
  polyad,
  requestsIn,
  send,
  sha256,
  world,
} from './rehearsals.ts';

const changed = async (): Promise<Json[]> => (await polyad.requests()).filter(({ method }) => method !== 'GET');
const recorded = async (): Promise<Json> => ({
  writes: await polyad.app.store.db.selectFrom('writes').selectAll().execute(),
  audit: await polyad.app.store.db
    .selectFrom('audit_log')
    .select('action')
    .where('action', '!=', 'useCredentials')
    .execute(),
  waiting: await world.fates(''),
});

beforeAll(openRehearsals, 60_000);
afterAll(() => world.close());

describe('every write', () => {
  it('of the API is here, or changes nothing at a platform', async () => {
    const { paths } = await polyad.ok('GET', '/openapi.json');
    const here = new Set(CASES.flatMap(({ of }) => of));
    const missing: string[] = [];
    for (const path of Object.values<Json>(paths))
      for (const [method, { operationId, parameters = [] }] of Object.entries<Json>(path)) {
        if (method === 'get' || OWN[operationId] !== undefined) continue;
        const flag = parameters.some(({ name }: Json) => name === 'dry_run');
        if (!flag || !here.delete(operationId)) missing.push(operationId);
      }
    expect(missing).toEqual([]);
    expect([...here]).toEqual([]);
  });

  it.each(CASES.map((one) => [`${one.of[0]} ${one.sends?.join(' ') ?? one.refused}`, one] as const))(
    'is rehearsed: %s',
    async (_name, one) => {
      const before = await recorded();
      const { status, body, text } = await send(one);
      if (one.refused !== undefined) expect(body.code, text).toBe(one.refused);
      else {
        expect(status, text).toBe(200);
        expect(endpoints(body)).toEqual(one.sends);
      }
      expect(await changed()).toEqual([]);
      expect(await recorded()).toEqual(before);
      for (const secret of ['access_token', 'secret'])
        expect(text).not.toContain(polyad.simulator.ready[secret] as string);
      expect(text.toLowerCase()).not.toContain('@example.com');
      expect(text).not.toContain('undefined');
    },
  );
});

const caseOf = (id: string, index = 0): Case => CASES.filter(({ of }) => of.includes(id))[index] as Case;
const shown = async (one: Case): Promise<Json[]> => requestsIn((await send(one)).body);

describe('what is shown', () => {
  it('of a file: name, type, size and checksum, piece by piece; ids that are not known yet say where they come from', async () => {
    const [start, first, second, finish, last] = await shown(caseOf('uploadMedia'));
    expect(start.body).toMatchObject({ size: CLIP.length, name: 'clip.mp4' });
    expect(start.note).toContain('5242880 bytes are assumed');
    const piece = (from: number, to: number): Json => ({
      upload_id: '<upload_id from file/start/upload>',
      start_offset: String(from),
      file: { bytes: to - from, sha256: sha256(CLIP.subarray(from, to)), content_type: 'application/octet-stream' },
    });
    expect(first.body).toMatchObject(piece(0, 5 * 1024 * 1024));
    expect(second.body).toMatchObject(piece(5 * 1024 * 1024, CLIP.length));
    expect(finish.body.upload_id).toBe('<upload_id from file/start/upload>');
    expect(last.body).toMatchObject({ file_id: '<file_id from file/finish/upload>', file_name: 'clip.mp4' });

    const [video, image, ad] = await shown(caseOf('createAdsCreative'));
    expect([video.body.upload_type, image.body.upload_type]).toEqual(['UPLOAD_BY_URL', 'UPLOAD_BY_URL']);
    expect(ad.body.creatives[0]).toMatchObject({
      video_id: '<video_id from file/video/ad/upload>',
      image_ids: ['<image_id from file/image/ad/upload>'],
    });
  });

  it('of people: digests alone', async () => {
    const { body } = await send(caseOf('changeAdsAudienceMembers'));
    expect(body).toMatchObject([
      { batch: 1, members: 2, dry_run: { complete: true } },
      { summary: { received: 2, sent: 2 } },
    ]);
    expect(requestsIn(body)[0].body).toMatchObject({ action: 'add', id_schema: ['EMAIL_SHA256'] });
    expect(JSON.stringify(body)).toContain(sha256('ada@example.com'));
    const [file, update] = await shown(caseOf('changeAdsAudienceMembers', 1));
    const text = `${sha256('ada@example.com')}\n${sha256('bob@example.com')}\n`;
    expect(file.body.file).toEqual({
      ...{ filename: 'members.csv', content_type: 'text/csv', bytes: text.length, sha256: sha256(text) },
    });
    expect(update.body).toMatchObject({
      file_paths: ['<file_path from dmp/custom_audience/file/upload>'],
      action: 'APPEND',
    });
  });

  it('of secrets: that they are there', async () => {
    const [subscribe] = await shown(caseOf('createHookSubscription'));
    expect(subscribe.body).toMatchObject({
      secret: '[hidden]',
      subscription_detail: { access_token: '[hidden]', advertiser_id: org },
    });
  });

  it('of a list that is refused is the refusal', async () => {
    const wrong = { ...caseOf('changeAdsAudienceMembers'), path: () => `${members('stream')()}&action=replace` };
    expect((await send(wrong)).body.code).toBe('method_unsupported');
    const nobody = { ...caseOf('createAdsAudienceFromFile'), raw: '{}\n' };
    expect((await send(nobody)).body.code).toBe('input_invalid');
    const elsewhere = { ...caseOf('uploadMedia'), path: () => `/ads/${connection}/media?org_id=1&name=clip.mp4` };
    expect((await send(elsewhere)).body.code).toBe('organization_unknown');
    expect(await changed()).toEqual([]);
  });
});

describe('by pass-through', () => {
  const path = '/open_api/v1.3/campaign/status/update/';
  const through = (query: string, body: Json = { campaign_ids: ['1'], access_token: 'their own secret' }) =>
    polyad.call('POST', `/passthrough/${connection}${path}${query}`, body, { 'x-extra': 'yes' });

  it('the request is shown, with what goes on of it, and our parameter taken out', async () => {
    const { status, body } = await through('?x=1&dry_run=true&y=2');
    expect(status).toBe(200);
    const [{ headers, ...request }] = body.dry_run.requests;
    expect(request).toEqual({
      ...{ method: 'POST', url: `${polyad.tap.url}${path}?x=1&y=2` },
      body: { campaign_ids: ['1'], access_token: '[hidden]' },
    });
    expect(headers).toMatchObject({ 'access-token': '[hidden]', 'x-extra': 'yes' });
    expect(headers.authorization).toBeUndefined();
    expect(await changed()).toEqual([]);
  });

  it('a body that is no JSON is known by its size and checksum', async () => {
    const answer = await send({ ...caseOf('createPassthrough'), raw: CLIP, type: 'video/mp4' });
    expect(answer.body.dry_run.requests[0].body).toEqual({
      ...{ content_type: 'video/mp4', bytes: CLIP.length, sha256: sha256(CLIP) },
    });
  });

  it('`dry_run=false` is ours too; escaped it is the platform’s', async () => {
    for (const [query, sent] of [
      ['?dry_run=false', {}],
      ['?dry%5Frun=1', { dry_run: '1' }],
      ['?xdry_run=1', { xdry_run: '1' }],
    ] as const) {
      await polyad.clearLog();
      expect((await through(query)).body.dry_run).toBeUndefined();
      expect((await polyad.requests(path)).map(({ query: asked }) => asked)).toEqual([sent]);
    }
    await polyad.clearLog();
  });

  it('goes where the call itself would be refused nowhere', async () => {
    const answer = await polyad.call(
      'POST',
      `/passthrough/${connection}/https%3A%2F%2Fexample.com%2F?dry_run=true`,
      {},
    );
    expect(answer.body.code).toBe('passthrough_host_refused');
  });
});

describe('a flag', () => {
  const names = [
    ...['createAdsCampaign', 'bulkWrite', 'createAdsConversion', 'createPassthrough', 'applyAdsAudience'],
    ...['uploadMedia', 'createHookSubscription', 'runAccountAction'],
  ];

  it.each(['1', 'TRUE', 'True', ''])('%j means a dry run everywhere', async (value) => {
    for (const name of names) {
      const { status, body, text } = await send(caseOf(name), `dry_run=${value}`);
      expect(status, text).toBe(200);
      expect(requestsIn(body), name).not.toEqual([]);
    }
    expect(await changed()).toEqual([]);
  });

  it.each(['dry_run=yes', 'dry_run=2', 'dry_run=true&dry_run=true', 'dry_run=true&dry_run=false'])(
    '%j is refused everywhere',
    async (flag) => {
      for (const name of names) {
        const { status, body } = await send(caseOf(name), flag);
        expect(status, name).toBe(400);
        expect(body, name).toMatchObject({ code: 'input_invalid', details: { issues: [{ path: 'dry_run' }] } });
      }
      expect(await changed()).toEqual([]);
    },
  );

  it('on what cannot be rehearsed is refused, and nothing is done', async () => {
    const path = '/v1/keys?dry_run=true';
    expect((await polyad.call('POST', path, { name: 'x', scopes: ['read'] })).body.code).toBe('input_invalid');
    expect((await polyad.call('POST', '/v1/keys', { name: 'x', scopes: ['read'] })).status).toBe(200);
  });
});
