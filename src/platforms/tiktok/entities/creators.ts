/**
 * Fields of identities (identity/get, TikTok docs 1740218420781057) and of creators' authorizations (tt_video/list, the
 * Spark Ads guide). What takes the clock or another call stands in `facts`, put there by `enrich`.
 */
import { boolean, custom, enums, id, number, text, time } from '../../../core/connector/codecs.ts';
import type { FieldRule } from '../../../core/connector/fields.ts';
import type { Native } from '../../../core/connector/types.ts';
import { identityRef } from './promoted-refs.ts';

/** Native identity types and what they read as. Others (TTS_TT, BC_SELF_TT: shop identities) keep their native text. */
export const IDENTITY_TYPE = {
  CUSTOMIZED_USER: 'CUSTOM',
  TT_USER: 'OWN_ACCOUNT',
  BC_AUTH_TT: 'SHARED_ACCOUNT',
  AUTH_CODE: 'CREATOR_POST',
} as const;

const AVAILABILITY = {
  AVAILABLE: 'AVAILABLE',
  NO_VALID_BIND_ACCOUNT: 'NOT_LINKED',
  SCOPE_UNAVAILABLE: 'PERMISSION_MISSING',
  IS_PRIVATE_ACCOUNT: 'PRIVATE_ACCOUNT',
  NOT_BUSINESS_ACCOUNT: 'NOT_BUSINESS_ACCOUNT',
} as const;

/** Why an identity cannot be used, and what its owner does, by available_status. */
const UNAVAILABLE: Readonly<Record<string, string>> = {
  NO_VALID_BIND_ACCOUNT:
    'The TikTok account is not linked any more. Its owner links it again in TikTok Ads Manager (Assets, TikTok accounts), or shares it with the Business Center again.',
  SCOPE_UNAVAILABLE:
    'The TikTok account does not allow this. Its owner grants the permission to use posts in ads: in TikTok Ads Manager, or in the Business Center’s request in the app.',
  IS_PRIVATE_ACCOUNT:
    'The TikTok account is private. Its owner makes it public in the app: Settings and privacy, Privacy, Private account off.',
  NOT_BUSINESS_ACCOUNT:
    'The TikTok account is no business account. Its owner changes that in the app: Settings and privacy, Account, Switch to Business Account.',
};

const filled = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Why an identity cannot be used; undefined where it can. */
export function unavailableReason(row: Native): string | undefined {
  const status = filled(row['available_status']);
  if (status === undefined || status === 'AVAILABLE') return undefined;
  return UNAVAILABLE[status] ?? filled(row['unavailable_reason']) ?? `TikTok says ${status}.`;
}

/**
 * Rights to show and to make posts. An authorised post can be shown and a custom identity neither, whatever the answer
 * says or leaves out (Spark Ads guide).
 */
export function rightsOf(row: Native): { pull: boolean | undefined; push: boolean | undefined } {
  const said = (name: string): boolean | undefined => (typeof row[name] === 'boolean' ? row[name] : undefined);
  if (row['identity_type'] === 'AUTH_CODE') return { pull: true, push: false };
  if (row['identity_type'] === 'CUSTOMIZED_USER') return { pull: false, push: false };
  return { pull: said('can_pull_video'), push: said('can_push_video') };
}

const RIGHTS = ['identity_type', 'can_pull_video', 'can_push_video'] as const;

const right = (kind: 'pull' | 'push') =>
  custom({ name: `tiktok.${kind}Right`, decode: (native) => rightsOf(native as Native)[kind] });

/** Member of a write that holds the picture until it has become `image_uri`. */
export const IDENTITY_IMAGE = 'image_source';

/** Field rules of the identity. */
export const identityFields: readonly FieldRule[] = [
  {
    unified: 'id',
    native: ['identity_type', 'identity_id', 'identity_authorized_bc_id'],
    codec: custom({ name: 'tiktok.identityRef', decode: (native) => identityRef(native as Native) }),
    access: 'read',
    note: '`<identity_type>:<identity_id>[:<Business Center id>]`.',
  },
  { unified: 'organization_id', native: 'advertiser_id', codec: id, access: 'read' },
  { unified: 'type', native: 'identity_type', codec: enums(IDENTITY_TYPE), access: 'read' },
  { unified: 'native_type', native: 'identity_type', codec: text(), access: 'read' },
  { unified: 'name', native: 'display_name', codec: text({ max: 100 }), access: 'create', required: true },
  { unified: 'username', native: 'username', codec: text(), access: 'read' },
  {
    unified: 'image_url',
    native: ['profile_image', IDENTITY_IMAGE],
    codec: custom({
      name: 'tiktok.identityImage',
      decode: (native) => filled((native as Native)['profile_image']),
      encode: (unified, ctx) => ({ [IDENTITY_IMAGE]: text().encode?.(unified, ctx) }),
    }),
    access: 'create',
    required: true,
    note: 'A square picture.',
  },
  { unified: 'availability', native: 'available_status', codec: enums(AVAILABILITY), access: 'read' },
  { unified: 'native_status', native: 'available_status', codec: text(), access: 'read' },
  {
    unified: 'status_reason',
    native: ['available_status', 'unavailable_reason'],
    codec: custom({ name: 'tiktok.identityReason', decode: (native) => unavailableReason(native as Native) }),
    access: 'read',
  },
  { unified: 'can_pull', native: RIGHTS, codec: right('pull'), access: 'read' },
  { unified: 'can_push', native: RIGHTS, codec: right('push'), access: 'read' },
  { unified: 'can_use_live', native: 'can_use_live_ads', codec: boolean, access: 'read' },
  { unified: 'can_manage_messages', native: 'can_manage_message', codec: boolean, access: 'read' },
  { unified: 'ads_only', native: 'ads_only_mode', codec: boolean, access: 'read' },
  { unified: 'manager_id', native: 'identity_authorized_bc_id', codec: id, access: 'read', note: 'Business Center.' },
];

