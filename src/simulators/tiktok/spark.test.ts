import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { objectsOf, ok } from '../../../test/support/tiktok-objects.ts';
import { startTikTok, type TestTikTok } from '../../../test/support/tiktok-simulator.ts';

let tiktok: TestTikTok;
let usd = '';
let other = '';
const DAY = 86_400_000;
beforeEach(async () => {
  tiktok = await startTikTok();
  usd = tiktok.ready.advertiser_ids[0]!;
  other = tiktok.ready.advertiser_ids[2]!;
});
afterEach(() => tiktok.close());

const code = async (body: Record<string, unknown> = {}) =>
  tiktok.control('POST', '/spark_posts', { tiktok_name: 'zoe', ...body });
const redeem = (auth_code: string, advertiser_id = usd, more = {}) =>
  tiktok.post('tt_video/authorize', { advertiser_id, auth_code, ...more });
const read = async (ad_id: string) =>
  ok(await tiktok.get('ad/get', { advertiser_id: usd, filtering: { ad_ids: [ad_id] } })).list[0];

/** An ad that delivers from a creator's post. */
async function sparkAd(post: { id: string; auth_code: string }) {
  ok(await redeem(post.auth_code));
  const { user_info } = ok(await tiktok.get('tt_video/info', { advertiser_id: usd, auth_code: post.auth_code }));
  const adgroup_id = await objectsOf(tiktok, usd).adgroup({
    schedule_type: 'SCHEDULE_FROM_NOW',
    schedule_end_time: undefined,
  });
  const creative = {
    ad_name: 'Spark',
    identity_type: 'AUTH_CODE',
    identity_id: user_info.identity_id,
    ad_format: 'SINGLE_VIDEO',
    tiktok_item_id: post.id,
    call_to_action: 'SHOP_NOW',
    landing_page_url: 'https://acme.test/',
  };
  return ok(await tiktok.post('ad/create', { advertiser_id: usd, adgroup_id, creatives: [creative] })).ad_ids[0];
}

/** Spend of one ad by day. */
async function spend(ad_id: string, from: Date, to: Date): Promise<Map<string, number>> {
  const { list } = ok(
    await tiktok.get('report/integrated/get', {
      advertiser_id: usd,
      report_type: 'BASIC',
      data_level: 'AUCTION_AD',
      dimensions: ['ad_id', 'stat_time_day'],
      start_date: from.toISOString().slice(0, 10),
      end_date: to.toISOString().slice(0, 10),
      page_size: 1000,
      filtering: [{ field_name: 'ad_ids', filter_type: 'IN', filter_value: JSON.stringify([ad_id]) }],
    }),
  );
  return new Map(
    list.map((row: { dimensions: { stat_time_day: string }; metrics: { spend: string } }) => [
      row.dimensions.stat_time_day.slice(0, 10),
      Number(row.metrics.spend),
    ]),
  );
}

