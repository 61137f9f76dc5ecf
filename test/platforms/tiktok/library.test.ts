/** Assets, promoted things, targets, the sandbox and lost grants of TikTok, over HTTP against the simulator. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import tiktok from '../../../src/platforms/tiktok/index.ts';
import { type Any, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.sent.length = 0;
});

const failure = async (work: Promise<unknown>): Promise<Any> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
};
const org = () => ({ org_id: world.organization });
const part = (name: string): Any =>
  world.sent.flatMap(({ multipart }) => multipart ?? []).find((one) => one.name === name)?.value;

/** The smallest PNG there is: one transparent pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

describe('assets', () => {
  it('uploads by URL, and finds and lists what was uploaded', async () => {
    const created = await world.create('asset', {
      organization_id: world.organization,
      url: 'https://media.test/hero.jpg',
      name: 'hero one',
    });
    expect(created).toMatchObject({ type: 'IMAGE', name: 'hero one', organization_id: world.organization });
    expect(part('upload_type')).toBe('UPLOAD_BY_URL');
    expect(await world.get('asset', created.id, org())).toMatchObject({ id: created.id, type: 'IMAGE' });
    expect((await world.list('asset', { ...org(), type: 'IMAGE' })).map(({ id }) => id)).toContain(created.id);
    expect((await world.list('asset', { ...org(), type: 'VIDEO' })).map(({ type }) => type)).not.toContain('IMAGE');
  });

  it('uploads content with its MD5 signature', async () => {
    const created = await world.create('asset', {
      organization_id: world.organization,
      type: 'IMAGE',
      content: PNG,
      mime_type: 'image/png',
      name: 'pixel.png',
    });
    const bytes = Buffer.from(PNG, 'base64');
    expect(part('image_signature')).toBe(createHash('md5').update(bytes).digest('hex'));
    expect(Buffer.from(part('image_file').data).equals(bytes)).toBe(true);
    expect(created).toMatchObject({ type: 'IMAGE', name: 'pixel.png' });
  });

  it('reads the list that a video upload answers, and says when a video is used too early', async () => {
    const created = await world.create('asset', {
      organization_id: world.organization,
      url: 'https://media.test/clip.mp4',
    });
    expect(created.type).toBe('VIDEO');
    expect(created.id).toMatch(/^v/);
    const campaign = await world.create('campaign', {
      ...{ organization_id: world.organization },
      name: 'C',
      goal: 'WEBSITE_TRAFFIC',
    });
    const group = await world.create('group', {
      organization_id: world.organization,
      campaign_id: campaign.id,
      name: 'G',
      optimization_goal: 'LINK_CLICKS',
      budget_amount: 50,
      budget_period: 'DAILY',
      targeting: { geographic: { countries: [{ id: 'US' }] }, placement: { platforms: ['tiktok'] } },
    });
    const [{ id: cover }] = await world.list('asset', { ...org(), type: 'IMAGE' });
    const identity = (await world.list('promoted', { ...org(), type: 'PAGE_ID' })).find((one) =>
      one.id.startsWith('TT_USER:'),
    );
    const early = await failure(
      world.create('ad', {
        organization_id: world.organization,
        group_id: group.id,
        name: 'Early',
        creative_ids: [created.id, cover],
        ad_copy: 'x',
        final_url: 'https://acme.test',
        promoted: [{ type: 'PAGE_ID', id: identity.id }],
      }),
    );
    expect(early).toMatchObject({ code: 'platform_not_ready', platform: { code: '40901' } });
    expect(early.retryAfterMs).toBeGreaterThan(0);
  });

  it('uploads the media of an ad that are given as URLs, and takes the kind of ad from them', async () => {
    const creative = tiktok.objects.creative;
    expect(creative?.create).toBeDefined();
    const { mediaMembers } = await import('../../../src/platforms/tiktok/operations/media.ts');
    const input = { ctx: world.context(), organization: { id: world.organization }, raw: {} };
    const urls = ['https://media.test/a1.png', 'https://media.test/b1.png'];
    const members = await mediaMembers(input, urls, undefined, '1');
    expect(members).toMatchObject({ ad_format: 'CAROUSEL_ADS' });
    expect(members['image_ids']).toHaveLength(2);
    expect(world.sent.map(({ operation }) => operation)).toEqual(['file/image/ad/upload', 'file/image/ad/upload']);
    expect((await failure(mediaMembers(input, ['what'], undefined, '1'))).code).toBe('input_value_invalid');
  });

  it('refuses names that are taken, and uploads that say too little', async () => {
    const body = { organization_id: world.organization, url: 'https://media.test/a.jpg', name: 'taken' };
    await world.create('asset', body);
    expect(await failure(world.create('asset', body))).toMatchObject({
      code: 'platform_conflict',
      platform: { code: '40911' },
    });
    const { url: _url, ...nothing } = body;
    expect((await failure(world.create('asset', nothing))).code).toBe('input_field_required');
    const vague = { organization_id: world.organization, url: 'https://media.test/what' };
    expect((await failure(world.create('asset', vague))).details.allowed).toEqual(['IMAGE', 'VIDEO']);
    const wrong = { organization_id: world.organization, type: 'IMAGE', content: '%%%' };
    expect((await failure(world.create('asset', wrong))).details.field).toBe('content');
  });

  it('finds nothing under ids that the account does not have', async () => {
    for (const id of ['ad-site-i18n-sg/none', 'v10033gnone0', 'something'])
      expect((await failure(world.get('asset', id, org()))).code).toBe('platform_not_found');
  });
});

describe('promoted things', () => {
  it('lists every kind, filters by type, and finds each by id', async () => {
    const all = await world.list('promoted', { ...org(), limit: '1000' });
    const types = new Set(all.map(({ type }) => type));
    for (const type of ['PIXEL_ID', 'APP_ID', 'PAGE_ID', 'CATALOG_ID', 'LEAD_FORM_ID']) {
      expect([type, types.has(type)]).toEqual([type, true]);
      const one = all.find((row) => row.type === type);
      expect(await world.get('promoted', one.id, org())).toEqual(one);
      const only = await world.list('promoted', { ...org(), type });
      expect(new Set(only.map((row) => row.type))).toEqual(new Set([type]));
    }
    expect((await failure(world.list('promoted', { ...org(), type: 'TWEET_ID' }))).code).toBe(
      'input_value_unsupported',
    );
    expect((await failure(world.get('promoted', '42', org()))).code).toBe('platform_not_found');
  });

  it('keeps the platform’s own object in raw', async () => {
    const [pixel] = await world.list('promoted', { ...org(), type: 'PIXEL_ID', fields: 'id,raw' });
    expect(pixel.raw).toMatchObject({ pixel_id: pixel.id });
    expect(pixel.raw).not.toHaveProperty('lookup');
  });
});

describe('targets', () => {
  it.each([
    ['INTEREST', /^\d+$/],
    ['BEHAVIOR', /^\d+$/],
    ['LOCALE', /^[a-z]{2}/],
    ['COUNTRY', /^\d+$/],
    ['REGION', /^\d+$/],
    ['CITY', /^\d+$/],
    ['CARRIER', /^\d+$/],
    ['DEVICE_MODEL', /^\d+$/],
    ['OS_VERSION', /^(ANDROID|IOS)_\d/],
  ])('lists %s and finds each by id', async (type, id) => {
    const list = await world.list('target', { ...org(), type, limit: '1000' });
    expect(list.length).toBeGreaterThan(0);
    for (const one of list)
      expect(one).toMatchObject({ type, id: expect.stringMatching(id), name: expect.any(String) });
    expect(await world.get('target', list[0].id, org())).toEqual(list[0]);
  });

  it('reads each table once a day, however often it is asked for', async () => {
    await world.list('target', { ...org(), type: 'LOCALE' });
    world.sent.length = 0;
    await world.list('target', { ...org(), type: 'LOCALE', query: 'english' });
    expect(world.sent).toEqual([]);
  });

  it('searches postal codes, and says that they cannot be listed', async () => {
    expect((await failure(world.list('target', { ...org(), type: 'ZIP' }))).code).toBe('input_filter_required');
    const found = await world.list('target', { ...org(), type: 'ZIP', query: '90' });
    for (const one of found) expect(one).toMatchObject({ type: 'ZIP', name: expect.stringContaining('90') });
    expect(world.sent.at(-1)).toMatchObject({ operation: 'tool/targeting/search', idempotent: true });
  });

  it('names the parents of places and categories', async () => {
    const regions = await world.list('target', { ...org(), type: 'REGION', limit: '1000' });
    const usa = (await world.list('target', { ...org(), type: 'COUNTRY', query: 'United States' })).find(
      ({ name }) => name === 'United States',
    );
    expect(regions.some(({ parent_id }) => parent_id === usa.id)).toBe(true);
    const interests = await world.list('target', { ...org(), type: 'INTEREST', limit: '1000' });
    const child = interests.find(({ parent_id }) => parent_id !== undefined);
    expect(interests.map(({ id }) => id)).toContain(child.parent_id);
  });
});

describe('the sandbox', () => {
  it('serves campaigns, ad groups and ads', async () => {
    const organization_id = world.simulator.ready.sandbox_advertiser_id;
    const campaign = await world.create(
      'campaign',
      { organization_id, name: 'Sand', goal: 'WEBSITE_TRAFFIC', status: 'PAUSED' },
      { environment: 'sandbox' },
    );
    // No secondary_status there: paused is known, what really runs is not.
    expect(campaign).toMatchObject({ status: 'PAUSED', effective_status: 'PAUSED' });
    const active = await world.update('campaign', campaign.id, { status: 'ACTIVE' }, 'sandbox');
    expect(active).toMatchObject({ status: 'ACTIVE', effective_status: 'UNSPECIFIED' });
    const group = await world.create(
      'group',
      {
        organization_id,
        campaign_id: campaign.id,
        name: 'G',
        optimization_goal: 'LINK_CLICKS',
        budget_amount: 50,
        budget_period: 'DAILY',
        targeting: { geographic: { countries: [{ id: '6252001' }] } },
      },
      { environment: 'sandbox' },
    );
    // Without the look-up nobody knows what kind of place an id is.
    expect(group.targeting.geographic).toEqual({ regions: [{ id: '6252001' }] });
    expect((await world.list('group', { campaign_id: campaign.id }, 'sandbox')).map(({ id }) => id)).toEqual([
      group.id,
    ]);
    expect(new Set(world.sent.map(({ operation }) => operation))).not.toContain('tool/region');
  });

  it.each(['asset', 'target'] as const)('refuses to list %ss before anything is sent', async (object) => {
    const refused = await failure(world.list(object, {}, 'sandbox'));
    expect(refused.code).toBe('platform_environment_unsupported');
    expect(refused.details.endpoints).toContain('campaign/get');
    expect(world.sent).toEqual([]);
  });

  it('lists the identities, which it has, and leaves out what it has not', async () => {
    const list = await world.list('promoted', {}, 'sandbox');
    for (const { type } of list) expect(type).toBe('PAGE_ID');
    expect(new Set(world.sent.map(({ operation }) => operation))).toEqual(new Set(['identity/get']));
  });
});

describe('the grant', () => {
  it('is tested by who granted it and what it reaches', async () => {
    const probe = await tiktok.auth.probe(world.context());
    expect(probe).toMatchObject({ accountName: expect.any(String) });
    expect([...(probe.organizationIds ?? [])].sort()).toEqual([...world.simulator.ready.advertiser_ids].sort());
    world.sent.length = 0;
    const sandbox = await tiktok.auth.probe(world.context('sandbox'));
    expect(sandbox.accountName).toBeDefined();
    expect(world.sent.map(({ operation }) => operation)).toEqual(['user/info']);
  });

  it('that was revoked ends with one clear code and one request', async () => {
    const other = await startWorld();
    try {
      await other.list('organization');
      const { app_id, secret, access_token } = other.simulator.ready;
      await other.simulator.post('oauth2/revoke_token', { app_id, secret, access_token }, { token: null });
      other.sent.length = 0;
      const refused = await failure(other.list('campaign', { org_id: other.organization }));
      expect(refused).toMatchObject({
        code: 'connection_reconnect_required',
        platform: { code: '40105' },
        details: { reconnect_url: 'https://reconnect.test' },
      });
      expect(other.sent).toHaveLength(1);
      expect(other.revoked).toHaveLength(1);
    } finally {
      await other.close();
    }
  });
});
