/** Ads and creatives of TikTok, written and read back over HTTP against the simulator. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makersOf } from './support/makers.ts';
import { type Any, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.sent.length = 0;
});
const { later, failure, operations, body, campaignOf, groupOf, identity, video, image, adOf, onTikTok } = makersOf(
  () => world,
);

describe('ads and creatives', () => {
  it('reads back field by field what was written', async () => {
    const promoted = [{ type: 'PAGE_ID', id: await identity() }];
    const created = await adOf({ promoted, status: 'PAUSED' });
    expect(created).toMatchObject({
      name: 'Ad A',
      ad_type: 'VIDEO',
      ad_copy: 'New shoes',
      cta: 'SHOP_NOW',
      final_url: 'https://acme.test/p',
      status: 'PAUSED',
      promoted,
      organization_id: world.organization,
    });
    expect(created.creative_ids).toEqual([created.id]);
    expect(await world.get('ad', created.id)).toEqual(created);
    expect(body('ad/create').creatives).toHaveLength(1);
    expect(body('ad/create').creatives[0]).toMatchObject({ identity_type: 'TT_USER', ad_format: 'SINGLE_VIDEO' });
    expect(await world.list('ad', { group_id: created.group_id })).toEqual([created]);
    expect(await world.list('ad', { org_id: world.organization, campaign_id: created.campaign_id })).toEqual([created]);
  });

  it('patches what TikTok can patch', async () => {
    const created = await adOf();
    world.sent.length = 0;
    const changed = await world.update('ad', created.id, { name: 'Ad B', ad_copy: 'Newer shoes' });
    expect(body('ad/update')).toEqual({
      advertiser_id: world.organization,
      adgroup_id: created.group_id,
      patch_update: true,
      creatives: [{ ad_id: created.id, ad_name: 'Ad B', ad_text: 'Newer shoes' }],
    });
    expect(changed).toEqual({ ...created, name: 'Ad B', ad_copy: 'Newer shoes', updated_at: changed.updated_at });
  });

  it('sends the whole creative where TikTok would lose the rest', async () => {
    const created = await adOf();
    const before = (await world.get('ad', created.id, { fields: 'raw' })).raw;
    world.sent.length = 0;
    const changed = await world.update('ad', created.id, { cta: 'LEARN_MORE' });
    expect(body('ad/update')).not.toHaveProperty('patch_update');
    expect(body('ad/update').creatives[0]).toMatchObject({
      ad_id: created.id,
      call_to_action: 'LEARN_MORE',
      ad_name: 'Ad A',
      ad_text: 'New shoes',
      video_id: before.video_id,
      landing_page_url: 'https://acme.test/p',
      identity_id: before.identity_id,
    });
    expect(changed).toEqual({ ...created, cta: 'LEARN_MORE', updated_at: changed.updated_at });
  });

  it('checks a campaign named beside the group', async () => {
    const other = await campaignOf();
    const refused = await failure(adOf({ campaign_id: other.id }));
    expect(refused).toMatchObject({ code: 'input_value_invalid', details: { field: 'campaign_id' } });
    expect(operations()).not.toContain('ad/create');
  });

  it('asks which identity is meant when there are several, naming them', async () => {
    const refused = await failure(adOf({ promoted: undefined }));
    expect(refused.code).toBe('input_field_required');
    expect(refused.details.allowed).toContainEqual({ type: 'PAGE_ID', id: await identity(), name: 'Acme US' });
  });

  it('takes an identity by its plain id', async () => {
    const whole = await identity();
    const created = await adOf({ promoted: [{ type: 'PAGE_ID', id: whole.split(':')[1] }] });
    expect(created.promoted).toEqual([{ type: 'PAGE_ID', id: whole }]);
  });

  it('makes a creative as a paused ad, and an ad as a copy of a creative', async () => {
    const group = await groupOf({ targeting: onTikTok });
    const assets = [await video(), await image()];
    const creative = await world.create('creative', {
      organization_id: world.organization,
      group_id: group.id,
      name: 'Summer',
      creative_type: 'VIDEO',
      body: 'New shoes',
      cta: 'SHOP_NOW',
      link_url: 'https://acme.test/p',
      url_tags: 'utm_source=tiktok&utm_campaign=__CAMPAIGN_NAME__',
      asset_urls: assets,
      promoted: [{ type: 'PAGE_ID', id: await identity() }],
    });
    expect(creative).toMatchObject({
      status: 'PAUSED',
      group_id: group.id,
      creative_type: 'VIDEO',
      asset_urls: assets,
      url_tags: 'utm_source=tiktok&utm_campaign=__CAMPAIGN_NAME__',
    });
    expect(await world.get('creative', creative.id)).toEqual(creative);
    const ad = await world.create('ad', {
      organization_id: world.organization,
      group_id: group.id,
      name: 'From creative',
      creative_ids: [creative.id],
    });
    expect(ad).toMatchObject({ name: 'From creative', ad_copy: 'New shoes', cta: 'SHOP_NOW', status: 'ACTIVE' });
    expect(ad.id).not.toBe(creative.id);
    expect(await world.get('creative', ad.creative_ids[0])).toMatchObject({ asset_urls: assets, body: 'New shoes' });
    const changed = await world.update('creative', creative.id, { body: 'Other words' });
    expect(changed).toEqual({ ...creative, body: 'Other words', updated_at: changed.updated_at });
    const refused = await failure(world.remove('creative', creative.id));
    expect(refused.code).toBe('method_unsupported');
    expect(refused.details.instead).toContain('remove the ad');
  });

  it('shows the form and the pixel of an ad, whose ids are numbers beyond 2^53 at TikTok', async () => {
    const [pixel] = await world.list('promoted', { org_id: world.organization, type: 'PIXEL_ID' });
    const campaign = await campaignOf({ goal: 'LEADS' });
    const group = await groupOf({
      campaign_id: campaign.id,
      optimization_goal: 'LEAD_GENERATION',
      targeting: onTikTok,
    });
    const [form] = await world.list('promoted', { org_id: world.organization, type: 'LEAD_FORM_ID' });
    expect(Number.isSafeInteger(Number(form.id))).toBe(false);
    const promoted = [
      { type: 'PAGE_ID', id: await identity() },
      { type: 'LEAD_FORM_ID', id: form.id },
      { type: 'PIXEL_ID', id: pixel.id },
    ];
    const created = await adOf({ group_id: group.id, final_url: undefined, promoted });
    const [creative] = body('ad/create').creatives;
    // Number literals, as TikTok declares them, and exact.
    expect(JSON.stringify(creative)).toContain(`"page_id":${form.id}`);
    expect(JSON.stringify(creative)).toContain(`"tracking_pixel_id":${pixel.id}`);
    expect(created.promoted.map(({ type }: Any) => type)).toEqual(['PAGE_ID', 'LEAD_FORM_ID', 'PIXEL_ID']);
    const changed = await world.update('ad', created.id, { cta: 'SIGN_UP', promoted: promoted.slice(0, 2) });
    expect(changed.promoted.map(({ type }: Any) => type)).toEqual(['PAGE_ID', 'LEAD_FORM_ID']);
    expect(changed.cta).toBe('SIGN_UP');
  });

  it('takes members of TikTok that the unified model lacks in raw, and copies of whole rows', async () => {
    const created = await campaignOf({ raw: { po_number: 'PO-7' }, budget_amount: 100, budget_period: 'DAILY' });
    const { raw } = await world.get('campaign', created.id, { fields: 'raw' });
    expect(raw.po_number).toBe('PO-7');
    const copy = await campaignOf({ name: 'Copy', raw });
    expect(copy).toMatchObject({ name: 'Copy', budget_amount: 100, budget_period: 'DAILY' });
    expect(copy.id).not.toBe(created.id);
  });

  it('lists ads by change, status and name', async () => {
    const created = await adOf({ name: 'Quite unique', status: 'PAUSED' });
    const ids = async (query: Record<string, string>) =>
      (await world.list('ad', { org_id: world.organization, limit: '1000', ...query })).map(({ id }) => id);
    expect(await ids({ query: 'quite unique' })).toEqual([created.id]);
    expect(await ids({ updated_gte: created.updated_at })).toContain(created.id);
    expect(await ids({ updated_gte: later(1) })).toEqual([]);
    expect(await ids({ status: 'PAUSED', query: 'quite unique' })).toEqual([created.id]);
    await world.remove('ad', created.id);
    expect(await ids({ query: 'quite unique' })).toEqual([]);
    expect((await world.get('ad', created.id)).status).toBe('ARCHIVED');
  });
});
