import { creatorPage } from '../creator-page.ts';
import type { Endpoint, Page } from '../types.ts';
import { endpoints as bcAccount } from './bc-account.ts';
import { endpoints as bcGroup } from './bc-group.ts';
import { endpoints as bcMember } from './bc-member.ts';
import { endpoints as bcMoney } from './bc-money.ts';
import { endpoints as campaignCopy } from './campaign-copy.ts';
import { endpoints as catalog } from './catalog.ts';
import { endpoints as catalogProduct } from './catalog-product.ts';
import { endpoints as catalogSet } from './catalog-set.ts';
import { endpoints as creator } from './creator.ts';
import { endpoints as gmvMax } from './gmv-max.ts';
import { endpoints as playable } from './playable.ts';
import { endpoints as smartPlus } from './smart-plus.ts';
import { endpoints as smartPlusAd } from './smart-plus-ad.ts';
import { endpoints as smartPlusReport } from './smart-plus-report.ts';
import { endpoints as spc } from './spc.ts';
import { endpoints as toolAdvice } from './tool-advice.ts';

/** Families besides the daily ones: what creators, agencies, Smart+ and catalogs add. */
export const endpoints: readonly Endpoint[] = [
  ...creator,
  ...bcAccount,
  ...bcGroup,
  ...bcMember,
  ...bcMoney,
  ...campaignCopy,
  ...catalog,
  ...catalogProduct,
  ...catalogSet,
  ...gmvMax,
  ...playable,
  ...toolAdvice,
  ...spc,
  ...smartPlus,
  ...smartPlusAd,
  ...smartPlusReport,
];

/** Their pages. */
export const pages: readonly Page[] = [creatorPage];
