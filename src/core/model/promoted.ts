import { z } from 'zod';
import { id, openEnum, raw } from './common.ts';
import { PROMOTED_TYPES } from './enums.ts';

/** The thing advertised, or what measures it: page, app, pixel, catalogue, post. */
export const adsPromoted = z
  .object({
    id: id.describe("The thing's id on the platform."),
    name: z.string().optional().describe("The thing's name."),
    raw: raw.optional(),
    type: openEnum(PROMOTED_TYPES).describe('Kind of thing.'),
  })
  .meta({
    id: 'AdsPromoted',
    title: 'Promoted',
    description: 'The thing advertised: page, app, pixel, catalogue, post.',
  });
export type AdsPromoted = z.infer<typeof adsPromoted>;
