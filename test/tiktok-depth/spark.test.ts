/** Spark Ads from a creator's code to a delivering ad, and to the day it stops: over HTTP, app and simulator in one time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

const DAY = 86_400_000;

let polyad: TestApp;
let id: string;
let org: string;
beforeAll(async () => {
  polyad = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  id = (await polyad.connect()).get('id') as string;
  org = (polyad.simulator.ready['advertiser_ids'] as string[])[0] as string;
});
afterAll(() => polyad.close());

const at = (path: string): string => `/ads/${id}/${path}`;
const post = (more: Json = {}): Promise<Json> =>
  polyad.control('POST', '/spark_posts', { tiktok_name: 'mia', ...more });
const redeem = (code: string, more: Json = {}): ReturnType<TestApp['call']> =>
  polyad.call('POST', at('creator_authorization'), { code, organization_id: org, ...more });
const soon = (hours: number): string =>
  `${new Date(polyad.now().getTime() + hours * 3_600_000).toISOString().slice(0, 19)}Z`;

/** An ad group on TikTok alone, in a campaign of its own. */
async function group(): Promise<string> {
  const campaign = await polyad.ok('POST', at('campaign'), {
    organization_id: org,
    name: 'Creators',
    goal: 'WEBSITE_TRAFFIC',
  });
  const made = await polyad.ok('POST', at('group'), {
    campaign_id: campaign.id,
    name: 'US',
    optimization_goal: 'LINK_CLICKS',
    budget_amount: 50,
    budget_period: 'DAILY',
    start_at: soon(1),
    targeting: {
      geographic: { countries: [{ id: '6252001' }] },
      placement: { platforms: ['PLACEMENT_TIKTOK'] },
    },
  });
  return made.id;
}

const events = async (type: string): Promise<Json[]> =>
  (await polyad.ok('GET', `/v1/events?type=${type}&order=asc&limit=100`)).map(({ payload }: Json) => payload);

