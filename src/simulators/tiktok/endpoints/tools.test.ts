import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectsOf, ok } from '../../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../../test/support/tiktok-simulator.ts';
import { makePng } from '../media.ts';

let tiktok: TestTikTok;
let usd = '';
let jpy = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  [usd = '', jpy = ''] = tiktok.ready.advertiser_ids;
});
afterAll(() => tiktok.close());

type Row = Record<string, unknown>;
const get = async (path: string, query: Row = {}) => ok(await tiktok.get(path, { advertiser_id: usd, ...query }));

describe('places', () => {
  const region = (more: Row = {}) =>
    get('tool/region', { placements: ['PLACEMENT_TIKTOK'], objective_type: 'TRAFFIC', ...more });

  it.each([
    ['US', '6252001'],
    ['JP', '1861060'],
    ['DE', '2921044'],
    ['GB', '2635167'],
    ['FR', '3017382'],
    ['KW', '285570'],
    ['AU', '2077456'],
  ])('%s is %s', async (region_code, location_id) => {
    const { region_info } = await region({ level_range: 'TO_COUNTRY' });
    expect(region_info.find((row: Row) => row['location_id'] === location_id)).toMatchObject({
      region_code,
      level: 'COUNTRY',
      parent_id: '0',
    });
  });

  it('is a tree with unique ids', async () => {
    const { region_info, region_list } = await region();
    const rows = new Map<unknown, Row>(region_info.map((row: Row) => [row['location_id'], row]));
    expect(rows.size).toBe(region_info.length);
    expect(region_list).toHaveLength(region_info.length);
    for (const row of rows.values()) {
      for (const child of row['next_level_ids'] as string[])
        expect(rows.get(child)).toMatchObject({ parent_id: row['location_id'] });
      if (row['level'] !== 'COUNTRY') expect(rows.has(row['parent_id'])).toBe(true);
    }
    expect(rows.get('5332921')).toMatchObject({ name: 'California', level: 'PROVINCE', parent_id: '6252001' });
    expect(rows.get('5368361')).toMatchObject({ name: 'Los Angeles', level: 'CITY', parent_id: '5332921' });
    expect((await region({ level_range: 'TO_PROVINCE' })).region_info.some((row: Row) => row['level'] === 'CITY')).toBe(
      false,
    );
    expect((await region({ level_range: 'TO_COUNTRY' })).region_info.length).toBeGreaterThan(200);
  });

  it('needs placements and an objective', async () => {
    expect((await tiktok.get('tool/region', { advertiser_id: usd })).code).toBe(40002);
  });

  it('are searched by name, by list, and looked up by id', async () => {
    const search = async (body: Row) =>
      ok(
        await tiktok.post('tool/targeting/search', {
          advertiser_id: usd,
          placements: ['PLACEMENT_TIKTOK'],
          objective_type: 'TRAFFIC',
          ...body,
        }),
      );
    const fuzzy = await search({ keywords: ['new york'], search_type: 'FUZZY_SEARCH', geo_types: ['PROVINCE'] });
    expect(fuzzy.targeting_tag_list).toMatchObject([
      {
        keyword: 'new york',
        targeting_type: 'GEO',
        geo: { geo_id: '5128638', geo_type: 'PROVINCE', parent_id: '6252001' },
      },
    ]);
    expect(fuzzy.parent_tags).toMatchObject([{ name: 'United States', geo: { geo_id: '6252001' } }]);
    const batch = await search({
      keywords: ['Tokyo', 'Osaka', 'Atlantis'],
      search_type: 'BATCH_REGION_SEARCH',
      region_codes: ['JP'],
    });
    expect(new Set(batch.targeting_tag_list.map((row: Row) => row['keyword']))).toEqual(new Set(['Tokyo', 'Osaka']));
    const info = ok(await tiktok.post('tool/targeting/info', { advertiser_id: usd, targeting_ids: ['1850147', '1'] }));
    expect(info.targeting_tag_list).toMatchObject([{ name: 'Tokyo', geo: { geo_type: 'CITY' } }]);
  });
});

