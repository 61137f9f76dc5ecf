/**
 * What an object is really doing, by TikTok's `secondary_status`. Source: TikTok docs 1757239620352002 (primary and
 * secondary statuses); rows that page does not explain are placed by their name (unverified), marked `?`.
 */
import type { EffectiveStatus } from '../../core/model/enums.ts';

const rows = (status: EffectiveStatus, prefix: string, names: string): [string, EffectiveStatus][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [prefix + name, status]);

/** secondary_status -> unified effective status. What is not here is passed on as TikTok wrote it. */
export const EFFECTIVE: Readonly<Record<string, EffectiveStatus>> = Object.fromEntries([
  // campaigns
  ...rows('SERVING', 'CAMPAIGN_STATUS_', 'ENABLE'),
  ...rows('PAUSED', 'CAMPAIGN_STATUS_', 'DISABLE AWAITING_RELEASE'),
  ...rows('REMOVED', 'CAMPAIGN_STATUS_', 'DELETE'),
  ...rows('PENDING', 'CAMPAIGN_STATUS_', 'ADVERTISER_AUDIT'),
  ...rows('NOT_ELIGIBLE', 'CAMPAIGN_STATUS_', 'ADVERTISER_AUDIT_DENY REVIEW_DISAPPROVED'),
  ...rows('LIMITED', 'CAMPAIGN_STATUS_', 'BUDGET_EXCEED'),
  ...rows(
    'MISCONFIGURED',
    'CAMPAIGN_STATUS_',
    `TIKTOK_SHOP_UNAVAILABLE PRODUCT_UNAVAILABLE AD_UNAVAILABLE IDENTITY_USED_BY_GMV_MAX_AD
     IDENTITY_USED_BY_LIVE_GMV_MAX PRODUCT_USED_BY_PRODUCT_GMV_MAX TTS_TT_ASSET_UNAVAILABLE
     TTS_TT_IDENTITY_UNAVAILABLE LIVE_GMV_MAX_AUTHORIZATION_CANCEL PRODUCT_GMV_MAX_AUTHORIZATION_CANCEL`,
  ),
  // ad groups
  ...rows(
    'SERVING',
    'ADGROUP_STATUS_',
    `DELIVERY_OK PARTIAL_AUDIT_DELIVERY_OK REVIEW_PARTIALLY_APPROVED SHADOW_ADGROUP_REAUDIT
     SEARCH_KEYWORDS_PARTIAL_APPROVED`,
  ),
  ...rows('PAUSED', 'ADGROUP_STATUS_', 'DISABLE CAMPAIGN_DISABLE'),
  ...rows('REMOVED', 'ADGROUP_STATUS_', 'DELETE CAMPAIGN_DELETE'),
  ...rows('PENDING', 'ADGROUP_STATUS_', 'AUDIT REAUDIT ADVERTISER_AUDIT SEARCH_KEYWORDS_IN_REVIEW RF_BOOKING'),
  ...rows('PENDING', 'ADGROUP_STATUS_', 'NOT_START LIVE_NOT_START ADGROUP_PRE_ONLINE RF_SCHEDULE'),
  ...rows(
    'NOT_ELIGIBLE',
    'ADGROUP_STATUS_',
    `AUDIT_DENY ADVERTISER_AUDIT_DENY PARTIAL_AUDIT_NO_DELIVERY INDUSTRY_QUALIFICATION_MISSING
     INDUSTRY_QUALIFICATION_EXPIRED INDUSTRY_QUALIFICATION_DENY RF_AD_AUDIT_DENY PROMOTE_AD_NOT_APPROVED`, // ? last
  ),
  ...rows(
    'ENDED',
    'ADGROUP_STATUS_',
    'TIME_DONE RF_TIME_DONE RF_CLOSED_OTHERS RF_TERMINATE RF_WITHDRAW_ORDER PROMOTE_WITHDRAW_ORDER', // ? last
  ),
  ...rows(
    'LIMITED',
    'ADGROUP_STATUS_',
    'BUDGET_EXCEED CAMPAIGN_EXCEED BALANCE_EXCEED ADGROUP_QUOTA_LIMIT RF_SHORT_BALANCE',
  ),
  ...rows(
    'MISCONFIGURED',
    'ADGROUP_STATUS_',
    `CREATE FROZEN PIXEL_UNBIND ASSET_AUTHORIZATION_LOST TRANSCODING_FAIL IDENTITY_USED_BY_GMV_MAX_AD
     SEARCH_KEYWORDS_NOT_AVAILABLE RF_DEDUCTION_FAILED RF_NO_VALID_CREATIVE RF_NO_DELIVERY_CREATIVE
     RF_ADGROUP_INVALID`,
  ),
  // ads
  ...rows('SERVING', 'AD_STATUS_', 'DELIVERY_OK PARTIAL_AUDIT_DELIVERY_OK REVIEW_PARTIALLY_APPROVED'),
  ...rows('PAUSED', 'AD_STATUS_', 'DISABLE CAMPAIGN_DISABLE ADGROUP_DISABLE'),
  ...rows('REMOVED', 'AD_STATUS_', 'DELETE ADGROUP_DELETE CAMPAIGN_DELETE'),
  ...rows('PENDING', 'AD_STATUS_', 'AUDIT REAUDIT ADVERTISER_AUDIT PROCESS_AUDIO'),
  ...rows('PENDING', 'AD_STATUS_', 'NOT_START AD_PRE_ONLINE LIVE_OFFLINE'),
  ...rows(
    'NOT_ELIGIBLE',
    'AD_STATUS_',
    `AUDIT_DENY ADGROUP_AUDIT_DENY ADVERTISER_AUDIT_DENY PARTIAL_AUDIT_NO_DELIVERY
     ADGROUP_PARTIAL_AUDIT_NO_DELIVERY ADGROUP_INDUSTRY_QUALIFICATION_MISSING
     ADGROUP_INDUSTRY_QUALIFICATION_EXPIRED ADGROUP_INDUSTRY_QUALIFICATION_DENY MUSIC_AUTHORIZATION_MISSING
     PROMOTE_AD_OFFLINE_AUDIT CREATIVE_PRODUCT_ALL_REJECTED`, // ? last two
  ),
  ...rows('ENDED', 'AD_STATUS_', 'DONE RF_ADGROUP_CLOSED PROMOTE_ADGROUP_CLOSED'), // ? last
  ...rows('LIMITED', 'AD_STATUS_', 'BUDGET_EXCEED CAMPAIGN_EXCEED BALANCE_EXCEED AD_QUOTA_LIMIT'),
  ...rows(
    'MISCONFIGURED',
    'AD_STATUS_',
    `TRANSCODING_FAIL ASSET_AUTHORIZATION_LOST ADGROUP_ASSET_AUTHORIZATION_LOST PRODUCT_UNAVAILABLE
     ANCHOR_UNAVAILABLE NO_AUTHORIZATION_OF_SHOWCASE CREATOR_AUTHORIZATION_REVOKED CREATIVE_ANCHOR_UNAVAILABLE
     SHOWCASE_AUTHORIZATION_LOST`,
  ),
  // whole literals without a prefix of their own; AD_STAUS_ is TikTok's spelling
  ...rows('MISCONFIGURED', '', 'AD_STAUS_PIXEL_UNBIND PRODUCT_ANCHOR_UNAVAILABLE NO_AVAILABLE_PRODUCTS'),
  ...rows('PENDING', '', 'ADVERTISER_CONTRACT_PENDING ADVERTISER_REAUDIT'),
  ...rows('NOT_ELIGIBLE', '', 'ADVERTISER_ACCOUNT_PUNISH ADVERTISER_ACCOUNT_INVALID'),
  ...rows('LIMITED', '', 'ADVERTISER_ACCOUNT_BALANCE_EXCEED'),
  ...rows('PAUSED', '', 'CREATIVE_PAUSED_USED_IN_GMV_MAX'),
  // materials of Smart+ ads
  ...rows('SERVING', 'MATERIAL_', 'DELIVERY_OK AUDIT_PARTIAL_APPROVED'),
  ...rows('PAUSED', 'MATERIAL_', 'DISABLE'),
  ...rows('REMOVED', 'MATERIAL_', 'DELETE'),
  ...rows('PENDING', 'MATERIAL_', 'AUDIT'),
  ...rows('NOT_ELIGIBLE', 'MATERIAL_', 'AUDIT_DENY'),
]);

