import { z } from 'zod';
import { id, openEnum, raw } from './common.ts';
import { AUDIENCE_AVAILABILITIES, AUDIENCE_TYPES } from './enums.ts';

/** An audience: people to show ads to, or not to. An object of polyad, beyond the wire contract. */
export const adsAudience = z
  .object({
    availability: openEnum(AUDIENCE_AVAILABILITIES)
      .optional()
      .describe(
        'READY: can be used. PROCESSING: being matched. TOO_SMALL: too few people were matched. FAILED: see `message`.',
      ),
    created_at: z.string().optional().describe('When it was made.'),
    expires_at: z.string().optional().describe('When the platform forgets it unless it is used.'),
    expiring: z.boolean().optional().describe('The platform will forget it soon.'),
    id: id.optional().describe("The audience's id on the platform."),
    identifiers: z
      .array(z.string())
      .optional()
      .describe('By what members are matched: EMAIL, PHONE, IDFA, GAID. Several where the platform takes any.'),
    lookalike: z
      .object({
        include_source: z.boolean().optional().describe('The source itself is part of it.'),
        location_ids: z.array(z.string()).optional().describe('Places, as `target` of the type GEO lists them.'),
        operating_system: z.enum(['ALL', 'ANDROID', 'IOS']).optional().describe('Default ALL.'),
        placements: z.array(z.string()).optional().describe('Placements in the words of the platform.'),
        reach: z.enum(['NARROW', 'BALANCED', 'BROAD']).optional().describe('Likeness against size. Default BALANCED.'),
        source_id: id.optional().describe('Audience that it is like.'),
      })
      .optional()
      .describe('For LOOKALIKE.'),
    message: z.string().optional().describe('What the platform says of it.'),
    name: z.string().optional().describe('Its name.'),
    native_type: z.string().optional().describe('The type in the words of the platform.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    owner_id: id.optional().describe('Ad account that owns it, where it is shared.'),
    raw: raw.optional(),
    retention_days: z
      .number()
      .int()
      .optional()
      .describe('Days for which members stay. Read back by no platform so far.'),
    rule: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('For RULE: what people did, in the form of the platform (`audience_type`, `rule_spec`).'),
    shared: z.boolean().optional().describe('Other ad accounts may use it, or it is another’s.'),
    size: z.number().int().optional().describe('People that were matched, as far as the platform tells.'),
    type: openEnum(AUDIENCE_TYPES)
      .optional()
      .describe(
        'STREAM: members are added and removed at any time. FILE: made from a list. RULE: by what people did. LOOKALIKE: like another one.',
      ),
  })
  .meta({ id: 'AdsAudience', title: 'Audience', description: 'People to show ads to, or not to.' });
export type AdsAudience = z.infer<typeof adsAudience>;
