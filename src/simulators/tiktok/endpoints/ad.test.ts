import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adgroupBody, campaignBody, objectsOf, ok, utc } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';

let tiktok: TestTikTok;
let usd = '';
let make: ReturnType<typeof objectsOf>;
let adgroup = '';
let creative: Record<string, unknown> = {};
beforeAll(async () => {
  tiktok = await startTikTok();
  usd = tiktok.ready.advertiser_ids[0]!;
  make = objectsOf(tiktok, usd);
  adgroup = await make.adgroup();
  creative = await make.creative();
});
afterAll(() => tiktok.close());

const create = (creatives: Record<string, unknown>[], adgroup_id = adgroup) =>
  tiktok.post('ad/create', { advertiser_id: usd, adgroup_id, creatives });
const update = (creatives: Record<string, unknown>[], more: Record<string, unknown> = {}) =>
  tiktok.post('ad/update', { advertiser_id: usd, adgroup_id: adgroup, creatives, ...more });
const list = (filtering: Record<string, unknown>, query = {}) =>
  tiktok.get('ad/get', { advertiser_id: usd, filtering, ...query });
const read = async (id: string) => ok(await list({ ad_ids: [id] })).list[0];

describe('ad/create', () => {
  it('answers ids and whole ads as ad/get does', async () => {
    const data = ok(await create([{ ...creative, utm_params: [{ key: 'utm_id', value: '__CID__' }] }]));
    expect(data).toMatchObject({ ad_ids: [expect.stringMatching(/^\d{16,19}$/)], need_audit: true });
    const [ad] = data.creatives;
    expect(ad).toMatchObject({
      ...creative,
      ad_id: data.ad_ids[0],
      adgroup_id: adgroup,
      adgroup_name: 'US 25-44',
      campaign_name: 'US – Traffic',
      display_name: 'Acme US',
      dark_post_status: 'ON',
      deeplink: '',
      deeplink_type: 'NORMAL',
      playable_url: '',
      image_ids: [],
      ad_texts: null,
      page_id: null,
      call_to_action_id: null,
      tracking_pixel_id: 0,
      is_aco: false,
      is_new_structure: true,
      promotional_music_disabled: true,
      viewability_postbid_partner: 'UNSET',
      operation_status: 'ENABLE',
      secondary_status: 'AD_STATUS_AUDIT',
      utm_params: [{ key: 'utm_id', value: '__CID__' }],
    });
    expect(await read(ad.ad_id)).toEqual(ad);
  });

  it('makes up to 20 ads at once, all or none', async () => {
    const id = await make.adgroup();
    expect(ok(await create(Array(20).fill(creative), id)).ad_ids).toHaveLength(20);
    expect((await create(Array(21).fill(creative), id)).message).toMatch(/creatives/);
    expect((await create([], id)).code).toBe(40002);
    expect((await create([creative, { ...creative, ad_text: '' }], id)).message).toMatch(/creatives\.1\.ad_text/);
    expect(ok(await list({ adgroup_ids: [id] })).page_info.total_number).toBe(20);
  });

  it('an ad group holds only so many ads', async () => {
    const id = await make.adgroup();
    ok(await create(Array(20).fill(creative), id));
    ok(await create(Array(20).fill(creative), id));
    expect((await create(Array(20).fill(creative), id)).code).toBe(40502);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an empty text', { ad_text: '' }, /ad_text/],
    ['no text', { ad_text: undefined }, /ad_text/],
    ['101 characters', { ad_text: 'x'.repeat(101) }, /ad_text/],
    ['no video', { video_id: undefined }, /video_id/],
    ['video and post', { tiktok_item_id: '7' }, /video_id and tiktok_item_id/],
    ['no identity', { identity_type: undefined }, /identity_type/],
    ['no identity id', { identity_id: undefined }, /identity_id/],
    ['an identity that is none', { identity_id: '1' }, /identity_id/],
    ['an identity of another type', { identity_type: 'AUTH_CODE' }, /identity_id/],
    ['a text for a URL', { landing_page_url: 'acme' }, /landing_page_url/],
    ['a URL of another scheme', { landing_page_url: 'ftp://acme.test' }, /landing_page_url/],
    ['no destination of a website ad', { landing_page_url: undefined }, /landing_page_url/],
    ['a picture on TikTok', { ad_format: 'SINGLE_IMAGE' }, /SINGLE_IMAGE/],
    ['a carousel of nothing', { ad_format: 'CAROUSEL_ADS' }, /image_ids/],
    ['an unknown call to action', { call_to_action: 'DANCE' }, /call_to_action/],
    ['an emoji in the name', { ad_name: '🔥' }, /ad_name/],
    ['a pixel that is none', { tracking_pixel_id: 12 }, /tracking_pixel_id/],
    ['music that is none', { music_id: '1' }, /music_id/],
  ])('refuses %s', async (_what, more, message) => {
    const answer = await create([{ ...creative, ...more }]);
    expect(answer.code).toBe(40002);
    expect(answer.message).toMatch(message);
  });

  it('media must be there, of this account, and transcoded', async () => {
    expect((await create([{ ...creative, video_id: 'v1' }])).code).toBe(40905);
    expect((await create([{ ...creative, image_ids: ['i1'] }])).code).toBe(40905);
    const other = await objectsOf(tiktok, tiktok.ready.advertiser_ids[1]!).video();
    expect((await create([{ ...creative, video_id: other }])).code).toBe(40905);
    const body = { advertiser_id: usd, upload_type: 'UPLOAD_BY_URL', video_url: 'https://media.test/new.mp4' };
    const [{ video_id }] = ok(await tiktok.post('file/video/ad/upload', body));
    expect((await create([{ ...creative, video_id }])).code).toBe(40901);
    tiktok.running.clock.advance(5000);
    expect((await create([{ ...creative, video_id }])).code).toBe(0);
  });

  it('needs an ad group of the account that is not deleted', async () => {
    expect((await create([creative], '1')).code).toBe(40007);
    const gone = await make.adgroup();
    ok(
      await tiktok.post('adgroup/status/update', {
        advertiser_id: usd,
        adgroup_ids: [gone],
        operation_status: 'DELETE',
      }),
    );
    expect((await create([creative], gone)).code).toBe(40002);
  });
});