/** Name of the member with what was worked out or looked up. */
export const FACTS = 'facts';

/** What `enrich` adds to a row of tt_video/list. */
export interface AuthorizationFacts {
  state: string;
  reason?: string;
  daysLeft?: number;
  warningDays?: number;
  adIds?: readonly string[];
  music?: string;
}

const IDENTITY = ['user_info.identity_type', 'user_info.identity_id'] as const;

const refOf = (native: unknown): string | undefined => {
  const { [IDENTITY[0]]: type, [IDENTITY[1]]: identity } = native as Native;
  return identityRef({ identity_type: filled(type) ?? 'AUTH_CODE', identity_id: identity });
};

const found = (name: string) => custom({ name, decode: (value) => value });

/** Field rules of the creator authorization. */
export const creatorAuthorizationFields: readonly FieldRule[] = [
  { unified: 'id', native: 'item_info.item_id', codec: id, access: 'read', note: 'Id of the post.' },
  { unified: 'organization_id', native: 'advertiser_id', codec: id, access: 'read' },
  {
    unified: 'code',
    native: 'auth_code',
    codec: text(),
    access: 'create_only',
    required: true,
    note: 'As the creator was shown it, with `#`, `+`, `/` and `=`.',
  },
  {
    unified: 'original_code',
    native: 'original_post_auth_code',
    codec: text(),
    access: 'create_only',
    note: 'Duets, stitches and posts that mention another: the code of the original post.',
  },
  { unified: 'item_id', native: 'item_info.item_id', codec: id, access: 'read' },
  { unified: 'item_type', native: 'item_info.item_type', codec: text(), access: 'read' },
  {
    unified: 'ad_type',
    native: 'item_info.item_type',
    codec: enums({ VIDEO: 'VIDEO', CAROUSEL: 'CAROUSEL' }),
    access: 'read',
  },
  {
    unified: 'identity_id',
    native: IDENTITY,
    codec: custom({ name: 'tiktok.postIdentity', decode: refOf }),
    access: 'read',
  },
  {
    unified: 'promoted',
    native: IDENTITY,
    codec: custom({
      name: 'tiktok.postPromoted',
      decode(native) {
        const ref = refOf(native);
        return ref === undefined ? undefined : [{ type: 'PAGE_ID', id: ref }];
      },
    }),
    access: 'read',
  },
  { unified: 'text', native: 'item_info.text', codec: text(), access: 'read' },
  { unified: 'post_status', native: 'item_info.status', codec: text(), access: 'read' },
  { unified: 'creator_name', native: 'user_info.tiktok_name', codec: text(), access: 'read' },
  { unified: 'start_at', native: 'auth_info.auth_start_time', codec: time.utcText, access: 'read' },
  { unified: 'end_at', native: 'auth_info.auth_end_time', codec: time.utcText, access: 'read' },
  { unified: 'native_status', native: 'auth_info.ad_auth_status', codec: text(), access: 'read' },
  { unified: 'state', native: `${FACTS}.state`, codec: text(), access: 'read' },
  { unified: 'status_reason', native: `${FACTS}.reason`, codec: text(), access: 'read' },
  { unified: 'days_left', native: `${FACTS}.daysLeft`, codec: number(), access: 'read' },
  { unified: 'warning_days', native: `${FACTS}.warningDays`, codec: number(), access: 'read' },
  { unified: 'ad_ids', native: `${FACTS}.adIds`, codec: found('tiktok.adsOfPost'), access: 'read' },
  {
    unified: 'music_status',
    native: `${FACTS}.music`,
    codec: enums({
      WITHOUT_SONG_ID: 'NO_MUSIC',
      WITH_FULL_AUTHORIZATION: 'AUTHORIZED',
      AUTHORIZATION_MISSING: 'MISSING',
    }),
    access: 'read',
  },
  { unified: 'preview_url', native: 'video_info.preview_url', codec: text(), access: 'read' },
  { unified: 'thumbnail_url', native: 'video_info.poster_url', codec: text(), access: 'read' },
  { unified: 'duration_seconds', native: 'video_info.duration', codec: number(), access: 'read' },
  { unified: 'width', native: 'video_info.width', codec: number(), access: 'read' },
  { unified: 'height', native: 'video_info.height', codec: number(), access: 'read' },
];
