/** Server-side conversion events: one shape for every platform and source. */
import { z } from 'zod';
import { dateTime } from './common.ts';
import { parseDecimal } from './decimal.ts';

/** Names of events that platforms know in one form or another. Others are the caller's own. */
export const CONVERSION_EVENTS = [
  'ACHIEVE_LEVEL',
  'AD_CLICK',
  'AD_IMPRESSION',
  'ADD_PAYMENT_INFO',
  'ADD_TO_CART',
  'ADD_TO_WISHLIST',
  'APPLICATION_APPROVAL',
  'COMPLETE_REGISTRATION',
  'COMPLETE_TUTORIAL',
  'CONTACT',
  'CUSTOMIZE_PRODUCT',
  'DOWNLOAD',
  'FIND_LOCATION',
  'INITIATE_CHECKOUT',
  'INSTALL',
  'LAUNCH',
  'LEAD',
  'LOGIN',
  'PAGE_VIEW',
  'PURCHASE',
  'RATE',
  'SCHEDULE',
  'SEARCH',
  'SPEND_CREDITS',
  'START_TRIAL',
  'SUBMIT_APPLICATION',
  'SUBSCRIBE',
  'UNLOCK_ACHIEVEMENT',
  'VIEW_CONTENT',
] as const;

/**
 * What becomes of an event. `WAITING`: kept and not yet taken by the platform. `ACCEPTED`: the platform took it.
 * `REFUSED`: the platform or its rules refuse it, and say why. `DUPLICATE`: the same event was there before. `WITHHELD`:
 * not sent, for lack of consent. `EXPIRED`: too old to count at the platform.
 */
export const CONVERSION_STATES = ['WAITING', 'ACCEPTED', 'REFUSED', 'DUPLICATE', 'WITHHELD', 'EXPIRED'] as const;
export type ConversionState = (typeof CONVERSION_STATES)[number];

const SOURCES = ['WEB', 'APP', 'OFFLINE', 'CRM'] as const;

/** Text without the control characters that end lines and log entries. */
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not hold control characters');

const oneOrMany = (what: string) =>
  z
    .union([text(512), z.array(text(512)).min(1).max(20)])
    .optional()
    .describe(what);

const decimal = (what: string) =>
  z
    .union([z.string(), z.number()])
    .refine((value) => parseDecimal(value) !== undefined, 'must be a decimal, such as "46.00"')
    .optional()
    .describe(what);

const consentState = (what: string) => z.enum(['GRANTED', 'DENIED', 'UNSPECIFIED']).optional().describe(what);

const named = (what: string) =>
  z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/), text(2_000))
    .optional()
    .describe(what);

const content = z
  .strictObject({
    id: text(512).optional().describe('Id of the product.'),
    name: text(512).optional(),
    category: text(512).optional(),
    brand: text(512).optional(),
    price: decimal('Price of one piece, in `currency`.'),
    quantity: z.number().int().min(0).max(1e9).optional(),
  })
  .meta({ id: 'AdsConversionContent', description: 'One product of an event.' });

const user = z.strictObject({
  email: oneOrMany('E-mail address, plain or as a SHA-256 digest. Hashed here, as each platform wants it.'),
  phone: oneOrMany('Phone number with `+` and country code, plain or as a SHA-256 digest. Hashed here.'),
  external_id: oneOrMany('Your id of the person, plain or as a SHA-256 digest. Hashed here.'),
  first_name: oneOrMany('Hashed here.'),
  last_name: oneOrMany('Hashed here.'),
  city: text(256).optional(),
  region: text(256).optional().describe('State or province.'),
  country: text(64).optional().describe('ISO 3166 code.'),
  postal_code: text(64).optional().describe('Hashed where the platform wants that.'),
  ip_address: text(64).optional(),
  user_agent: text(2_000).optional(),
  locale: text(35).optional().describe('BCP 47, such as `en-US`.'),
  click_ids: named(
    'What platforms put on the address of a click, by parameter: `{"ttclid": "…"}`. Each platform is sent its own.',
  ),
  browser_ids: named('First-party cookies of platforms, by name: `{"ttp": "…"}`. Each platform is sent its own.'),
});

const device = z.strictObject({
  idfa: text(64).optional().describe('Advertising id of iOS, plain or as a digest.'),
  idfv: text(64).optional().describe('Vendor id of iOS.'),
  gaid: text(64).optional().describe('Advertising id of Android, plain or as a digest.'),
  att_status: z
    .enum(['AUTHORIZED', 'DENIED', 'NOT_DETERMINED', 'RESTRICTED', 'NOT_APPLICABLE'])
    .optional()
    .describe('What the person answered to iOS’s question about tracking.'),
});