describe('from a code to an ad that delivers, and to its end', () => {
  let item: string;
  let ad: Json;

  it('redeems the code and answers what an ad needs', async () => {
    const made = await post({ days: 30 });
    item = made.id;
    const { status, body } = await redeem(made.auth_code);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({
      id: item,
      item_id: item,
      organization_id: org,
      item_type: 'VIDEO',
      ad_type: 'VIDEO',
      state: 'ACTIVE',
      creator_name: 'mia',
      days_left: 30,
      native_status: 'AUTHORIZED',
    });
    expect(body.promoted).toEqual([{ type: 'PAGE_ID', id: body.identity_id }]);
    expect(body.identity_id).toMatch(/^AUTH_CODE:\d+$/);
    expect(Date.parse(body.end_at) - Date.parse(body.start_at)).toBe(30 * DAY);
    expect(JSON.stringify(body)).not.toContain(made.auth_code);
    expect(await polyad.ok('GET', at(`creator_authorization/${item}`))).toEqual(body);
    expect(await polyad.ok('GET', at(`creator_authorization?org_id=${org}`))).toEqual([body]);
    expect(polyad.lines.join('\n')).not.toContain(made.auth_code);
  });

  it('is redeemed once, however often it is asked', async () => {
    const listed = await polyad.ok('GET', at(`creator_authorization?org_id=${org}`));
    const raw = await polyad.ok('GET', at(`creator_authorization/${item}?fields=raw`));
    expect((await redeem(raw.raw.item_info.auth_code)).body).toEqual(listed[0]);
  });

  it('makes an ad of the post with the identity filled in, and the ad delivers', async () => {
    ad = await polyad.ok('POST', at('ad'), {
      group_id: await group(),
      name: 'Spark',
      item_id: item,
      cta: 'SHOP_NOW',
      final_url: 'https://acme.test/p',
    });
    const { identity_id } = await polyad.ok('GET', at(`creator_authorization/${item}`));
    expect(ad).toMatchObject({ item_id: item, promoted: [{ type: 'PAGE_ID', id: identity_id }], ad_type: 'VIDEO' });
    polyad.advance(2 * DAY);
    const now = await polyad.ok('GET', at(`ad/${ad.id}`));
    expect(now).toMatchObject({ effective_status: 'SERVING', native_status: 'AD_STATUS_DELIVERY_OK' });
    expect(now.status_reason).toBeUndefined();
    const start = new Date(polyad.now().getTime() - 2 * DAY).toISOString().slice(0, 10);
    const end = new Date(polyad.now().getTime() + DAY).toISOString().slice(0, 10);
    const query = `org_id=${org}&ad_id=${ad.id}&start_gte=${start}&end_lt=${end}&type=IMPRESSIONS`;
    expect(JSON.stringify(await polyad.ok('GET', at(`report?${query}`)))).toMatch(/"value":[1-9]/);
  });

  it('names the ads that show the post, and whether its music is cleared, when asked', async () => {
    const told = await polyad.ok('GET', at(`creator_authorization/${item}?fields=ad_ids,music_status`));
    expect(told).toMatchObject({ ad_ids: [ad.id], music_status: 'NO_MUSIC' });
    const plain = await polyad.ok('GET', at(`creator_authorization/${item}`));
    expect(plain.ad_ids).toBeUndefined();
  });

  it('warns 14, 7 and 1 days before the end, once each, with the ads concerned', async () => {
    const seen: number[] = [];
    for (let day = 0; day < 27; day += 1) {
      polyad.advance(DAY);
      await polyad.app.creatorSweep.run();
      await polyad.app.creatorSweep.run();
      const told = await events('creator_authorization.expiring');
      while (seen.length < told.length) seen.push(told[seen.length].warning_days);
      const { days_left: left, warning_days: due, state } = await polyad.ok('GET', at(`creator_authorization/${item}`));
      expect(seen).toEqual([14, 7, 1].filter((days) => left <= days));
      expect(due).toBe(seen.at(-1));
      expect(state).toBe(left <= 14 ? 'EXPIRING' : 'ACTIVE');
    }
    expect(seen).toEqual([14, 7, 1]);
    const [first] = await events('creator_authorization.expiring');
    expect(first).toMatchObject({ organization_id: org, item_id: item, days_left: 14, ad_ids: [ad.id], ad_count: 1 });
  });

  it('says why the ad stopped, in words and in TikTok’s own', async () => {
    polyad.advance(2 * DAY);
    expect(await polyad.ok('GET', at(`ad/${ad.id}`))).toMatchObject({
      status: 'ACTIVE',
      effective_status: 'MISCONFIGURED',
      native_status: 'AD_STATUS_CREATOR_AUTHORIZATION_REVOKED',
      status_reason: expect.stringContaining('creator’s authorization'),
    });
    await polyad.app.creatorSweep.run();
    await polyad.app.creatorSweep.run();
    expect(await events('creator_authorization.ended')).toEqual([
      expect.objectContaining({ item_id: item, reason: 'expired', ad_ids: [ad.id] }),
    ]);
    expect(await polyad.ok('GET', at(`creator_authorization/${item}`))).toMatchObject({
      state: 'EXPIRED',
      days_left: 0,
      status_reason: expect.stringContaining('Generate code'),
    });
  });

  it('refuses another ad of the post before anything is sent', async () => {
    const adgroup = await group();
    await polyad.clearLog();
    const { status, body } = await polyad.call('POST', at('ad'), { group_id: adgroup, name: 'Late', item_id: item });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'creator_authorization_ended', details: { state: 'EXPIRED', item_id: item } });
    expect(await polyad.requests('ad/create')).toEqual([]);
  });

  it('goes on when the creator gives more days', async () => {
    await polyad.control('POST', `/spark_posts/${item}/code`, { days: 60 });
    expect(await polyad.ok('GET', at(`creator_authorization/${item}`))).toMatchObject({ state: 'ACTIVE' });
    expect(await polyad.ok('GET', at(`ad/${ad.id}`))).toMatchObject({ effective_status: 'SERVING' });
  });

  it('tells when the creator takes it back', async () => {
    await polyad.control('DELETE', `/spark_posts/${item}/code`, { force: true });
    polyad.advance(DAY);
    await polyad.app.creatorSweep.run();
    expect((await events('creator_authorization.ended')).at(-1)).toMatchObject({ item_id: item, reason: 'withdrawn' });
    expect(await polyad.ok('GET', at(`creator_authorization/${item}`))).toMatchObject({ state: 'WITHDRAWN' });
  });

  it('says what dies with an authorization that is removed, before and after', async () => {
    const shown = await polyad.ok('DELETE', at(`creator_authorization/${item}?dry_run=true`));
    expect(shown.ended_ads).toEqual([{ id: ad.id, name: 'Spark', status: 'ACTIVE' }]);
    expect(shown.dry_run.requests).toEqual([expect.objectContaining({ body: { advertiser_id: org, item_id: item } })]);
    expect((await polyad.ok('GET', at(`creator_authorization?org_id=${org}`))).length).toBe(1);
    const removed = await polyad.ok('DELETE', at(`creator_authorization/${item}`));
    expect(removed).toEqual({ id: item, ended_ads: [{ id: ad.id, name: 'Spark', status: 'ACTIVE' }] });
    expect(await polyad.ok('GET', at(`creator_authorization?org_id=${org}`))).toEqual([]);
    expect((await polyad.call('GET', at(`creator_authorization/${item}`))).status).toBe(404);
  });
});

