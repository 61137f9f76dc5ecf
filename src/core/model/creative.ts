import { z } from 'zod';
import { id, openEnum, raw, timestamps } from './common.ts';
import { AUTOMATIONS, CREATIVE_TYPES, EFFECTIVE_STATUSES, HOSTING_SOURCES, STATUSES } from './enums.ts';
import { adsPromoted } from './promoted.ts';

/** A creative: text, media and link that ads show. */
export const adsCreative = z
  .object({
    ad_id: id.optional().describe('Id of the ad that shows it, where that is not its own id.'),
    asset_urls: z.array(z.string()).optional().describe('Addresses of the images and videos.'),
    automation: openEnum(AUTOMATIONS).optional().describe('Who decides what is shown to whom; that of its campaign.'),
    body: z.string().optional().describe('Main text.'),
    campaign_id: id.optional().describe('Id of the campaign, where creatives belong to one.'),
    ...timestamps,
    creative_type: openEnum(CREATIVE_TYPES).optional().describe('Kind of creative.'),
    cta: z.string().optional().describe('Call to action on the button, in the words of the platform.'),
    data: z.string().optional().describe('Content to upload with the creative, in the form the platform takes it.'),
    effective_status: openEnum(EFFECTIVE_STATUSES).optional().describe('What the platform really does with it.'),
    external_ad_reference: z.string().optional().describe('Id of the ad in an outside ad server.'),
    external_creative_reference: z.string().optional().describe('Id of the creative in an outside ad server.'),
    external_placement_reference: z.string().optional().describe('Id of the placement in an outside ad server.'),
    group_id: id.optional().describe('Id of the group, where creatives belong to one.'),
    height: z.number().optional().describe('Height in pixels.'),
    hosting_source: openEnum(HOSTING_SOURCES).optional().describe('Who hosts the creative.'),
    id: id.optional().describe("The creative's id on the platform."),
    item_id: id.optional().describe('Id of the post or item that the creative shows.'),
    labels: z.array(z.string()).optional().describe('Labels.'),
    link_url: z.string().optional().describe('Address that a click leads to.'),
    name: z.string().optional().describe("The creative's name."),
    native_status: z.string().optional().describe('The effective status in the words of the platform.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    path1: z.string().optional().describe('First part of the path in the shown address.'),
    path2: z.string().optional().describe('Second part of the path in the shown address.'),
    promoted: z.array(adsPromoted).optional().describe('What is advertised and measured.'),
    raw: raw.optional(),
    review: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('What the review of the platform said, in its own members. Costs a call.'),
    status: openEnum(STATUSES).optional().describe('What its owner wants: ACTIVE, PAUSED and so on.'),
    third_party_tag: z.string().optional().describe('HTML tag of an outside ad server.'),
    title: z.string().optional().describe('Title or headline.'),
    url_tags: z.string().optional().describe('Query parameters added to the link, such as utm_source=x.'),
    vast_tag_url: z.string().optional().describe('Address of a VAST tag.'),
    width: z.number().optional().describe('Width in pixels.'),
  })
  .meta({ id: 'AdsCreative', title: 'Creative', description: 'Text, media and link that ads show.' });
export type AdsCreative = z.infer<typeof adsCreative>;
