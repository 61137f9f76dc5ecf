import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adgroupBody, objectsOf, ok } from '../../../../test/support/tiktok-objects.ts';
import { type Envelope, startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

type Row = Record<string, unknown>;

let tiktok: TestTikTok;
let usd = '';
let jpy = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = '', jpy = ''] = tiktok.ready.advertiser_ids;
  // Everybody is on TikTok, so that sizes can be counted.
  await tiktok.control('PATCH', '/settings', { audience_match_percent: 100 });
});
afterAll(() => tiktok.close());

const get = async (path: string, query: Row = {}) => ok(await tiktok.get(path, { advertiser_id: usd, ...query }));
const send = (path: string, body: Row = {}) => tiktok.post(path, { advertiser_id: usd, ...body });
const post = async (path: string, body: Row = {}) => ok(await send(path, body));
const hash = (n: number | string) => createHash('sha256').update(`person ${n}@acme.test`).digest('hex');
const people = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => hash(from + i));
const ready = () => tiktok.running.clock.advance(60_000);

/** Uploads lines as a multipart file. */
async function upload(text: string, more: Record<string, string> = {}, filename = 'people.csv'): Promise<Envelope> {
  const form = new FormData();
  const fields = {
    advertiser_id: usd,
    calculate_type: 'EMAIL_SHA256',
    file_signature: createHash('md5').update(text).digest('hex'),
    ...more,
  };
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([text]), filename);
  const response = await tiktok.raw('/open_api/v1.3/dmp/custom_audience/file/upload/', {
    method: 'POST',
    headers: { 'Access-Token': tiktok.ready.access_token },
    body: form,
  });
  return (await response.json()) as Envelope;
}
const fileOf = async (lines: string[]) => ok(await upload(lines.join('\n'))).file_path as string;
const create = async (lines: string[], more: Row = {}): Promise<string> =>
  (
    await post('dmp/custom_audience/create', {
      custom_audience_name: 'Customers',
      file_paths: [await fileOf(lines)],
      calculate_type: 'EMAIL_SHA256',
      ...more,
    })
  ).custom_audience_id;
const details = async (id: string, account = usd) =>
  (await get('dmp/custom_audience/get', { advertiser_id: account, custom_audience_ids: [id] })).list[0]
    .audience_details;

describe('files', () => {
  it.each<[string, () => Promise<Envelope>, RegExp]>([
    ['a wrong signature', () => upload('x', { file_signature: '0'.repeat(32) }), /^file_signature/],
    ['another kind of file', () => upload('x', {}, 'people.xlsx'), /^file: Only/],
    ['an empty file', () => upload(''), /^file: The file is empty/],
    ['an unknown kind of identifier', () => upload('x', { calculate_type: 'EMAIL' }), /^calculate_type/],
  ])('%s is refused', async (_, call, message) => {
    const answer = await call();
    expect([answer.code, message.test(answer.message)]).toEqual([40002, true]);
  });

  it('work for their ad account and kind alone', async () => {
    const file_paths = [await fileOf(people(0, 10))];
    const body = { custom_audience_name: 'A', file_paths, calculate_type: 'EMAIL_SHA256' };
    expect(await send('dmp/custom_audience/create', { ...body, advertiser_id: jpy })).toMatchObject({ code: 40002 });
    expect(await send('dmp/custom_audience/create', { ...body, calculate_type: 'PHONE_SHA256' })).toMatchObject({
      code: 40002,
    });
    expect(await send('dmp/custom_audience/create', { ...body, file_paths: ['no/such/file.csv'] })).toMatchObject({
      code: 40002,
    });
  });
});