const AUTHORIZE_AGAIN =
  'Ask the creator for a new code or more days (in the TikTok app: the post, Ad settings, Ad authorization) and redeem it; the ad goes on by itself when the post is authorised again.';

/** Why an object is not shown and who does what, by secondary_status; for those that a status word does not explain. */
export const REASONS: Readonly<Record<string, string>> = {
  AD_STATUS_CREATOR_AUTHORIZATION_REVOKED: `The creator’s authorization of the post has ended or was taken back. ${AUTHORIZE_AGAIN}`,
  AD_STATUS_ASSET_AUTHORIZATION_LOST: `Something that the ad shows is not authorised any more: the post, the account or another asset. ${AUTHORIZE_AGAIN}`,
  AD_STATUS_ADGROUP_ASSET_AUTHORIZATION_LOST: 'An asset of the ad group is not shared with the ad account any more.',
  AD_STATUS_MUSIC_AUTHORIZATION_MISSING:
    'The music of the post is not cleared for ads. The creator changes the sound to one of the Commercial Music Library, or declares the rights.',
  AD_STATUS_AUDIT_DENY: 'TikTok’s review refused the ad; ad/review_info (by pass-through) has the reasons.',
  AD_STATUS_ADGROUP_AUDIT_DENY: 'TikTok’s review refused the ad group.',
  AD_STATUS_ADVERTISER_AUDIT_DENY: 'TikTok’s review refused the ad account.',
  AD_STATUS_TRANSCODING_FAIL: 'TikTok could not convert the video: upload it again in another form.',
  AD_STAUS_PIXEL_UNBIND: 'The pixel is not bound to the ad account any more.',
  AD_STATUS_PRODUCT_UNAVAILABLE: 'A product of the ad is not available.',
  AD_STATUS_BALANCE_EXCEED: 'The balance of the ad account is used up.',
};
