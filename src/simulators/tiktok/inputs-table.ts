import type { Param } from './types.ts';

/**
 * What the endpoints for measurement, audiences, leads, comments, rules and brand safety take. Sources: the official yml
 * of each operation where there is one (presence, types, enums, bounds); for the rest an independent transcription of
 * the official reference, which does not say what is required: that is (unverified) there.
 */

const words = (text: string): readonly string[] => text.split(' ');

const PARAMETER_OPERATORS = words(
  'CONTAINS DOES_NOT_CONTAIN EQ IS_GREATER_THAN IS_GREATER_THAN_OR_EQUAL_TO IS_LESS_THAN IS_LESS_THAN_OR_EQUAL_TO NOT_EQUAL',
);
const PRE_CONDITIONS = words(
  'ALL_ACTIVE_AD ALL_ACTIVE_AD_GROUP ALL_ACTIVE_AD_GROUP_UNDER_SELECTED ALL_ACTIVE_AD_UNDER_SELECTED ALL_ACTIVE_CAMPAIGN ALL_INACTIVE_AD ALL_INACTIVE_AD_GROUP ALL_INACTIVE_AD_GROUP_UNDER_SELECTED ALL_INACTIVE_AD_UNDER_SELECTED ALL_INACTIVE_CAMPAIGN SELECTED',
);
const MATCHES = words('BETWEEN CONTAINS DEFAULT END_WITH GT LT MATCH NOT_CONTAINS START_WITH STRING_EQUAL');
const RANGES = words('DEFAULT LAST_HOUR LIFETIME PAST_FIVE_DAYS PAST_SEVEN_DAYS PAST_THREE_DAYS TODAY YESTERDAY');
const RULE_SUBJECTS = words(
  'BID_STRATEGY CLICK CONVERSION CONVERSION_SKAN COST COST_PER_RESULT CPA CPC CPM CTR CVR CVR_IMPRESSION CVR_SKAN DAILY_BUDGET_SPENDING_RATE DAYS_SINCE_CREATION IMPRESSION LIFETIME_BUDGET_SPENDING_RATE NAME NOT_REAL_TIME_CONVERSION NOT_REAL_TIME_CPA NOT_REAL_TIME_CVR NO_CONDITION OBJECTIVE OPTIMIZATION_GOAL REAL_TIME_CVR_IMPRESSION RESULT RESULT_RATE ROAS_COMPLETE_PAYMENT ROAS_IMPRESSION_ADS ROAS_PURCHASE ROAS_PURCHASES_ONSITE ROAS_PURCHASE_SKAN',
);
const SUBSCRIBE_ENTITIES = words(
  'AD_ACCOUNT_SUSPENSION LEAD AD_GROUP AD TCM_VIDEOS CREATIVE_FATIGUE API_SERVICE_STATUS REPORT_DATA_CHANGE',
);