describe('an audience of people', () => {
  it('is in the making, then has the people of its file, once each; plain e-mail addresses are nobody', async () => {
    const id = await create([...people(0, 1200), ...people(0, 50), 'alice@example.com']);
    expect(await details(id)).toMatchObject({ cover_num: 0, is_valid: false, msg: 'Calculating', error_msg: '' });
    ready();
    expect(await details(id)).toMatchObject({
      name: 'Customers',
      cover_num: 1200,
      is_valid: true,
      is_creator: true,
      shared: false,
      calculate_type: 'EMAIL_SHA256',
    });
    const log = await tiktok.control('GET', '/log?limit=1000');
    expect(JSON.stringify(log)).not.toContain('alice@');
  });

  it('grows, shrinks and is replaced; until it is ready it shows what it was', async () => {
    const id = await create(people(0, 1500));
    ready();
    const change = async (action: string | undefined, lines: string[]) => {
      const before = (await details(id)).cover_num;
      await post('dmp/custom_audience/update', { custom_audience_id: id, file_paths: [await fileOf(lines)], action });
      expect((await details(id)).cover_num).toBe(before);
      ready();
      return (await details(id)).cover_num;
    };
    expect(await change('APPEND', people(1400, 2000))).toBe(2000);
    expect(await change('REMOVE', people(0, 900))).toBe(1100);
    expect(await change(undefined, people(0, 300))).toBe(300);
    expect(await details(id)).toMatchObject({ is_valid: false, error_msg: expect.stringContaining('too small') });
    expect((await send('dmp/custom_audience/update', { custom_audience_id: id })).code).toBe(40002);
    await post('dmp/custom_audience/update', { custom_audience_id: id, custom_audience_name: 'Renamed' });
    const { list } = await get('dmp/custom_audience/get', { custom_audience_ids: [id], history_size: 2 });
    expect(list[0].audience_details.name).toBe('Renamed');
    expect(list[0].audience_history.map((line: Row) => line['action'])).toEqual(['RENAME', 'REPLACE']);
    expect(list[0].audience_history[0].editor).toBe('Ada Admin');
  });

  it('matches a share of people that stays the same', async () => {
    const id = await create(people(0, 3000));
    ready();
    await tiktok.control('PATCH', '/settings', { audience_match_percent: 50 });
    const { cover_num } = await details(id);
    expect(cover_num).toBeGreaterThan(1300);
    expect(cover_num).toBeLessThan(1700);
    expect((await details(id)).cover_num).toBe(cover_num);
    await tiktok.control('PATCH', '/settings', { audience_match_percent: 100 });
  });

  it('ends when its retention does', async () => {
    const id = await create(people(0, 1000), { retention_in_days: 10 });
    ready();
    tiktok.running.clock.advance(4 * 86_400_000);
    expect(await details(id)).toMatchObject({ is_valid: true, is_expiring: true });
    tiktok.running.clock.advance(6 * 86_400_000);
    expect(await details(id)).toMatchObject({ is_valid: false, error_msg: 'The audience has expired.' });
  });

  it('is listed page by page, newest first, and gone when deleted', async () => {
    const made = [await create(people(0, 5)), await create(people(0, 5)), await create(people(0, 5))];
    const { list, page_info } = await get('dmp/custom_audience/list', { page_size: 2 });
    expect(list.map((row: Row) => row['audience_id'])).toEqual([made[2], made[1]]);
    expect(page_info.total_number).toBeGreaterThanOrEqual(3);
    await post('dmp/custom_audience/delete', { custom_audience_ids: made });
    expect((await tiktok.get('dmp/custom_audience/get', { advertiser_id: usd, custom_audience_ids: made })).code).toBe(
      40007,
    );
  });
});

describe('use', () => {
  it('ad groups take an audience that is ready and large, and no other', async () => {
    const objects = objectsOf(tiktok, usd);
    const campaign = await objects.campaign();
    const adgroup = async (audience_ids: string[]) =>
      tiktok.post('adgroup/create', {
        ...adgroupBody(usd, campaign, objects.now()),
        audience_ids,
      });
    const large = await create(people(0, 1000));
    expect((await adgroup([large])).code).toBe(40002);
    const small = await create(people(0, 999));
    ready();
    expect((await adgroup([small])).message).toMatch(/too small/);
    const made = ok(await adgroup([large]));
    expect(made.audience_ids).toEqual([large]);
    expect(await send('dmp/custom_audience/delete', { custom_audience_ids: [large] })).toMatchObject({ code: 40002 });
    expect((await adgroup(['7200000000000000001'])).code).toBe(40007);
  });

  it('is applied to ad groups and taken off, with a log', async () => {
    const adgroup_id = await objectsOf(tiktok, usd).adgroup();
    const id = await create(people(0, 1000));
    const apply = (more: Row) =>
      send('dmp/custom_audience/apply', { custom_audience_id: id, adgroup_ids: [adgroup_id], ...more });
    expect((await apply({ action_mode: 'Apply', usage_mode: 'Include' })).code).toBe(40002);
    ready();
    expect((await apply({ action_mode: 'apply', usage_mode: 'Include' })).code).toBe(40002);
    expect((await apply({ action_mode: 'Apply' })).message).toBe('Missing required field(s): usage_mode.');
    ok(await apply({ action_mode: 'Apply', usage_mode: 'Exclude' }));
    const read = async () => (await get('adgroup/get', { filtering: { adgroup_ids: [adgroup_id] } })).list[0] as Row;
    expect(await read()).toMatchObject({ excluded_audience_ids: [id] });
    ok(await apply({ action_mode: 'Disconnect', usage_mode: 'Exclude' }));
    expect((await read())['excluded_audience_ids']).toEqual([]);
    const log = await get('dmp/custom_audience/apply/log', { custom_audience_ids: [id] });
    expect(log.list).toEqual([
      {
        adgroup_id,
        adgroup_name: expect.any(String),
        audience_id: id,
        usage_mode: 'Exclude',
        editor: 'Ada Admin',
        action_timestamp: expect.any(String),
      },
    ]);
  });

  it('is shared with another ad account until that is taken back', async () => {
    const id = await create(people(0, 1000));
    ready();
    const share = (to: string[]) =>
      send('dmp/custom_audience/share', { custom_audience_ids: [id], shared_advertiser_ids: to });
    // Of another Business Center.
    expect((await share([tiktok.ready.advertiser_ids[2]!])).code).toBe(40002);
    expect((await share([])).code).toBe(40002);
    ok(await share([jpy]));
    expect(await details(id, jpy)).toMatchObject({ is_creator: false, shared: true, owner_id: usd });
    const foreign = { advertiser_id: jpy, custom_audience_id: id, custom_audience_name: 'Mine' };
    expect((await send('dmp/custom_audience/update', foreign)).code).toBe(40001);
    const log = async () => (await get('dmp/custom_audience/share/log', { custom_audience_id: id })).list;
    expect(await log()).toEqual([
      {
        shared_advertiser_id: jpy,
        shared_advertiser_name: 'Acme Japan',
        custom_audience_id: id,
        status: 'SHARED',
      },
    ]);
    const cancel = { custom_audience_id: id, shared_advertiser_id: jpy };
    await post('dmp/custom_audience/share/cancel', cancel);
    expect((await send('dmp/custom_audience/share/cancel', cancel)).code).toBe(40002);
    expect((await log())[0].status).toBe('CANCELED');
    const seen = await tiktok.get('dmp/custom_audience/get', { advertiser_id: jpy, custom_audience_ids: [id] });
    expect(seen.code).toBe(40007);
  });
});