describe('codes that cannot be redeemed say what the creator must do', () => {
  const refused = async (code: string, more: Json = {}): Promise<Json> => {
    const { status, body } = await redeem(code, more);
    expect(status, JSON.stringify(body)).toBe(422);
    return body;
  };

  it('unknown', async () => {
    const body = await refused('#nonsense');
    expect(body).toMatchObject({ code: 'creator_code_invalid', actor: 'customer' });
    expect(body.details.creator_action).toContain('Generate code');
  });

  it('run out', async () => {
    const made = await post({ days: 7 });
    polyad.advance(8 * DAY);
    expect(await refused(made.auth_code)).toMatchObject({ code: 'creator_code_expired' });
  });

  it('run out after it was redeemed', async () => {
    const made = await post({ days: 7 });
    expect((await redeem(made.auth_code)).status).toBe(200);
    polyad.advance(8 * DAY);
    expect(await refused(made.auth_code)).toMatchObject({ code: 'creator_code_expired' });
    expect(await polyad.ok('GET', at(`creator_authorization/${made.id}`))).toMatchObject({ state: 'EXPIRED' });
  });

  it('deleted', async () => {
    const made = await post();
    await polyad.control('DELETE', `/spark_posts/${made.id}/code`);
    expect(await refused(made.auth_code)).toMatchObject({ code: 'creator_code_deleted' });
  });

  it('used by another ad account', async () => {
    const made = await post();
    const other = (polyad.simulator.ready['advertiser_ids'] as string[])[1];
    expect((await redeem(made.auth_code, { organization_id: other })).status).toBe(200);
    expect(await refused(made.auth_code)).toMatchObject({ code: 'creator_code_used' });
  });

  it('of a post that is private', async () => {
    const made = await post();
    await polyad.control('PATCH', `/spark_posts/${made.id}`, { status: 'ONLY_AUTHOR_SEE' });
    const body = await refused(made.auth_code);
    expect(body).toMatchObject({ code: 'creator_post_unavailable' });
    expect(body.details.creator_action).toContain('Everyone');
    // It may be redeemed yet, so no record holds it.
    const records = JSON.stringify((await polyad.call('GET', '/v1/audit')).body);
    expect(records).toContain('createAdsCreatorAuthorization');
    for (const text of [records, polyad.lines.join('\n'), JSON.stringify(await polyad.ok('GET', '/unified/apicall'))])
      expect(text).not.toContain(made.auth_code);
  });

  it('of a duet whose original is not authorised', async () => {
    const original = await post();
    const made = await post({ original_item_id: original.id });
    expect(await refused(made.auth_code)).toMatchObject({ code: 'creator_original_code_required' });
    const { status, body } = await redeem(made.auth_code, { original_code: original.auth_code });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.id).toBe(made.id);
  });

  it('a post made private after redemption reads so, and makes no ad', async () => {
    const made = await post();
    expect((await redeem(made.auth_code)).status).toBe(200);
    await polyad.control('PATCH', `/spark_posts/${made.id}`, { status: 'ONLY_AUTHOR_SEE' });
    expect(await polyad.ok('GET', at(`creator_authorization/${made.id}`))).toMatchObject({
      state: 'POST_UNAVAILABLE',
      post_status: 'ONLY_AUTHOR_SEE',
      status_reason: expect.stringContaining('Everyone'),
    });
    const { body } = await polyad.call('POST', at('ad'), { group_id: await group(), name: 'x', item_id: made.id });
    expect(body).toMatchObject({ code: 'creator_post_unavailable' });
  });

  it('a post that nobody authorised', async () => {
    const made = await post();
    const { status, body } = await polyad.call('POST', at('ad'), {
      group_id: await group(),
      name: 'x',
      item_id: made.id,
    });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'creator_authorization_missing' });
  });
});