const ad = z.strictObject({
  campaign_id: text(64).optional(),
  group_id: text(64).optional(),
  ad_id: text(64).optional(),
  callback: text(2_000).optional().describe('What the platform put on the click for its own recognition.'),
  is_retargeting: z.boolean().optional(),
  attributed: z.boolean().optional().describe('Whether you attributed the event to the platform.'),
  attribution_type: text(128).optional(),
  attribution_provider: text(128).optional(),
  attribution_share: z.number().min(0).max(1).optional(),
});

/** The schema of an event, as callers send it. */
export const adsConversion = z
  .strictObject({
    event: text(100).describe(
      `One of ${CONVERSION_EVENTS.join(', ')}; the platform’s own name of a standard event; or a name of your own, where the source takes those.`,
    ),
    event_id: text(256).describe(
      'Your id of this event, the same for every repetition and for the same event in the browser: platforms and polyad count it once per destination and event name.',
    ),
    occurred_at: dateTime.describe('When it happened.'),
    source: z.enum(SOURCES).optional().describe('Checked against the destination’s, if given.'),
    user: user.optional(),
    device: device.optional(),
    page: z.strictObject({ url: text(4_000).optional(), referrer: text(4_000).optional() }).optional(),
    app: z
      .strictObject({ id: text(256).optional(), name: text(256).optional(), version: text(64).optional() })
      .optional(),
    lead: z
      .strictObject({ id: text(256).optional(), source: text(256).optional().describe('Name of the CRM.') })
      .optional(),
    ad: ad.optional().describe('The ad that it is attributed to, by the ids of the unified objects.'),
    value: decimal('Amount of the whole event, exact, in `currency`.'),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be a currency, such as USD')
      .optional(),
    contents: z.array(content).max(500).optional(),
    content_ids: z.array(text(512)).max(500).optional(),
    content_type: z.enum(['PRODUCT', 'PRODUCT_GROUP']).optional(),
    num_items: z.number().int().min(0).max(1e9).optional(),
    order_id: text(256).optional(),
    shop_id: text(256).optional(),
    search_string: text(1_000).optional(),
    description: text(2_000).optional(),
    customer_type: z.enum(['NEW', 'RETURNING']).optional(),
    consent: z
      .strictObject({
        ad_user_data: consentState('Sending data of the person for ads. DENIED: the event is not sent.'),
        ad_personalization: consentState('Personal ads. DENIED: the event is sent with limited use, or not at all.'),
        limited_data_use: z.boolean().optional().describe('The person opted out of sale (US state laws).'),
      })
      .optional(),
    test_code: text(64)
      .optional()
      .describe('Shows the event in the platform’s test view; it counts for nothing there.'),
    raw: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Native members that this shape lacks, laid over the native event.'),
  })
  .meta({ id: 'AdsConversion', description: 'Something that a customer did, for the platforms that led there.' });
export type AdsConversion = z.output<typeof adsConversion>;

const failure = z.record(z.string(), z.unknown()).describe('In the form of every error.');

/** What became of one event at one destination. */
export const conversionFate = z
  .object({
    id: z.string().optional(),
    destination_id: z.string(),
    connection_id: z.string().optional(),
    event: z.string().describe('As it is named at the platform.'),
    event_id: z.string(),
    occurred_at: dateTime,
    state: z.enum(CONVERSION_STATES),
    test_code: z.string().optional(),
    reason_code: z
      .string()
      .optional()
      .describe('Code of docs/errors.md: why it is refused, withheld, expired or still waiting.'),
    reason: z.string().optional(),
    duplicates: z.number().int().optional().describe('How often the same event came again.'),
    replayable: z.boolean().optional().describe('Refused, and its content is still kept.'),
    created_at: dateTime,
    updated_at: dateTime.optional(),
  })
  .meta({ id: 'AdsConversionFate', description: 'What became of one event at one destination.' });

/** One line of the answer to events that were sent in. */
export const conversionResult = z
  .object({
    index: z.number().int().describe('Position of the event in the call.'),
    destination_id: z.string(),
    event_id: z.string(),
    id: z.string().optional().describe('Of the event here; look its fate up by it.'),
    state: z.enum(CONVERSION_STATES),
    error: failure.optional(),
    native: z.record(z.string(), z.unknown()).optional().describe('dry_run: the event as the platform would get it.'),
  })
  .meta({ id: 'AdsConversionResult', description: 'What became of one event when it came in.' });

/** The answer to events that were sent in. */
export const conversionAnswer = z
  .object({
    results: z.array(conversionResult).describe('By event, then by destination.'),
    summary: z.object({
      total: z.number().int(),
      waiting: z.number().int().describe('Kept, to be sent.'),
      duplicate: z.number().int(),
      refused: z.number().int(),
      withheld: z.number().int(),
      expired: z.number().int(),
    }),
    dry_run: z
      .object({ requests: z.array(z.record(z.string(), z.unknown())) })
      .optional()
      .describe('dry_run: the requests that would be sent; nothing was kept.'),
  })
  .meta({ id: 'AdsConversionAnswer', description: 'What became of events when they came in.' });
