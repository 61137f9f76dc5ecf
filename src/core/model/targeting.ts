import { z } from 'zod';
import { adsTargetRef, id, openEnum } from './common.ts';
import {
  DAYS_OF_WEEK,
  LOCATION_TYPES,
  MATCH_TYPES,
  PLAYER_SIZES,
  PRESENCE_TYPES,
  PUBLISHER_VISIBILITY_CATEGORIES,
  RADIUS_UNITS,
  TARGETING_MODES,
  VIDEO_DURATIONS,
  VIDEO_POSITIONS,
} from './enums.ts';

const refs = (what: string) => z.array(adsTargetRef).optional().describe(what);
const texts = (what: string) => z.array(z.string()).optional().describe(what);

/** An audience made from the likeness to another. */
export const adsLookalikeAudience = z
  .object({
    id: id.describe("The audience's id on the platform."),
    name: z.string().optional().describe("The audience's name."),
    similarity: z.number().optional().describe('Likeness to the source, on the scale of the platform.'),
    source_audience_id: id.optional().describe('Id of the audience it was made from.'),
  })
  .meta({ id: 'AdsLookalikeAudience', description: 'An audience of people like those of another audience.' });
export type AdsLookalikeAudience = z.infer<typeof adsLookalikeAudience>;

/** One set of conditions; a person must fit at least one member of every list in it. */
export const adsAudienceCombination = z
  .object({
    behaviors: refs('Behaviours, any of which fits.'),
    interests: refs('Interests, any of which fits.'),
    life_events: refs('Life events, any of which fits.'),
    references: refs('Other values, any of which fits.'),
  })
  .meta({ id: 'AdsAudienceCombination', description: 'One set of conditions on the audience, joined by AND.' });
export type AdsAudienceCombination = z.infer<typeof adsAudienceCombination>;

/** Who is addressed, by interests and lists. */
export const adsTargetingAudience = z
  .object({
    behaviors: refs('Behaviours to include.'),
    combination_spec: z
      .array(adsAudienceCombination)
      .optional()
      .describe('Sets of conditions that must all be met, each by any of its members.'),
    custom_audiences: refs('Audiences of the account to include.'),
    excluded_behaviors: refs('Behaviours to leave out.'),
    excluded_custom_audiences: refs('Audiences of the account to leave out.'),
    excluded_interests: refs('Interests to leave out.'),
    interests: refs('Interests to include.'),
    lookalike_audiences: z.array(adsLookalikeAudience).optional().describe('Lookalike audiences to include.'),
  })
  .meta({ id: 'AdsTargetingAudience', description: 'Who is addressed, by interests, behaviour and lists.' });
export type AdsTargetingAudience = z.infer<typeof adsTargetingAudience>;

/** Beside what the ads must not stand. */
export const adsTargetingBrandSafety = z
  .object({
    block_list_ids: texts('Ids of block lists of the account.'),
    brand_safety_content_filter_levels: texts('Content filters, in the words of the platform.'),
    excluded_content_labels: texts('Content labels to avoid, in the words of the platform.'),
    excluded_publisher_categories: texts('Kinds of publishers to avoid, in the words of the platform.'),
    publisher_visibility_categories: z
      .array(openEnum(PUBLISHER_VISIBILITY_CATEGORIES))
      .optional()
      .describe('How wide a choice of publishers is allowed.'),
  })
  .meta({ id: 'AdsTargetingBrandSafety', description: 'Content and publishers beside which the ads must not stand.' });
export type AdsTargetingBrandSafety = z.infer<typeof adsTargetingBrandSafety>;

/** A keyword to target or avoid. */
export const adsKeyword = z
  .object({
    match_type: openEnum(MATCH_TYPES).optional().describe('How the keyword matches.'),
    text: z.string().describe('The keyword.'),
  })
  .meta({ id: 'AdsKeyword', description: 'A keyword and how it matches.' });