describe('a redemption whose answer is lost', () => {
  beforeEach(() => polyad.control('POST', '/faults/clear'));

  it('is found to be done', async () => {
    const made = await post();
    await polyad.control('POST', '/faults', { kind: 'drop_after', path: 'tt_video/authorize', times: 1 });
    const { status, body } = await redeem(made.auth_code);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ id: made.id, state: 'ACTIVE' });
  });
});

describe('identities', () => {
  it('lists all types with what they allow', async () => {
    const made = await post();
    await redeem(made.auth_code);
    const list: Json[] = await polyad.ok('GET', at(`identity?org_id=${org}`));
    expect(new Set(list.map(({ type }) => type))).toEqual(
      new Set(['CUSTOM', 'OWN_ACCOUNT', 'SHARED_ACCOUNT', 'CREATOR_POST']),
    );
    const of = (type: string, availability = 'AVAILABLE'): Json =>
      list.find((one) => one.type === type && one.availability === availability);
    expect(of('CUSTOM')).toMatchObject({ can_pull: false, can_push: false, native_type: 'CUSTOMIZED_USER' });
    expect(of('OWN_ACCOUNT')).toMatchObject({ can_pull: true, can_push: true, native_type: 'TT_USER' });
    expect(of('SHARED_ACCOUNT').manager_id).toMatch(/^\d+$/);
    expect(of('SHARED_ACCOUNT').id).toMatch(/^BC_AUTH_TT:\d+:\d+$/);
    expect(of('CREATOR_POST')).toMatchObject({ can_pull: true, can_push: false });
    expect(of('OWN_ACCOUNT', 'PRIVATE_ACCOUNT')).toMatchObject({
      native_status: 'IS_PRIVATE_ACCOUNT',
      status_reason: expect.stringContaining('Private account off'),
    });
    expect(await polyad.ok('GET', at(`identity?org_id=${org}&type=CUSTOM`))).toEqual([of('CUSTOM')]);
    expect(await polyad.ok('GET', at(`identity/${encodeURIComponent(of('SHARED_ACCOUNT').id)}`))).toEqual(
      of('SHARED_ACCOUNT'),
    );
  });

  it('makes and removes a custom one', async () => {
    const made = await polyad.ok('POST', at('identity'), {
      organization_id: org,
      name: 'Acme shop',
      image_url: 'https://media.test/logo.png',
    });
    expect(made).toMatchObject({ type: 'CUSTOM', name: 'Acme shop', id: expect.stringMatching(/^CUSTOMIZED_USER:/) });
    expect(await polyad.ok('DELETE', at(`identity/${encodeURIComponent(made.id)}`))).toEqual({ id: made.id });
    expect((await polyad.call('GET', at(`identity/${encodeURIComponent(made.id)}`))).status).toBe(404);
  });

  it('leaves posts of creators to their authorization', async () => {
    const [one] = await polyad.ok('GET', at(`identity?org_id=${org}&type=CREATOR_POST`));
    const { status, body } = await polyad.call('DELETE', at(`identity/${encodeURIComponent(one.id)}`));
    expect({ status, code: body.code }).toEqual({ status: 405, code: 'method_unsupported' });
  });
});

