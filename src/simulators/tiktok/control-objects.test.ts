import { afterAll, beforeAll, expect, it } from 'vitest';
import { objectsOf, ok } from '../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';

let tiktok: TestTikTok;
let usd = '';
beforeAll(async () => {
  tiktok = await startTikTok();
  usd = tiktok.ready.advertiser_ids[0]!;
});
afterAll(() => tiktok.close());

it('a creator’s new code can be redeemed; one that has run out cannot', async () => {
  const { auth_code, id } = await tiktok.control('POST', '/spark_posts', { tiktok_name: 'zoe', days: 7 });
  const { posts } = await tiktok.control('GET', '/spark_posts');
  expect(posts.map((post: { id: string }) => post.id)).toContain(id);
  ok(await tiktok.post('tt_video/authorize', { advertiser_id: usd, auth_code }));
  expect(ok(await tiktok.get('tt_video/info', { advertiser_id: usd, auth_code })).item_info.item_id).toBe(id);
  const old = await tiktok.control('POST', '/spark_posts', { tiktok_name: 'zoe', auth_code: '#old', days: -1 });
  expect(old.id).not.toBe(id);
  expect((await tiktok.post('tt_video/authorize', { advertiser_id: usd, auth_code: '#old' })).code).toBe(40002);
  await expect(tiktok.control('POST', '/spark_posts', { tiktok_name: 'zoe', auth_code })).rejects.toThrow(/exists/);
});

it('a TikTok account is linked, made private, and unlinked', async () => {
  const { id } = await tiktok.control('POST', '/identities', { advertiser_id: usd, display_name: 'Side Brand' });
  const make = objectsOf(tiktok, usd);
  const adgroup_id = await make.adgroup();
  const creative = { ...(await make.creative()), identity_id: id };
  const create = () => tiktok.post('ad/create', { advertiser_id: usd, adgroup_id, creatives: [creative] });
  ok(await create());
  await tiktok.control('PATCH', `/identities/${id}`, { can_push_video: false });
  expect((await create()).message).toMatch(/pushed/);
  await tiktok.control('PATCH', `/identities/${id}`, { available_status: 'IS_PRIVATE_ACCOUNT' });
  expect((await create()).message).toMatch(/IS_PRIVATE_ACCOUNT/);
  await tiktok.control('DELETE', `/identities/${id}`);
  expect((await create()).message).toMatch(/does not exist/);
  await expect(tiktok.control('PATCH', `/identities/${id}`, {})).rejects.toThrow(/404/);
});

it('a pixel that is lost stops the ads that need it', async () => {
  const status = async () => {
    const filtering = { objective_type: 'WEB_CONVERSIONS' };
    return ok(await tiktok.get('adgroup/get', { advertiser_id: usd, filtering })).list[0].secondary_status;
  };
  const before = await status();
  const [{ pixel_id }] = ok(await tiktok.get('pixel/list', { advertiser_id: usd })).pixels;
  await tiktok.control('PATCH', `/pixels/${pixel_id}`, { unbound: true });
  expect(await status()).toBe('ADGROUP_STATUS_PIXEL_UNBIND');
  await tiktok.control('PATCH', `/pixels/${pixel_id}`, { unbound: false });
  expect(await status()).toBe(before);
});
