import { z } from 'zod';
import { id, openEnum, raw, timestamps } from './common.ts';
import { FORMATS, STATUSES } from './enums.ts';
import { adsPromoted } from './promoted.ts';

/** An ad: what is shown, in which group. */
export const adsAd = z
  .object({
    ad_copy: z.string().optional().describe('Main text of the ad.'),
    ad_type: openEnum(FORMATS).optional().describe('Form of the ad.'),
    advertiser_name: z.string().optional().describe('Name that the ad is shown under.'),
    campaign_id: id.optional().describe('Id of the campaign.'),
    ...timestamps,
    creative_asset_url: z.string().optional().describe('Address of the image or video.'),
    creative_ids: z.array(id).optional().describe('Ids of the creatives that the ad shows.'),
    cta: z.string().optional().describe('Call to action on the button, in the words of the platform.'),
    description: z.string().optional().describe('Second text of the ad.'),
    display_url: z.string().optional().describe('Address shown to people.'),
    final_url: z.string().optional().describe('Address that a click leads to.'),
    group_id: id.optional().describe('Id of the group.'),
    headline: z.string().optional().describe('Headline.'),
    id: id.optional().describe("The ad's id on the platform."),
    logo_creative_id: id.optional().describe('Id of the creative or asset that holds the logo.'),
    name: z.string().optional().describe("The ad's name."),
    organization_id: id.optional().describe('Id of the ad account.'),
    path1: z.string().optional().describe('First part of the path in the shown address.'),
    path2: z.string().optional().describe('Second part of the path in the shown address.'),
    promoted: z.array(adsPromoted).optional().describe('What is advertised and measured.'),
    raw: raw.optional(),
    status: openEnum(STATUSES).optional().describe('What its owner wants: ACTIVE, PAUSED and so on.'),
  })
  .meta({ id: 'AdsAd', title: 'Ad', description: 'What is shown, in which group.' });
export type AdsAd = z.infer<typeof adsAd>;
