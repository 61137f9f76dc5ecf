/** TikTok's limits and oddities that a simulator does not show on demand. */
import { describe, expect, it } from 'vitest';
import type { ReportFetch, ReportRow } from '../../../src/core/connector/report-spec.ts';
import type { Native, PlatformRequest } from '../../../src/core/connector/types.ts';
import { identities } from '../../../src/platforms/tiktok/operations/identities.ts';
import { organization as organizations } from '../../../src/platforms/tiktok/operations/organization.ts';
import { setStatus } from '../../../src/platforms/tiktok/operations/shared.ts';
import { places } from '../../../src/platforms/tiktok/places.ts';
import { report } from '../../../src/platforms/tiktok/reports.ts';
import { type Answer, type Fake, fakeContext } from './support/fake-context.ts';

const pageInfo = (total_number: number) => ({ page: 1, page_size: 1, total_number, total_page: 1 });
const input = ({ ctx, organization }: Fake) => ({ ctx, organization, raw: {} });

describe('ad accounts', () => {
  const ids = Array.from({ length: 130 }, (_, index) => String(7_000 + index));
  const world = (refused: ReadonlySet<string>): Fake =>
    fakeContext((request, query): Answer => {
      if (request.operation === 'oauth2/advertiser/get')
        return { data: { list: ids.map((id) => ({ advertiser_id: id, advertiser_name: `Name ${id}` })) } };
      const asked = query['advertiser_ids'] as string[];
      if (asked.some((id) => refused.has(id)))
        return { data: {}, code: 40001, message: 'No permission to operate advertiser' };
      return { data: { list: asked.map((advertiser_id) => ({ advertiser_id, name: 'Whole', currency: 'USD' })) } };
    });
  const list = async (fake: Fake): Promise<Native[]> =>
    Array.fromAsync(
      organizations.list?.run?.({ ...input(fake), organization: { id: '' } }, {}) as AsyncIterable<Native>,
    );

  it('are described a hundred at a time', async () => {
    const fake = world(new Set());
    expect((await list(fake)).map((row) => row['advertiser_id'])).toEqual(ids);
    const sizes = fake.requests.map(({ query }) => (query?.['advertiser_ids'] as string[] | undefined)?.length);
    expect(sizes).toEqual([undefined, 100, 30]);
  });

  it('that may not be read do not hide the others', async () => {
    const rows = await list(world(new Set(['7003', '7120'])));
    expect(rows.map((row) => row['advertiser_id'])).toEqual(ids);
    expect(rows[3]).toEqual({ advertiser_id: '7003', name: 'Name 7003' });
    expect(rows.filter(({ name }) => name === 'Whole')).toHaveLength(128);
  });
});