describe('identities of ads', () => {
  it('a custom identity is closed for TikTok and open elsewhere', async () => {
    const { identity_id } = await make.identity('CUSTOMIZED_USER');
    const custom = { identity_type: 'CUSTOMIZED_USER', identity_id };
    expect((await create([{ ...creative, ...custom }])).message).toMatch(/CUSTOMIZED_USER/);
    const elsewhere = await make.adgroup({ placements: ['PLACEMENT_PANGLE', 'PLACEMENT_GLOBAL_APP_BUNDLE'] });
    const picture = { ad_format: 'SINGLE_IMAGE', video_id: undefined, image_ids: [await make.image()] };
    expect(ok(await create([{ ...creative, ...custom, ...picture }], elsewhere)).creatives[0]).toMatchObject({
      ad_format: 'SINGLE_IMAGE',
      identity_type: 'CUSTOMIZED_USER',
    });
    const automatic = await make.adgroup({ placement_type: 'PLACEMENT_TYPE_AUTOMATIC', placements: undefined });
    expect((await create([{ ...creative, ...custom }], automatic)).code).toBe(40002);
  });

  it('it was open for TikTok until 15 January 2026', async () => {
    const past = await startTikTok();
    past.running.clock.set(new Date('2026-01-14T12:00:00Z'));
    const before = objectsOf(past, usd);
    const { identity_id } = await before.identity('CUSTOMIZED_USER');
    const creatives = [await before.creative({ identity_type: 'CUSTOMIZED_USER', identity_id })];
    const body = { advertiser_id: usd, adgroup_id: await before.adgroup(), creatives };
    ok(await past.post('ad/create', body));
    past.running.clock.set(new Date('2026-01-15T00:00:00Z'));
    expect((await past.post('ad/create', body)).message).toMatch(/CUSTOMIZED_USER/);
    await past.close();
  });

  it('a Business Center’s identity needs the Business Center', async () => {
    const { identity_id, identity_authorized_bc_id } = await make.identity('BC_AUTH_TT');
    const shared = { ...creative, identity_type: 'BC_AUTH_TT', identity_id };
    expect((await create([shared])).message).toMatch(/identity_authorized_bc_id/);
    expect((await create([{ ...shared, identity_authorized_bc_id: '1' }])).message).toMatch(
      /identity_authorized_bc_id/,
    );
    expect((await create([{ ...shared, identity_authorized_bc_id }])).code).toBe(0);
  });

  it('an account that is not available backs no ads', async () => {
    const { identity_list } = ok(await tiktok.get('identity/get', { advertiser_id: usd, identity_type: 'TT_USER' }));
    const shut = identity_list.find((row: Record<string, unknown>) => row['available_status'] !== 'AVAILABLE');
    expect((await create([{ ...creative, identity_id: shut.identity_id }])).message).toMatch(/IS_PRIVATE_ACCOUNT/);
  });

  it('pulls posts of the linked account', async () => {
    const { identity_id } = await make.identity();
    const query = { advertiser_id: usd, identity_type: 'TT_USER', identity_id };
    const [post] = ok(await tiktok.get('identity/video/get', query)).video_list;
    const spark = { ...creative, video_id: undefined, ad_text: undefined, tiktok_item_id: post.item_id };
    expect(ok(await create([spark]))).toMatchObject({
      need_audit: false,
      creatives: [{ tiktok_item_id: post.item_id, video_id: null }],
    });
    expect((await create([{ ...spark, tiktok_item_id: '7105555555555555555' }])).message).toMatch(/tiktok_item_id/);
  });

  it('pulls a creator’s post by its code until the code ends', async () => {
    const auth_code = '#Mia+makes/7x2Lq9VbT0rKpW4s=';
    const spark = { ...creative, video_id: undefined, ad_text: undefined, identity_type: 'AUTH_CODE' };
    expect((await tiktok.get('tt_video/info', { advertiser_id: usd, auth_code })).code).toBe(40002);
    expect((await tiktok.post('tt_video/authorize', { advertiser_id: usd, auth_code: '#nope' })).code).toBe(40002);
    expect(
      (await tiktok.post('tt_video/authorize', { advertiser_id: usd, auth_code: '#Ava+cooks/expired0000000000=' }))
        .message,
    ).toMatch(/expired/);
    expect(ok(await tiktok.post('tt_video/authorize', { advertiser_id: usd, auth_code }))).toEqual({});
    const info = ok(await tiktok.get('tt_video/info', { advertiser_id: usd, auth_code }));
    expect(info).toMatchObject({
      item_info: { auth_code, item_type: 'VIDEO' },
      auth_info: { ad_auth_status: 'AUTHORIZED' },
      user_info: { identity_type: 'AUTH_CODE' },
    });
    expect(ok(await tiktok.get('tt_video/list', { advertiser_id: usd })).list).toEqual([info]);
    const members = { identity_id: info.user_info.identity_id, tiktok_item_id: info.item_info.item_id };
    expect((await create([{ ...spark, identity_id: members.identity_id }])).message).toMatch(/tiktok_item_id/);
    const [ad] = ok(await create([{ ...spark, ...members }])).ad_ids;
    tiktok.running.clock.advance(3_600_000 * 24 * 31);
    expect((await read(ad)).secondary_status).toBe('AD_STATUS_DONE');
    const open = await make.adgroup({ schedule_type: 'SCHEDULE_FROM_NOW', schedule_end_time: undefined });
    expect((await create([{ ...spark, ...members }], open)).message).toMatch(/tiktok_item_id/);
  });

  it('an authorization that is given back stops the ads', async () => {
    const auth_code = '#Leo+runs/5h8Dn3GcY1tZmE6u=';
    ok(await tiktok.post('tt_video/authorize', { advertiser_id: usd, auth_code }));
    const info = ok(await tiktok.get('tt_video/info', { advertiser_id: usd, auth_code }));
    const open = await make.adgroup({ schedule_type: 'SCHEDULE_FROM_NOW', schedule_end_time: undefined });
    const spark = { ...creative, video_id: undefined, ad_text: undefined, identity_type: 'AUTH_CODE' };
    const members = { identity_id: info.user_info.identity_id, tiktok_item_id: info.item_info.item_id };
    const [ad] = ok(await create([{ ...spark, ...members }], open)).ad_ids;
    ok(await tiktok.post('tt_video/unbind', { advertiser_id: usd, item_id: members.tiktok_item_id }));
    expect((await read(ad)).secondary_status).toBe('AD_STATUS_CREATOR_AUTHORIZATION_REVOKED');
  });
});

