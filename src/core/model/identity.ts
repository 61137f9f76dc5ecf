import { z } from 'zod';
import { id, openEnum, raw } from './common.ts';
import { IDENTITY_AVAILABILITIES, IDENTITY_TYPES } from './enums.ts';

/** An identity: the account that ads are posted under. An object of polyad, beyond the wire contract. */
export const adsIdentity = z
  .object({
    ads_only: z.boolean().optional().describe('What is pushed to it is seen as an ad alone, never on the profile.'),
    availability: openEnum(IDENTITY_AVAILABILITIES).optional().describe('Whether ads can be posted under it now.'),
    can_manage_messages: z.boolean().optional().describe('Messages to the account can be read and answered.'),
    can_pull: z.boolean().optional().describe('Posts that it has already can be shown as ads.'),
    can_push: z.boolean().optional().describe('New posts can be made under it for ads.'),
    can_use_live: z.boolean().optional().describe('Its live streams can be shown as ads.'),
    id: id.optional().describe('Id as `promoted` of ads takes it, with the type PAGE_ID.'),
    image_url: z
      .string()
      .optional()
      .describe('Address of the picture. Written: an address (uploaded first) or the id of an asset.'),
    manager_id: id.optional().describe('Id of the business that shares the account.'),
    name: z.string().optional().describe('Name that people see.'),
    native_status: z.string().optional().describe('The availability in the words of the platform.'),
    native_type: z.string().optional().describe('The type in the words of the platform.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    raw: raw.optional(),
    status_reason: z.string().optional().describe('Why it cannot be used, and what its owner must do.'),
    type: openEnum(IDENTITY_TYPES)
      .optional()
      .describe(
        'CUSTOM: a name and a picture. OWN_ACCOUNT: linked by its owner. SHARED_ACCOUNT: shared through a business. CREATOR_POST: one post that its creator authorised.',
      ),
    username: z.string().optional().describe('Name by which the account is found.'),
  })
  .meta({ id: 'AdsIdentity', title: 'Identity', description: 'The account that ads are posted under.' });
export type AdsIdentity = z.infer<typeof adsIdentity>;