describe('reports', () => {
  const fetch = (fake: Fake, more: Partial<ReportFetch> = {}): Promise<ReportRow[]> =>
    Array.fromAsync(
      report.fetch(fake.ctx, {
        organization: fake.organization,
        level: 'ad',
        startDate: '2026-11-01',
        endDate: '2026-11-02',
        metrics: ['spend'],
        dimensions: [],
        raw: {},
        ...more,
      }),
    );
  const filters = ({ query }: PlatformRequest): Record<string, string[]> =>
    Object.fromEntries(
      ((query?.['filtering'] ?? []) as { field_name: string; filter_value: string }[]).map((one) => [
        one.field_name,
        JSON.parse(one.filter_value) as string[],
      ]),
    );
  const adRow = (ad_id: string, spend = '1.50') => ({
    dimensions: { ad_id },
    metrics: { spend, ad_name: `Ad ${ad_id}` },
  });

  /** An account of two campaigns; the second has one ad group with more ads than a query covers. */
  const large = (throttled: boolean): Fake =>
    fakeContext((request, query): Answer => {
      const { operation } = request;
      const asked = (query['filtering'] ?? {}) as Record<string, string[]>;
      if (operation === 'campaign/get')
        return { data: { list: [{ campaign_id: 'c1' }, { campaign_id: 'c2' }], page_info: pageInfo(2) } };
      if (operation === 'adgroup/get')
        return { data: { list: [{ adgroup_id: 'g1' }, { adgroup_id: 'g2' }], page_info: pageInfo(2) } };
      if (operation === 'ad/get') {
        if (query['page_size'] === 1000)
          return { data: { list: [{ ad_id: 'a2' }, { ad_id: 'a3' }], page_info: pageInfo(2) } };
        const small = asked['campaign_ids']?.join() === 'c1' || asked['adgroup_ids']?.join() === 'g1';
        const total = throttled ? 10 : small ? 10 : 30_000;
        return { data: { list: [], page_info: pageInfo(total) } };
      }
      const scope = filters(request);
      if (query['data_level'] === 'AUCTION_CAMPAIGN')
        return { data: { list: [{ dimensions: { campaign_id: 'c1' }, metrics: {} }], page_info: pageInfo(1) } };
      const rows = scope['ad_ids'] ?? (scope['campaign_ids'] !== undefined ? ['a1'] : ['a9']);
      const cut = throttled && scope['campaign_ids'] === undefined;
      return {
        data: { list: rows.map((id) => adRow(id)), page_info: pageInfo(rows.length) },
        headers: cut ? { 'x-tt-ads-throttle': 'true' } : {},
      };
    });

  it('go down from campaigns to ad groups to ads until nothing can be cut off', async () => {
    const fake = large(false);
    const ids = (await fetch(fake)).map(({ entityId }) => entityId);
    // c1 by campaign, g1 of c2 by ad group, g2 of c2 by its ads.
    expect(ids).toEqual(['a1', 'a9', 'a2', 'a3']);
    const scopes = fake.requests.filter(({ query }) => query?.['data_level'] === 'AUCTION_AD').map(filters);
    expect(scopes.map(({ ad_status: _status, ...rest }) => rest)).toEqual([
      { campaign_ids: ['c1'] },
      { adgroup_ids: ['g1'] },
      { ad_ids: ['a2', 'a3'] },
    ]);
    for (const { ad_status } of scopes) expect(ad_status).toEqual(['STATUS_ALL']);
  });

  it('believe the header that says ids were left out more than the count', async () => {
    const fake = large(true);
    expect((await fetch(fake)).map(({ entityId }) => entityId)).toEqual(['a1']);
    const levels = fake.requests.map(({ operation }) => operation);
    expect(levels.filter((operation) => operation === 'report/integrated/get')).toHaveLength(3);
  });

  it('are not trusted when a later page says that ids were left out', async () => {
    const fake = fakeContext((request, query): Answer => {
      if (request.operation === 'ad/get') return { data: { list: [], page_info: pageInfo(5) } };
      const second = query['page'] === 2;
      const list = Array.from({ length: 1_000 }, (_, index) => adRow(String(index)));
      return { data: { list, page_info: pageInfo(2_000) }, headers: second ? { 'x-tt-ads-throttle': 'true' } : {} };
    });
    await expect(fetch(fake)).rejects.toMatchObject({ code: 'platform_unknown_error' });
  });

  it('ask named objects a hundred at a time, and take "-" for no value', async () => {
    const fake = fakeContext((request): Answer => {
      const list = (filters(request)['ad_ids'] ?? []).map((id) => adRow(id, id === '7' ? '-' : '2.000'));
      return { data: { list, page_info: pageInfo(list.length) } };
    });
    const adIds = Array.from({ length: 250 }, (_, index) => String(index));
    const rows = await fetch(fake, { adIds });
    expect(rows.map(({ entityId }) => entityId)).toEqual(adIds);
    expect(fake.requests.map((request) => filters(request)['ad_ids']?.length)).toEqual([100, 100, 50]);
    expect(rows[7]?.metrics['spend']).toBeUndefined();
    expect(rows[8]).toMatchObject({ entityName: 'Ad 8', metrics: { spend: '2.000' } });
  });

  it('give days without a time of day, and the account’s own id and name at its level', async () => {
    const fake = fakeContext(() => ({
      data: {
        list: [
          { dimensions: { advertiser_id: '7001', stat_time_day: '2026-11-01 00:00:00' }, metrics: { spend: '1' } },
        ],
        page_info: pageInfo(1),
      },
    }));
    fake.organization.name = 'Acme';
    const rows = await fetch(fake, { level: 'organization', dimensions: ['stat_time_day'] });
    expect(rows).toEqual([
      { entityId: '7001', entityName: 'Acme', dimensions: { stat_time_day: '2026-11-01' }, metrics: { spend: '1' } },
    ]);
    expect(fake.requests[0]?.query).not.toHaveProperty('filtering');
  });
});

describe('lists', () => {
  it('whose page_info is all zeros are a single page', async () => {
    const zero = { page: 0, page_size: 0, total_number: 0, total_page: 0 };
    const fake = fakeContext(() => ({ data: { identity_list: [{ identity_id: '1' }], page_info: zero } }));
    expect(await identities(input(fake))).toHaveLength(1);
    expect(fake.requests).toHaveLength(1);
  });

  it('of places are read under both sets of names', async () => {
    const fake = fakeContext(() => ({
      data: {
        region_info: [
          { location_id: '1', name: 'One', level: 'COUNTRY', region_code: 'ON', parent_id: '0' },
          { region_id: '2', region_name: 'Two', region_level: 'PROVINCE', parent_id: '1' },
          { location_id: '3', name: 'Three', level: 'CITY', area_type: 'METROPOLITAN_OR_DMA' },
          { nothing: true },
        ],
      },
    }));
    const known = await places(input(fake));
    expect([...known.values()].map(({ id, kind, parentId }) => [id, kind, parentId])).toEqual([
      ['1', 'countries', undefined],
      ['2', 'regions', '1'],
      ['3', 'us_dmas', undefined],
    ]);
  });
});

describe('status changes', () => {
  it('that TikTok half refuses with 20001 are refusals', async () => {
    const fake = fakeContext(() => ({
      code: 20001,
      data: { adgroup_ids: [], error_list: [{ adgroup_id: '5', error_message: 'is frozen' }] },
    }));
    const level = { endpoint: 'adgroup', id: 'adgroup_id', ids: 'adgroup_ids', name: 'adgroup_name' } as const;
    await expect(setStatus(input(fake), level, '5', 'ENABLE')).rejects.toMatchObject({
      code: 'platform_rejected',
      message: expect.stringContaining('is frozen') as string,
    });
  });
});
