/**
 * Value lists that several members share. Transcribed from TikTok's reference by the official SDK and by an independent client.
 */

/** Values of `ad_format`. */
export const AD_FORMATS = [
  'SINGLE_IMAGE',
  'SINGLE_VIDEO',
  'CAROUSEL',
  'LIVE_CONTENT',
  'CAROUSEL_ADS',
  'CATALOG_CAROUSEL',
] as const;

/** Values of `age_groups`. */
export const AGE_GROUPS = ['AGE_13_17', 'AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_100'] as const;

/** Values of `app_promotion_type`. */
export const APP_PROMOTION_TYPES = [
  'APP_INSTALL',
  'APP_RETARGETING',
  'APP_PREREGISTRATION',
  'APP_POSTS_PROMOTION',
  'MINIS',
  'UNSET',
] as const;

/** Values of `click_attribution_window and its siblings`. */
export const ATTRIBUTION_WINDOWS = [
  'OFF',
  'ZERO_DAY',
  'ONE_DAY',
  'SEVEN_DAYS',
  'FOURTEEN_DAYS',
  'TWENTY_EIGHT_DAYS',
  'THIRTY_DAYS',
  'THIRTY_TWO_DAYS',
] as const;

/** Values of `audience_type`. */
export const AUDIENCE_TYPES = [
  'CUSTOM_AUDIENCE',
  'EXCLUDE_INTERACT_USERS',
  'INCLUDE_INTERACT_USERS',
  'INCLUDE_SPECIFIC_EVENTS',
  'EXCLUDE_SPECIFIC_EVENTS',
  'NEW_CUSTOM_AUDIENCE',
] as const;

/** Values of `bid_strategy (filter of adgroup/get)`. */
export const BID_STRATEGIES = [
  'BID_STRATEGY_COST_CAP',
  'BID_STRATEGY_BID_CAP',
  'BID_STRATEGY_MAX_CONVERSION',
  'BID_STRATEGY_LOWEST_COST',
] as const;

/** Values of `billing_event`. */
export const BILLING_EVENTS = ['CPC', 'CPM', 'CPV', 'OCPC', 'GD', 'OCPM'] as const;

/** Values of `brand_safety_type`. */
export const BRAND_SAFETY_TYPES = [
  'NO_BRAND_SAFETY',
  'EXPANDED_INVENTORY',
  'STANDARD_INVENTORY',
  'LIMITED_INVENTORY',
  'THIRD_PARTY',
] as const;

/** Values of `budget_mode`. */
export const BUDGET_MODES = [
  'BUDGET_MODE_INFINITE',
  'BUDGET_MODE_TOTAL',
  'BUDGET_MODE_DAY',
  'BUDGET_MODE_DYNAMIC_DAILY_BUDGET',
] as const;

/** Values of `buying_types`. */
export const BUYING_TYPES = ['AUCTION', 'RESERVATION_RF', 'RESERVATION_TOP_VIEW'] as const;

/** Values of `call_to_action`. */
export const CALLS_TO_ACTION = [
  'APPLY_NOW',
  'BOOK_NOW',
  'CALL_NOW',
  'CONTACT_US',
  'DOWNLOAD_NOW',
  'EXPERIENCE_NOW',
  'GET_QUOTE',
  'GET_SHOWTIMES',
  'GET_TICKETS_NOW',
  'INSTALL_NOW',
  'INTERESTED',
  'LEARN_MORE',
  'LISTEN_NOW',
  'ORDER_NOW',
  'PLAY_GAME',
  'PREORDER_NOW',
  'READ_MORE',
  'SEND_MESSAGE',
  'SHOP_NOW',
  'SIGN_UP',
  'SUBSCRIBE',
  'VIEW_NOW',
  'VIEW_PROFILE',
  'VISIT_STORE',
  'WATCH_LIVE',
  'WATCH_NOW',
  'JOIN_THIS_HASHTAG',
  'SHOOT_WITH_THIS_EFFECT',
  'VIEW_VIDEO_WITH_THIS_EFFECT',
] as const;

/** Values of `creative_material_mode`. */
export const CREATIVE_MATERIAL_MODES = ['CUSTOM', 'SMART_CREATIVE', 'DYNAMIC'] as const;

/** Values of `creative_type`. */
export const CREATIVE_TYPES = [
  'SHOP_PDP',
  'SHOP_PLP',
  'SHORT_VIDEO_LIVE',
  'DIRECT_LIVE',
  'PSA',
  'CUSTOM_INSTANT_PAGE',
] as const;

/** Values of `code of custom actions`. */
export const CUSTOM_ACTION_CODES = ['VIEW_PRODUCT', 'ADD_TO_CART', 'PURCHASE'] as const;

/** Values of `deep_bid_type`. */
export const DEEP_BID_TYPES = ['DEFAULT', 'MIN', 'PACING', 'VO_MIN', 'VO_MIN_ROAS', 'VO_HIGHEST_VALUE', 'AEO'] as const;