export type AdsKeyword = z.infer<typeof adsKeyword>;

/** Which videos the ads may stand in. */
export const adsTargetingVideo = z
  .object({
    durations: z.array(openEnum(VIDEO_DURATIONS)).optional().describe('Length of the video around the ad.'),
    excluded_youtube_channels: texts('Ids of channels to avoid.'),
    excluded_youtube_videos: texts('Ids of videos to avoid.'),
    player_sizes: z.array(openEnum(PLAYER_SIZES)).optional().describe('Size of the player.'),
    positions: z.array(openEnum(VIDEO_POSITIONS)).optional().describe('Position in or beside the video.'),
    youtube_channels: texts('Ids of channels to choose.'),
    youtube_videos: texts('Ids of videos to choose.'),
  })
  .meta({ id: 'AdsTargetingVideo', description: 'Videos in which the ads may stand.' });
export type AdsTargetingVideo = z.infer<typeof adsTargetingVideo>;

/** Beside what the ads should stand. */
export const adsTargetingContent = z
  .object({
    excluded_keywords: z.array(adsKeyword).optional().describe('Keywords to avoid.'),
    excluded_topics: refs('Topics to avoid.'),
    excluded_urls: texts('Addresses to avoid.'),
    keywords: z.array(adsKeyword).optional().describe('Keywords to choose.'),
    topics: refs('Topics to choose.'),
    urls: texts('Addresses to choose.'),
    video: adsTargetingVideo.optional().describe('Videos to choose or avoid.'),
  })
  .meta({ id: 'AdsTargetingContent', description: 'Content beside which the ads should or should not stand.' });
export type AdsTargetingContent = z.infer<typeof adsTargetingContent>;

/** Who is addressed, by age and gender. */
export const adsTargetingDemographic = z
  .object({
    age_max: z.number().optional().describe('Highest age in years, included. Absent: no upper bound.'),
    age_min: z.number().optional().describe('Lowest age in years, included.'),
    female: z.boolean().optional().describe('Whether women are addressed.'),
    male: z.boolean().optional().describe('Whether men are addressed.'),
  })
  .meta({ id: 'AdsTargetingDemographic', description: 'Who is addressed, by age and gender.' });
export type AdsTargetingDemographic = z.infer<typeof adsTargetingDemographic>;

/** On which devices the ads are shown. */
export const adsTargetingDevice = z
  .object({
    carriers: refs('Mobile carriers.'),
    types: refs('Kinds of device or connection.'),
    user_device: refs('Device models.'),
    user_os: refs('Operating systems and their versions.'),
  })
  .meta({ id: 'AdsTargetingDevice', description: 'Devices on which the ads are shown.' });
export type AdsTargetingDevice = z.infer<typeof adsTargetingDevice>;

/** A city, with a radius where the platform has one. */
export const adsCityTarget = z
  .object({
    id: id.describe("The city's id on the platform."),
    name: z.string().optional().describe("The city's name."),
    radius: z.number().optional().describe('Radius around the city, in `radius_unit`.'),
    radius_unit: openEnum(RADIUS_UNITS).optional().describe('Unit of the radius.'),
  })
  .meta({ id: 'AdsCityTarget', description: 'A city and the area around it.' });
export type AdsCityTarget = z.infer<typeof adsCityTarget>;

/** Where the people are. */
export const adsTargetingGeographic = z
  .object({
    cities: z.array(adsCityTarget).optional().describe('Cities to include.'),
    countries: refs('Countries to include.'),
    excluded_cities: z.array(adsCityTarget).optional().describe('Cities to leave out.'),
    excluded_countries: refs('Countries to leave out.'),
    excluded_postal_codes: refs('Postal codes to leave out.'),
    excluded_regions: refs('Regions to leave out.'),
    excluded_us_dmas: refs('US designated market areas to leave out.'),
    location_types: z.array(openEnum(LOCATION_TYPES)).optional().describe('Which ties to a place count.'),
    postal_codes: refs('Postal codes to include.'),
    presence_type: openEnum(PRESENCE_TYPES).optional().describe('Whether interest in a place is enough.'),
    regions: refs('Regions (states, provinces) to include.'),
    us_dmas: refs('US designated market areas to include.'),
  })
  .meta({ id: 'AdsTargetingGeographic', description: 'Places whose people are addressed.' });
