import { creatorPage } from '../creator-page.ts';
import type { Endpoint, Page } from '../types.ts';
import { endpoints as creator } from './creator.ts';
import { endpoints as smartPlus } from './smart-plus.ts';
import { endpoints as smartPlusAd } from './smart-plus-ad.ts';

/** Families besides the daily ones: what creators, agencies, Smart+ and catalogs add. */
export const endpoints: readonly Endpoint[] = [...creator, ...smartPlus, ...smartPlusAd];

/** Their pages. */
export const pages: readonly Page[] = [creatorPage];
