import type { Param } from './types.ts';

/**
 * Members of events as TikTok declares them. Facts: TikTok docs 1771101303285761 (event/track), 1738373164380162
 * (pixel/track, pixel/batch); members that only independent clients send are not judged.
 */

/** Currencies that `properties.currency` takes. */
export const EVENT_CURRENCIES =
  'AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF IDR ILS INR ISK JPY KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR PLN PYG QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VES VND ZAR'.split(
    ' ',
  );

/** Standard events of web, offline and CRM sources. Matched to the letter. */
export const STANDARD_EVENTS: ReadonlySet<string> = new Set(
  'AddPaymentInfo AddToCart AddToWishlist ApplicationApproval CompleteRegistration Contact CustomizeProduct Download FindLocation InitiateCheckout Lead Purchase Schedule Search StartTrial SubmitApplication Subscribe ViewContent CompletePayment PlaceAnOrder SubmitForm ClickButton Pageview'.split(
    ' ',
  ),
);

const text = (name: string, required = false): Param => ({ name, type: 'string', ...(required ? { required } : {}) });
const texts = (...names: string[]): Param[] => names.map((name) => text(name));

/** Members of `user` that may be one text or a list of them, in SHA-256. */
export const HASHED_USER_FIELDS = ['email', 'phone', 'external_id'] as const;
/** Further members that must be hashed, by independent clients only. */
export const ALSO_HASHED = ['first_name', 'last_name', 'zip_code', 'phone_number'] as const;

const USER: Param = {
  name: 'user',
  type: 'object',
  fields: [
    ...texts('ttclid', 'ttp', 'ip', 'user_agent', 'idfa', 'idfv', 'gaid', 'locale'),
    {
      name: 'att_status',
      type: 'string',
      enum: ['AUTHORIZED', 'DENIED', 'NOT_DETERMINED', 'RESTRICTED', 'NOT_APPLICABLE'],
    },
  ],
};

const CONTENTS: Param = {
  name: 'contents',
  type: 'array',
  items: {
    type: 'object',
    fields: [
      { name: 'price', type: 'number' },
      { name: 'quantity', type: 'integer' },
      ...texts('content_id', 'content_category', 'content_name', 'brand'),
    ],
  },
};

const CURRENCY: Param = { name: 'currency', type: 'string', enum: EVENT_CURRENCIES };
const VALUE: Param = { name: 'value', type: 'number' };
const PAGE_FIELDS: Param[] = [text('url', true), text('referrer')];

/** Epoch seconds. That times in milliseconds are refused is unverified; nobody means the year 58000. */
const EVENT_TIME: Param = { name: 'event_time', type: 'integer', required: true, min: 0, max: 9_999_999_999 };

/** One member of `data` of event/track. */
export const TRACK_ITEM: readonly Param[] = [
  { name: 'event', type: 'string', required: true, min: 1 },
  EVENT_TIME,
  text('event_id'),
  USER,
  {
    name: 'properties',
    type: 'object',
    fields: [
      { name: 'content_ids', type: 'array', items: { type: 'string' } },
      CONTENTS,
      { name: 'content_type', type: 'string', enum: ['product', 'product_group'] },
      CURRENCY,
      VALUE,
      { name: 'num_items', type: 'integer' },
      ...texts('search_string', 'query', 'description', 'order_id', 'shop_id'),
      { name: 'customer_type', type: 'string', enum: ['new', 'returning'] },
    ],
  },
  { name: 'page', type: 'object', fields: PAGE_FIELDS },
  { name: 'app', type: 'object', fields: [text('app_id', true), ...texts('app_name', 'app_version')] },
  {
    name: 'ad',
    type: 'object',
    fields: [
      ...texts('callback', 'campaign_id', 'ad_id', 'creative_id', 'attribution_type', 'attribution_provider'),
      { name: 'is_retargeting', type: 'boolean' },
      { name: 'attributed', type: 'boolean' },
      { name: 'attribution_share', type: 'number', min: 0, max: 1 },
    ],
  },
  { name: 'limited_data_use', type: 'boolean' },
  { name: 'lead', type: 'object', fields: [text('lead_id', true), text('lead_event_source')] },
];

/** One event of the first generation (pixel, and by likeness app and offline: unverified). */
export const LEGACY_ITEM: readonly Param[] = [
  { name: 'event', type: 'string', required: true, min: 1 },
  ...texts('event_id', 'timestamp'),
  {
    name: 'context',
    type: 'object',
    fields: [
      { name: 'ad', type: 'object', fields: [text('callback')] },
      { name: 'page', type: 'object', fields: texts('url', 'referrer') },
      { name: 'user', type: 'object', fields: texts('ttp', 'locale') },
      ...texts('ip', 'user_agent'),
    ],
  },
  {
    name: 'properties',
    type: 'object',
    fields: [
      {
        name: 'contents',
        type: 'array',
        items: {
          type: 'object',
          fields: [
            { name: 'price', type: 'number' },
            { name: 'quantity', type: 'number' },
            ...texts('content_type', 'content_id', 'content_name', 'content_category', 'status'),
          ],
        },
      },
      CURRENCY,
      VALUE,
      ...texts('description', 'query'),
    ],
  },
];