describe('ad/update', () => {
  beforeAll(async () => {
    adgroup = await make.adgroup();
  });

  it('replaces the whole creative: what is not said is lost', async () => {
    const full = {
      ...creative,
      utm_params: [{ key: 'a', value: 'b' }],
      impression_tracking_url: 'https://t.test/i',
      deeplink_format_type: 'NONE',
    };
    const [ad_id] = ok(await create([full])).ad_ids;
    const before = await read(ad_id);
    tiktok.running.clock.advance(5000);
    const { ad_name: _name, ...rest } = creative;
    const data = ok(await update([{ ad_id, ...rest, ad_name: 'Renamed' }]));
    expect(data).toMatchObject({ ad_ids: [ad_id], creatives: [{ ad_id, ad_name: 'Renamed' }] });
    const after = await read(ad_id);
    expect([before.utm_params, before.impression_tracking_url]).toEqual([
      [{ key: 'a', value: 'b' }],
      'https://t.test/i',
    ]);
    expect([after.utm_params, after.impression_tracking_url]).toEqual([[], null]);
    expect(after).toMatchObject({
      create_time: before.create_time,
      operation_status: 'ENABLE',
      // No member of ad/update, so that an update cannot lose it.
      deeplink_format_type: 'NONE',
    });
    expect(after.modify_time > before.modify_time).toBe(true);
    expect((await update([{ ad_id, ad_name: 'Only this' }])).code).toBe(40002);
  });

  it('patch_update changes what is said and keeps the rest', async () => {
    const full = { ...creative, utm_params: [{ key: 'a', value: 'b' }] };
    const [ad_id] = ok(await create([full])).ad_ids;
    const before = await read(ad_id);
    const patched = ok(await update([{ ad_id, ad_text: 'Another text' }], { patch_update: true })).creatives[0];
    expect(patched).toEqual({ ...before, ad_text: 'Another text', modify_time: patched.modify_time });
    expect(await update([{ ad_id, call_to_action: 'LEARN_MORE' }], { patch_update: true })).toMatchObject({
      code: 40002,
      message: expect.stringContaining('call_to_action'),
    });
  });

  it('new content goes to review again, a new destination of the same text too', async () => {
    const [ad_id] = ok(await create([creative])).ad_ids;
    const status = async () => (await read(ad_id)).secondary_status;
    tiktok.running.clock.advance(2 * 3_600_000);
    expect(await status()).toBe('AD_STATUS_DELIVERY_OK');
    ok(await update([{ ad_id, ad_text: 'Never seen before' }], { patch_update: true }));
    expect(await status()).toBe('AD_STATUS_AUDIT');
    tiktok.running.clock.advance(3_600_000);
    expect(await status()).toBe('AD_STATUS_DELIVERY_OK');
    ok(await update([{ ad_id, ad_text: 'Never seen before' }], { patch_update: true }));
    expect(await status()).toBe('AD_STATUS_DELIVERY_OK');
  });

  it('refuses ads of other ad groups, immutable members, and deleted ads', async () => {
    const elsewhere = await make.ad();
    expect((await update([{ ad_id: elsewhere, ...creative }])).code).toBe(40002);
    const [ad_id] = ok(await create([creative])).ad_ids;
    expect((await update([{ ad_id, ...creative, operation_status: 'DISABLE' }])).message).toMatch(/operation_status/);
    expect((await update([{ ...creative }])).message).toMatch(/ad_id/);
    ok(await tiktok.post('ad/status/update', { advertiser_id: usd, ad_ids: [ad_id], operation_status: 'DELETE' }));
    expect((await update([{ ad_id, ...creative }])).code).toBe(40002);
  });
});

