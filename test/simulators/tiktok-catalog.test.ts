/** Catalogs, GMV Max and Business Center reports of the TikTok simulator. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithTikTokSpecs } from '../specs/tiktok-yml.ts';
import { ok } from '../support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../support/tiktok-simulator.ts';

type Values = Record<string, unknown>;

let tiktok: TestTikTok;
let bc_id = '';
let usd = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  bc_id = tiktok.ready.bc_ids[0]!;
  usd = tiktok.ready.advertiser_ids[0]!;
});
afterAll(() => tiktok.close());

const catalog = async (): Promise<{ bc_id: string; catalog_id: string }> => {
  const body = { bc_id, name: 'Shoes', catalog_type: 'ECOM', catalog_conf: { currency: 'USD', region_code: 'US' } };
  return { bc_id, catalog_id: ok(await tiktok.post('catalog/create', body)).catalog_id };
};
const product = (sku_id: string, more: Values = {}): Values => ({
  sku_id,
  title: `Shoe ${sku_id}`,
  availability: 'IN_STOCK',
  image_url: 'https://shop.test/shoe.png',
  brand: 'Acme',
  ...more,
});

describe('a catalog', () => {
  it('takes products after a while, says which were wrong, and sorts them into sets', async () => {
    const own = await catalog();
    const products = [product('1'), product('2', { title: 'Boot [reject]' }), product('3', { image_url: '' })];
    const { feed_log_id } = ok(await tiktok.post('catalog/product/upload', { ...own, products }));
    const log = async () => ok(await tiktok.get('catalog/product/log', { ...own, feed_log_id })).product_feed_log;
    expect(await log()).toMatchObject({ process_status: 'PROCESSING', add_count: 0 });
    expect(ok(await tiktok.get('catalog/overview', own))).toEqual({ approved: 0, rejected: 0, processing: 2 });
    tiktok.running.clock.advance(15_000);
    const done = await log();
    expect(done).toMatchObject({ process_status: 'SUCCESS', add_count: 2, error_count: 1 });
    expect(done.feed_log_data.error_affected_products[0]).toMatchObject({ field: 'image_url' });
    expect(ok(await tiktok.get('catalog/overview', own))).toEqual({ approved: 1, rejected: 1, processing: 0 });
    const set = {
      product_set_name: 'Shoes',
      conditions: { and: [{ field: 'title', operation: 'CONTAIN', value: 'shoe' }] },
    };
    const made = ok(await tiktok.post('catalog/set/create', { ...own, ...set }));
    expect(made.product_count).toBe(1);
    const inSet = ok(await tiktok.get('catalog/set/product/get', { ...own, product_set_id: made.product_set_id }));
    expect(inSet.products).toMatchObject([{ sku_id: '1' }]);
    ok(await tiktok.post('catalog/product/update', { ...own, products: [{ sku_id: '2', title: 'Shoe after all' }] }));
    expect(ok(await tiktok.get('catalog/set/get', own)).list[0].product_count).toBe(2);
    ok(await tiktok.post('catalog/product/delete', { ...own, sku_ids: ['1'] }));
    expect(ok(await tiktok.get('catalog/product/get', own)).products).toMatchObject([{ sku_id: '2', brand: 'Acme' }]);
    ok(await tiktok.post('catalog/set/delete', { ...own, product_set_ids: [made.product_set_id] }));
    expect(ok(await tiktok.get('catalog/set/get', own)).list).toEqual([]);
  });

  it('has feeds whose passwords are not told, and event sources', async () => {
    const own = await catalog();
    const feed = {
      ...own,
      feed_name: 'Nightly',
      update_mode: 'OVERWRITE',
      schedule_param: { interval_type: 'DAILY', source: { uri: 'sftp://shop.test/f.csv', password: 'hush' } },
    };
    const made = await tiktok.post('catalog/feed/create', feed);
    expect(JSON.stringify(made)).not.toContain('hush');
    const { feed_id } = ok(made);
    ok(await tiktok.post('catalog/feed/switch', { ...own, feed_id, status: 'OFF' }));
    const file = { ...own, feed_id: Number(feed_id), file_url: 'https://shop.test/products.csv' };
    ok(await tiktok.post('catalog/product/file', file));
    tiktok.running.clock.advance(15_000);
    const [row] = ok(await tiktok.get('catalog/feed/get', own)).feed_list;
    expect(row).toMatchObject({ status: 'OFF', number_of_products: 10 });
    const { pixels } = ok(await tiktok.get('pixel/list', { advertiser_id: usd }));
    const source = { ...own, advertiser_id: usd, pixel_code: pixels[0].pixel_code };
    ok(await tiktok.post('catalog/eventsource/bind', source));
    const bound = async () => ok(await tiktok.get('catalog/eventsource_bind/get', own)).event_sources;
    expect(await bound()).toMatchObject([{ pixel_code: pixels[0].pixel_code }]);
    ok(await tiktok.post('catalog/eventsource/unbind', source));
    expect(await bound()).toEqual([]);
    ok(await tiktok.post('catalog/update', { ...own, name: 'Boots' }));
    ok(await tiktok.post('catalog/delete', own));
    expect((await tiktok.get('catalog/overview', own)).code).toBe(40007);
    expect((await tiktok.get('catalog/overview', { ...own, bc_id: tiktok.ready.bc_ids[1] })).code).toBe(40007);
  });
});

describe('reports of their own', () => {
  const day = (ago: number) =>
    new Date(tiktok.running.clock.now().getTime() - ago * 86_400_000).toISOString().slice(0, 10);

  it('GMV Max says what the ledger says of the shop', async () => {
    const [advertiser_id] = (await tiktok.control('POST', '/seed', { advertisers: 1 })).advertiser_ids;
    await tiktok.control('POST', '/seed', { volume: 400, days: 40, deleted_share: 0, advertiser_id });
    const [{ store_id }] = ok(await tiktok.get('gmv_max/store/list', { advertiser_id })).store_list;
    const query = {
      advertiser_id,
      store_ids: [store_id],
      dimensions: ['campaign_id', 'stat_time_day'],
      metrics: ['cost', 'orders', 'gross_revenue', 'campaign_name'],
      start_date: day(20),
      end_date: day(2),
      page_size: 1000,
      enable_total_metrics: true,
    };
    const { list, total_metrics } = ok(await tiktok.get('gmv_max/report/get', query));
    const range = `advertiser_id=${advertiser_id}&start_date=${day(20)}&end_date=${day(2)}`;
    const { totals } = await tiktok.control('GET', `/ledger?${range}`);
    expect(totals.onsite_shopping).toBeGreaterThan(0);
    expect(Number(total_metrics.orders)).toBe(totals.onsite_shopping);
    expect(Number(total_metrics.gross_revenue)).toBeCloseTo(totals.total_onsite_shopping_value, 1);
    const orders = list.reduce((all: number, row: { metrics: Values }) => all + Number(row.metrics['orders']), 0);
    expect(orders).toBe(totals.onsite_shopping);
    expect(list[0].metrics.campaign_name).toMatch(/\|/);
    expect((await tiktok.get('gmv_max/report/get', { ...query, store_ids: ['1'] })).message).toMatch(/store_ids/);
  });

  it('a Business Center’s report has its ad accounts, each once', async () => {
    const query = {
      report_type: 'BC',
      bc_id,
      dimensions: ['advertiser_id', 'stat_time_day'],
      metrics: ['spend', 'impressions'],
      start_date: day(10),
      end_date: day(3),
      page_size: 1000,
    };
    const { list } = ok(await tiktok.get('report/integrated/get', query));
    const ids = new Set(list.map((row: { dimensions: Values }) => row.dimensions['advertiser_id']));
    expect(ids).toEqual(new Set(tiktok.ready.advertiser_ids.slice(0, 2)));
    for (const advertiser_id of ids) {
      const { totals } = await tiktok.control(
        'GET',
        `/ledger?advertiser_id=${advertiser_id}&start_date=${day(10)}&end_date=${day(3)}`,
      );
      const own = list.filter((row: { dimensions: Values }) => row.dimensions['advertiser_id'] === advertiser_id);
      const sum = own.reduce((all: number, row: { metrics: Values }) => all + Number(row.metrics['impressions']), 0);
      expect(sum).toBe(totals.impressions);
    }
    expect((await tiktok.get('report/integrated/get', { ...query, bc_id: '7100000000000000999' })).code).toBe(40001);
    expect((await tiktok.get('report/integrated/get', { ...query, bc_id: undefined })).message).toMatch(/bc_id/);
  });
});

describeWithTikTokSpecs('official documents of catalogs', (specs) => {
  it('fit the answers', async () => {
    const own = await catalog();
    const { feed_log_id } = ok(await tiktok.post('catalog/product/upload', { ...own, products: [product('1'), {}] }));
    tiktok.running.clock.advance(15_000);
    const reads: [string, Values][] = [
      ['catalog/overview', own],
      ['catalog/product/log', { ...own, feed_log_id }],
      ['catalog/feed/get', own],
      ['catalog/set/get', own],
      ['catalog/eventsource_bind/get', own],
      ['catalog/available_country/get', { bc_id }],
      ['gmv_max/store/list', { advertiser_id: usd }],
    ];
    for (const [path, query] of reads) {
      const answer = await tiktok.get(path, query);
      expect([path, answer.code, specs.operation(path)!.checkAnswer(answer)]).toEqual([path, 0, []]);
    }
    const feed = await tiktok.post('catalog/feed/create', { ...own, feed_name: 'F', update_mode: 'INCREMENTAL' });
    expect(specs.operation('catalog/feed/create')!.checkAnswer(feed)).toEqual([]);
  });
});
