import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFields } from '../../../core/connector/fields.ts';
import { adFields, adPromoted, creativeFields } from './ad.ts';

const creative = compileFields(creativeFields);
const ad = compileFields(adFields);

describe('what an ad promotes', () => {
  it('reads ids beyond 2^53 as text, and takes rounded numbers for none at all', () => {
    const row = {
      identity_type: 'TT_USER',
      identity_id: '1',
      identity_authorized_bc_id: '0',
      page_id: '7124755995554133667',
      tracking_pixel_id: Number('7124755995554133667'),
    };
    expect(adPromoted.decode(row, {})).toEqual([
      { type: 'PAGE_ID', id: 'TT_USER:1' },
      { type: 'LEAD_FORM_ID', id: '7124755995554133667' },
    ]);
    expect(
      adPromoted.decode({ page_id: 0, tracking_pixel_id: 0, tracking_app_id: '', catalog_id: null }, {}),
    ).toBeUndefined();
  });

  it('is the same both ways', () => {
    const id = fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n }).map(String);
    const refs = fc.record(
      {
        identity: fc.oneof(
          id.map((one) => `TT_USER:${one}`),
          fc.tuple(id, id).map(([one, bc]) => `BC_AUTH_TT:${one}:${bc}`),
        ),
        page: fc.tuple(fc.constantFrom('PAGE_ID', 'LEAD_FORM_ID'), id),
        pixel: id,
        app: id,
        set: id,
      },
      { requiredKeys: ['identity'] },
    );
    fc.assert(
      fc.property(refs, ({ identity, page, pixel, app, set }) => {
        const written = [
          { type: 'PAGE_ID', id: identity },
          ...(page === undefined ? [] : [{ type: page[0], id: page[1] }]),
          ...(pixel === undefined ? [] : [{ type: 'PIXEL_ID', id: pixel }]),
          ...(app === undefined ? [] : [{ type: 'APP_ID', id: app }]),
          ...(set === undefined ? [] : [{ type: 'PRODUCT_SET_ID', id: set }]),
        ];
        expect(adPromoted.decode(adPromoted.encode?.(written, {}), {})).toEqual(written);
      }),
    );
  });

  it('refuses kinds that TikTok does not have, and two of one', () => {
    const refuses = (refs: unknown, code: string) =>
      expect(() => adPromoted.encode?.(refs, { field: 'promoted' })).toThrow(
        expect.objectContaining({ code }) as Error,
      );
    refuses([{ type: 'TWEET_ID', id: '1' }], 'input_value_unsupported');
    refuses(
      [
        { type: 'PIXEL_ID', id: '1' },
        { type: 'PIXEL_ID', id: '2' },
      ],
      'input_value_invalid',
    );
    refuses([{ type: 'PIXEL_ID' }], 'input_value_invalid');
  });
});

describe('creatives', () => {
  const encode = (unified: Record<string, unknown>) =>
    creative.encode({ name: 'C', group_id: '1', ...unified }, { unified }, 'create', 'TikTok ad');

  it('write the parameters of a URL as TikTok’s pairs, and read both spellings of them', () => {
    expect(encode({ url_tags: 'utm_source=tik tok&utm_id=__CID__' })['utm_params']).toEqual([
      { key: 'utm_source', value: 'tik tok' },
      { key: 'utm_id', value: '__CID__' },
    ]);
    expect(creative.decode({ utm_params: [{ field: 'utm_source', value: 'x' }] }, {})).toEqual({
      url_tags: 'utm_source=x',
    });
  });

  it('that show a post are shares, and need the post', () => {
    expect(encode({ creative_type: 'SHARE', item_id: '7105' })).toMatchObject({
      ad_format: 'SINGLE_VIDEO',
      tiktok_item_id: '7105',
    });
    expect(() => encode({ creative_type: 'SHARE' })).toThrow(/item_id/);
    expect(creative.decode({ ad_format: 'SINGLE_VIDEO', tiktok_item_id: '7105' }, {})).toMatchObject({
      creative_type: 'SHARE',
    });
    expect(creative.decode({ ad_format: 'SINGLE_VIDEO', tiktok_item_id: '' }, {})).toMatchObject({
      creative_type: 'VIDEO',
    });
    expect(creative.decode({ ad_format: 'HOLOGRAM' }, {})).toMatchObject({ creative_type: 'HOLOGRAM' });
  });
});

describe('ads', () => {
  it('refuse what TikTok has no place for', () => {
    for (const field of ['headline', 'description', 'display_url', 'path1', 'logo_creative_id'])
      expect(() => ad.encode({ name: 'A', group_id: '1', [field]: 'x' }, {}, 'create', 'TikTok ad')).toThrow(
        expect.objectContaining({
          code: 'input_field_unsupported',
          details: expect.objectContaining({ field }),
        }) as Error,
      );
  });
});
