/** `status` (what the owner wants) and `effective_status` (what TikTok does) of campaigns, ad groups and ads. */
import { type Codec, custom, enums } from '../../core/connector/codecs.ts';
import type { FieldRule } from '../../core/connector/fields.ts';
import type { FilterRule } from '../../core/connector/object-spec.ts';
import type { Native } from '../../core/connector/types.ts';
import { EFFECTIVE, REASONS } from './statuses-table.ts';

const OWN = enums(
  { ENABLE: 'ACTIVE', DISABLE: 'PAUSED', DELETE: 'ARCHIVED', FROZEN: 'PAUSED' },
  {
    // Deletion cannot be undone, so it is the DELETE method's business and never a side effect of an update.
    write: { ARCHIVED: null, PAUSED: 'DISABLE' },
  },
);

/** The object itself was deleted (not a parent of it): its own operation_status may still say ENABLE then. */
const OWN_DELETION: ReadonlySet<string> = new Set([
  'CAMPAIGN_STATUS_DELETE',
  'ADGROUP_STATUS_DELETE',
  'AD_STATUS_DELETE',
  'MATERIAL_DELETE',
]);

/** What operation_status alone tells, where there is no secondary_status (the sandbox has none). */
const WITHOUT_SECONDARY: Readonly<Record<string, string>> = {
  ENABLE: 'UNSPECIFIED',
  DISABLE: 'PAUSED',
  DELETE: 'REMOVED',
  FROZEN: 'MISCONFIGURED',
};

/** What secondary_status alone tells of the owner's wish, where operation_status is absent. */
const WITHOUT_OWN: Readonly<Record<string, string>> = { PAUSED: 'PAUSED', REMOVED: 'ARCHIVED' };

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const status: Codec = custom({
  name: 'tiktok.status',
  ...(OWN.allowed === undefined ? {} : { allowed: OWN.allowed }),
  decode(native, ctx) {
    const { operation_status: own, secondary_status: secondary } = native as Record<string, unknown>;
    const effective = text(secondary);
    if (effective !== undefined && OWN_DELETION.has(effective)) return 'ARCHIVED';
    if (text(own) !== undefined) return OWN.decode(own, ctx);
    return effective === undefined ? undefined : (WITHOUT_OWN[EFFECTIVE[effective] ?? ''] ?? 'ACTIVE');
  },
  encode: (unified, ctx) => ({ operation_status: OWN.encode?.(unified, ctx) }),
});

const effectiveStatus: Codec = custom({
  name: 'tiktok.effectiveStatus',
  decode(native) {
    const { operation_status: own, secondary_status: secondary } = native as Record<string, unknown>;
    const effective = text(secondary);
    if (effective !== undefined) return EFFECTIVE[effective] ?? effective;
    const wanted = text(own);
    return wanted === undefined ? undefined : (WITHOUT_SECONDARY[wanted] ?? wanted);
  },
});

const native = ['operation_status', 'secondary_status'] as const;

/** The rule of `status`; written as operation_status ENABLE or DISABLE. */
export const statusRule: FieldRule = {
  unified: 'status',
  native,
  codec: status,
  access: 'write',
  note: 'ACTIVE and PAUSED can be set; deletion is the DELETE method. Deleted objects read ARCHIVED.',
};

/** The rule of `effective_status`. */
export const effectiveStatusRule: FieldRule = {
  unified: 'effective_status',
  native,
  codec: effectiveStatus,
  access: 'read',
};

/** The effective status as TikTok writes it. */
export const nativeStatusRule: FieldRule = {
  unified: 'native_status',
  native: 'secondary_status',
  codec: custom({ name: 'text', decode: text }),
  access: 'read',
};

/** Why an ad is not shown, and what to do. */
export const statusReasonRule: FieldRule = {
  unified: 'status_reason',
  native: 'secondary_status',
  codec: custom({ name: 'tiktok.statusReason', decode: (value) => REASONS[text(value) ?? ''] }),
  access: 'read',
};

const AUTOMATION: Readonly<Record<string, string>> = {
  MANUAL: 'manual',
  SMART_PLUS: 'smart_plus_legacy',
  UPGRADED_SMART_PLUS: 'smart_plus',
  // How ad/get marks the creatives of such ads (TikTok docs 1854103649826817).
  UPGRADED_SMART_PLUS_CREATIVE: 'smart_plus',
};

/**
 * Which generation of TikTok's automation an object belongs to, by what campaign/get, adgroup/get and ad/get say of it
 * (TikTok docs 1854103649826817). Undefined = the answer does not say, as in the sandbox.
 */
export function automationOf(row: Native): string | undefined {
  const said = text(row['campaign_automation_type']);
  if (said !== undefined) return AUTOMATION[said] ?? said;
  if (text(row['smart_plus_ad_id']) !== undefined) return 'smart_plus';
  const legacy = row['is_smart_performance_campaign'];
  return legacy === true ? 'smart_plus_legacy' : legacy === false ? 'manual' : undefined;
}

/** The rule of `automation`; its write is no member of a body, but chooses the endpoint. */
export const automationRule: FieldRule = {
  unified: 'automation',
  native: ['campaign_automation_type', 'is_smart_performance_campaign', 'smart_plus_ad_id'],
  codec: custom({ name: 'tiktok.automation', decode: (native) => automationOf(native as Native) }),
  access: 'read',
};

const primary = (query: Native, value: string | undefined): void => {
  if (value !== undefined) query['primary_status'] = value;
};

/** Lists leave deleted objects out unless asked, so ARCHIVED has to ask; TikTok cannot filter by the owner's wish else. */
export const statusFilter: FilterRule = {
  kind: 'native_then_local',
  apply: (value, query) => primary(query, value === 'ARCHIVED' ? 'STATUS_DELETE' : undefined),
};

/**
 * Narrowed natively where one primary status holds all rows of the group (TikTok docs 1757239620352002): paused by itself
 * or a parent, removed, and not delivering for review, refusal or limits.
 */
export const effectiveStatusFilter: FilterRule = {
  kind: 'native_then_local',
  apply: (value, query) =>
    primary(
      query,
      (
        {
          PAUSED: 'STATUS_DISABLE',
          REMOVED: 'STATUS_DELETE',
          PENDING: 'STATUS_NOT_DELIVERY',
          NOT_ELIGIBLE: 'STATUS_NOT_DELIVERY',
          LIMITED: 'STATUS_NOT_DELIVERY',
        } as Record<string, string>
      )[value],
    ),
};
