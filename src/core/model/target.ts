import { z } from 'zod';
import { id, openEnum, raw } from './common.ts';
import { TARGET_TYPES } from './enums.ts';

/** A value that can be used in targeting. */
export const adsTarget = z
  .object({
    audience_count_max: z.number().optional().describe('People reached, upper estimate.'),
    audience_count_min: z.number().optional().describe('People reached, lower estimate.'),
    id: id.describe("The value's id on the platform. Use it in `targeting`."),
    is_active: z.boolean().optional().describe('False when the value can no longer be used.'),
    name: z.string().optional().describe("The value's name."),
    parent_id: id.optional().describe('Id of the value above it in the tree.'),
    raw: raw.optional(),
    type: openEnum(TARGET_TYPES).optional().describe('Kind of value.'),
  })
  .meta({ id: 'AdsTarget', title: 'Target', description: 'A value that can be used in targeting.' });
export type AdsTarget = z.infer<typeof adsTarget>;