describe('audiences of other kinds', () => {
  const spec = (source_audience_id: string) => ({
    source_audience_id,
    include_source: false,
    mobile_os: 'ALL',
    placements: ['TikTok'],
    location_ids: ['6252001'],
    audience_size: 'NARROW',
  });
  const lookalike = (source: string) =>
    send('dmp/custom_audience/lookalike/create', { custom_audience_name: 'Alike', lookalike_spec: spec(source) });

  it('a lookalike needs a source that can be used', async () => {
    const source = await create(people(0, 100));
    const small = await create(people(0, 99));
    expect((await lookalike(source)).code).toBe(40002);
    ready();
    expect((await lookalike(small)).message).toMatch(/at least 100/);
    const { custom_audience_id } = ok(await lookalike(source));
    ready();
    const made = await details(custom_audience_id);
    expect(made).toMatchObject({ type: 'LOOKALIKE', is_valid: true, lookalike_spec: { source_audience_id: source } });
    await post('dmp/custom_audience/lookalike/update', { custom_audience_ids: [custom_audience_id] });
    expect(await details(custom_audience_id)).toMatchObject({ msg: 'Calculating', cover_num: made.cover_num });
    expect((await send('dmp/custom_audience/lookalike/update', { custom_audience_ids: [source] })).code).toBe(40002);
    ready();
    expect((await lookalike(custom_audience_id)).code).toBe(40002);
  });

  it('a rule names its own event sources', async () => {
    const { pixels } = await get('pixel/list');
    const body = (event_source_ids: string[] | undefined, retention_days = 30) => ({
      custom_audience_name: 'Visitors',
      audience_type: 'PIXEL',
      rule_spec: { inclusion_rule_set: { operator: 'OR', rules: [{ event_source_ids, retention_days }] } },
    });
    expect((await send('dmp/custom_audience/rule/create', body(undefined))).message).toMatch(/event_source_ids/);
    expect((await send('dmp/custom_audience/rule/create', body(['123']))).code).toBe(40007);
    expect((await send('dmp/custom_audience/rule/create', body([pixels[0].pixel_id], 400))).code).toBe(40002);
    const many = {
      inclusion_rule_set: { operator: 'OR', rules: Array.from({ length: 6 }, () => ({ retention_days: 7 })) },
    };
    const live = { custom_audience_name: 'L', audience_type: 'ENGAGEMENT_LIVE_VIDEO' };
    expect((await send('dmp/custom_audience/rule/create', { ...live, rule_spec: many })).code).toBe(40002);
    const day = { inclusion_rule_set: { operator: 'OR', rules: [{ event_source_ids: ['1'], retention_days: 8 }] } };
    expect((await send('dmp/custom_audience/rule/create', { ...live, rule_spec: day })).message).toMatch(/7, 14 or 30/);
    const { custom_audience_id } = await post('dmp/custom_audience/rule/create', body([pixels[0].pixel_id]));
    ready();
    expect(await details(custom_audience_id)).toMatchObject({ type: 'PIXEL', is_valid: true, is_auto_refresh: true });
  });

  it('a saved audience keeps its targeting', async () => {
    const body = { saved_audience_name: 'Runners', location_ids: ['6252001'], age_groups: ['AGE_25_34'] };
    const { saved_audience_id } = await post('dmp/saved_audience/create', body);
    const { saved_audiences } = await get('dmp/saved_audience/list', { saved_audience_ids: [saved_audience_id] });
    expect(saved_audiences).toEqual([expect.objectContaining({ ...body, saved_audience_id, gender: null })]);
    expect((await send('dmp/saved_audience/create', { ...body, location_ids: [] })).code).toBe(40002);
    await post('dmp/saved_audience/delete', { saved_audience_ids: [saved_audience_id] });
    expect((await get('dmp/saved_audience/list')).saved_audiences).toEqual([]);
  });

  it('two audiences overlap by the people that are in both', async () => {
    const [one, two] = [await create(people(0, 1000)), await create(people(750, 2000))];
    ready();
    const { benchmark_audience, comparison_audiences } = await get('audience/insight/overlap', {
      benchmark_custom_audience_id: one,
      comparison_custom_audience_ids: [two],
    });
    expect(benchmark_audience).toMatchObject({ audience_id: one, audience_size: 1000 });
    expect(comparison_audiences[0]).toMatchObject({ audience_size: 1250, benchmark_overlap_rate: 0.25 });
    const insight = await post('audience/insight/info', { custom_audience_id: one, dimensions: ['gender'] });
    expect(Object.keys(insight)).toEqual(['gender']);
  });
});