describe('ad/status/update', () => {
  const set = (body: Record<string, unknown>) => tiktok.post('ad/status/update', { advertiser_id: usd, ...body });

  it('answers as documented', async () => {
    const id = await make.ad();
    expect(ok(await set({ ad_ids: [id], operation_status: 'DISABLE' }))).toEqual({
      ad_ids: [id],
      aco_ad_ids: [],
      status: 'DISABLE',
    });
    expect(await read(id)).toMatchObject({ operation_status: 'DISABLE', secondary_status: 'AD_STATUS_DISABLE' });
    ok(await set({ ad_ids: [id], operation_status: 'DELETE' }));
    expect((await set({ ad_ids: [id], operation_status: 'ENABLE' })).code).toBe(40002);
  });

  it('needs ids that exist, up to 20', async () => {
    expect((await set({ operation_status: 'DISABLE' })).code).toBe(40002);
    expect((await set({ ad_ids: ['1'], operation_status: 'DISABLE' })).code).toBe(40007);
    expect((await set({ aco_ad_ids: ['1'], operation_status: 'DISABLE' })).code).toBe(40007);
    expect((await set({ ad_ids: Array(21).fill('1'), operation_status: 'DISABLE' })).code).toBe(40002);
  });
});

describe('ad/get', () => {
  it('filters', async () => {
    const id = await make.ad({ ad_name: 'Haystack ad' });
    const found = async (filtering: Record<string, unknown>) =>
      ok(await list(filtering, { page_size: 1000 })).list.map((row: { ad_id: string }) => row.ad_id);
    expect(await found({ ad_name: 'haystack' })).toEqual([id]);
    expect(await found({ ad_ids_v2: [id] })).toEqual([id]);
    const { campaign_id, adgroup_id } = await read(id);
    expect(await found({ campaign_ids: [campaign_id] })).toEqual([id]);
    expect(await found({ adgroup_ids: [adgroup_id], destination: 'WEBSITE' })).toEqual([id]);
    expect(await found({ ad_ids: [id], destination: 'APP' })).toEqual([]);
    expect(await found({ ad_ids: [id], objective_type: 'TRAFFIC', optimization_goal: 'CLICK' })).toEqual([id]);
    expect(await found({ ad_ids: [id], primary_status: 'STATUS_NOT_DELIVERY' })).toEqual([id]);
    expect(await found({ ad_ids: [id], primary_status: 'STATUS_DELIVERY_OK' })).toEqual([]);
    expect((await list({ modified_before: '2026-01-01 00:00:00' })).code).toBe(40002);
  });

  it('modified_after finds what was changed since', async () => {
    const id = await make.ad();
    tiktok.running.clock.advance(60_000);
    const since = utc(make.now());
    tiktok.running.clock.advance(60_000);
    const ids = async () => ok(await list({ modified_after: since })).list.map((row: { ad_id: string }) => row.ad_id);
    expect(await ids()).toEqual([]);
    ok(await tiktok.post('ad/status/update', { advertiser_id: usd, ad_ids: [id], operation_status: 'DISABLE' }));
    expect(await ids()).toEqual([id]);
  });
});

