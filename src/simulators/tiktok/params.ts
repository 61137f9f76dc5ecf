import type { Call, Param } from './types.ts';

/** Members that most endpoints share. */

/** The ad account of a call; the dispatcher checks it against the grant wherever it is declared. */
export const advertiserId: Param = { name: 'advertiser_id', type: 'string', required: true };

/** `page` and `page_size`; `paging.ts` judges their values, since the limits differ. */
export const paging: readonly Param[] = [
  { name: 'page', type: 'integer' },
  { name: 'page_size', type: 'integer' },
];

/** The ad account that the call is about. */
export const advertiserIdOf = (call: Call): string => String(call.params['advertiser_id']);
