/** Writes whose body is a list or a file: done once under a key too. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type Json, startTestApp, type TestApp } from '../support/app.ts';

let polyad: TestApp;
let connection: string;
let organization: string;

beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual', tap: true });
  [organization] = polyad.simulator.ready['advertiser_ids'] as [string];
  connection = (await polyad.connect()).get('id') as string;
});
afterAll(() => polyad.close());
beforeEach(async () => {
  await polyad.control('POST', '/faults/clear');
  await polyad.clearLog();
});

async function send(path: string, body: string, contentType: string, key?: string): Promise<Answer> {
  const answer = await fetch(`${polyad.url}/ads/${connection}/${path}`, {
    method: 'POST',
    headers: { authorization: polyad.key, 'content-type': contentType, ...(key && { 'idempotency-key': key }) },
    body,
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Json };
}
const LIST = '{"email":"a@example.com"}\n{"email":"b@example.com"}\n';
const fromFile = (name: string, key?: string, more = '', list = LIST) =>
  send(
    `audience/from_file?org_id=${organization}&name=${name}&identifier=email${more}`,
    list,
    'application/x-ndjson',
    key,
  );
const upload = (name: string, key?: string) =>
  send(`media?org_id=${organization}&name=${name}`, 'x'.repeat(1000), 'video/mp4', key);
const sent = async (path: string): Promise<number> => (await polyad.requests(path)).length;
const audiences = async (name: string): Promise<Json[]> =>
  polyad.ok('GET', `/ads/${connection}/audience?org_id=${organization}&query=${name}`);

describe('an audience from a list', () => {
  it('is made once under a key', async () => {
    const first = await fromFile('Once', 'once');
    expect(first).toMatchObject({ status: 200, body: { name: 'Once', members: { received: 2, sent: 2 } } });
    const second = await fromFile('Once', 'once');
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await sent('dmp/custom_audience/create')).toBe(1);
    for (const other of [await fromFile('Other', 'once'), await fromFile('Once', 'once', '', `${LIST}{}\n`)])
      expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_key_conflict' } });
    expect((await fromFile('Once')).body.id).not.toBe(first.body.id);
  });

  it('is looked for when the answer is lost', async () => {
    await polyad.control('POST', '/faults', { kind: 'drop_after', path: 'dmp/custom_audience/create', times: 1 });
    const { status, body } = await fromFile('Lost', 'lost');
    expect(status).toBe(200);
    expect((await audiences('Lost')).map(({ id }) => id)).toEqual([body.id]);
  });

  it('is a named unknown when it cannot be found, and is not made a second time', async () => {
    await polyad.control('POST', '/faults', { kind: 'drop_before', path: 'dmp/custom_audience/create', times: 1 });
    const unknown = {
      code: 'write_outcome_unknown',
      details: { object: 'audience', name: 'Gone', check: expect.stringContaining('Audiences') },
    };
    expect((await fromFile('Gone', 'gone')).body).toMatchObject(unknown);
    expect((await fromFile('Gone', 'gone')).body).toMatchObject(unknown);
    expect(await audiences('Gone')).toEqual([]);
  });

  it('can be rehearsed', async () => {
    const { status, body } = await fromFile('Dry', 'dry', '&dry_run=true');
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'Dry', members: { received: 2 } });
    const urls = body.dry_run.requests.map(({ url }: Json) => url.split('/v1.3/')[1]);
    expect(urls).toEqual(['dmp/custom_audience/file/upload/', 'dmp/custom_audience/create/']);
    expect(JSON.stringify(body)).not.toContain('example.com');
    expect((await polyad.requests()).filter(({ method }) => method !== 'GET')).toEqual([]);
    expect((await fromFile('Dry', 'dry')).status).toBe(200);
  });
});

describe('an upload', () => {
  it('is done once under a key', async () => {
    const first = await upload('clip.mp4', 'clip');
    expect(first.status).toBe(200);
    const second = await upload('clip.mp4', 'clip');
    expect(second).toMatchObject({ status: 200, body: first.body });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(await sent('file/finish/upload')).toBe(1);
    expect((await upload('other.mp4', 'clip')).body.code).toBe('idempotency_key_conflict');
  });

  it('is a named unknown when its end is lost', async () => {
    const ending = 'file/video/ad/upload';
    const lost = polyad.tap.spoil(ending, { status: 503, body: '<html>gateway</html>' }, 1);
    const unknown = { code: 'write_outcome_unknown' };
    expect((await upload('end.mp4', 'end')).body).toMatchObject(unknown);
    polyad.tap.clear();
    expect(lost.hits).toBeGreaterThan(0);
    expect((await upload('end.mp4', 'end')).body).toMatchObject({
      ...unknown,
      details: { name: 'end.mp4', check: expect.stringContaining('another Idempotency-Key') },
    });
  });
});

describe('a creative with a video that is uploaded for it', () => {
  it('is repeated under its key until the video is ready, which is uploaded once', async () => {
    const groups: Json[] = await polyad.ok('GET', `/ads/${connection}/group?org_id=${organization}&limit=1`);
    const pages: Json[] = await polyad.ok('GET', `/ads/${connection}/promoted?org_id=${organization}&type=PAGE_ID`);
    const create = () =>
      polyad.call(
        'POST',
        `/ads/${connection}/creative`,
        {
          ...{ organization_id: organization, group_id: groups[0].id, name: 'With video', body: 'Hello' },
          asset_urls: ['https://cdn.example.com/clip.mp4', 'https://cdn.example.com/cover.jpg'],
          ...{ link_url: 'https://example.com', promoted: [{ type: 'PAGE_ID', id: pages[0].id }] },
        },
        { 'idempotency-key': 'with-video' },
      );
    expect((await create()).body).toMatchObject({ code: 'platform_not_ready', retry: 'after' });
    polyad.advance(120_000);
    const { status, body } = await create();
    expect(status, JSON.stringify(body)).toBe(200);
    const videos: Json[] = await polyad.ok('GET', `/ads/${connection}/asset?org_id=${organization}&type=VIDEO`);
    expect(videos.filter(({ name }) => String(name).startsWith('polyad-'))).toHaveLength(1);
  });
});