describe('streaming', () => {
  const make = async () => (await post('segment/audience', { custom_audience_name: 'VIP' })).audience_id as string;
  const map = (rows: unknown[], more: Row = {}) =>
    tiktok.post('segment/mapping', {
      advertiser_ids: [usd],
      action: 'add',
      id_schema: ['EMAIL_SHA256', 'PHONE_SHA256'],
      batch_data: rows,
      ...more,
    });

  it('adds and removes people by several identifiers, with empty places', async () => {
    const id = await make();
    const audience_ids = [id];
    const rows = people(0, 1000).map((email, i) => [
      { id: email, audience_ids },
      i % 2 === 0 ? { id: hash(`phone ${i}`), audience_ids } : {},
    ]);
    ok(await map(rows));
    ready();
    expect(await details(id)).toMatchObject({ cover_num: 1500, is_valid: true, type: 'STREAMING' });
    ok(await map(rows.slice(0, 600), { action: 'delete' }));
    expect((await details(id)).cover_num).toBe(1500);
    ready();
    expect(await details(id)).toMatchObject({ cover_num: 600, is_valid: false });
    await post('segment/audience', { action: 'delete', delete_audience_id: id });
    expect((await map(rows.slice(0, 1))).code).toBe(40002);
  });

  it.each<[string, (id: string) => [unknown[], Row]]>([
    ['a kind twice', () => [[], { id_schema: ['EMAIL_SHA256', 'email_sha256'] }]],
    ['an unknown kind', () => [[], { id_schema: ['EMAIL'] }]],
    ['a row of another length', (id) => [[[{ id: hash(1), audience_ids: [id] }]], {}]],
    ['no audience', () => [[[{ id: hash(1) }, {}]], {}]],
    ['a strange audience', () => [[[{ id: hash(1), audience_ids: ['1'] }, {}]], {}]],
    ['an unknown action', () => [[], { action: 'replace' }]],
  ])('refuses %s', async (_, call) => {
    const [rows, more] = call(await make());
    expect((await map(rows, more)).code).toBe(40002);
  });

  it('takes lower-case kinds, and needs a role on each ad account', async () => {
    const id = await make();
    ok(await map([[{ id: hash(1), audience_ids: [id] }]], { id_schema: ['email_sha256'] }));
    expect((await map([], { advertiser_ids: [usd, '7001000000000000009'] })).code).toBe(40001);
    expect((await send('segment/audience', { custom_audience_name: 'x'.repeat(71) })).code).toBe(40002);
  });

  it('keeps no identifiers in the request log', async () => {
    const id = await make();
    ok(await map([[{ id: hash('logged'), audience_ids: [id] }, {}]]));
    expect(JSON.stringify(await tiktok.control('GET', '/log?limit=20'))).not.toContain(hash('logged'));
  });
});

it('members are there after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'polyad-audience-'));
  const before = tiktok;
  try {
    tiktok = await startTikTok({ dataDir });
    await tiktok.control('PATCH', '/settings', { audience_match_percent: 100 });
    const id = await create(people(0, 1100));
    await tiktok.close();
    tiktok = await startTikTok({ dataDir });
    ready();
    expect((await details(id)).cover_num).toBe(1100);
  } finally {
    await tiktok.close();
    tiktok = before;
    await rm(dataDir, { recursive: true });
  }
});
