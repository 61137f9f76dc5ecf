/** Enums of integrations, connections, their calls and errors: what is not an advertising object. */
import type { Actor } from '../errors/errors-table.ts';

/** Category of an integration on the wire. polyad's own integrations are `ads` and `passthrough`. */
export const CATEGORIES = [
  'passthrough',
  'hris',
  'ats',
  'auth',
  'saml',
  'crm',
  'enrich',
  'martech',
  'ticketing',
  'uc',
  'accounting',
  'storage',
  'commerce',
  'payment',
  'genai',
  'messaging',
  'kms',
  'task',
  'scim',
  'lms',
  'repo',
  'metadata',
  'calendar',
  'verification',
  'ads',
  'analytics',
  'forms',
  'shipping',
  'assessment',
  'signing',
  'clubs',
  'datastore',
  'cdp',
  'performance',
  'social',
] as const;
export type Category = (typeof CATEGORIES)[number];

/** Whether an integration honours a list option; `supported-required` means the list call is refused without it. */
export const SUPPORT_LEVELS = ['supported-required', 'supported', 'not-supported'] as const;
export type SupportLevel = (typeof SUPPORT_LEVELS)[number];

/** How a change reaches a webhook: pushed by the platform, or found by polling. */
export const WEBHOOK_TYPES = ['virtual', 'native'] as const;
export type WebhookType = (typeof WEBHOOK_TYPES)[number];

/** What kind of call the call log recorded. */
export const API_CALL_TYPES = ['login', 'webhook', 'inbound', 'mcp'] as const;
export type ApiCallType = (typeof API_CALL_TYPES)[number];

/** Health of a connection. `unknown` until the first call. */
export const HEALTH_STATES = ['healthy', 'unhealthy', 'unknown'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** Where a connection's tokens stand in their life: docs/guides/tokens.md has what each means. */
export const LIFECYCLES = [
  'healthy',
  'expiring',
  'refreshing',
  'degraded',
  'reauthorization_due',
  'revoked',
  'paused',
] as const;

/** Who must act on an error. */
export const ACTORS = ['caller', 'customer', 'operator', 'platform'] as const satisfies readonly Actor[];
