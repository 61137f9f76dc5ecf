/**
 * Webhooks that a platform sends to us: how they are signed, what is in them, and how they are asked for. The core checks
 * the signature (platform code sees no secret), drops what came before, and hands on what is new as events.
 */
import type { Native, PlatformRequest } from './types.ts';

/** What a callback can tell, whatever the platform. */
export const HOOK_KINDS = [
  'lead',
  'ad_rejected',
  'group_rejected',
  'account_suspended',
  'creative_fatigue',
  'report_changed',
  'service_status',
] as const;
export type HookKind = (typeof HOOK_KINDS)[number];

/** One thing that a callback tells. */
export interface HookEntry {
  kind: HookKind;
  /** The same for repetitions of the same entry. */
  identity: string;
  /** Ad accounts that it concerns; empty = the whole app. */
  organizationIds: string[];
  /** Facts in unified names, for the event. */
  payload: Record<string, unknown>;
}

export interface HookSubscription {
  id: string;
  kind: HookKind | undefined;
  /** The platform's own word. */
  native_kind: string;
  callback_url: string;
  organization_ids: string[];
}

export interface WebhookSpec {
  /** HMAC over the raw body with the app's secret. `escaped`: characters beyond ASCII as `\uXXXX` first. */
  signature: { header: string; algorithm: 'sha256'; encoding: 'hex'; over: 'body' | 'escaped_body' };
  /** Entries of a body whose signature was right; unknown ones are left out, and counted by the core. */
  read(body: unknown): { entries: HookEntry[]; unknown: number };
  /** Kinds that can be asked for. */
  kinds: readonly HookKind[];
  /** `more`: further native members, such as the id of a form. */
  subscribe(kind: HookKind, organizationId: string, callbackUrl: string, more: Native): PlatformRequest;
  /** Id in the answer of `subscribe`. */
  subscribed(answer: unknown): string;
  list(kind: HookKind): PlatformRequest;
  listed(answer: unknown): HookSubscription[];
  unsubscribe(id: string): PlatformRequest;
}
