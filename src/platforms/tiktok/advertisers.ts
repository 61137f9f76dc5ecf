/** Which advertisers a grant reaches (`oauth2/advertiser/get`), and what they are (`advertiser/info`). */
import type { CallContext, Native } from '../../core/connector/types.ts';
import { PolyadError } from '../../core/errors/index.ts';
import { call, dataOf, rowsOf } from './request.ts';

/** Most ids in one advertiser/info call (TikTok docs 1739593083610113). */
export const ADVERTISER_BATCH = 100;

/** Refusals that concern accounts named in a call, not the call itself. */
const ACCOUNT_REFUSED: ReadonlySet<string> = new Set([
  'organization_access_lost',
  'permission_missing',
  'platform_rejected',
]);

/**
 * Facts of many accounts. One account that the token may not see makes TikTok refuse the whole batch, so a refused batch
 * is halved until the account is found; that one is then known by id and name alone.
 */
export async function advertiserFacts(ctx: CallContext, ids: readonly string[]): Promise<Native[]> {
  try {
    const response = await ctx.request(call(ctx, { endpoint: 'advertiser/info', query: { advertiser_ids: ids } }));
    return rowsOf(dataOf(response), 'list');
  } catch (error) {
    if (!(error instanceof PolyadError) || !ACCOUNT_REFUSED.has(error.code)) throw error;
    if (ids.length === 1) return [];
    const middle = Math.ceil(ids.length / 2);
    return [...(await advertiserFacts(ctx, ids.slice(0, middle))), ...(await advertiserFacts(ctx, ids.slice(middle)))];
  }
}

/** Ids and names of the accounts that the customer ticked. The app's secret travels in the query: never log it. */
export async function grantedAdvertisers(ctx: CallContext): Promise<{ id: string; name: unknown }[]> {
  const response = await ctx.request(
    call(ctx, { endpoint: 'oauth2/advertiser/get', appParams: { app_id: 'client_id', secret: 'client_secret' } }),
  );
  return rowsOf(dataOf(response), 'list').map((row) => ({
    id: String(row['advertiser_id']),
    name: row['advertiser_name'],
  }));
}
