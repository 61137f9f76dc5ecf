/** Answers of the TikTok simulator's asset and tool endpoints against the official documents, where there is one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, unknown>;

let tiktok: TestTikTok;
beforeAll(async () => {
  tiktok = await startTikTok();
});
afterAll(() => tiktok.close());

/** Calls that succeed; `advertiser_id` is added. */
const READS: [string, Values][] = [
  ['adgroup/quota', {}],
  ['app/list', {}],
  ['pixel/list', { page: 1, page_size: 20, order_by: 'LATEST_CREATE' }],
  ['creative/portfolio/list', { page: 1, page_size: 20 }],
  ['search/region', { language: 'en' }],
  ['tool/action_category', {}],
  ['tool/carrier', {}],
  ['tool/contextual_tag/get', { objective_type: 'REACH', region_codes: ['US'] }],
  ['tool/contextual_tag/info', { contextual_tag_ids: ['7210000000000000101'] }],
  ['tool/hashtag/recommend', { keywords: ['running'] }],
  ['tool/os_version', { os_type: 'ANDROID' }],
  ['tool/phone_region_code', {}],
  ['tool/targeting/list', { scene: 'ISP', location_ids: ['6252001'] }],
  ['tool/timezone', {}],
  ['tool/url_validate', { url: 'https://acme.test' }],
];
const WRITES: [string, Values][] = [
  ['app/create', { download_url: 'https://apps.apple.com/us/app/other/id77' }],
  ['pixel/create', { pixel_name: 'Shop', pixel_category: 'ONLINE_STORE' }],
  ['creative/portfolio/create', { creative_portfolio_type: 'CTA', portfolio_content: [{ asset_content: 'SHOP_NOW' }] }],
  ['creative/asset/delete', { image_ids: ['x'] }],
  ['tool/bid/recommend', { location_ids: ['6252001'], objective_type: 'TRAFFIC' }],
  ['tool/targeting/info', { targeting_ids: ['5332921'], scene: 'GEO' }],
  [
    'tool/targeting/search',
    { keywords: ['calif'], placements: ['PLACEMENT_TIKTOK'], objective_type: 'TRAFFIC', search_type: 'FUZZY_SEARCH' },
  ],
];

describeWithTikTokSpecs('official documents of assets and tools', (specs) => {
  const read = async (path: string, query: Values) => {
    const answer = await tiktok.get(path, query);
    expect(answer, answer.message).toMatchObject({ code: 0 });
    const operation = specs.operation(path)!;
    const texts = Object.fromEntries(
      Object.entries(query).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
    expect(operation.method).toBe('GET');
    expect(operation.checkQuery(texts)).toEqual([]);
    expect(operation.checkAnswer(answer)).toEqual([]);
    return answer.data;
  };
  const write = async (path: string, body: Values) => {
    const answer = await tiktok.post(path, body);
    expect(answer, answer.message).toMatchObject({ code: 0 });
    const operation = specs.operation(path)!;
    expect(operation.method).toBe('POST');
    expect(operation.checkBody(body)).toEqual([]);
    expect(operation.checkAnswer(answer)).toEqual([]);
    return answer.data;
  };
  const advertiser_id = () => tiktok.ready.advertiser_ids[0]!;

  it.each(READS)('GET %s', async (path, query) => {
    await read(path, { advertiser_id: advertiser_id(), ...query });
  });

  it.each(WRITES)('POST %s', async (path, body) => {
    await write(path, { advertiser_id: advertiser_id(), ...body });
  });

  it('what was made can be read', async () => {
    const id = advertiser_id();
    const { app_id } = await write('app/create', {
      advertiser_id: id,
      download_url: 'https://play.google.com/store/apps/details?id=a.b',
    });
    expect((await read('app/info', { advertiser_id: id, app_id })).app).toMatchObject({ app_id, platform: 'ANDROID' });
    await write('app/update', { advertiser_id: id, app_id, enable_retargeting: 'RETARGETING' });
    const { pixel_id } = await write('pixel/create', { advertiser_id: id, pixel_name: 'Blog' });
    await write('pixel/update', {
      advertiser_id: id,
      pixel_id,
      pixel_name: 'Blog 2',
      advanced_matching_fields: { email: false },
    });
    const { pixels } = await read('pixel/list', { advertiser_id: id, pixel_id });
    expect(pixels).toEqual([
      expect.objectContaining({ pixel_name: 'Blog 2', advanced_matching_fields: { email: false, phone_number: true } }),
    ]);
    await read('pixel/event/stats', {
      advertiser_id: id,
      pixel_ids: [pixel_id],
      date_range: { start_date: '2026-11-01', end_date: '2026-11-20' },
    });
    const { creative_portfolio_id } = await write('creative/portfolio/create', {
      advertiser_id: id,
      portfolio_content: [{ asset_content: 'LEARN_MORE' }],
    });
    const { creative_portfolios } = await read('creative/portfolio/list', { advertiser_id: id });
    expect(creative_portfolios).toContainEqual(expect.objectContaining({ creative_portfolio_id }));
    const portfolio = await read('creative/portfolio/get', { advertiser_id: id, creative_portfolio_id });
    expect(portfolio).toMatchObject({
      creative_portfolio_type: 'CTA',
      portfolio_content: [{ asset_content: 'LEARN_MORE' }],
    });
    const { recommend_keywords } = await read('tool/hashtag/recommend', { advertiser_id: id, keywords: ['yoga'] });
    const keyword_ids = recommend_keywords.map((row: Values) => row['keyword_id']);
    const { keywords_status } = await read('tool/hashtag/get', { advertiser_id: id, keyword_ids });
    expect(keywords_status.map((row: Values) => row['keyword'])).toContain('yogamat');
    const keyword_query = [{ keyword_id: '1', language: 'en' }];
    const { keywords } = await read('tool/interest_keyword/get', { advertiser_id: id, keyword_query });
    expect(keywords).toMatchObject([{ keyword_id: '1', status: 'INEFFECTIVE' }]);
  });

  it('GET catalog/get', async () => {
    const { list } = await read('catalog/get', { bc_id: tiktok.ready.bc_ids[0]!, page: 1, page_size: 10 });
    expect(list.length).toBeGreaterThan(0);
    const [{ catalog_id }] = list;
    const one = await read('catalog/get', { bc_id: tiktok.ready.bc_ids[0]!, catalog_id });
    expect(one.list.map((row: Values) => row['catalog_id'])).toEqual([catalog_id]);
  });
});
