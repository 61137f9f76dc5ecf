/** Music that advertisers brought themselves, besides the library of `music-table.ts`. */
import type { Collection } from '../kit/types.ts';
import type { Native, World } from './types.ts';

/** Uploaded music; `id` is the music_id. */
export const ownMusic = (world: World): Collection<Native> =>
  world.store.collection<Native>('own_music', { advertiser: (row) => row.advertiser_id });