/** Values of `destination (filter of ad/get)`. */
export const DESTINATIONS = ['APP', 'TIKTOK_INSTANT_PAGE', 'WEBSITE', 'SOCIAL_MEDIA_APP', 'PHONE_CALL'] as const;

/** Values of `household_income`. */
export const HOUSEHOLD_INCOMES = ['TOP5', 'TOP10', 'TOP10_25', 'TOP25_50'] as const;

/** Values of `identity_type`. */
export const IDENTITY_TYPES = ['CUSTOMIZED_USER', 'AUTH_CODE', 'TT_USER', 'BC_AUTH_TT'] as const;

/** Values of `ios14_targeting`. */
export const IOS14_TARGETINGS = ['UNSET', 'IOS14_MINUS', 'IOS14_PLUS', 'ALL'] as const;

/** Values of `messaging_app_type`. */
export const MESSAGING_APPS = ['MESSENGER', 'WHATSAPP', 'ZALO', 'LINE', 'IM_URL'] as const;

/** Values of `network_types`. */
export const NETWORK_TYPES = ['WIFI', '2G', '3G', '4G', '5G', 'unlimited'] as const;

/** Values of `objective_type`. */
export const OBJECTIVES = [
  'APP_PROMOTION',
  'WEB_CONVERSIONS',
  'APP_INSTALL',
  'CONVERSIONS',
  'REACH',
  'TRAFFIC',
  'VIDEO_VIEWS',
  'CATALOG_SALES',
  'PRODUCT_SALES',
  'ENGAGEMENT',
  'LEAD_GENERATION',
  'SHOP_PURCHASES',
  'RF_APP_INSTALL',
  'RF_ENGAGEMENT',
  'RF_REACH',
  'TOPVIEW_REACH',
  'RF_TRAFFIC',
  'RF_VIDEO_VIEW',
  'BRAND_CONSIDERATION',
] as const;

/** Values of `operating_systems`. */
export const OPERATING_SYSTEMS = ['ALL', 'ANDROID', 'IOS', 'PC'] as const;

/** Values of `optimization_event`. */
export const OPTIMIZATION_EVENTS = [
  'ACTIVE',
  'ACTIVE_PAY',
  'ACTIVE_REGISTER',
  'ADD_TO_WISHLIST',
  'COMPLETE_TUTORIAL',
  'CREATE_GAMEROLE',
  'CREATE_GROUP',
  'IN_APP_AD_CLICK',
  'IN_APP_AD_IMPR',
  'IN_APP_CART',
  'IN_APP_DETAIL_UV',
  'JOIN_GROUP',
  'LAUNCH_APP',
  'LIVE_CLICK_PRODUCT_ACTION',
  'LIVE_STAY_TIME',
  'LOAN_COMPLETION',
  'LOGIN',
  'NEXT_DAY_OPEN',
  'RATE',
  'SALES_LEAD',
  'SEARCH',
  'SPEND_CREDITS',
  'UNLOCK_ACHIEVEMENT',
  'UPDATE_LEVEL',
  'ENGAGED_VIEW',
  'ENGAGED_VIEW_FIFTEEN',
  'LANDING_PAGE_VIEW',
  'PAGE_VISIT',
  'MESSAGE',
  'DESTINATION_VISIT',
  'AD_REVENUE_VALUE',
  'ADD_BILLING',
  'BUTTON',
  'CONSULT',
  'DOWNLOAD_START',
  'FORM',
  'INITIATE_ORDER',
  'ON_WEB_ADD_TO_WISHLIST',
  'ON_WEB_CART',
  'ON_WEB_DETAIL',
  'ON_WEB_ORDER',
  'ON_WEB_REGISTER',
  'ON_WEB_SEARCH',
  'ON_WEB_SUBSCRIBE',
  'SHOPPING',
] as const;

/** Values of `optimization_goal`. */
export const OPTIMIZATION_GOALS = [
  'CLICK',
  'CONVERT',
  'INSTALL',
  'IN_APP_EVENT',
  'SHOW',
  'VIDEO_VIEW',
  'REACH',
  'LEAD_GENERATION',
  'CONVERSATION',
  'FOLLOWERS',
  'PROFILE_VIEWS',
  'PAGE_VISITS',
  'VALUE',
  'AUTOMATIC_VALUE_OPTIMIZATION',
  'GMV',
  'PURCHASES',
  'INITIATE_CHECKOUTS',
  'MT_LIVE_ROOM',
  'PRODUCT_CLICK_IN_LIVE',
  'ENGAGED_VIEW',
  'ENGAGED_VIEW_FIFTEEN',
  'TRAFFIC_LANDING_PAGE_VIEW',
  'CONVERSION_LEADS',
  'DESTINATION_VISIT',
  'PREFERRED_LEAD',
] as const;

