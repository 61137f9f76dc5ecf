import { z } from 'zod';
import { dateTime, openEnum } from './common.ts';
import { CATEGORIES, SUPPORT_LEVELS, WEBHOOK_TYPES } from './enums-connection.ts';

const text = (what: string) => z.string().optional().describe(what);
const flag = (what: string) => z.boolean().optional().describe(what);
const jsonValue = z
  .union([z.string(), z.number(), z.boolean(), z.array(z.unknown()), z.record(z.string(), z.unknown())])
  .meta({ id: 'JsonValue', description: 'Any JSON value but null.' });
const json = (what: string) => jsonValue.optional().describe(what);

/** List options whose support an integration declares, as flags `list_<name>`. */
export const LIST_SUPPORT_OPTIONS = [
  'limit',
  'offset',
  'order',
  'query',
  'sort_by_name',
  'sort_by_created_at',
  'sort_by_updated_at',
  'updated_gte',
  'start_gte',
  'end_lt',
  'org_id',
  'campaign_id',
  'group_id',
  'ad_id',
  'io_id',
  'parent_id',
  'status',
  'effective_status',
  'goal',
  'type',
  'dimension',
  'raw_fields',
  'expand',
  'fulltext',
] as const;
export type ListSupportOption = (typeof LIST_SUPPORT_OPTIONS)[number];

/** Webhook filters whose support an integration declares for polling, as flags `virtual_webhook_<name>`. */
export const VIRTUAL_WEBHOOK_OPTIONS = [
  'ad_id',
  'campaign_id',
  'effective_status',
  'end_lt',
  'expand',
  'fields',
  'group_id',
  'io_id',
  'limit',
  'org_id',
  'parent_id',
  'start_gte',
  'status',
  'type',
  'updated_gte',
] as const;

/** Webhook filters whose support an integration declares for pushes, as flags `native_webhook_<name>`. */
export const NATIVE_WEBHOOK_OPTIONS = ['io_id', 'parent_id', 'type', 'updated_gte'] as const;

const supportLevel = openEnum(SUPPORT_LEVELS).optional();
type SupportFlag = typeof supportLevel;

function flags<const P extends string, const N extends string>(prefix: P, names: readonly N[], what: string) {
  const entries = names.map((name) => [`${prefix}_${name}`, supportLevel.describe(`${what} \`${name}\`.`)]);
  return Object.fromEntries(entries) as Record<`${P}_${N}`, SupportFlag>;
}

const webhookWays = (what: string) => z.array(openEnum(WEBHOOK_TYPES)).optional().describe(what);

/** What an integration can do with one object. */
export const integrationSupport = z
  .object({
    methods: z
      .record(z.string(), z.boolean())
      .optional()
      .describe('Which of `list`, `get`, `create`, `update`, `remove` work.'),
    inbound_fields: z
      .record(z.string(), z.string())
      .optional()
      .describe("Fields of answers: unified field to the platform's field."),
    outbound_fields: z
      .record(z.string(), z.string())
      .optional()
      .describe("Fields taken in requests: unified field to the platform's field."),
    raw_objects: z.array(z.string()).optional().describe("Names of the platform's objects behind this one."),
    slow_fields: z.array(z.string()).optional().describe('Fields that cost further calls to the platform.'),
    webhook_events: z
      .object({
        created: webhookWays('How creations are noticed.'),
        updated: webhookWays('How changes are noticed.'),
        deleted: webhookWays('How deletions are noticed.'),
      })
      .optional()
      .describe('How changes are noticed.'),
    from_webhook: supportLevel.describe('Whether a webhook carries the object.'),
    ...flags('list', LIST_SUPPORT_OPTIONS, 'Support of the list option'),
    ...flags('virtual_webhook', VIRTUAL_WEBHOOK_OPTIONS, 'Support, by polling, of the webhook filter'),
    ...flags('native_webhook', NATIVE_WEBHOOK_OPTIONS, 'Support, by push, of the webhook filter'),
  })
  .meta({ id: 'IntegrationSupport', description: 'What an integration can do with one object.' });
export type IntegrationSupport = z.infer<typeof integrationSupport>;

/** A platform as offered in a workspace. */
export const integration = z
  .object({
    active_healthy_connections: z.number().optional().describe('How many connections work.'),
    api: json("Facts about the platform's API, `urls` among them."),
    api_docs_url: text("Address of the platform's documentation."),
    beta: flag('True while the integration may still change.'),
    categories: z.array(openEnum(CATEGORIES)).describe('Categories; `ads` for ad platforms.'),
    color: text('Colour of the brand, CSS.'),
    created_at: text('When the integration was added.'),
    description: text('What the integration does.'),
    fa_icon: text('Name of an icon.'),
    featured: flag('True when shown first.'),
    in_progress: flag('True while the integration is being built.'),
    is_active: flag('True when switched on in this workspace.'),
    is_hidden: flag('True when kept out of directories.'),
    logo_url: text('Address of the logo.'),
    name: z.string().describe('Name of the platform.'),
    partnership: json('Terms of a partnership.'),
    popularity: z.number().optional().describe('Rank by use.'),
    rate_limit_description: text("The platform's limits, in words."),
    requires_cname: flag('True when a host name of your own is needed.'),
    saml: json('SAML settings.'),
    sandbox: json("The platform's test environment and polyad's simulator of it."),
    support: z
      .record(z.string(), integrationSupport)
      .optional()
      .describe('What works, by object: `ads_campaign`, `ads_report` and so on.'),
    tested_at: dateTime.optional().describe('When the integration was last tested.'),
    text_color: text('Colour of text on `color`, CSS.'),
    token_instructions: z.array(z.string()).optional().describe('How to find each value of `token_names`.'),
    token_names: z.array(z.string()).optional().describe('Values a person enters, when there is no OAuth.'),
    type: z.string().describe('Type slug.'),
    updated_at: text('When the integration was last changed.'),
    web_url: text("Address of the platform's site."),
  })
  .meta({ id: 'Integration', description: 'A platform as offered in a workspace.' });
export type Integration = z.infer<typeof integration>;
