import { z } from 'zod';
import { id, openEnum, raw, timestamps } from './common.ts';
import { AUTOMATIONS, EFFECTIVE_STATUSES, FORMATS, STATUSES } from './enums.ts';
import { adsPromoted } from './promoted.ts';

/**
 * One of the things that an automated ad chooses from: a post, a video or pictures, with the identity it is shown under.
 * An addition of polyad.
 */
export const adsMaterial = z
  .object({
    asset_ids: z
      .array(id)
      .optional()
      .describe('Ids of the video and of its cover, or of the pictures. Written: addresses too.'),
    id: id.optional().describe('Id of the material, by which its creative is known. Not written.'),
    identity_id: id.optional().describe('The identity it is shown under, as `promoted` takes it.'),
    item_id: id.optional().describe('Id of a post that is there already.'),
    name: z.string().optional().describe('Name of the material.'),
    status: openEnum(STATUSES).optional().describe('Whether the ad may choose it. Changed through its creative.'),
    type: openEnum(FORMATS).optional().describe('Form of the material.'),
  })
  .meta({ id: 'AdsMaterial', description: 'One of the things that an automated ad chooses from.' });
export type AdsMaterial = z.infer<typeof adsMaterial>;

/** An ad: what is shown, in which group. */
export const adsAd = z
  .object({
    ad_copies: z.array(z.string()).optional().describe('Texts that an automated ad chooses from.'),
    ad_copy: z.string().optional().describe('Main text of the ad.'),
    ad_type: openEnum(FORMATS).optional().describe('Form of the ad.'),
    advertiser_name: z.string().optional().describe('Name that the ad is shown under.'),
    automation: openEnum(AUTOMATIONS).optional().describe('Who decides what is shown to whom; that of its campaign.'),
    campaign_id: id.optional().describe('Id of the campaign.'),
    ...timestamps,
    creative_asset_url: z.string().optional().describe('Address of the image or video.'),
    creative_ids: z.array(id).optional().describe('Ids of the creatives that the ad shows.'),
    cta: z.string().optional().describe('Call to action on the button, in the words of the platform.'),
    ctas: z.array(z.string()).optional().describe('Calls to action that an automated ad chooses from.'),
    description: z.string().optional().describe('Second text of the ad.'),
    display_url: z.string().optional().describe('Address shown to people.'),
    effective_status: openEnum(EFFECTIVE_STATUSES).optional().describe('What the platform really does with it.'),
    final_url: z.string().optional().describe('Address that a click leads to.'),
    group_id: id.optional().describe('Id of the group.'),
    headline: z.string().optional().describe('Headline.'),
    id: id.optional().describe("The ad's id on the platform."),
    item_id: id
      .optional()
      .describe('Id of a post that the ad shows. The identity that may show it is found when none is named.'),
    logo_creative_id: id.optional().describe('Id of the creative or asset that holds the logo.'),
    materials: z.array(adsMaterial).optional().describe('What an automated ad chooses from.'),
    name: z.string().optional().describe("The ad's name."),
    native_status: z.string().optional().describe('The effective status in the words of the platform.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    path1: z.string().optional().describe('First part of the path in the shown address.'),
    path2: z.string().optional().describe('Second part of the path in the shown address.'),
    post_ads_only: z
      .boolean()
      .optional()
      .describe('A post that is made for the ad is seen as an ad alone, not on the profile of its identity.'),
    promoted: z.array(adsPromoted).optional().describe('What is advertised and measured.'),
    raw: raw.optional(),
    status: openEnum(STATUSES).optional().describe('What its owner wants: ACTIVE, PAUSED and so on.'),
    status_reason: z.string().optional().describe('Why it is not shown, and what to do, where the platform says it.'),
  })
  .meta({ id: 'AdsAd', title: 'Ad', description: 'What is shown, in which group.' });
export type AdsAd = z.infer<typeof adsAd>;