/** Parameters by path; of a GET they are its query. */
export const INPUTS: Readonly<Record<string, readonly Param[]>> = {
  'app/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'download_url', type: 'string', required: true },
    { name: 'enable_retargeting', type: 'string', enum: ['RETARGETING', 'NON_RETARGETING'] },
    {
      name: 'partner',
      type: 'string',
      enum: words(
        'AdBrix Adform Adjust Adzcore AppAdforce AppLink AppMetrica AppsFlyer BASE BigCommerce Cafe24 Cinarra Dentsu DoubleClick ECWID FlashTalking Huangbaoche Kantar Kochava Lazada LeadBolt Macromil Magento Metaps Nielsen OpenCart Other Placed_powered_by_Foursquare PrestaShop SHOPLINE Salesforce ServingsSys Shopify Singular Square Tenjin Testee TikTokCustomInstantPage TikTokEC1PSeller TikTokEC3PStore TikTokLeadAd TlnkIo Vidoadsplus Weborama WooCommerce doubleverify myTracker',
      ),
    },
    {
      name: 'tracking_url',
      type: 'object',
      fields: [
        { name: 'click_url', type: 'string' },
        { name: 'impression_url', type: 'string' },
        { name: 'retargeting_click_url', type: 'string' },
        { name: 'retargeting_impression_url', type: 'string' },
      ],
    },
  ],
  'app/info': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'app_id', type: 'string', numeric: true, required: true },
  ],
  'app/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'app_platform_ids', type: 'array', items: { type: 'string' } },
  ],
  'app/optimization_event': [
    { name: 'app_id', type: 'string', numeric: true, required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'placement',
      type: 'array',
      items: {
        type: 'string',
        enum: words(
          'PLACEMENT_TOPBUZZ PLACEMENT_VIGO PLACEMENT_TIKTOK PLACEMENT_HELO PLACEMENT_PANGLE PLACEMENT_GLOBAL_APP_BUNDLE',
        ),
      },
      min: 1,
    },
    { name: 'placement_type', type: 'string', enum: ['PLACEMENT_TYPE_NORMAL', 'PLACEMENT_TYPE_AUTOMATIC'] },
    {
      name: 'optimization_goal',
      type: 'string',
      enum: words(
        'ANCHOR_CLICK ANCHOR_CLICK_PURCHASE AUTOMATED_VALUE CLICK CONVERSATION CONVERSION_LEADS CONVERT DESTINATION_VISIT ENGAGED_VIEW ENGAGED_VIEW_FIFTEEM FOLLOWERS INSTALL IN_APP_EVENT LEAD_GENERATION MESSAGE MT_LIVE_FOLLOW MT_LIVE_ROOM MT_LIVE_SHOPPING PAGE_VISIT POST_ENGAGEMNT PREFERRED_LEAD PRODUCT_CLICK_IN_LIVE PROFILE_VIEWS REACH SHOW TRAFFIC_LANDING_PAGE_VIEW VALUE VIDEO_VIEW',
      ),
      required: true,
    },
    {
      name: 'objective',
      type: 'string',
      enum: words(
        'NONE_TYPE TRAFFIC APP_INSTALL CONVERSIONS VIDEO_VIEW REACH CATALOG_SALES LEAD_GENERATION ENGAGEMENT RF_REACH RF_VIDEO_VIEW RF_TRAFFIC RF_ENGAGEMENT RF_APP_INSTALL PRODUCT_SALES APP_PROMOTION WEB_CONVERSIONS TOPVIEW_REACH EST_AD SS_HTC_AD',
      ),
    },
    { name: 'available_only', type: 'boolean' },
    { name: 'is_skan', type: 'boolean' },
    {
      name: 'app_promotion_type',
      type: 'string',
      enum: ['APP_INSTALL', 'APP_PREREGISTRATION', 'APP_RETARGETING', 'UNSET'],
    },
  ],
  'app/optimization_event/retargeting': [
    { name: 'app_id', type: 'string', numeric: true, required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
  ],
  'app/update': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'app_id', type: 'string', numeric: true, required: true },
    { name: 'download_url', type: 'string' },
    { name: 'enable_retargeting', type: 'string', enum: ['RETARGETING', 'NON_RETARGETING'] },
    {
      name: 'partner',
      type: 'string',
      enum: words(
        'AdBrix Adform Adjust Adobe AdobeRTCDP Adzcore Amperity AnyTrack AppAdforce AppLink AppMetrica AppsFlyer Apptrian Ayomakan BASE BigCommerce Bird Blip Blotout CTMDefault Cafe24 Capico Chatcone Cheq Cinarra CommandersAct ConversionLiftStudy DataHash Dentsu Desty DoubleClick Driftrock ECWID ECWID_RESELLER Elevar Eventbrite EventsAPIGateway Fandango FlashTalking FutureShop Gamesight GoogleSheet GoogleTagManagerClient GoogleTagManagerServer Grivy Habu Halosis Haravan HiPlatform Hightouch Huangbaoche HubSpot Journify Kantar Kargo Kochava KopiKenangan Kyte LadiPage Lazada LeadBolt LeadCenterCSV Lifesight LiveRamp MParticle Macromil Magento ManyChat Marketo MercadoShops Merkle MetaRouter Metaps Nielsen Nuvemshop OhoChat OneChatAi OpenCart Other PMG Pancake Placed_powered_by_Foursquare PrestaShop Qiscus Qontak RespondIo RudderStack SHOPLINE Salesforce SalesforceMarketingCloud Sapo Segment ServingsSys Shift4Shop Shopify Shoplazza Shopware SignalSight Singoo SingooCloud Singular Square Tealium Tenjin Testee Ticketmaster Tiendanube TikTokAppAPI TikTokBusinessSDK TikTokCustomInstantPage TikTokEC1PSeller TikTokEC3PStore TikTokLeadAd TlnkIo TomoroCoffee Tray TripleWhale VTEX Vidoadsplus Weborama Wix WooCommerce WordPress ZZG Zapier Zoho Zwiz doubleverify lojaintegrada myTracker',
      ),
    },
    { name: 'platform', type: 'string', enum: ['ANDROID', 'IOS', 'PC', 'UNKNOWN'] },
    {
      name: 'tracking_url',
      type: 'object',
      fields: [
        { name: 'click_url', type: 'string' },
        { name: 'impression_url', type: 'string' },
        { name: 'retargeting_click_url', type: 'string' },
        { name: 'retargeting_impression_url', type: 'string' },
      ],
    },
  ],
  // Not in the official yml.
  'audience/insight/info': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'custom_audience_id', type: 'string' },
    {
      name: 'locations',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          { name: 'country_code', type: 'string' },
          { name: 'location_ids', type: 'array', items: { type: 'string' } },
        ],
      },
    },
    { name: 'dimensions', type: 'array', items: { type: 'string' } },
    {
      name: 'selected_audience',
      type: 'object',
      fields: [
        { name: 'top_regions_country_code', type: 'array', items: { type: 'string' } },
        { name: 'location_ids', type: 'array', items: { type: 'string' } },
        {
          name: 'age_groups',
          type: 'array',
          items: { type: 'string', enum: words('AGE_13_17 AGE_18_24 AGE_25_34 AGE_35_44 AGE_45_54 AGE_55_100') },
        },
        { name: 'gender', type: 'string', enum: ['GENDER_FEMALE', 'GENDER_MALE', 'GENDER_UNLIMITED'] },
        { name: 'device_price_ranges', type: 'array', items: { type: 'integer' } },
        { name: 'min_ios_version', type: 'string' },
        { name: 'min_android_version', type: 'string' },
        { name: 'operating_systems', type: 'array', items: { type: 'string', enum: ['ALL', 'ANDROID', 'IOS', 'PC'] } },
        { name: 'interest_category_ids', type: 'array', items: { type: 'string' } },
        { name: 'video_action_category_ids', type: 'array', items: { type: 'string' } },
        { name: 'creator_action_category_ids', type: 'array', items: { type: 'string' } },
        { name: 'hashtag_action_category_ids', type: 'array', items: { type: 'string' } },
      ],
    },
  ],
  'audience/insight/overlap': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'benchmark_custom_audience_id', type: 'string', numeric: true, required: true },
    { name: 'comparison_custom_audience_ids', type: 'array', items: { type: 'string', numeric: true }, max: 4 },
  ],
  'bc/pixel/link/get': [
    { name: 'bc_id', type: 'string', numeric: true, required: true },
    { name: 'pixel_code', type: 'string', required: true },
    { name: 'page', type: 'integer', min: 1 },
    { name: 'page_size', type: 'integer', min: 1 },
  ],
  'bc/pixel/link/update': [
    { name: 'advertiser_ids', type: 'array', items: { type: 'string', numeric: true }, max: 100, required: true },
    { name: 'bc_id', type: 'string', numeric: true, required: true },
    { name: 'pixel_code', type: 'string', required: true },
    { name: 'relation_status', type: 'string', enum: ['LINK', 'UNLINK'], required: true },
  ],
  'bc/pixel/transfer': [
    { name: 'bc_id', type: 'string', numeric: true, required: true },
    { name: 'pixel_code', type: 'string', required: true },
  ],
  'blockedword/check': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'blocked_words', type: 'array', items: { type: 'string' }, required: true },
  ],
  'blockedword/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'blocked_words', type: 'array', items: { type: 'string' }, required: true },
  ],
  'blockedword/delete': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'blocked_words', type: 'array', items: { type: 'string' }, required: true },
  ],
  'blockedword/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'page_info',
      type: 'object',
      fields: [
        { name: 'page', type: 'integer', min: 1 },
        { name: 'page_size', type: 'integer', min: 1, max: 500 },
      ],
    },
  ],
  'blockedword/task/check': [
    { name: 'task_id', type: 'string', required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
  ],
  'blockedword/task/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'blocked_words', type: 'array', items: { type: 'string' } },
    { name: 'lang', type: 'string' },
  ],
  'blockedword/update': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'new_word', type: 'string', required: true },
    { name: 'old_word', type: 'string', required: true },
  ],
  // Not in the official yml.
  'business/webhook/delete': [
    { name: 'app_id', type: 'string', required: true },
    { name: 'secret', type: 'string', required: true },
    { name: 'event_type', type: 'string', required: true },
    { name: 'item_list', type: 'array', items: { type: 'string' } },
  ],
  // Not in the official yml.
  'business/webhook/list': [
    { name: 'app_id', type: 'string', required: true },
    { name: 'secret', type: 'string', required: true },
    { name: 'event_type', type: 'string', required: true },
  ],
  // Not in the official yml.
  'business/webhook/update': [
    { name: 'app_id', type: 'string', required: true },
    { name: 'secret', type: 'string', required: true },
    { name: 'event_type', type: 'string', required: true },
    { name: 'callback_url', type: 'string', required: true },
    { name: 'item_list', type: 'array', items: { type: 'string' } },
  ],
  // Not in the official yml.
  'changelog/get': [
    { name: 'bc_id', type: 'string', required: true },
    {
      name: 'filtering',
      type: 'object',
      fields: [
        { name: 'start_date', type: 'string' },
        { name: 'end_date', type: 'string' },
        { name: 'activity_type', type: 'string', enum: words('ALL USER ACCOUNT ASSET BUSINESS') },
      ],
    },
    { name: 'lang', type: 'string' },
    { name: 'sort_field', type: 'string' },
    { name: 'sort_type', type: 'string', enum: ['ASC', 'DESC'] },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
  ],
  // Not in the official yml.
  'changelog/task/check': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'task_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'changelog/task/create': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'start_time', type: 'string', required: true },
    { name: 'end_time', type: 'string', required: true },
    { name: 'timezone', type: 'string' },
    { name: 'module', type: 'string' },
    { name: 'object_ids', type: 'array', items: { type: 'string' } },
    { name: 'object_type', type: 'string' },
    { name: 'operation_types', type: 'array', items: { type: 'string' } },
    { name: 'order_fields', type: 'array', items: { type: 'string' } },
  ],
  // Not in the official yml.
  'changelog/task/download': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'task_id', type: 'string', required: true },
  ],
  'comment/delete': [
    { name: 'ad_id', type: 'string', numeric: true, required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'comment_id', type: 'string', numeric: true, required: true },
    { name: 'identity_id', type: 'string', required: true },
    { name: 'identity_type', type: 'string', enum: ['AUTH_CODE', 'CUSTOMIZED_USER', 'TT_USER'], required: true },
    { name: 'tiktok_item_id', type: 'string', numeric: true, required: true },
  ],
  'comment/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'start_time', type: 'string', required: true },
    { name: 'end_time', type: 'string', required: true },
    { name: 'sort_field', type: 'string', enum: ['CREATE_TIME', 'LIKES', 'REPLIES', 'SMART'] },
    { name: 'sort_type', type: 'string', enum: ['ASC', 'DESC'] },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
    { name: 'comment_type', type: 'array', items: { type: 'string', enum: ['ALL', 'COMMENT', 'REPLY'] } },
    { name: 'comment_status', type: 'array', items: { type: 'string', enum: ['ALL', 'HIDDEN', 'PUBLIC'] } },
    { name: 'search_field', type: 'string', enum: ['ADGROUP_ID'], required: true },
    { name: 'search_value', type: 'string', required: true },
  ],
  'comment/post': [
    { name: 'ad_id', type: 'string', numeric: true, required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'comment_id', type: 'string', numeric: true, required: true },
    { name: 'comment_type', type: 'string', enum: ['POST', 'REPLY'], required: true },
    { name: 'identity_id', type: 'string', required: true },
    { name: 'identity_type', type: 'string', enum: ['AUTH_CODE', 'CUSTOMIZED_USER', 'TT_USER'], required: true },
    { name: 'text', type: 'string', required: true },
    { name: 'tiktok_item_id', type: 'string', numeric: true, required: true },
  ],
  'comment/reference': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'comment_id', type: 'string', numeric: true, required: true },
    { name: 'comment_type', type: 'string', enum: ['ALL', 'COMMENT', 'REPLY'], required: true },
    { name: 'original_comment_id', type: 'string', numeric: true },
    { name: 'app', type: 'string', enum: ['TIKTOK'] },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer', min: 1, max: 100 },
  ],
  'comment/status/update': [
    { name: 'ad_type', type: 'string', enum: ['BIDDING', 'BRAND'] },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'comment_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
    { name: 'operation', type: 'string', enum: ['HIDDEN', 'PUBLIC'], required: true },
  ],
  'comment/task/check': [
    { name: 'task_id', type: 'string', required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'source', type: 'string', enum: ['BIDDING', 'BRAND'] },
  ],
  'comment/task/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'comment_ids', type: 'array', items: { type: 'string', numeric: true }, min: 1 },
    { name: 'comment_status', type: 'array', items: { type: 'string', enum: ['ALL', 'HIDDEN', 'PUBLIC'] } },
    { name: 'comment_type', type: 'array', items: { type: 'string', enum: ['ALL', 'COMMENT', 'REPLY'] } },
    { name: 'end_time', type: 'string', required: true },
    { name: 'lang', type: 'string', enum: ['EN', 'JA', 'ZH'] },
    { name: 'search_field', type: 'string', enum: ['ADGROUP_ID'], required: true },
    { name: 'search_value', type: 'string', required: true },
    { name: 'sort_field', type: 'string', enum: ['CREATE_TIME', 'LIKES', 'REPLIES', 'SMART'] },
    { name: 'sort_type', type: 'string', enum: ['ASC', 'DESC'] },
    { name: 'start_time', type: 'string', required: true },
  ],
  // Not in the official yml.
  'creative_fatigue/get': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'ad_id', type: 'string', required: true },
    {
      name: 'filtering',
      type: 'object',
      fields: [
        { name: 'start_date', type: 'string' },
        { name: 'end_date', type: 'string' },
      ],
    },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
  ],
  // Not in the official yml.
  'crm/list': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'name', type: 'string' },
    { name: 'event_set_ids', type: 'array', items: { type: 'string' } },
  ],
  // Not in the official yml.
  'custom_conversion/create': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'name', type: 'string', required: true },
    { name: 'description', type: 'string' },
    { name: 'event_source_type', type: 'string', enum: ['PIXEL', 'APP'], required: true },
    { name: 'event_source_id', type: 'string', required: true },
    {
      name: 'optimization_event',
      type: 'string',
      enum: words(
        'ACTIVE ACTIVE_PAY ACTIVE_REGISTER ADD_TO_WISHLIST COMPLETE_TUTORIAL CREATE_GAMEROLE CREATE_GROUP IN_APP_AD_CLICK IN_APP_AD_IMPR IN_APP_CART IN_APP_DETAIL_UV JOIN_GROUP LAUNCH_APP LIVE_CLICK_PRODUCT_ACTION LIVE_STAY_TIME LOAN_COMPLETION LOGIN NEXT_DAY_OPEN RATE SALES_LEAD SEARCH SPEND_CREDITS UNLOCK_ACHIEVEMENT UPDATE_LEVEL ENGAGED_VIEW ENGAGED_VIEW_FIFTEEN LANDING_PAGE_VIEW PAGE_VISIT MESSAGE DESTINATION_VISIT AD_REVENUE_VALUE ADD_BILLING BUTTON CONSULT DOWNLOAD_START FORM INITIATE_ORDER ON_WEB_ADD_TO_WISHLIST ON_WEB_CART ON_WEB_DETAIL ON_WEB_ORDER ON_WEB_REGISTER ON_WEB_SEARCH ON_WEB_SUBSCRIBE SHOPPING',
      ),
      required: true,
    },
    { name: 'custom_event_type', type: 'string' },
    {
      name: 'rules',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          {
            name: 'parameter',
            type: 'string',
            enum: words(
              'BRAND CONTENT_CATEGORY CONTENT_ID CONTENT_NAME CONTENT_TYPE CURRENCY DESCRIPTION EVENT_ID NUM_ITEMS PRICE SEARCH_STRING STATUS URL VALUE',
            ),
          },
          {
            name: 'operator',
            type: 'string',
            enum: [
              'EQ',
              'GT',
              'LT',
              'LTE',
              'GTE',
              'CONTAIN',
              'NOT_CONTAIN',
              'DOES_NOT_CONTAIN',
              'START_WITH',
              'EQUAL',
              'NOT EQUAL',
              'IS_LESS_THAN',
              'IS_GREATER_THAN',
              'IS_LESS_THAN_OR_EQUAL_TO',
              'IS_GRETER_THAN_OR_EQUAL_TO',
              'RNG',
              'WILDCARD',
              'NOT_WILDCARD',
              'PREFIX',
              'EXISTS',
              'IN',
              'NOT_IN',
            ],
          },
          { name: 'values', type: 'array', items: { type: 'string' } },
        ],
      },
      required: true,
    },
  ],
  // Not in the official yml.
  'custom_conversion/delete': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'custom_conversion_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'custom_conversion/get': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'custom_conversion_id', type: 'string', required: true },
    { name: 'event_source_type', type: 'string', enum: ['PIXEL', 'APP'] },
    { name: 'event_source_id', type: 'string' },
  ],
  // Not in the official yml.
  'custom_conversion/list': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'event_source_type', type: 'string', enum: ['PIXEL', 'APP'] },
    { name: 'event_source_id', type: 'string' },
    { name: 'search_keyword', type: 'string' },
    { name: 'sort_field', type: 'string' },
    { name: 'sort_type', type: 'string', enum: ['ASC', 'DESC'] },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
  ],
  // Not in the official yml.
  'custom_conversion/update': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'custom_conversion_id', type: 'string', required: true },
    { name: 'name', type: 'string', required: true },
    { name: 'description', type: 'string' },
  ],
  'dmp/custom_audience/apply': [
    { name: 'action_mode', type: 'string', enum: ['Apply', 'Disconnect'], required: true },
    { name: 'adgroup_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_id', type: 'string', numeric: true, required: true },
    { name: 'usage_mode', type: 'string', enum: ['Include', 'Exclude'] },
  ],
  'dmp/custom_audience/apply/log': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
    { name: 'timezone', type: 'string' },
  ],
  'dmp/custom_audience/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'audience_enhancement', type: 'boolean' },
    { name: 'audience_sub_type', type: 'string', enum: ['NORMAL', 'REACH_FREQUENCY'] },
    {
      name: 'calculate_type',
      type: 'string',
      enum: words(
        'EMAIL_SHA256 FIRST_MD5 FIRST_SHA256 GAID_MD5 GAID_SHA256 IDFA_MD5 IDFA_SHA256 MULTIPLE_TYPES PHONE_SHA256',
      ),
      required: true,
    },
    { name: 'custom_audience_name', type: 'string', min: 1, max: 128, required: true },
    { name: 'file_paths', type: 'array', items: { type: 'string' }, min: 1, max: 500, required: true },
    { name: 'retention_in_days', type: 'integer', min: 1, max: 365 },
  ],
  'dmp/custom_audience/delete': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'custom_audience_ids',
      type: 'array',
      items: { type: 'string', numeric: true },
      min: 1,
      max: 100,
      required: true,
    },
  ],
  'dmp/custom_audience/file/upload': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'calculate_type',
      type: 'string',
      enum: words(
        'EMAIL_SHA256 FIRST_MD5 FIRST_SHA256 GAID_MD5 GAID_SHA256 IDFA_MD5 IDFA_SHA256 MAID_MD5 MAID_SHA256 MULTIPLE_TYPES PHONE_SHA256',
      ),
      required: true,
    },
    { name: 'file_signature', type: 'string', required: true },
    { name: 'name', type: 'string' },
  ],
  'dmp/custom_audience/get': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'custom_audience_ids',
      type: 'array',
      items: { type: 'string', numeric: true },
      min: 1,
      max: 100,
      required: true,
    },
    { name: 'history_size', type: 'integer', min: 1, max: 100 },
  ],
  'dmp/custom_audience/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_ids', type: 'array', items: { type: 'string', numeric: true }, min: 1, max: 100 },
    { name: 'page', type: 'integer', min: 1 },
    { name: 'page_size', type: 'integer', min: 1, max: 100 },
  ],
  'dmp/custom_audience/lookalike/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_name', type: 'string', required: true },
    {
      name: 'lookalike_spec',
      type: 'object',
      fields: [
        { name: 'audience_size', type: 'string', enum: ['BALANCED', 'BROAD', 'NARROW'], required: true },
        { name: 'include_source', type: 'boolean', required: true },
        { name: 'location_ids', type: 'array', items: { type: 'string' }, min: 1, required: true },
        { name: 'mobile_os', type: 'string', enum: ['ALL', 'ANDROID', 'IOS'], required: true },
        { name: 'placements', type: 'array', items: { type: 'string' }, required: true },
        { name: 'source_audience_id', type: 'string', numeric: true, required: true },
      ],
      required: true,
    },
    { name: 'audience_sub_type', type: 'string', enum: ['NORMAL', 'REACH_FREQUENCY'] },
  ],
  // Not in the official yml.
  'dmp/custom_audience/lookalike/delete': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'custom_audience_ids', type: 'array', items: { type: 'string' }, required: true },
  ],
  'dmp/custom_audience/lookalike/update': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
  ],
  'dmp/custom_audience/rule/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'audience_enhancement', type: 'boolean' },
    { name: 'audience_sub_type', type: 'string', enum: ['NORMAL', 'REACH_FREQUENCY'] },
    {
      name: 'audience_type',
      type: 'string',
      enum: words(
        'APP BUSINESS_ACCOUNT ENGAGEMENT ENGAGEMENT_LIVE_VIDEO ENGAGEMENT_ORGANIC_VIDEO LEAD_GENERATION OFFLINE PIXEL TIKTOK_SHOP',
      ),
      required: true,
    },
    { name: 'custom_audience_name', type: 'string', max: 128, required: true },
    { name: 'identity_authorized_bc_id', type: 'string', numeric: true },
    { name: 'identity_id', type: 'string' },
    {
      name: 'identity_type',
      type: 'string',
      enum: words('AUTH_CODE BC_AUTH_TT BC_SELF_TT CUSTOMIZED_USER TT_USER UNSET'),
    },
    { name: 'is_auto_refresh', type: 'boolean' },
    { name: 'retention_in_days', type: 'integer', min: 1, max: 365 },
    {
      name: 'rule_spec',
      type: 'object',
      fields: [
        {
          name: 'exclusion_rule_set',
          type: 'object',
          fields: [
            { name: 'operator', type: 'string', enum: ['OR'], required: true },
            {
              name: 'rules',
              type: 'array',
              items: {
                type: 'object',
                fields: [
                  { name: 'event_source_ids', type: 'array', items: { type: 'string' } },
                  {
                    name: 'filter_set',
                    type: 'object',
                    fields: [
                      {
                        name: 'filters',
                        type: 'array',
                        items: {
                          type: 'object',
                          fields: [
                            { name: 'field', type: 'string', required: true },
                            { name: 'operator', type: 'string', enum: ['EQ'], required: true },
                            {
                              name: 'parameter_filters',
                              type: 'array',
                              items: {
                                type: 'object',
                                fields: [
                                  { name: 'field', type: 'string', required: true },
                                  { name: 'operator', type: 'string', enum: PARAMETER_OPERATORS, required: true },
                                  { name: 'values', type: 'array', items: { type: 'string' }, required: true },
                                ],
                              },
                            },
                            { name: 'value', type: 'string', required: true },
                          ],
                        },
                        required: true,
                      },
                      { name: 'operator', type: 'string', enum: ['AND', 'OR'], required: true },
                    ],
                  },
                  { name: 'retention_days', type: 'integer', required: true },
                ],
              },
              required: true,
            },
          ],
        },
        {
          name: 'inclusion_rule_set',
          type: 'object',
          fields: [
            { name: 'operator', type: 'string', enum: ['OR'], required: true },
            {
              name: 'rules',
              type: 'array',
              items: {
                type: 'object',
                fields: [
                  { name: 'event_source_ids', type: 'array', items: { type: 'string' } },
                  {
                    name: 'filter_set',
                    type: 'object',
                    fields: [
                      {
                        name: 'filters',
                        type: 'array',
                        items: {
                          type: 'object',
                          fields: [
                            { name: 'field', type: 'string', required: true },
                            { name: 'operator', type: 'string', enum: ['EQ'], required: true },
                            {
                              name: 'parameter_filters',
                              type: 'array',
                              items: {
                                type: 'object',
                                fields: [
                                  { name: 'field', type: 'string', required: true },
                                  { name: 'operator', type: 'string', enum: PARAMETER_OPERATORS, required: true },
                                  { name: 'values', type: 'array', items: { type: 'string' }, max: 10, required: true },
                                ],
                              },
                            },
                            { name: 'value', type: 'string', required: true },
                          ],
                        },
                        required: true,
                      },
                      { name: 'operator', type: 'string', enum: ['AND', 'OR'], required: true },
                    ],
                  },
                  { name: 'retention_days', type: 'integer', required: true },
                ],
              },
              required: true,
            },
          ],
          required: true,
        },
      ],
      required: true,
    },
  ],
  'dmp/custom_audience/share': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
    { name: 'shared_advertiser_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
  ],
  'dmp/custom_audience/share/cancel': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_id', type: 'string', numeric: true, required: true },
    { name: 'shared_advertiser_id', type: 'string', numeric: true, required: true },
  ],
  'dmp/custom_audience/share/log': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_id', type: 'string', numeric: true, required: true },
  ],
  'dmp/custom_audience/update': [
    { name: 'action', type: 'string', enum: ['REPLACE', 'APPEND', 'REMOVE'] },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'audience_enhancement', type: 'boolean' },
    { name: 'audience_sub_type', type: 'string' },
    { name: 'custom_audience_id', type: 'string', numeric: true, required: true },
    { name: 'custom_audience_name', type: 'string' },
    { name: 'file_paths', type: 'array', items: { type: 'string' } },
  ],
  'dmp/saved_audience/create': [
    {
      name: 'actions',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          { name: 'action_category_ids', type: 'array', items: { type: 'string', numeric: true } },
          { name: 'action_period', type: 'integer' },
          { name: 'action_scene', type: 'string', enum: ['CREATOR_RELATED', 'HASHTAG_RELATED', 'VIDEO_RELATED'] },
          {
            name: 'video_user_actions',
            type: 'array',
            items: {
              type: 'string',
              enum: words('COMMENTED FOLLOWING LIKED SHARED VIEW_HASHTAG VIEW_HOMEPAGE WATCHED_TO_END'),
            },
          },
        ],
      },
    },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'age_groups', type: 'array', items: { type: 'string' } },
    { name: 'audience_ids', type: 'array', items: { type: 'string', numeric: true } },
    { name: 'carrier_ids', type: 'array', items: { type: 'string', numeric: true } },
    { name: 'device_model_ids', type: 'array', items: { type: 'string', numeric: true } },
    { name: 'device_price_ranges', type: 'array', items: { type: 'integer' } },
    { name: 'excluded_audience_ids', type: 'array', items: { type: 'string', numeric: true } },
    { name: 'gender', type: 'string', enum: ['GENDER_FEMALE', 'GENDER_MALE', 'GENDER_UNLIMITED'] },
    { name: 'interest_category_ids', type: 'array', items: { type: 'string', numeric: true } },
    { name: 'interest_keyword_ids', type: 'array', items: { type: 'string', numeric: true } },
    { name: 'languages', type: 'array', items: { type: 'string' } },
    { name: 'location_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
    { name: 'min_android_version', type: 'string' },
    { name: 'min_ios_version', type: 'string' },
    { name: 'network_types', type: 'array', items: { type: 'string', enum: words('2G 3G 4G 5G UNKNOWN WIFI') } },
    { name: 'operating_systems', type: 'array', items: { type: 'string', enum: ['ANDROID', 'IOS', 'PC', 'UNKNOWN'] } },
    { name: 'saved_audience_name', type: 'string', required: true },
    { name: 'saved_audience_id', type: 'string' },
  ],
  'dmp/saved_audience/delete': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'saved_audience_ids',
      type: 'array',
      items: { type: 'string', numeric: true },
      min: 1,
      max: 100,
      required: true,
    },
  ],
  'dmp/saved_audience/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'saved_audience_ids', type: 'array', items: { type: 'string', numeric: true }, max: 100 },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer', min: 1, max: 100 },
  ],
  // Not in the official yml.
  'lead/field/get': [
    { name: 'lead_source', type: 'string', enum: ['INSTANT_FORM', 'DIRECT_MESSAGE'] },
    { name: 'advertiser_id', type: 'string' },
    { name: 'library_id', type: 'string' },
    { name: 'page_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'lead/get': [
    { name: 'lead_source', type: 'string', enum: ['INSTANT_FORM', 'DIRECT_MESSAGE'] },
    { name: 'advertiser_id', type: 'string' },
    { name: 'library_id', type: 'string' },
    { name: 'page_id', type: 'string', required: true },
  ],
  'offline/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'auto_tracking', type: 'boolean' },
    { name: 'description', type: 'string', required: true },
    { name: 'name', type: 'string', required: true },
  ],
  'offline/delete': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'event_set_id', type: 'string', numeric: true, required: true },
  ],
  'offline/get': [
    { name: 'advertiser_id', type: 'string', numeric: true },
    { name: 'event_set_ids', type: 'array', items: { type: 'string', numeric: true } },
    { name: 'name', type: 'string' },
  ],
  'offline/update': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'auto_tracking', type: 'boolean' },
    { name: 'event_set_id', type: 'string', numeric: true, required: true },
    { name: 'name', type: 'string' },
  ],
  'optimizer/rule/batch_bind': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'bind_info',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          { name: 'bind_type', type: 'string', enum: ['BIND', 'UNBIND'], required: true },
          { name: 'dimension', type: 'string', enum: ['AD', 'ADGROUP', 'CAMPAIGN'], required: true },
          { name: 'dimension_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
          { name: 'rule_id', type: 'string', numeric: true, required: true },
        ],
      },
      required: true,
    },
    { name: 'lang', type: 'string' },
  ],
  'optimizer/rule/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'lang', type: 'string' },
    {
      name: 'rules',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          {
            name: 'actions',
            type: 'array',
            items: {
              type: 'object',
              fields: [
                { name: 'action_type', type: 'string', enum: ['ADJUST_TO', 'DECREASE', 'DEFAULT', 'INCREASE'] },
                {
                  name: 'frequency_info',
                  type: 'object',
                  fields: [
                    { name: 'count', type: 'integer' },
                    {
                      name: 'custom_frequency_type',
                      type: 'string',
                      enum: ['N_DAY_Y_TIMES', 'N_HOUR_Y_TIMES', 'N_MINTUE_Y_TIMES'],
                    },
                    { name: 'time', type: 'integer' },
                    {
                      name: 'type',
                      type: 'string',
                      enum: words('CUSTOM ONCE_IN_1_W ONCE_IN_24_H ONCE_IN_48_H ONLY_ONCE'),
                      required: true,
                    },
                  ],
                },
                {
                  name: 'subject_type',
                  type: 'string',
                  enum: words('BID DAILY_BUDGET LIFETIME_BUDGET MESSAGE TURN_OFF TURN_ON'),
                  required: true,
                },
                {
                  name: 'value',
                  type: 'object',
                  fields: [
                    { name: 'limit', type: 'number' },
                    { name: 'use_limit', type: 'boolean' },
                    { name: 'value', type: 'number' },
                  ],
                },
                { name: 'value_type', type: 'string', enum: ['EXACT', 'PERCENT'] },
              ],
            },
            required: true,
          },
          {
            name: 'apply_objects',
            type: 'array',
            items: {
              type: 'object',
              fields: [
                { name: 'bind_type', type: 'string', enum: ['BIND', 'UNBIND'] },
                { name: 'dimension', type: 'string', enum: ['AD', 'ADGROUP', 'CAMPAIGN'], required: true },
                { name: 'dimension_ids', type: 'array', items: { type: 'string', numeric: true } },
                { name: 'pre_condition_type', type: 'string', enum: PRE_CONDITIONS, required: true },
              ],
            },
            required: true,
          },
          {
            name: 'conditions',
            type: 'array',
            items: {
              type: 'object',
              fields: [
                { name: 'calculation_type', type: 'string', enum: ['ALL_OBJECTS', 'DEFAULT', 'OF_EACH_OBJECT'] },
                { name: 'match_type', type: 'string', enum: MATCHES },
                { name: 'range_type', type: 'string', enum: RANGES },
                { name: 'subject_type', type: 'string', enum: RULE_SUBJECTS, required: true },
                { name: 'values', type: 'array', items: { type: 'string' } },
              ],
            },
            required: true,
          },
          { name: 'name', type: 'string', required: true },
          {
            name: 'notification',
            type: 'object',
            fields: [
              {
                name: 'email_setting',
                type: 'object',
                fields: [
                  { name: 'email_exec_time', type: 'array', items: { type: 'string' } },
                  { name: 'mute_option', type: 'string', enum: ['MUTE', 'UNMUTE'] },
                  { name: 'no_result_notification', type: 'boolean' },
                  { name: 'notification_period', type: 'string', enum: ['EVERY_TIME', 'TIME_SCHEDULE'] },
                ],
              },
              {
                name: 'notification_type',
                type: 'string',
                enum: ['ANY_CHANGES', 'NOT_NOTIFICATION', 'TASK_FINISH'],
                required: true,
              },
            ],
            required: true,
          },
          {
            name: 'rule_exec_info',
            type: 'object',
            fields: [
              { name: 'exec_time', type: 'string' },
              {
                name: 'exec_time_type',
                type: 'string',
                enum: ['CUSTOM', 'HALF_HOUR_IN_SPECIFIC_TIME_PERIOD', 'PER_HALF_HOUR', 'SPECIFIC_TIME_ACCURATE_ONCE'],
                required: true,
              },
              {
                name: 'time_period_info',
                type: 'array',
                items: {
                  type: 'object',
                  fields: [
                    { name: 'date_type', type: 'string', enum: ['DAY', 'MONTH', 'WEEK'], required: true },
                    { name: 'end_time', type: 'string', required: true },
                    { name: 'num', type: 'array', items: { type: 'integer' }, required: true },
                    { name: 'start_time', type: 'string', required: true },
                  ],
                },
              },
            ],
            required: true,
          },
          { name: 'tzone', type: 'string' },
        ],
      },
      required: true,
    },
  ],
  'optimizer/rule/get': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'rule_ids', type: 'array', items: { type: 'string' }, required: true },
  ],
  'optimizer/rule/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'filtering', type: 'object' },
    { name: 'tzone', type: 'string' },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
  ],
  'optimizer/rule/result/get': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'result_detail',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          { name: 'exec_id', type: 'string', numeric: true, required: true },
          { name: 'rule_id', type: 'string', numeric: true, required: true },
        ],
      },
      required: true,
    },
    { name: 'lang', type: 'string', enum: ['EN', 'ZH', 'JA'] },
  ],
  'optimizer/rule/result/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'filtering', type: 'object' },
    { name: 'lang', type: 'string', enum: ['EN', 'ZH', 'JA'] },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
  ],
  'optimizer/rule/update': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'lang', type: 'string' },
    {
      name: 'rules',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          {
            name: 'actions',
            type: 'array',
            items: {
              type: 'object',
              fields: [
                { name: 'action_type', type: 'string', enum: ['ADJUST_TO', 'DECREASE', 'DEFAULT', 'INCREASE'] },
                {
                  name: 'frequency_info',
                  type: 'object',
                  fields: [
                    { name: 'count', type: 'integer' },
                    {
                      name: 'custom_frequency_type',
                      type: 'string',
                      enum: ['N_DAY_Y_TIMES', 'N_HOUR_Y_TIMES', 'N_MINTUE_Y_TIMES'],
                    },
                    { name: 'time', type: 'integer' },
                    {
                      name: 'type',
                      type: 'string',
                      enum: words('CUSTOM ONCE_IN_1_W ONCE_IN_24_H ONCE_IN_48_H ONLY_ONCE'),
                      required: true,
                    },
                  ],
                },
                {
                  name: 'subject_type',
                  type: 'string',
                  enum: words('BID DAILY_BUDGET LIFETIME_BUDGET MESSAGE TURN_OFF TURN_ON'),
                  required: true,
                },
                {
                  name: 'value',
                  type: 'object',
                  fields: [
                    { name: 'limit', type: 'number' },
                    { name: 'use_limit', type: 'boolean' },
                    { name: 'value', type: 'number' },
                  ],
                },
                { name: 'value_type', type: 'string', enum: ['EXACT', 'PERCENT'] },
              ],
            },
            required: true,
          },
          {
            name: 'apply_objects',
            type: 'array',
            items: {
              type: 'object',
              fields: [
                { name: 'bind_type', type: 'string', enum: ['BIND', 'UNBIND'] },
                { name: 'dimension', type: 'string', enum: ['AD', 'ADGROUP', 'CAMPAIGN'], required: true },
                { name: 'dimension_ids', type: 'array', items: { type: 'string', numeric: true } },
                { name: 'pre_condition_type', type: 'string', enum: PRE_CONDITIONS, required: true },
              ],
            },
            required: true,
          },
          {
            name: 'conditions',
            type: 'array',
            items: {
              type: 'object',
              fields: [
                { name: 'calculation_type', type: 'string', enum: ['ALL_OBJECTS', 'DEFAULT', 'OF_EACH_OBJECT'] },
                { name: 'match_type', type: 'string', enum: MATCHES },
                { name: 'range_type', type: 'string', enum: RANGES },
                { name: 'subject_type', type: 'string', enum: RULE_SUBJECTS, required: true },
                { name: 'values', type: 'array', items: { type: 'string' } },
              ],
            },
            required: true,
          },
          { name: 'name', type: 'string', required: true },
          {
            name: 'notification',
            type: 'object',
            fields: [
              {
                name: 'email_setting',
                type: 'object',
                fields: [
                  { name: 'email_exec_time', type: 'array', items: { type: 'string' } },
                  { name: 'mute_option', type: 'string', enum: ['MUTE', 'UNMUTE'] },
                  { name: 'no_result_notification', type: 'boolean' },
                  { name: 'notification_period', type: 'string', enum: ['EVERY_TIME', 'TIME_SCHEDULE'] },
                ],
              },
              {
                name: 'notification_type',
                type: 'string',
                enum: ['ANY_CHANGES', 'NOT_NOTIFICATION', 'TASK_FINISH'],
                required: true,
              },
            ],
            required: true,
          },
          {
            name: 'rule_exec_info',
            type: 'object',
            fields: [
              { name: 'exec_time', type: 'string' },
              {
                name: 'exec_time_type',
                type: 'string',
                enum: ['CUSTOM', 'HALF_HOUR_IN_SPECIFIC_TIME_PERIOD', 'PER_HALF_HOUR', 'SPECIFIC_TIME_ACCURATE_ONCE'],
                required: true,
              },
              {
                name: 'time_period_info',
                type: 'array',
                items: {
                  type: 'object',
                  fields: [
                    { name: 'date_type', type: 'string', enum: ['DAY', 'MONTH', 'WEEK'], required: true },
                    { name: 'end_time', type: 'string', required: true },
                    { name: 'num', type: 'array', items: { type: 'integer' }, required: true },
                    { name: 'start_time', type: 'string', required: true },
                  ],
                },
              },
            ],
            required: true,
          },
          { name: 'rule_id', type: 'string', required: true },
          { name: 'tzone', type: 'string' },
        ],
      },
      required: true,
    },
  ],
  // Not in the official yml.
  'page/field/get': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'page_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'page/lead/mock/create': [
    { name: 'lead_source', type: 'string', enum: ['INSTANT_FORM', 'DIRECT_MESSAGE'] },
    { name: 'advertiser_id', type: 'string' },
    { name: 'library_id', type: 'string' },
    { name: 'page_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'page/lead/mock/get': [
    { name: 'lead_source', type: 'string', enum: ['INSTANT_FORM', 'DIRECT_MESSAGE'] },
    { name: 'advertiser_id', type: 'string' },
    { name: 'library_id', type: 'string' },
    { name: 'page_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'page/lead/task': [
    { name: 'advertiser_id', type: 'string' },
    { name: 'library_id', type: 'string' },
    { name: 'ad_id', type: 'string' },
    { name: 'page_id', type: 'string' },
    { name: 'task_id', type: 'string' },
  ],
  // Not in the official yml.
  'page/lead/task/download': [
    { name: 'advertiser_id', type: 'string' },
    { name: 'library_id', type: 'string' },
    { name: 'task_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'page/library/get': [
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
  ],
  // Not in the official yml.
  'page/library/transfer': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'bc_id', type: 'string', required: true },
  ],
  'pangle_audience_package/get': [{ name: 'advertiser_id', type: 'string', numeric: true, required: true }],
  'pangle_block_list/get': [{ name: 'advertiser_id', type: 'string', numeric: true, required: true }],
  'pangle_block_list/update': [
    { name: 'add_app_list', type: 'array', items: { type: 'string' } },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'clear_old_app', type: 'boolean' },
    { name: 'delete_app_list', type: 'array', items: { type: 'string' } },
  ],
  'pixel/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'partner_name', type: 'string' },
    {
      name: 'pixel_category',
      type: 'string',
      enum: words('CONTACTS CUSTOMIZE_EVENTS FILLING_FORM LANDING_PAGE ONLINE_STORE'),
    },
    { name: 'pixel_name', type: 'string', required: true },
  ],
  'pixel/event/create': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    {
      name: 'pixel_events',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          { name: 'currency', type: 'string', enum: ['USD', 'JPY', 'INR'] },
          { name: 'currency_value', type: 'string' },
          { name: 'event_code', type: 'string' },
          { name: 'event_id', type: 'string', numeric: true },
          { name: 'event_name', type: 'string' },
          {
            name: 'event_type',
            type: 'string',
            enum: words(
              'ADD_BILLING BUTTON CONSULT DOWNLOAD_BUTTON DOWNLOAD_DETAIL DOWNLOAD_START FORM FORM_BUTTON FORM_DETAIL INITIATE_ORDER ON_WEB_ADD_TO_WISHLIST ON_WEB_CART ON_WEB_DETAIL ON_WEB_ORDER ON_WEB_REGISTER ON_WEB_SEARCH ON_WEB_SUBSCRIBE PAGE_VIEW PHONE PHONE_BUTTON PHONE_DETAIL SHOPPING VIEW',
            ),
          },
          {
            name: 'rules',
            type: 'array',
            items: {
              type: 'object',
              fields: [
                {
                  name: 'operator',
                  type: 'string',
                  enum: ['OPERATORTYPE_CONTAINS', 'OPERATORTYPE_EQUALS', 'OPERATORTYPE_DOES_NOT_EQUAL'],
                  required: true,
                },
                {
                  name: 'trigger',
                  type: 'string',
                  enum: ['TRIGGERTYPE_CLICK', 'TRIGGERTYPE_PAGEVIEW', 'TRIGGERTYPE_ELEMENT_SHOW'],
                  required: true,
                },
                { name: 'value', type: 'string', required: true },
                {
                  name: 'variable',
                  type: 'string',
                  enum: ['PAGE_URL', 'PAGE_HOSTNAME', 'PAGE_PATH', 'ELEMENT'],
                  required: true,
                },
              ],
            },
          },
          { name: 'statistic_type', type: 'string', enum: ['ONCE', 'EVERY_TIME'] },
        ],
      },
      required: true,
    },
    { name: 'pixel_id', type: 'string', numeric: true, required: true },
  ],
  'pixel/event/delete': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'event_id', type: 'string', numeric: true, required: true },
  ],
  'pixel/event/stats': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'pixel_ids', type: 'array', items: { type: 'string', numeric: true }, required: true },
    {
      name: 'date_range',
      type: 'object',
      fields: [
        { name: 'end_date', type: 'string', required: true },
        { name: 'start_date', type: 'string', required: true },
      ],
      required: true,
    },
  ],
  'pixel/event/update': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'currency', type: 'string', enum: ['USD', 'JPY', 'INR'] },
    { name: 'currency_value', type: 'string' },
    { name: 'event_id', type: 'string', numeric: true, required: true },
    { name: 'event_name', type: 'string' },
  ],
  // Not in the official yml.
  'pixel/instant_page/event': [
    { name: 'advertiser_id', type: 'string', required: true },
    {
      name: 'objective_type',
      type: 'string',
      enum: words(
        'APP_PROMOTION WEB_CONVERSIONS APP_INSTALL CONVERSIONS REACH TRAFFIC VIDEO_VIEWS CATALOG_SALES PRODUCT_SALES ENGAGEMENT LEAD_GENERATION SHOP_PURCHASES RF_APP_INSTALL RF_ENGAGEMENT RF_REACH TOPVIEW_REACH RF_TRAFFIC RF_VIDEO_VIEW BRAND_CONSIDERATION',
      ),
    },
    {
      name: 'optimization_goal',
      type: 'string',
      enum: words(
        'CLICK CONVERT INSTALL IN_APP_EVENT SHOW VIDEO_VIEW REACH LEAD_GENERATION CONVERSATION FOLLOWERS PROFILE_VIEWS PAGE_VISITS VALUE AUTOMATIC_VALUE_OPTIMIZATION GMV PURCHASES INITIATE_CHECKOUTS MT_LIVE_ROOM PRODUCT_CLICK_IN_LIVE ENGAGED_VIEW ENGAGED_VIEW_FIFTEEN TRAFFIC_LANDING_PAGE_VIEW CONVERSION_LEADS DESTINATION_VISIT PREFERRED_LEAD',
      ),
    },
    { name: 'is_retargeting', type: 'boolean' },
  ],
  'pixel/list': [
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'pixel_id', type: 'string', numeric: true },
    { name: 'code', type: 'string' },
    { name: 'name', type: 'string' },
    { name: 'order_by', type: 'string', enum: ['LATEST_CREATE', 'EARLIEST_CREATE'] },
    { name: 'filtering', type: 'object', fields: [{ name: 'available_for_catalog_only', type: 'boolean' }] },
    { name: 'page', type: 'integer', min: 1 },
    { name: 'page_size', type: 'integer', min: 1, max: 20 },
  ],
  'pixel/update': [
    {
      name: 'advanced_matching_fields',
      type: 'object',
      fields: [
        { name: 'email', type: 'boolean' },
        { name: 'phone_number', type: 'boolean' },
      ],
    },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
    { name: 'pixel_id', type: 'string', numeric: true, required: true },
    { name: 'pixel_name', type: 'string', required: true },
    {
      name: 'automatic_advanced_matching_fields',
      type: 'object',
      fields: [
        { name: 'phone_number', type: 'boolean' },
        { name: 'email', type: 'boolean' },
        { name: 'name', type: 'boolean' },
        { name: 'address', type: 'boolean' },
        { name: 'external_id', type: 'boolean' },
      ],
    },
    { name: 'enable_first_party_cookies', type: 'boolean' },
    { name: 'enable_expanded_data_sharing', type: 'boolean' },
  ],
  // Not in the official yml.
  'segment/audience': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'action', type: 'string' },
    { name: 'custom_audience_name', type: 'string' },
    { name: 'delete_audience_id', type: 'string' },
  ],
  // Not in the official yml.
  'segment/mapping': [
    { name: 'advertiser_ids', type: 'array', items: { type: 'string' }, required: true },
    { name: 'action', type: 'string', required: true },
    {
      name: 'id_schema',
      type: 'array',
      items: { type: 'string' },
      required: true,
      min: 1,
    },
    { name: 'batch_data', type: 'array', items: { type: 'array' }, required: true },
  ],
  // Not in the official yml.
  'split_test/promote': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'split_test_group_id', type: 'string', required: true },
    { name: 'winning_object_id', type: 'string' },
  ],
  // Not in the official yml.
  'subscription/get': [
    { name: 'app_id', type: 'string', required: true },
    { name: 'secret', type: 'string', required: true },
    { name: 'subscribe_entity', type: 'string', enum: SUBSCRIBE_ENTITIES, required: true },
    { name: 'page', type: 'integer' },
    { name: 'page_size', type: 'integer' },
  ],
  // Not in the official yml.
  'subscription/subscribe': [
    { name: 'app_id', type: 'string', required: true },
    { name: 'secret', type: 'string', required: true },
    { name: 'subscribe_entity', type: 'string', enum: SUBSCRIBE_ENTITIES, required: true },
    { name: 'callback_url', type: 'string', required: true },
    {
      name: 'subscription_detail',
      type: 'object',
      fields: [
        { name: 'access_token', type: 'string' },
        {
          name: 'product_filters',
          type: 'array',
          items: {
            type: 'string',
            enum: words(
              'BUSINESS_CENTER_API CREATIVES_API CATALOG_API TIKTOK_STORE_API CAMPAIGN_API REPORTING_API AUDIENCE_API STREAMING_API EVENTS_API ACCOUNTS_API MENTIONS_API TIKTOK_ONE_API DISCOVERY_API SPARK_RECOMMEND_API BUSINESS_MESSAGING_API',
            ),
          },
        },
        { name: 'lead_source', type: 'string', enum: ['INSTANT_FORM', 'DIRECT_MESSAGE'] },
        { name: 'bc_id', type: 'string' },
        { name: 'advertiser_ids', type: 'array', items: { type: 'string' } },
        { name: 'notify_frequency', type: 'string' },
        { name: 'advertiser_id', type: 'string' },
        { name: 'library_id', type: 'string' },
        { name: 'page_id', type: 'string' },
        { name: 'adgroup_id', type: 'string' },
        { name: 'ad_id', type: 'string' },
        { name: 'tto_tcm_account_id', type: 'string' },
      ],
      required: true,
    },
  ],
  // Not in the official yml.
  'subscription/unsubscribe': [
    { name: 'app_id', type: 'string', required: true },
    { name: 'secret', type: 'string', required: true },
    { name: 'subscription_id', type: 'string', required: true },
  ],
  // Not in the official yml.
  'tiktok_inventory_filters/get': [{ name: 'advertiser_id', type: 'string', required: true }],
  // Not in the official yml.
  'tiktok_inventory_filters/update': [
    { name: 'advertiser_id', type: 'string', required: true },
    { name: 'cover_all_ad_objectives', type: 'boolean' },
    {
      name: 'brand_safety_type',
      type: 'string',
      enum: words('NO_BRAND_SAFETY EXPANDED_INVENTORY STANDARD_INVENTORY LIMITED_INVENTORY THIRD_PARTY'),
    },
    { name: 'category_exclusion_ids', type: 'array', items: { type: 'string' } },
    { name: 'vertical_sensitivity_id', type: 'string' },
  ],
  'tool/brand_safety/partner/authorize/status': [
    { name: 'partner', type: 'string', enum: ['Zefr'], required: true },
    { name: 'advertiser_id', type: 'string', numeric: true, required: true },
  ],
};