describe('review', () => {
  it('tells why an ad was refused', async () => {
    const id = await make.adgroup();
    const data = ok(await create([{ ...creative, ad_text: 'Miracle! [reject]' }, creative], id));
    const [bad, good] = data.ad_ids;
    const info = async () =>
      ok(await tiktok.get('ad/review_info', { advertiser_id: usd, ad_ids: [bad, good] })).ad_review_map;
    expect((await info())[bad]).toMatchObject({ is_approved: false, reject_info: [] });
    tiktok.running.clock.advance(2 * 3_600_000);
    expect((await info())[bad]).toMatchObject({
      review_status: 'UNAVAILABLE',
      reject_info: [{ reasons: [expect.any(String)], suggestion: expect.any(String) }],
    });
    expect((await info())[good]).toMatchObject({ is_approved: true, review_status: 'ALL_AVAILABLE' });
    expect((await read(bad)).secondary_status).toBe('AD_STATUS_AUDIT_DENY');
    const group = ok(await tiktok.get('adgroup/review_info', { advertiser_id: usd, adgroup_ids: [id] }));
    expect(group.adgroup_review_map[id]).toMatchObject({ review_status: 'PART_AVAILABLE' });
  });
});

describe('sandbox', () => {
  it('makes an ad with the sandbox endpoints alone, without any secondary_status', async () => {
    const advertiser_id = tiktok.ready.sandbox_advertiser_id;
    const sandbox = { sandbox: true };
    const post = async (path: string, body: Record<string, unknown>) =>
      ok(await tiktok.post(path, { advertiser_id, ...body }, sandbox));
    const { campaign_id } = await post('campaign/create', campaignBody(advertiser_id));
    const group = await post('adgroup/create', adgroupBody(advertiser_id, campaign_id, make.now()));
    const [{ video_id }] = await post('file/video/ad/upload', {
      upload_type: 'UPLOAD_BY_URL',
      video_url: 'https://a.test/b.mp4',
    });
    tiktok.running.clock.advance(60_000);
    const { identity_list } = ok(
      await tiktok.get('identity/get', { advertiser_id, identity_type: 'TT_USER' }, sandbox),
    );
    const { identity_id } = identity_list.find(
      (row: Record<string, unknown>) => row['available_status'] === 'AVAILABLE',
    );
    const made = await post('ad/create', {
      adgroup_id: group.adgroup_id,
      creatives: [{ ...creative, identity_id, video_id }],
    });
    const listed = ok(await tiktok.get('ad/get', { advertiser_id }, sandbox)).list;
    expect(listed.map((row: { ad_id: string }) => row.ad_id)).toContain(made.ad_ids[0]);
    for (const row of [group, ...made.creatives, ...listed]) expect(row).not.toHaveProperty('secondary_status');
  });
});