describe('a creator’s code', () => {
  it('stops the ad and its delivery when its days are over', async () => {
    const post = await code({ days: 7 });
    const ad = await sparkAd(post);
    const start = tiktok.running.clock.now();
    tiktok.running.clock.advance(2 * DAY);
    expect((await read(ad)).secondary_status).toMatch(/DELIVERY_OK|BUDGET_EXCEED/);
    tiktok.running.clock.advance(10 * DAY);
    expect((await read(ad)).secondary_status).toBe('AD_STATUS_CREATOR_AUTHORIZATION_REVOKED');
    const days = await spend(ad, start, tiktok.running.clock.now());
    expect(days.size).toBeGreaterThan(3);
    const last = [...days.keys()].sort().at(-1)!;
    expect(last <= new Date(start.getTime() + 7 * DAY).toISOString().slice(0, 10)).toBe(true);
    const { list } = ok(await tiktok.get('tt_video/list', { advertiser_id: usd }));
    expect(list[0].auth_info.ad_auth_status).toBe('EXPIRED');

    // More days bring it back, and leave the gap as it was.
    await tiktok.control('POST', `/spark_posts/${post.id}/code`, { days: 30 });
    expect((await read(ad)).secondary_status).not.toMatch(/REVOKED/);
    tiktok.running.clock.advance(3 * DAY);
    const after = await spend(ad, start, tiktok.running.clock.now());
    const silent = new Date(start.getTime() + 10 * DAY).toISOString().slice(0, 10);
    expect(after.has(silent)).toBe(false);
    for (const [day, amount] of days) expect(after.get(day)).toBe(amount);
  });

  it('is refused with the reason: unknown, run out, deleted, private, used elsewhere', async () => {
    expect((await redeem('#nobody')).message).toMatch(/invalid/);
    expect((await redeem((await code({ days: -1 })).auth_code)).message).toMatch(/expired/);
    const gone = await code();
    await tiktok.control('DELETE', `/spark_posts/${gone.id}/code`);
    expect((await redeem(gone.auth_code)).message).toMatch(/deleted/);
    const hidden = await code();
    await tiktok.control('PATCH', `/spark_posts/${hidden.id}`, { status: 'ONLY_AUTHOR_SEE' });
    expect((await redeem(hidden.auth_code)).message).toMatch(/ONLY_AUTHOR_SEE/);
    const taken = await code();
    ok(await redeem(taken.auth_code, other));
    expect(await redeem(taken.auth_code)).toMatchObject({ code: 40002, message: /another ad account/ });
    ok(await redeem(taken.auth_code, other));
  });

  it('of a stitched post needs the original’s, too', async () => {
    const original = await code({ tiktok_name: 'first' });
    const stitch = await code({ original_item_id: original.id });
    expect((await redeem(stitch.auth_code)).message).toMatch(/Missing required.*original_post_auth_code/);
    const wrong = await code();
    const send = (code: string) => redeem(stitch.auth_code, usd, { original_post_auth_code: code });
    expect((await send(wrong.auth_code)).message).toMatch(/original post/);
    ok(await send(original.auth_code));
    const found = ok(await tiktok.get('tt_video/info', { advertiser_id: usd, auth_code: stitch.auth_code }));
    expect(found.item_info.stitch_original_item_id).toBe(original.id);
  });

  it('a hidden post, a withdrawn code and an unbound post stop their ads', async () => {
    const post = await code();
    const ad = await sparkAd(post);
    tiktok.running.clock.advance(DAY);
    await tiktok.control('PATCH', `/spark_posts/${post.id}`, { status: 'ONLY_AUTHOR_SEE' });
    expect((await read(ad)).secondary_status).toBe('AD_STATUS_ASSET_AUTHORIZATION_LOST');
    await tiktok.control('PATCH', `/spark_posts/${post.id}`, { status: 'HESITATE_RECOMMEND' });
    expect((await read(ad)).secondary_status).not.toMatch(/LOST|REVOKED/);
    await expect(tiktok.control('DELETE', `/spark_posts/${post.id}/code`)).rejects.toThrow(/409.*ads use the post/);
    await tiktok.control('DELETE', `/spark_posts/${post.id}/code`, { force: true });
    expect((await read(ad)).secondary_status).toBe('AD_STATUS_CREATOR_AUTHORIZATION_REVOKED');
  });
});