export type AdsTargetingGeographic = z.infer<typeof adsTargetingGeographic>;

/** How far the platform may go beyond the given targeting. */
export const adsTargetingOptimization = z
  .object({
    advantage_audience: z.boolean().optional().describe('The platform may widen the audience by itself.'),
    advantage_placements: z.boolean().optional().describe('The platform may choose the placements by itself.'),
    mode: openEnum(TARGETING_MODES).optional().describe('Whether the targeting limits delivery or only observes.'),
    targeting_optimization_expansion_all: z
      .boolean()
      .optional()
      .describe('The platform may go beyond every part of the targeting.'),
  })
  .meta({ id: 'AdsTargetingOptimization', description: 'How far the platform may go beyond the targeting.' });
export type AdsTargetingOptimization = z.infer<typeof adsTargetingOptimization>;

/** Where the ads stand. */
export const adsTargetingPlacement = z
  .object({
    audience_network_positions: texts("Positions in the platform's network of partners."),
    facebook_positions: texts('Positions on Facebook.'),
    instagram_positions: texts('Positions on Instagram.'),
    messenger_positions: texts('Positions in Messenger.'),
    platforms: texts('Apps, sites and networks on which the ads stand, in the words of the platform.'),
  })
  .meta({ id: 'AdsTargetingPlacement', description: 'Where the ads stand.' });
export type AdsTargetingPlacement = z.infer<typeof adsTargetingPlacement>;

/** One span of one weekday, in the time zone of the account. */
export const adsSchedule = z
  .object({
    bid_modifier: z.number().optional().describe('Factor on bids in this span (1.2 = 20 % higher).'),
    day_of_week: openEnum(DAYS_OF_WEEK).describe('Day of the week.'),
    end_hour: z.number().describe('Hour at which the span ends, 0 to 24, not included.'),
    end_minute: z.number().optional().describe('Minute at which the span ends, 0 to 59; 0 when absent.'),
    start_hour: z.number().describe('Hour at which the span begins, 0 to 23.'),
    start_minute: z.number().optional().describe('Minute at which the span begins, 0 to 59; 0 when absent.'),
  })
  .meta({
    id: 'AdsSchedule',
    description: 'A span of a weekday in which the ads run, in the time zone of the account.',
  });
export type AdsSchedule = z.infer<typeof adsSchedule>;

/** Who sees the ads, where and when. The same shape on campaigns and groups. */
export const adsTargeting = z
  .object({
    audience: adsTargetingAudience.optional().describe('Interests, behaviour, lists.'),
    brand_safety: adsTargetingBrandSafety.optional().describe('Content and publishers to avoid.'),
    content: adsTargetingContent.optional().describe('Keywords, topics, addresses, videos.'),
    demographic: adsTargetingDemographic.optional().describe('Age and gender.'),
    device: adsTargetingDevice.optional().describe('Devices, systems, carriers.'),
    geographic: adsTargetingGeographic.optional().describe('Places.'),
    language: refs('Languages of the people.'),
    optimization: adsTargetingOptimization.optional().describe('How far the platform may go beyond all this.'),
    placement: adsTargetingPlacement.optional().describe('Apps, sites and positions.'),
    schedule: z.array(adsSchedule).optional().describe('Hours of the week in which the ads run. Absent: always.'),
  })
  .meta({ id: 'AdsTargeting', description: 'Who sees the ads, where and when.' });
export type AdsTargeting = z.infer<typeof adsTargeting>;
