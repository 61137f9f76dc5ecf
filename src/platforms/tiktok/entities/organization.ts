/** Fields of an ad account (native: advertiser). Source: advertiser/info, TikTok docs 1739593083610113. */
import { custom, enums, id, text, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';

const status = enums({
  STATUS_ENABLE: 'ACTIVE',
  // Suspended by TikTok: the account is there, nothing runs.
  STATUS_LIMIT: 'PAUSED',
  STATUS_DISABLE: 'PAUSED',
  // Waiting for TikTok's review or the owner's papers.
  STATUS_PENDING_CONFIRM: 'PROCESSING',
  STATUS_PENDING_VERIFIED: 'PROCESSING',
  STATUS_PENDING_CONFIRM_MODIFY: 'PROCESSING',
  STATUS_WAIT_FOR_BPM_AUDIT: 'PROCESSING',
  STATUS_WAIT_FOR_PUBLIC_AUTH: 'PROCESSING',
  STATUS_SELF_SERVICE_UNAUDITED: 'PROCESSING',
  STATUS_CONTRACT_PENDING: 'PROCESSING',
  // Refused by the review.
  STATUS_CONFIRM_FAIL: 'PROCESSING_FAILED',
  STATUS_CONFIRM_FAIL_END: 'PROCESSING_FAILED',
  STATUS_CONFIRM_MODIFY_FAIL: 'PROCESSING_FAILED',
});

/** `display_timezone` is an IANA name. `timezone` may be `Etc/GMT+8`, whose sign is POSIX's: eight hours behind UTC. */
const timezone = custom({
  name: 'tiktok.timezone',
  decode(native) {
    const { display_timezone: shown, timezone: posix } = native as Record<string, unknown>;
    return text().decode(shown, {}) ?? text().decode(posix, {});
  },
});

/** Field rules of the organization; nothing of an ad account can be written through its own token. */
export const organizationFields: readonly FieldRule[] = [
  { unified: 'id', native: 'advertiser_id', codec: id, access: 'read' },
  {
    unified: 'account_number',
    native: 'advertiser_id',
    codec: id,
    access: 'read',
    note: 'The number TikTok shows to people is the id.',
  },
  { unified: 'name', native: 'name', codec: text(), access: 'read' },
  { unified: 'currency', native: 'currency', codec: text(), access: 'read' },
  { unified: 'timezone', native: ['display_timezone', 'timezone'], codec: timezone, access: 'read' },
  { unified: 'parent_id', native: 'owner_bc_id', codec: id, access: 'read', note: 'The owning Business Center.' },
  { unified: 'status', native: 'status', codec: status, access: 'read' },
  { unified: 'created_at', native: 'create_time', codec: time.epochSeconds, access: 'read' },
];
