/** What creators do in the TikTok app, and what TikTok's refusals of their codes mean. */
import type { Classification } from '../../core/connector/types.ts';

/** Steps in the app, in the order of the menus (Spark Ads guide: Ad settings, Ad authorization, Generate code). */
const AUTHORIZE =
  'In the TikTok app: open the post, tap the three dots, Ad settings, switch Ad authorization on, choose how many days, Generate code, copy the whole code.';
const PUBLIC =
  'In the TikTok app: open the post, tap the three dots, Privacy settings, “Who can watch this post”: Everyone. Deleted posts do not come back; choose another one.';

/** What the creator does, by error code. */
export const CREATOR_ACTION: Readonly<Partial<Record<Classification['code'], string>>> = {
  creator_code_invalid: AUTHORIZE,
  creator_code_expired: `${AUTHORIZE} A code that is there already can be given more days in the same place.`,
  creator_code_used: `In the same settings the creator deletes the old code first. ${AUTHORIZE}`,
  creator_code_deleted: AUTHORIZE,
  creator_original_code_required:
    'The creator of the original post generates a code too; it is sent as `original_code` beside that of this post.',
  creator_authorization_off: AUTHORIZE,
  creator_authorization_ended: AUTHORIZE,
  creator_post_unavailable: PUBLIC,
};

/**
 * The refusals of tt_video/authorize. All are 40002 or its kin and differ by the message alone, whose words TikTok does
 * not document (unverified): what none of these knows is an invalid code.
 */
const REFUSALS: readonly [RegExp, Classification['code']][] = [
  [/original[_ ](post|video|item|author|code)/i, 'creator_original_code_required'],
  [/expired|expir(y|ation)|out of date/i, 'creator_code_expired'],
  [/(delet|revok|cancel)\w*/i, 'creator_code_deleted'],
  [
    /(already|been) (been )?(used|authori[sz]ed|redeemed|bound)|another (ad ?account|advertiser)|in use/i,
    'creator_code_used',
  ],
  [
    /private|not public|only (me|friends)|ONLY_\w+_SEE|post .*(status|not available|unavailable)|under review/i,
    'creator_post_unavailable',
  ],
  [
    /(authori[sz]ation|promot\w*) (is |has been )?(off|disabled|not (on|enabled|allowed)|closed|turned off)/i,
    'creator_authorization_off',
  ],
];

const DELETED_POST = /\b(post|video|item)\b[^.]*\bdelet/i;

/** What a refusal of a creator's code means. */
export function codeRefusal(message: string): Classification['code'] {
  if (DELETED_POST.test(message)) return 'creator_post_unavailable';
  return REFUSALS.find(([pattern]) => pattern.test(message))?.[1] ?? 'creator_code_invalid';
}

/** Post statuses in which nobody but the creator or friends sees a post, or nobody at all (identity/video/get). */
export function postProblem(status: unknown): string | undefined {
  if (typeof status !== 'string') return undefined;
  if (/ONLY_(AUTHOR|FRIEND)_SEE/.test(status)) return `The post is not public (TikTok says ${status}). ${PUBLIC}`;
  if (/DELETE/.test(status)) return `The post is deleted (TikTok says ${status}). Choose another one.`;
  if (/REVIEW_PENDING/.test(status)) return 'TikTok is still reviewing the post.';
  return undefined;
}
