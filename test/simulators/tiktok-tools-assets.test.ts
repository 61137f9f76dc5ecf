/** Playable ads, music, shared assets, asset groups and advice of the TikTok simulator. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { objectsOf, ok } from '../support/tiktok-objects.ts';
import { type Envelope, startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, unknown>;

let tiktok: TestTikTok;
let advertiser_id = '';
let bc_id = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  advertiser_id = tiktok.ready.advertiser_ids[0]!;
  bc_id = tiktok.ready.bc_ids[0]!;
});
afterAll(() => tiktok.close());

/** A multipart call. */
async function send(path: string, fields: Record<string, string>, part: string, bytes: Buffer): Promise<Envelope> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append(part, new Blob([new Uint8Array(bytes)]), 'file.bin');
  const headers = { 'Access-Token': tiktok.ready.access_token };
  const init = { method: 'POST', headers, body: form };
  return (await tiktok.raw(`/open_api/v1.3/${path}/`, init)).json() as Promise<Envelope>;
}

it('a playable is checked before it can be saved', async () => {
  const upload = async (bytes: string) =>
    ok(await send('playable/upload', { advertiser_id }, 'playable_package', Buffer.from(bytes))).task_id as string;
  const good = await upload('PK\x03\x04 a package');
  const bad = await upload('no package');
  const validate = async (playable_id: string) =>
    ok(await tiktok.get('playable/validate', { advertiser_id, playable_id }));
  expect((await validate(good)).status).toBe('VALIDATING');
  expect((await tiktok.post('playable/save', { advertiser_id, playable_id: good, playable_name: 'Game' })).code).toBe(
    40002,
  );
  tiktok.running.clock.advance(10_000);
  expect((await validate(good)).status).toBe('VALIDATE_SUCCESS');
  expect(await validate(bad)).toMatchObject({ status: 'VALIDATE_FAIL', fail_message: /ZIP/ });
  ok(await tiktok.post('playable/save', { advertiser_id, playable_id: good, playable_name: 'Game' }));
  expect(ok(await tiktok.get('playable/get', { advertiser_id })).list).toMatchObject([{ playable_id: good }]);
  ok(await tiktok.post('playable/delete', { advertiser_id, playable_id: good }));
  expect(ok(await tiktok.get('playable/get', { advertiser_id })).list).toEqual([]);
});

it('own music is found and can be used in a carousel', async () => {
  const bytes = Buffer.alloc(48_000, 7);
  const music_signature = createHash('md5').update(bytes).digest('hex');
  const wrong = await send('file/music/upload', { advertiser_id, music_signature: 'x' }, 'music_file', bytes);
  expect(wrong.code).toBe(40900);
  const fields = { advertiser_id, music_signature, file_name: 'Jingle' };
  const made = ok(await send('file/music/upload', fields, 'music_file', bytes));
  expect(made).toMatchObject({ sources: ['USER'], duration: 3, file_name: 'Jingle' });
  const { musics } = ok(await tiktok.get('file/music/get', { advertiser_id, filtering: { keyword: 'jingle' } }));
  expect(musics.map((row: Values) => row['music_id'])).toEqual([made.music_id]);
  const make = objectsOf(tiktok, advertiser_id);
  const carousel = { ad_format: 'CAROUSEL_ADS', video_id: undefined, music_id: made.music_id };
  await make.ad({ ...carousel, image_ids: [await make.image(), await make.image()] });
});

it('assets are shared with ad accounts of the same person', async () => {
  const make = objectsOf(tiktok, advertiser_id);
  const video_id = await make.video();
  const [video] = ok(await tiktok.get('file/video/ad/info', { advertiser_id, video_ids: [video_id] })).list;
  const other = tiktok.ready.advertiser_ids[1]!;
  const count = async () =>
    ok(await tiktok.get('file/video/ad/search', { advertiser_id: other })).page_info.total_number as number;
  const before = await count();
  const body = { advertiser_id, material_ids: [video.material_id, '123'], shared_advertiser_ids: [other] };
  expect(ok(await tiktok.post('creative/asset/share', body)).failed_infos).toEqual({ 123: [other] });
  expect(await count()).toBe(before + 1);
  const stranger = { ...body, shared_advertiser_ids: ['7009999999999999999'] };
  expect((await tiktok.post('creative/asset/share', stranger)).code).toBe(40001);
});