describe('interests, devices and the rest', () => {
  it('interests are a tree of three levels', async () => {
    const { interest_categories } = await get('tool/interest_category');
    const rows = new Map<unknown, Row>(interest_categories.map((row: Row) => [row['interest_category_id'], row]));
    expect(rows.size).toBe(interest_categories.length);
    expect(new Set([...rows.values()].map((row) => row['level']))).toEqual(new Set([1, 2, 3]));
    for (const row of rows.values()) {
      for (const child of row['sub_category_ids'] as string[])
        expect(rows.get(child)).toMatchObject({ level: Number(row['level']) + 1 });
    }
  });

  it('keywords that were recommended can be read again', async () => {
    const { recommended_keywords } = await get('tool/interest_keyword/recommend', { keyword: 'run', limit: 2 });
    expect(recommended_keywords).toMatchObject([{ keyword: 'running' }, { keyword: 'running shoes' }]);
    const keyword_query = recommended_keywords.map((row: Row) => ({ keyword_id: row['keyword_id'] }));
    const { keywords } = await get('tool/interest_keyword/get', { keyword_query });
    expect(keywords).toMatchObject([{ keyword: 'running', status: 'EFFECTIVE' }, { keyword: 'running shoes' }]);
  });

  it('time zones tell their offset of the day', async () => {
    const offset = async () =>
      (await get('tool/timezone')).timezones.find((row: Row) => row['timezone'] === 'America/Los_Angeles').gmt_offset;
    tiktok.running.clock.set(new Date('2026-12-01T00:00:00Z'));
    expect(await offset()).toBe('GMT-08:00');
    tiktok.running.clock.set(new Date('2027-07-01T00:00:00Z'));
    expect(await offset()).toBe('GMT-07:00');
    tiktok.running.clock.reset();
  });

  it('devices are brands, series and models', async () => {
    const { device_models } = await get('tool/device_model');
    const rows = new Map<unknown, Row>(device_models.map((row: Row) => [row['device_model_id'], row]));
    expect(rows.size).toBe(device_models.length);
    const apple = device_models.find((row: Row) => row['device_model_name'] === 'Apple');
    expect(apple).toMatchObject({ level: 'BRAND', os_type: 'IOS' });
    for (const id of apple.child_device_ids) expect(rows.get(id)).toMatchObject({ level: 'SERIES', os_type: 'IOS' });
  });

  it('carriers, languages, versions and calling codes are there', async () => {
    const { countries } = await get('tool/carrier');
    expect(countries.length).toBeGreaterThanOrEqual(12);
    const ids = countries.flatMap((row: { carriers: Row[] }) => row.carriers.map((carrier) => carrier['carrier_id']));
    expect(new Set(ids).size).toBe(ids.length);
    expect((await get('tool/language')).languages).toContainEqual({ code: 'ja', name: 'Japanese' });
    expect((await get('tool/os_version', { os_type: 'IOS' })).os_versions.map((row: Row) => row['version'])).toContain(
      '16.0',
    );
    expect((await get('tool/phone_region_code')).phone_region_code_infos).toContainEqual({
      phone_region_name: 'Japan',
      phone_region_code: 'JP',
      phone_region_calling_code: '+81',
    });
  });

  it('contextual tags are listed by place and read by id', async () => {
    const tags = async (query: Row) =>
      (await get('tool/contextual_tag/get', { objective_type: 'REACH', ...query })).contextual_tag_list;
    const [tag] = await tags({ region_codes: ['US'] });
    expect(await tags({ region_codes: ['KW'] })).toEqual([]);
    const { contextual_tag_list } = await get('tool/contextual_tag/info', {
      contextual_tag_ids: [tag.contextual_tag_id, '1'],
    });
    expect(contextual_tag_list).toEqual([tag]);
    expect((await tiktok.get('tool/contextual_tag/get', { advertiser_id: usd, objective_type: 'TRAFFIC' })).code).toBe(
      40002,
    );
  });

  it('recommends categories that exist', async () => {
    const body = { advertiser_id: usd, region_codes: ['US'] };
    const data = ok(await tiktok.post('tool/targeting_category/recommend', body));
    const { interest_categories } = await get('tool/interest_category');
    const ids = interest_categories.map((row: Row) => row['interest_category_id']);
    expect(data.interest_categories).toHaveLength(3);
    for (const row of data.interest_categories) expect(ids).toContain(row.interest_category_id);
    expect(data.action_categories).toHaveLength(2);
  });

  it('judges URLs', async () => {
    const info = async (url: string) => (await get('tool/url_validate', { url })).url_info.validate_info;
    expect(await info('https://acme.test/x')).toEqual({
      is_valid_url: true,
      is_scheme_link: false,
      is_valid_scheme: false,
    });
    expect(await info('acme://open')).toEqual({ is_valid_url: false, is_scheme_link: true, is_valid_scheme: true });
    expect(await info('acme')).toEqual({ is_valid_url: false, is_scheme_link: false, is_valid_scheme: false });
  });

  it('recommends bids in the account’s currency', async () => {
    const bid = async (advertiser_id: string) =>
      ok(
        await tiktok.post('tool/bid/recommend', {
          advertiser_id,
          objective_type: 'APP_PROMOTION',
          location_ids: ['6252001'],
        }),
      ).bid;
    expect(await bid(usd)).toBeGreaterThan(1);
    const yen = await bid(jpy);
    expect(yen).toBeGreaterThan(100);
    expect(Number.isInteger(yen)).toBe(true);
  });
});

