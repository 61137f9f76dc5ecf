/**
 * Creatives: the creative part of ads, for TikTok has no creative apart from an ad. A creative has the id of its ad.
 * Creating one creates a paused ad in `group_id` that carries it; an ad made with its id in `creative_ids` copies it.
 */
import type { ObjectSpec } from '../../../core/connector/types.ts';
import { creativeFields } from '../entities/ad.ts';
import { adList, createAd, lostAd, prepareCreation, updateAd } from './ad.ts';
import { withWholeIdentity } from './identities.ts';
import { AD, getById } from './shared.ts';

const { campaign_id: _campaign, ...filters } = adList.filters;

/** The creative part of TikTok's ads as unified creatives. */
export const creative: ObjectSpec = {
  native: 'ad',
  scope: 'organization',
  fields: creativeFields,
  list: { ...adList, filters },
  get: (input, id) => getById(input, AD, id),
  prepare: (input, unified, verb) =>
    verb === 'create'
      ? // A creative by itself spends nothing: its ad is paused until somebody sets it active.
        prepareCreation(input, unified, { operation_status: 'DISABLE' })
      : withWholeIdentity(input, unified),
  create: createAd,
  update: updateAd,
  idempotency: lostAd,
  refusals: {
    remove:
      'TikTok cannot delete what an ad shows: remove the ad of the same id, or delete images and videos by pass-through: POST open_api/v1.3/creative/asset/delete/.',
  },
};