describe('other ways to show posts', () => {
  const accounts = async (type: string): Promise<Json> =>
    (await polyad.ok('GET', at(`identity?org_id=${org}&type=${type}`))).find(
      (one: Json) => one.availability === 'AVAILABLE' && one.can_pull,
    );
  const native = async (identity: Json): Promise<Json> => {
    const [identity_type, identity_id, identity_authorized_bc_id] = identity.id.split(':');
    const query = new URLSearchParams({ advertiser_id: org, identity_type, identity_id });
    if (identity_authorized_bc_id !== undefined) query.set('identity_authorized_bc_id', identity_authorized_bc_id);
    const answer = await polyad.ok('GET', `/passthrough/${id}/open_api/v1.3/identity/video/get/?${query}`);
    return answer.data.video_list[0];
  };

  it.each(['OWN_ACCOUNT', 'SHARED_ACCOUNT'])(
    'pulls a post of an account (%s), found by the post alone',
    async (type) => {
      const identity = await accounts(type);
      const { item_id } = await native(identity);
      const ad = await polyad.ok('POST', at('ad'), {
        group_id: await group(),
        name: 'Pulled',
        item_id,
        final_url: 'https://acme.test/p',
      });
      expect(ad).toMatchObject({ item_id, promoted: [{ type: 'PAGE_ID', id: identity.id }] });
    },
  );

  it.each([
    ['OWN_ACCOUNT', true],
    ['SHARED_ACCOUNT', false],
  ])('pushes a new post to an account (%s), as an ad alone: %s', async (type, adsOnly) => {
    const identity = await accounts(type as string);
    const [video] = await polyad.ok('GET', at(`asset?org_id=${org}&type=VIDEO&limit=1`));
    const [image] = await polyad.ok('GET', at(`asset?org_id=${org}&type=IMAGE&limit=1`));
    const ad = await polyad.ok('POST', at('ad'), {
      group_id: await group(),
      name: 'Pushed',
      ad_type: 'VIDEO',
      ad_copy: 'New',
      creative_ids: [video.id, image.id],
      promoted: [{ type: 'PAGE_ID', id: identity.id }],
      post_ads_only: adsOnly,
      final_url: 'https://acme.test/p',
    });
    expect(ad).toMatchObject({ post_ads_only: adsOnly, promoted: [{ type: 'PAGE_ID', id: identity.id }] });
  });

  it('refuses to push to an account that is private, and to a creator’s post', async () => {
    const list: Json[] = await polyad.ok('GET', at(`identity?org_id=${org}`));
    const [video] = await polyad.ok('GET', at(`asset?org_id=${org}&type=VIDEO&limit=1`));
    const adgroup = await group();
    for (const identity of [
      list.find(({ availability }) => availability === 'PRIVATE_ACCOUNT'),
      list.find(({ type }) => type === 'CREATOR_POST'),
    ]) {
      const { status, body } = await polyad.call('POST', at('ad'), {
        group_id: adgroup,
        name: 'x',
        creative_ids: [video.id],
        promoted: [{ type: 'PAGE_ID', id: identity.id }],
      });
      expect({ status, code: body.code }).toEqual({ status: 422, code: 'identity_unavailable' });
    }
  });
});