it('an ad stops with the account that its owner takes away', async () => {
  const make = objectsOf(tiktok, usd);
  const { id } = await tiktok.control('POST', '/identities', { advertiser_id: usd, display_name: 'Side Brand' });
  const open = await make.adgroup({ schedule_type: 'SCHEDULE_FROM_NOW', schedule_end_time: undefined });
  const ad = await make.ad({ identity_id: id, dark_post_status: 'OFF' }, open);
  tiktok.running.clock.advance(DAY);
  const { video_list } = ok(
    await tiktok.get('identity/video/get', { advertiser_id: usd, identity_type: 'TT_USER', identity_id: id }),
  );
  expect(video_list[0].text).toBe('Fresh looks for the season');
  await tiktok.control('PATCH', `/identities/${id}`, { available_status: 'SCOPE_UNAVAILABLE' });
  expect((await read(ad)).secondary_status).toBe('AD_STATUS_ASSET_AUTHORIZATION_LOST');
  await tiktok.control('PATCH', `/identities/${id}`, { available_status: 'AVAILABLE' });
  expect((await read(ad)).secondary_status).not.toMatch(/LOST/);
  await tiktok.control('DELETE', `/identities/${id}`);
  expect((await read(ad)).secondary_status).toBe('AD_STATUS_ASSET_AUTHORIZATION_LOST');
});

describe('the creator', () => {
  /** A token of Ada's TikTok account. */
  async function account() {
    const { redirect_url } = await tiktok.control('POST', '/authorize', {
      app_id: tiktok.ready.app_id,
      redirect_uri: 'https://app.test/back/',
      kind: 'tt_user',
    });
    const body = {
      client_id: tiktok.ready.app_id,
      client_secret: tiktok.ready.secret,
      grant_type: 'authorization_code',
      auth_code: new URL(redirect_url).searchParams.get('code'),
      redirect_uri: 'https://app.test/back/',
    };
    return ok(await tiktok.post('tt_user/oauth2/token', body, { token: null }));
  }

  it('switches authorization on, extends and deletes it with the account’s token', async () => {
    const { access_token: token, open_id: business_id } = await account();
    const { videos } = ok(await tiktok.get('business/video/list', { business_id }, { token }));
    const item_id = videos[0].item_id;
    const on = { business_id, item_id, is_ad_promotable: true, authorization_days: 7 };
    const call = (path: string, body: object) => tiktok.post(`business/post/authorize${path}`, body, { token });
    expect((await call('/setting', { ...on, authorization_days: 180 })).message).toMatch(/authorization_days/);
    expect((await tiktok.post('business/post/authorize/setting', on)).code).toBe(40001);
    const made = ok(await call('/setting', on));
    expect(made).toMatchObject({ item_id, auth_code_status: 'NOT_USED', authorization_days: 7 });
    ok(await redeem(made.auth_code));
    const extended = ok(await call('', { business_id, item_id, authorization_days: 30 }));
    expect(extended.auth_code).toBe(made.auth_code);
    expect(Date.parse(extended.auth_code_end_time) - Date.parse(made.auth_code_end_time)).toBe(30 * DAY);
    expect(extended.auth_code_status).toBe('IN_USE');
    expect(ok(await call('/delete', { business_id, item_id })).auth_code_status).toBe('DELETED');
    const status = ok(await tiktok.get('business/post/authorize/status', { business_id, item_id }, { token }));
    expect(status.auth_code_status).toBe('DELETED');
  });

  it('makes and deletes a code on the page', async () => {
    const press = (form: Record<string, string>) =>
      tiktok.raw('/creator?creator=mia.makes', { method: 'POST', body: new URLSearchParams(form) });
    const mine = async () => (await tiktok.control('GET', '/spark_posts?tiktok_name=mia.makes')).posts;
    const [{ id: item_id }] = await mine();
    expect((await press({ action: 'generate', item_id, days: '8' })).status).toBe(409);
    expect((await press({ action: 'delete', item_id })).status).toBe(303);
    expect((await mine())[0].auth_code_status).toBe('DELETED');
    expect((await press({ action: 'generate', item_id, days: '180' })).status).toBe(303);
    const [post] = await mine();
    expect(post).toMatchObject({ auth_code_status: 'NOT_USED', authorization_days: 180 });
    const page = await (await tiktok.raw('/creator?creator=mia.makes')).text();
    expect(page.replaceAll('&#43;', '+').replaceAll('&#47;', '/')).toContain(post.auth_code);
  });
});
