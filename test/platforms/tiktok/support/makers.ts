/** Valid unified objects for tests, and what the module sent to make them. */
import type { Any, World } from './world.ts';

export function makersOf(world: () => World) {
  /** An hour or more from the simulator's now, whole seconds, in the form the module answers. */
  const later = (hours: number): string =>
    `${new Date(world().simulator.running.clock.now().getTime() + hours * 3_600_000).toISOString().slice(0, 19)}Z`;
  const failure = async (work: Promise<unknown>): Promise<Any> => {
    try {
      await work;
    } catch (error) {
      return error;
    }
    throw new Error('nothing was refused');
  };
  const operations = (): string[] => world().sent.map(({ operation }) => operation);
  const body = (operation: string): Any => world().sent.find((request) => request.operation === operation)?.json;
  const campaignOf = (more: Any = {}): Promise<Any> =>
    world().create('campaign', {
      organization_id: world().organization,
      name: 'US – Sales',
      goal: 'WEBSITE_TRAFFIC',
      ...more,
    });
  const groupOf = async (more: Any = {}): Promise<Any> =>
    world().create('group', {
      campaign_id: more.campaign_id ?? (await campaignOf()).id,
      organization_id: world().organization,
      name: 'US 25-44',
      optimization_goal: 'LINK_CLICKS',
      budget_amount: 50,
      budget_period: 'DAILY',
      start_at: later(1),
      targeting: { geographic: { countries: [{ id: '6252001' }] } },
      ...more,
    });
  const identity = async (): Promise<string> => {
    const list = await world().list('promoted', { org_id: world().organization, type: 'PAGE_ID' });
    return list.find(({ id }) => id.startsWith('TT_USER:')).id;
  };
  const video = async (): Promise<string> =>
    (await world().list('asset', { org_id: world().organization, type: 'VIDEO' }))[0].id;
  const image = async (): Promise<string> =>
    (await world().list('asset', { org_id: world().organization, type: 'IMAGE' }))[0].id;
  const adOf = async (more: Any = {}): Promise<Any> =>
    world().create('ad', {
      group_id: more.group_id ?? (await groupOf({ targeting: onTikTok })).id,
      organization_id: world().organization,
      name: 'Ad A',
      ad_type: 'VIDEO',
      ad_copy: 'New shoes',
      cta: 'SHOP_NOW',
      final_url: 'https://acme.test/p',
      creative_ids: [await video(), await image()],
      promoted: [{ type: 'PAGE_ID', id: await identity() }],
      ...more,
    });
  const onTikTok = {
    geographic: { countries: [{ id: '6252001' }] },
    placement: { platforms: ['PLACEMENT_TIKTOK'] },
  };
  return { later, failure, operations, body, campaignOf, groupOf, identity, video, image, adOf, onTikTok };
}
