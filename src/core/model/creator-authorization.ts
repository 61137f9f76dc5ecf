import { z } from 'zod';
import { dateTime, id, openEnum, raw } from './common.ts';
import { CREATOR_AUTHORIZATION_STATES, FORMATS, MUSIC_STATUSES, POST_TYPES } from './enums.ts';
import { adsPromoted } from './promoted.ts';

/**
 * A creator's permission to show one post as an ad, for so many days. An object of polyad, beyond the wire contract.
 */
export const adsCreatorAuthorization = z
  .object({
    ad_ids: z.array(id).optional().describe('Ads that show the post and end with the authorization. Costs calls.'),
    ad_type: openEnum(FORMATS).optional().describe('`ad_type` of an ad that shows the post.'),
    code: z.string().optional().describe('The code that the creator was shown. Written once, never answered.'),
    creator_name: z.string().optional().describe('Name of the creator.'),
    days_left: z.number().optional().describe('Whole days until `end_at`, the last one counted; 0 when it is over.'),
    duration_seconds: z.number().optional().describe('Length of the video.'),
    end_at: dateTime.optional().describe('When the authorization ends.'),
    height: z.number().optional().describe('Height in pixels.'),
    id: id.optional().describe('Id of the post.'),
    identity_id: id.optional().describe('The identity that stands for the post, as `promoted` of ads takes it.'),
    item_id: id.optional().describe('Id of the post, as `item_id` of an ad takes it.'),
    item_type: openEnum(POST_TYPES).optional().describe('Form of the post.'),
    music_status: openEnum(MUSIC_STATUSES)
      .optional()
      .describe('Whether the music of the post may be used in ads. Costs a call.'),
    native_status: z.string().optional().describe('State of the authorization in the words of the platform.'),
    organization_id: id.optional().describe('Id of the ad account that the post was authorised for.'),
    original_code: z
      .string()
      .optional()
      .describe('Code of the original post, where this one is made from another. Written once, never answered.'),
    post_status: z.string().optional().describe('State of the post in the words of the platform.'),
    preview_url: z.string().optional().describe('Address where the post can be watched.'),
    promoted: z.array(adsPromoted).optional().describe('`promoted` of an ad that shows the post.'),
    raw: raw.optional(),
    start_at: dateTime.optional().describe('When the authorization began.'),
    state: openEnum(CREATOR_AUTHORIZATION_STATES)
      .optional()
      .describe('EXPIRING: fourteen days are left, or fewer. WITHDRAWN: the creator took it back.'),
    status_reason: z.string().optional().describe('Why the post cannot be used, and what the creator must do.'),
    text: z.string().optional().describe('Text of the post.'),
    thumbnail_url: z.string().optional().describe('Address of a picture of the post.'),
    warning_days: z
      .number()
      .optional()
      .describe('The last warning that is due: 14, 7 or 1 days before the end. Absent: none is.'),
    width: z.number().optional().describe('Width in pixels.'),
  })
  .meta({
    id: 'AdsCreatorAuthorization',
    title: 'Creator authorization',
    description: 'A creator’s permission to show one post as an ad.',
  });
export type AdsCreatorAuthorization = z.infer<typeof adsCreatorAuthorization>;
