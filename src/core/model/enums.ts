/**
 * Every enum of the unified advertising objects, in the order of the wire contract; those of reports and of connections
 * are in the `enums-*.ts` files beside it. A list here is closed for requests and open for answers (see `openEnum` in
 * common.ts). Lists are shared where the wire has the same values in several objects.
 */

/** Set state of an object: what its owner wants. */
export const STATUSES = [
  'UNSPECIFIED',
  'ACTIVE',
  'PAUSED',
  'ARCHIVED',
  'DRAFT',
  'SCHEDULED_FOR_DELETION',
  'PROCESSING',
  'PROCESSING_FAILED',
] as const;
export type Status = (typeof STATUSES)[number];

/** State an object is really in: what the platform does with it. */
export const EFFECTIVE_STATUSES = [
  'UNSPECIFIED',
  'SERVING',
  'LIMITED',
  'LEARNING',
  'PAUSED',
  'PENDING',
  'ENDED',
  'MISCONFIGURED',
  'NOT_ELIGIBLE',
  'ARCHIVED',
  'REMOVED',
] as const;
export type EffectiveStatus = (typeof EFFECTIVE_STATUSES)[number];

/** Form or channel of a campaign, group or ad. */
export const FORMATS = [
  'TEXT',
  'IMAGE',
  'VIDEO',
  'RESPONSIVE',
  'SHOPPING',
  'APP',
  'CALL',
  'CAROUSEL',
  'SOCIAL',
  'DISPLAY',
  'SEARCH',
  'AUDIO',
  'YOUTUBE',
  'NATIVE',
  'CTV',
  'DOOH',
  'PERFORMANCE_MAX',
] as const;
export type Format = (typeof FORMATS)[number];