/** Values of `placements`. */
export const PLACEMENTS = [
  'PLACEMENT_TIKTOK',
  'PLACEMENT_PANGLE',
  'PLACEMENT_GLOBAL_APP_BUNDLE',
  'PLACEMENT_TOPBUZZ',
  'PLACEMENT_HELO',
  'ALL',
] as const;

/** Values of `postback_window_mode`. */
export const POSTBACK_WINDOW_MODES = [
  'POSTBACK_WINDOW_MODE1',
  'POSTBACK_WINDOW_MODE2',
  'POSTBACK_WINDOW_MODE3',
] as const;

/** Values of `primary_status`. */
export const PRIMARY_STATUSES = [
  'STATUS_DELETE',
  'STATUS_DELIVERY_OK',
  'STATUS_DISABLE',
  'STATUS_NOT_DELIVERY',
  'STATUS_TIME_DONE',
  'STATUS_RF_CLOSED',
  'STATUS_FROZEN',
  'STATUS_ALL',
  'STATUS_NOT_DELETE',
  'STATUS_DELIVERY_PARTIAL',
  'STATUS_DELIVERY_CATALOG',
] as const;

/** Values of `campaign_product_source and product_source`. */
export const PRODUCT_SOURCES = ['CATALOG', 'STORE', 'SHOWCASE', 'UNSET'] as const;

/** Values of `promotion_type`. */
export const PROMOTION_TYPES = [
  'APP_ANDROID',
  'APP_IOS',
  'GAME',
  'WEBSITE',
  'LEAD_GENERATION',
  'LEAD_GEN_CLICK_TO_TT_DIRECT_MESSAGE',
  'LEAD_GEN_CLICK_TO_SOCIAL_MEDIA_APP_MESSAGE',
  'LEAD_GEN_CLICK_TO_CALL',
  'WEBSITE_OR_DISPLAY',
  'TIKTOK_SHOP',
  'VIDEO_SHOPPING',
  'LIVE_SHOPPING',
  'PSA_PRODUCT',
  'EXTERNAL_OR_DISPLAY',
] as const;

/** Values of `shopping_ads_retargeting_type`. */
export const RETARGETING_TYPES = ['LAB1', 'LAB2', 'LAB3', 'OFF'] as const;

/** Values of `sales_destination`. */
export const SALES_DESTINATIONS = ['TIKTOK_SHOP', 'WEBSITE', 'APP', 'WEB_AND_APP'] as const;

/** Values of `secondary_optimization_event`. */
export const SECONDARY_OPTIMIZATION_EVENTS = [
  'ACTIVE_PAY',
  'ACTIVE_REGISTER',
  'ADD_PAYMENT_INFO',
  'IN_APP_CART',
  'IN_APP_ORDER',
  'LOAN_APPLY',
  'LOAN_CREDIT',
  'NEXT_DAY_OPEN',
  'PURCHASE_ROI',
  'START_TRIAL',
  'SUBSCRIBE',
  'UPDATE_LEVEL',
  'DAY7_RETENTION',
  'PREFERRED_LEAD',
] as const;

/** Values of `shopping_ads_type`. */
export const SHOPPING_ADS_TYPES = ['VIDEO', 'LIVE', 'PRODUCT_SHOPPING_ADS', 'CATALOG_LISTING_ADS', 'UNSET'] as const;

/** Values of `special_industries`. */
export const SPECIAL_INDUSTRIES = ['HOUSING', 'EMPLOYMENT', 'CREDIT'] as const;

/** Values of `tiktok_subplacements`. */
export const TIKTOK_SUBPLACEMENTS = ['IN_FEED', 'SEARCH_FEED', 'TIKTOK_LITE', 'LEMON8', 'UNSET'] as const;

/** Values of `vertical_video_strategy`. */
export const VERTICAL_VIDEO_STRATEGIES = [
  'UNSET',
  'SINGLE_VIDEO',
  'CATALOG_VIDEOS',
  'CATALOG_UPLOADED_VIDEOS',
  'LIVE_STREAM',
] as const;

/** Values of `video_user_actions`. */
export const VIDEO_USER_ACTIONS = [
  'WATCHED_TO_END',
  'LIKED',
  'COMMENTED',
  'SHARED',
  'FOLLOWING',
  'VIEW_HOMEPAGE',
  'VIEW_HASHTAG',
] as const;

/** Values of `viewability_postbid_partner`. */
export const VIEWABILITY_PARTNERS = ['UNSET', 'MOAT', 'DOUBLE_VERIFY', 'IAS', 'ZEFR'] as const;

/** The `promotion_type` filter of adgroup/get has a vocabulary of its own (TikTok docs 1739314558673922); the values of an ad group's own `promotion_type` are taken as well. */
export const ADGROUP_FILTER_PROMOTION_TYPES = ['APP', 'INSTANT_FORM', ...PROMOTION_TYPES] as const;
