/**
 * Members and names of TikTok's Events API 2.0. Source: TikTok docs 1771101303285761 ("Report App, Web, Offline, or CRM
 * Events"), unless another is named. "Segment" stands for what its published integration sends (second-hand, unverified).
 */
import type { ConversionField } from '../../core/connector/conversion-spec.ts';

/** Standard events of web and offline destinations, by our names. Letter case counts. */
export const WEB_EVENTS: Readonly<Record<string, string>> = {
  ADD_PAYMENT_INFO: 'AddPaymentInfo',
  ADD_TO_CART: 'AddToCart',
  ADD_TO_WISHLIST: 'AddToWishlist',
  APPLICATION_APPROVAL: 'ApplicationApproval',
  COMPLETE_REGISTRATION: 'CompleteRegistration',
  CONTACT: 'Contact',
  CUSTOMIZE_PRODUCT: 'CustomizeProduct',
  DOWNLOAD: 'Download',
  FIND_LOCATION: 'FindLocation',
  INITIATE_CHECKOUT: 'InitiateCheckout',
  LEAD: 'Lead',
  PURCHASE: 'Purchase',
  SCHEDULE: 'Schedule',
  SEARCH: 'Search',
  START_TRIAL: 'StartTrial',
  SUBMIT_APPLICATION: 'SubmitApplication',
  SUBSCRIBE: 'Subscribe',
  VIEW_CONTENT: 'ViewContent',
};

/** Names of the first generation that are still taken: CompletePayment and PlaceAnOrder are now Purchase, SubmitForm is Lead. */
export const LEGACY_WEB_EVENTS = ['CompletePayment', 'PlaceAnOrder', 'SubmitForm', 'ClickButton', 'Pageview'] as const;

/** Standard events of apps, by our names. */
export const APP_EVENTS: Readonly<Record<string, string>> = {
  ACHIEVE_LEVEL: 'AchieveLevel',
  AD_CLICK: 'InAppADClick',
  AD_IMPRESSION: 'InAppADImpr',
  ADD_PAYMENT_INFO: 'AddPaymentInfo',
  ADD_TO_CART: 'AddToCart',
  ADD_TO_WISHLIST: 'AddToWishlist',
  COMPLETE_REGISTRATION: 'Registration',
  COMPLETE_TUTORIAL: 'CompleteTutorial',
  INITIATE_CHECKOUT: 'Checkout',
  INSTALL: 'InstallApp',
  LAUNCH: 'LaunchAPP',
  LEAD: 'GenerateLead',
  LOGIN: 'Login',
  PURCHASE: 'Purchase',
  RATE: 'Rate',
  SEARCH: 'Search',
  SPEND_CREDITS: 'SpendCredits',
  START_TRIAL: 'StartTrial',
  SUBSCRIBE: 'Subscribe',
  UNLOCK_ACHIEVEMENT: 'UnlockAchievement',
  VIEW_CONTENT: 'ViewContent',
};

/** Standard app events without a name of ours. */
export const APP_NATIVE_EVENTS = [
  'CreateGroup',
  'CreateRole',
  'JoinGroup',
  'LoanApplication',
  'LoanApproval',
  'LoanDisbursal',
] as const;

/** Currencies of `properties.currency`. */
export const EVENT_CURRENCIES: readonly string[] =
  'AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF IDR ILS INR ISK JPY KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR PLN PYG QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VES VND ZAR'.split(
    ' ',
  );

/**
 * Members of `data[]`. Traps: `ad.ad_id` is the ad *group*, `ad.creative_id` the ad (names of measurement partners); IDFA
 * is hashed in upper case, GAID in lower case; `external_id` is hashed as it is, for no normalisation is documented.
 */
