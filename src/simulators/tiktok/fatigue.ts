import type { Collection } from '../kit/types.ts';
import type { World } from './types.ts';

/** A day on which an ad was found to be seen too often; made by the control API. */
export interface Fatigue {
  /** `<ad_id>:<date>` */
  id: string;
  ad_id: string;
  advertiser_id: string;
  /** `YYYY-MM-DD` */
  date: string;
  /** 0 to 100. */
  fatigue_index: number;
}

/** Days of fatigue, with the index `ad`. */
export const fatigueOf = (world: World): Collection<Fatigue> =>
  world.store.collection<Fatigue>('creative_fatigue', { ad: (row) => row.ad_id });