it('an asset group gives its members roles', async () => {
  const { id: member_id } = await tiktok.control('POST', '/users', {
    display_name: 'Gus Group',
    bc_roles: { [bc_id]: 'STANDARD' },
  });
  const group = {
    bc_id,
    asset_group_name: 'North',
    assets: [{ asset_id: advertiser_id }],
    members: [{ member_id, asset_roles: { advertiser_role: 'ANALYST' } }],
  };
  const { asset_group_id } = ok(await tiktok.post('bc/asset_group/create', group));
  const query = { bc_id, asset_group_id, query_entity: 'ASSET' };
  expect(ok(await tiktok.get('bc/asset_group/get', query)).asset_group.assets).toMatchObject([
    { asset_id: advertiser_id },
  ]);
  const assets = ok(
    await tiktok.get('bc/asset/get', { bc_id, asset_type: 'ADVERTISER', filtering: { user_id: member_id } }),
  ).list;
  expect(assets).toMatchObject([{ asset_id: advertiser_id, advertiser_role: 'ANALYST' }]);
  const name = { bc_id, asset_group_id, update_entity: 'NAME', asset_group_name: 'South' };
  ok(await tiktok.post('bc/asset_group/update', name));
  expect(ok(await tiktok.get('bc/asset_group/list', { bc_id })).asset_groups).toMatchObject([
    { asset_group_name: 'South' },
  ]);
  ok(await tiktok.post('bc/asset_group/delete', { bc_id, asset_group_ids: [asset_group_id] }));
  expect((await tiktok.get('bc/asset_group/get', query)).code).toBe(40007);
});

it('tools answer by their parameters', async () => {
  const get = (path: string, query: Values) => tiktok.get(`tool/${path}`, { advertiser_id, ...query });
  const profile = { url: 'https://www.tiktok.com/@acme', url_type: 'USER_PROFILE' };
  expect(ok(await get('open_url', profile)).open_url).toMatch(/^snssdk/);
  expect((await get('open_url', { ...profile, url_type: 'VIDEO' })).code).toBe(40002);
  const { excluded_category_list } = ok(await get('content_exclusion/get', {}));
  const category_ids = [excluded_category_list[0].category_id];
  expect(ok(await get('content_exclusion/info', { category_ids })).content_exclusion_list).toHaveLength(1);
  expect(ok(await get('search_keyword/keyword_idea', { keywords: ['shoes'] })).keywords.length).toBe(10);
});

it('a diagnosis needs its own permission', async () => {
  const query = { advertiser_id };
  expect((await tiktok.get('tool/diagnosis/get', query)).code).toBe(40125);
  const { app_id, secret } = await tiktok
    .control('POST', '/apps', { scope: ['2', '7050363942434029569'] })
    .then((app) => ({ app_id: app.id as string, secret: app.secret as string }));
  const request = { app_id, redirect_uri: 'https://app.test/back', advertiser_ids: [advertiser_id] };
  const { redirect_url } = await tiktok.control('POST', '/authorize', request);
  const auth_code = new URL(redirect_url).searchParams.get('auth_code');
  const token = ok(
    await tiktok.post('oauth2/access_token', { app_id, secret, auth_code }, { token: null }),
  ).access_token;
  const adgroup = await objectsOf(tiktok, advertiser_id).adgroup({ budget: 50 });
  const filtering = { adgroup_ids: [adgroup] };
  const { results } = ok(await tiktok.get('tool/diagnosis/get', { ...query, filtering }, { token }));
  expect(results[0].diagnosis.suggestions.bid_and_budget).toMatchObject([{ budget: 50, suggest_budget: 100 }]);
});

describeWithTikTokSpecs('official documents of tools', (specs) => {
  it.each([
    ['tool/open_url', { url: 'https://www.tiktok.com/@acme', url_type: 'USER_PROFILE' }],
    ['tool/vbo_status', { objective_type: 'TRAFFIC', promotion_type: 'WEBSITE', placements: ['PLACEMENT_TIKTOK'] }],
    ['playable/get', {}],
    ['bc/asset_group/list', { bc_id: '7100000000000000101' }],
  ])('%s', async (path, query) => {
    const answer = await tiktok.get(path, { advertiser_id, ...query });
    expect([answer.code, specs.operation(path)!.checkAnswer(answer)]).toEqual([0, []]);
  });
});
