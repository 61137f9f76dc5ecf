import { z } from 'zod';
import { id, openEnum, raw, timestamps } from './common.ts';
import { ASSET_TYPES } from './enums.ts';

/** An asset: an image, a video or a text in the account's library. */
export const adsAsset = z
  .object({
    content: z.string().optional().describe('Content: the text of a text asset, or base64 of a file on upload.'),
    ...timestamps,
    file_size: z.number().optional().describe('Size in bytes.'),
    height: z.number().optional().describe('Height in pixels.'),
    id: id.optional().describe("The asset's id on the platform."),
    mime_type: z.string().optional().describe('Media type, such as image/png.'),
    name: z.string().optional().describe("The asset's name."),
    organization_id: id.optional().describe('Id of the ad account.'),
    raw: raw.optional(),
    type: openEnum(ASSET_TYPES).optional().describe('Kind of asset.'),
    url: z.string().optional().describe('Address of the file. May expire; on upload, where to take it from.'),
    width: z.number().optional().describe('Width in pixels.'),
  })
  .meta({ id: 'AdsAsset', title: 'Asset', description: "An image, a video or a text in the account's library." });
export type AdsAsset = z.infer<typeof adsAsset>;