describe('identities', () => {
  it('are listed by type, with the zeros of BC_AUTH_TT', async () => {
    const all = await get('identity/get');
    expect(all.page_info).toMatchObject({ page: 1, page_size: 20, total_number: all.identity_list.length });
    const shared = await get('identity/get', { identity_type: 'BC_AUTH_TT' });
    expect(shared.page_info).toEqual({ page: 0, page_size: 0, total_number: 0, total_page: 0 });
    expect(shared.identity_list[0].identity_authorized_bc_id).toMatch(/^\d+$/);
    expect((await tiktok.get('identity/get', { advertiser_id: usd, page_size: 101 })).code).toBe(40002);
  });

  it('a custom one is made of a square picture, read, found and deleted', async () => {
    const picture = async (width: number, height: number) => {
      const form = new FormData();
      const bytes = makePng(width, height, 'identity');
      form.set('advertiser_id', usd);
      const { md5 } = await import('../media.ts');
      form.set('image_signature', md5(bytes));
      form.set('image_file', new Blob([new Uint8Array(bytes)]), 'avatar.png');
      const headers = { 'Access-Token': tiktok.ready.access_token };
      const path = '/open_api/v1.3/file/image/ad/upload/';
      return ok(JSON.parse(await (await tiktok.raw(path, { method: 'POST', body: form, headers })).text())).image_id;
    };
    const create = (image_uri: string, display_name = 'Penguin Shop') =>
      tiktok.post('identity/create', { advertiser_id: usd, display_name, image_uri });
    expect((await create('x')).code).toBe(40905);
    expect((await create(await picture(300, 200))).message).toMatch(/1:1/);
    const square = await picture(300, 300);
    expect((await create(square, 'x'.repeat(101))).code).toBe(40002);
    const { identity_id } = ok(await create(square));
    const named = { identity_type: 'CUSTOMIZED_USER', identity_id };
    expect((await get('identity/info', named)).identity_info).toMatchObject({ display_name: 'Penguin Shop' });
    expect((await get('identity/get', { filtering: { keyword: 'penguin' } })).identity_list).toHaveLength(1);
    ok(await tiktok.post('identity/delete', { advertiser_id: usd, ...named }));
    expect((await tiktok.get('identity/info', { advertiser_id: usd, ...named })).code).toBe(40002);
  });

  it('posts come by cursor', async () => {
    const { identity_id } = await objectsOf(tiktok, usd).identity();
    const query = { identity_type: 'TT_USER', identity_id };
    const first = await get('identity/video/get', { ...query, count: 5 });
    expect([first.video_list.length, first.has_more]).toEqual([5, true]);
    const second = await get('identity/video/get', { ...query, count: 5, cursor: first.cursor });
    expect([second.video_list.length, second.has_more]).toEqual([4, false]);
    const ids = [...first.video_list, ...second.video_list].map((row) => row.item_id);
    expect(new Set(ids).size).toBe(9);
    const carousel = await get('identity/video/get', { ...query, item_type: 'CAROUSEL' });
    expect(carousel.video_list[0].carousel_info.image_info.length).toBeGreaterThan(1);
    const { video_detail } = await get('identity/video/info', { ...query, item_id: ids[0] });
    expect(video_detail).toEqual(first.video_list[0]);
    expect((await tiktok.get('identity/video/get', { advertiser_id: usd, ...query, count: 21 })).code).toBe(40002);
  });
});

describe('forms and music', () => {
  it('forms are listed by kind', async () => {
    expect((await get('page/get', { business_type: 'LEAD_GEN' })).list).toMatchObject([
      { title: 'Newsletter sign-up', status: 'PUBLISHED' },
    ]);
    expect((await get('page/get', { business_types: ['STORE_FRONT'] })).list).toEqual([]);
  });

  it('a track of the library makes a carousel', async () => {
    const make = objectsOf(tiktok, usd);
    const { musics } = await get('file/music/get', { music_scene: 'CAROUSEL_ADS', filtering: { keyword: 'night' } });
    expect(musics).toMatchObject([{ file_name: 'Night Drive' }]);
    const creative = await make.creative({ ad_format: 'CAROUSEL_ADS', video_id: undefined });
    const image_ids = [await make.image(), await make.image()];
    const send = (more: Row) =>
      tiktok.post('ad/create', {
        advertiser_id: usd,
        adgroup_id: group,
        creatives: [{ ...creative, image_ids, ...more }],
      });
    const group = await make.adgroup();
    expect((await send({})).message).toMatch(/music_id/);
    expect(ok(await send({ music_id: musics[0].music_id })).creatives[0]).toMatchObject({
      ad_format: 'CAROUSEL_ADS',
      image_ids,
    });
  });
});