export const EVENT_FIELDS: readonly ConversionField[] = [
  { unified: 'event', native: 'event' },
  { unified: 'occurred_at', native: 'event_time', value: 'epoch_s' },
  { unified: 'event_id', native: 'event_id' },

  {
    unified: 'user.email',
    native: 'user.email',
    steps: ['trim', 'lowercase'],
    hash: 'sha256',
    many: true,
    personal: true,
  },
  { unified: 'user.phone', native: 'user.phone', steps: ['trim', 'e164'], hash: 'sha256', many: true, personal: true },
  {
    unified: 'user.external_id',
    native: 'user.external_id',
    sources: ['web', 'crm'],
    hash: 'sha256',
    many: true,
    personal: true,
  },
  // Names and postal code: Segment; not in the official table.
  {
    unified: 'user.first_name',
    native: 'user.first_name',
    sources: ['web'],
    steps: ['no_spaces', 'lowercase'],
    hash: 'sha256',
    personal: true,
  },
  {
    unified: 'user.last_name',
    native: 'user.last_name',
    sources: ['web'],
    steps: ['no_spaces', 'lowercase'],
    hash: 'sha256',
    personal: true,
  },
  {
    unified: 'user.postal_code',
    native: 'user.zip_code',
    sources: ['web'],
    steps: ['no_spaces', 'lowercase'],
    hash: 'sha256',
    personal: true,
  },
  // City, state and country in the clear: Segment; not in the official table.
  { unified: 'user.city', native: 'user.city', sources: ['web'], steps: ['alphanumeric', 'lowercase'], personal: true },
  {
    unified: 'user.region',
    native: 'user.state',
    sources: ['web'],
    steps: ['alphanumeric', 'lowercase'],
    personal: true,
  },
  {
    unified: 'user.country',
    native: 'user.country',
    sources: ['web'],
    steps: ['alphanumeric', 'lowercase'],
    personal: true,
  },
  { unified: 'user.click_ids.ttclid', native: 'user.ttclid', sources: ['web'], personal: true },
  { unified: 'user.browser_ids.ttp', native: 'user.ttp', sources: ['web'], personal: true },
  {
    unified: 'user.ip_address',
    native: 'user.ip',
    sources: ['web', 'app'],
    steps: ['trim', 'public_ip'],
    personal: true,
  },
  { unified: 'user.user_agent', native: 'user.user_agent', sources: ['web', 'app'], personal: true },
  { unified: 'user.locale', native: 'user.locale', sources: ['web', 'app'] },

  {
    unified: 'device.idfa',
    native: 'user.idfa',
    sources: ['app'],
    steps: ['trim', 'uppercase'],
    hashed: 'as_given',
    personal: true,
  },
  {
    unified: 'device.gaid',
    native: 'user.gaid',
    sources: ['app'],
    steps: ['trim', 'lowercase'],
    hashed: 'as_given',
    personal: true,
  },
  { unified: 'device.idfv', native: 'user.idfv', sources: ['app'], personal: true },
  { unified: 'device.att_status', native: 'user.att_status', sources: ['app'] },

  { unified: 'page.url', native: 'page.url', sources: ['web'], personal: true },
  { unified: 'page.referrer', native: 'page.referrer', sources: ['web'], personal: true },
  { unified: 'app.id', native: 'app.app_id', sources: ['app'] },
  { unified: 'app.name', native: 'app.app_name', sources: ['app'] },
  { unified: 'app.version', native: 'app.app_version', sources: ['app'] },
  { unified: 'lead.id', native: 'lead.lead_id', sources: ['crm'], personal: true },
  { unified: 'lead.source', native: 'lead.lead_event_source', sources: ['crm'] },

  { unified: 'ad.callback', native: 'ad.callback', sources: ['app'], personal: true },
  { unified: 'ad.campaign_id', native: 'ad.campaign_id', sources: ['app'] },
  { unified: 'ad.group_id', native: 'ad.ad_id', sources: ['app'] },
  { unified: 'ad.ad_id', native: 'ad.creative_id', sources: ['app'] },
  { unified: 'ad.is_retargeting', native: 'ad.is_retargeting', sources: ['app'], value: 'boolean' },
  { unified: 'ad.attributed', native: 'ad.attributed', sources: ['app'], value: 'boolean' },
  { unified: 'ad.attribution_type', native: 'ad.attribution_type', sources: ['app'] },
  { unified: 'ad.attribution_provider', native: 'ad.attribution_provider', sources: ['app'] },
  { unified: 'ad.attribution_share', native: 'ad.attribution_share', sources: ['app', 'web'], value: 'number' },

  { unified: 'value', native: 'properties.value', value: 'number' },
  { unified: 'currency', native: 'properties.currency', allowed: EVENT_CURRENCIES },
  {
    unified: 'contents',
    native: 'properties.contents',
    value: 'contents',
    members: {
      id: { native: 'content_id', value: 'text' },
      name: { native: 'content_name', value: 'text' },
      category: { native: 'content_category', value: 'text' },
      brand: { native: 'brand', value: 'text' },
      price: { native: 'price', value: 'number' },
      // In the official examples, missing from the official table.
      quantity: { native: 'quantity', value: 'integer' },
    },
  },
  { unified: 'content_ids', native: 'properties.content_ids', value: 'texts' },
  {
    unified: 'content_type',
    native: 'properties.content_type',
    values: { PRODUCT: 'product', PRODUCT_GROUP: 'product_group' },
  },
  { unified: 'num_items', native: 'properties.num_items', value: 'integer' },
  { unified: 'order_id', native: 'properties.order_id' },
  { unified: 'shop_id', native: 'properties.shop_id' },
  { unified: 'search_string', native: 'properties.search_string' },
  { unified: 'description', native: 'properties.description' },
  {
    unified: 'customer_type',
    native: 'properties.customer_type',
    sources: ['app', 'web'],
    values: { NEW: 'new', RETURNING: 'returning' },
  },
];
