/** Every request the TikTok module builds, judged by TikTok's official documents where there is one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeQuery } from '../../../src/core/calls/encode.ts';
import tiktok from '../../../src/platforms/tiktok/index.ts';
import { describeWithTikTokSpecs } from '../../specs/tiktok-yml.ts';
import { startWorld, type World } from './support/world.ts';

/** What the module calls that the official documents describe. */
const DOCUMENTED = [
  'advertiser/info',
  'app/list',
  'catalog/get',
  'dmp/custom_audience/list',
  'pixel/list',
  'report/integrated/get',
  'tool/action_category',
  'tool/carrier',
  'tool/os_version',
  'tool/targeting/search',
];

describeWithTikTokSpecs('requests of the TikTok module', (specs) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    const org_id = world.organization;
    await world.list('organization');
    await world.list('promoted', { org_id });
    await world.list('target', { org_id, limit: '1000' });
    // The ready token has no permission for audiences; the request is what counts here.
    await world.list('target', { org_id, type: 'USER_LIST' }).catch(() => {});
    await world.list('target', { org_id, type: 'ZIP', query: '902' });
    await world.get('target', '123456789', { org_id }).catch(() => {});
    for (const level of ['organization', 'campaign', 'group', 'ad'])
      for (const more of [{}, { dimension: 'DATE' }, { dimension: 'PLATFORM' }])
        await world.report({ org_id, level, ...more });
    const [campaign] = await world.list('campaign', { org_id, limit: '1' });
    await world.report({ org_id, level: 'ad', campaign_id: campaign.id });
  });
  afterAll(() => world.close());

  it('fit what TikTok documents', () => {
    const seen = new Set<string>();
    for (const { operation, query = {}, json, appParams = {} } of world.sent) {
      const spec = specs.operation(operation);
      if (spec === undefined) continue;
      seen.add(operation);
      const sent = { ...query, ...Object.fromEntries(Object.keys(appParams).map((name) => [name, 'x'])) };
      const text = new URLSearchParams(encodeQuery(sent, tiktok.manifest.queryStyle));
      const wrong = json === undefined ? spec.checkQuery(Object.fromEntries(text)) : spec.checkBody(json as never);
      expect([operation, wrong]).toEqual([operation, []]);
    }
    expect([...seen].sort()).toEqual(DOCUMENTED);
  });

  it('use the method that TikTok documents, a path that ends in a slash, and no token in the query', () => {
    for (const request of world.sent) {
      const spec = specs.operation(request.operation);
      if (spec !== undefined) expect(request.method).toBe(spec.method);
      expect(request.path).toBe(`/open_api/v1.3/${request.operation}/`);
      expect(Object.keys(request.query ?? {})).not.toContain('Access-Token');
    }
  });
});