/** Period that a budget is for. */
export const BUDGET_PERIODS = ['DAILY', 'MONTHLY', 'TOTAL', 'LIFETIME'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

/** What a budget counts. */
export const BUDGET_UNITS = ['UNSPECIFIED', 'CURRENCY', 'IMPRESSIONS'] as const;
export type BudgetUnit = (typeof BUDGET_UNITS)[number];

/** What a campaign is for. */
export const GOALS = [
  'UNSPECIFIED',
  'BRAND_AWARENESS',
  'ENGAGEMENT',
  'REACH',
  'WEBSITE_TRAFFIC',
  'LEADS',
  'SALES',
  'APP_PROMOTION',
] as const;
export type Goal = (typeof GOALS)[number];

/** What a group is charged for. */
export const BILLING_EVENTS = [
  'IMPRESSIONS',
  'LINK_CLICKS',
  'VIDEO_VIEWS',
  'APP_INSTALLS',
  'ENGAGEMENT',
  'PAGE_LIKES',
  'MESSAGES',
  'POST_ENGAGEMENT',
  'PURCHASE',
  'NONE',
] as const;
export type BillingEvent = (typeof BILLING_EVENTS)[number];

/** How a group gets its share of a budget. */
export const BUDGET_ALLOCATION_TYPES = ['UNSPECIFIED', 'AUTOMATIC', 'FIXED', 'UNLIMITED'] as const;
export type BudgetAllocationType = (typeof BUDGET_ALLOCATION_TYPES)[number];

/** How a group chooses among its creatives. */
export const CREATIVE_SELECTIONS = ['OPTIMIZED', 'ROUND_ROBIN'] as const;
export type CreativeSelection = (typeof CREATIVE_SELECTIONS)[number];

/** What a group's delivery is optimised for. */
export const OPTIMIZATION_GOALS = [
  'REACH',
  'IMPRESSIONS',
  'LINK_CLICKS',
  'LANDING_PAGE_VIEWS',
  'CONVERSIONS',
  'LEAD_GENERATION',
  'APP_INSTALLS',
  'APP_ENGAGEMENT',
  'VIDEO_VIEWS',
  'ENGAGEMENT',
  'PAGE_LIKES',
  'MESSAGES',
] as const;
export type OptimizationGoal = (typeof OPTIMIZATION_GOALS)[number];

/** Kind of a creative. */
export const CREATIVE_TYPES = [
  'UNSPECIFIED',
  'STANDARD',
  'EXPANDABLE',
  'VIDEO',
  'NATIVE',
  'AUDIO',
  'PUBLISHER_HOSTED',
  'ASSET_BASED',
  'IMAGE',
  'DOCUMENT',
  'SHARE',
] as const;
export type CreativeType = (typeof CREATIVE_TYPES)[number];

/** Who hosts a creative. */
export const HOSTING_SOURCES = [
  'UNSPECIFIED',
  'CM',
  'THIRD_PARTY',
  'HOSTED',
  'RICH_MEDIA',
  'PUBLISHER_HOSTED',
] as const;
export type HostingSource = (typeof HOSTING_SOURCES)[number];

/** Kind of an asset. */
export const ASSET_TYPES = ['IMAGE', 'VIDEO', 'YOUTUBE_VIDEO', 'MEDIA_BUNDLE', 'TEXT'] as const;
export type AssetType = (typeof ASSET_TYPES)[number];

/** Kind of a promoted thing. */
export const PROMOTED_TYPES = [
  'PAGE_ID',
  'APP_ID',
  'STORE_URL',
  'PIXEL_ID',
  'CUSTOM_CONVERSION_ID',
  'CATALOG_ID',
  'PRODUCT_SET_ID',
  'PRIORITIZED_SET_ID',
  'EVENT_ID',
  'OFFER_ID',
  'LEAD_FORM_ID',
  'MESSAGING_CHANNEL_ID',
  'PRODUCT_ID',
  'TWEET_ID',
  'AD_GROUP_TYPE',
] as const;
export type PromotedType = (typeof PROMOTED_TYPES)[number];

/** Kind of a targetable value. */
export const TARGET_TYPES = [
  'INTEREST',
  'BEHAVIOR',
  'LOCALE',
  'COUNTRY',
  'REGION',
  'CITY',
  'ZIP',
  'US_DMA',
  'TOPIC',
  'USER_LIST',
  'CARRIER',
  'DEVICE_MODEL',
  'OS_VERSION',
] as const;
export type TargetType = (typeof TARGET_TYPES)[number];

/** Unit of a frequency cap's period. */
export const TIME_UNITS = ['UNSPECIFIED', 'LIFETIME', 'MONTHS', 'WEEKS', 'DAYS', 'HOURS', 'MINUTES'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

/** Number that a campaign or insertion order is judged by. */
export const KPI_TYPES = [
  'UNSPECIFIED',
  'CPM',
  'CPC',
  'CPA',
  'CTR',
  'VIEWABILITY',
  'CPIAVC',
  'CPE',
  'CPV',
  'CLICK_CVR',
  'IMPRESSION_CVR',
  'VCPM',
  'VTR',
  'AUDIO_COMPLETION_RATE',
  'VIDEO_COMPLETION_RATE',
  'CPCL',
  'CPCV',
  'TOS10',
  'MAXIMIZE_PACING',
  'CUSTOM_IMPRESSION_VALUE_OVER_COST',
  'OTHER',
] as const;
export type KpiType = (typeof KPI_TYPES)[number];

/** How bids are made. */
export const BID_STRATEGY_TYPES = ['FIXED_BID', 'MAXIMIZE_SPEND', 'PERFORMANCE_GOAL', 'YOUTUBE_AND_PARTNERS'] as const;
export type BidStrategyType = (typeof BID_STRATEGY_TYPES)[number];

/** Goal of a bid strategy of type PERFORMANCE_GOAL or MAXIMIZE_SPEND. */
export const PERFORMANCE_GOAL_TYPES = [
  'UNSPECIFIED',
  'CPA',
  'CPC',
  'VIEWABLE_CPM',
  'CUSTOM_ALGO',
  'CIVA',
  'IVO_TEN',
  'AV_VIEWED',
  'REACH',
] as const;
export type PerformanceGoalType = (typeof PERFORMANCE_GOAL_TYPES)[number];

/** Bid strategies of video line items. */
export const YOUTUBE_AND_PARTNERS_TYPES = [
  'UNSPECIFIED',
  'MANUAL_CPV',
  'MANUAL_CPM',
  'TARGET_CPA',
  'TARGET_CPM',
  'RESERVE_CPM',
  'MAXIMIZE_LIFT',
  'MAXIMIZE_CONVERSIONS',
  'TARGET_CPV',
  'TARGET_ROAS',
  'MAXIMIZE_CONVERSION_VALUE',
] as const;
export type YoutubeAndPartnersType = (typeof YOUTUBE_AND_PARTNERS_TYPES)[number];

/** Period over which spending is evened out. */
export const PACING_PERIODS = ['UNSPECIFIED', 'DAILY', 'FLIGHT'] as const;
export type PacingPeriod = (typeof PACING_PERIODS)[number];

/** How a keyword matches. */
export const MATCH_TYPES = ['BROAD', 'PHRASE', 'EXACT'] as const;
export type MatchType = (typeof MATCH_TYPES)[number];

/** Length class of the content around a video ad. */
export const VIDEO_DURATIONS = ['SHORT', 'MEDIUM', 'LONG'] as const;
export type VideoDuration = (typeof VIDEO_DURATIONS)[number];

/** Size class of the player. */
export const PLAYER_SIZES = ['SMALL', 'LARGE', 'HD'] as const;
export type PlayerSize = (typeof PLAYER_SIZES)[number];

/** Position of a video ad. */
export const VIDEO_POSITIONS = ['PREROLL', 'MIDROLL', 'POSTROLL', 'INSTREAM', 'OUTSTREAM'] as const;
export type VideoPosition = (typeof VIDEO_POSITIONS)[number];

/** Which tie to a place counts. */
export const LOCATION_TYPES = ['HOME', 'RECENT', 'TRAVEL'] as const;
export type LocationType = (typeof LOCATION_TYPES)[number];

/** Whether interest in a place is enough. */
export const PRESENCE_TYPES = ['PRESENCE', 'PRESENCE_OR_INTEREST'] as const;
export type PresenceType = (typeof PRESENCE_TYPES)[number];

/** Unit of a radius around a city. */
export const RADIUS_UNITS = ['MILES', 'KILOMETERS'] as const;
export type RadiusUnit = (typeof RADIUS_UNITS)[number];

/** Whether targeting limits delivery or only observes. */
export const TARGETING_MODES = ['TARGETING', 'OBSERVATION'] as const;
export type TargetingMode = (typeof TARGETING_MODES)[number];

/** Day of the week. */
export const DAYS_OF_WEEK = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const;
export type DayOfWeek = (typeof DAYS_OF_WEEK)[number];

/** Inventory filter by publisher. The only advertising enum in lower case on the wire. */
export const PUBLISHER_VISIBILITY_CATEGORIES = ['limited', 'standard', 'expanded'] as const;
export type PublisherVisibilityCategory = (typeof PUBLISHER_VISIBILITY_CATEGORIES)[number];

/** Who decides on targeting, bids and placements of a campaign and what is below it. An addition of polyad. */
export const AUTOMATIONS = ['manual', 'smart_plus', 'smart_plus_legacy'] as const;
export type Automation = (typeof AUTOMATIONS)[number];

/** What an identity is. An addition of polyad. */
export const IDENTITY_TYPES = ['CUSTOM', 'OWN_ACCOUNT', 'SHARED_ACCOUNT', 'CREATOR_POST'] as const;
export type IdentityType = (typeof IDENTITY_TYPES)[number];

/** Whether an identity can be used. An addition of polyad. */
export const IDENTITY_AVAILABILITIES = [
  'AVAILABLE',
  'NOT_LINKED',
  'PERMISSION_MISSING',
  'PRIVATE_ACCOUNT',
  'NOT_BUSINESS_ACCOUNT',
] as const;
export type IdentityAvailability = (typeof IDENTITY_AVAILABILITIES)[number];

/** Where a creator's authorization of a post stands. An addition of polyad. */
export const CREATOR_AUTHORIZATION_STATES = [
  'ACTIVE',
  'EXPIRING',
  'NOT_STARTED',
  'EXPIRED',
  'WITHDRAWN',
  'POST_UNAVAILABLE',
] as const;
export type CreatorAuthorizationState = (typeof CREATOR_AUTHORIZATION_STATES)[number];

/** Form of a post. An addition of polyad. */
export const POST_TYPES = ['VIDEO', 'CAROUSEL'] as const;

/** Whether the music of a post may be used in ads. An addition of polyad. */
export const MUSIC_STATUSES = ['NO_MUSIC', 'AUTHORIZED', 'MISSING'] as const;

/** How far a copy of a campaign is. An addition of polyad. */
export const COPY_STATES = ['RUNNING', 'DONE', 'FAILED'] as const;

/** What an audience is made from. An addition of polyad. */
export const AUDIENCE_TYPES = ['STREAM', 'FILE', 'RULE', 'LOOKALIKE'] as const;
export type AudienceType = (typeof AUDIENCE_TYPES)[number];

/** Whether an audience can be used. An addition of polyad. */
export const AUDIENCE_AVAILABILITIES = ['READY', 'PROCESSING', 'TOO_SMALL', 'FAILED'] as const;
export type AudienceAvailability = (typeof AUDIENCE_AVAILABILITIES)[number];
