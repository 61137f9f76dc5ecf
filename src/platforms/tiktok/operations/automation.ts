/**
 * Which generation an object belongs to: manual, legacy Smart+ (campaign/spc/*) or Upgraded Smart+ (smart_plus/*). Lists
 * of campaigns, ad groups and ads hold all of them, but each is written by endpoints of its own (TikTok docs
 * 1854103649826817).
 */
import type { OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { read, rowsOf, totalOf } from '../request.ts';
import { automationOf } from '../statuses.ts';
import { ADGROUP, CAMPAIGN, isNotOffered, type Level } from './shared.ts';

export type Generation = 'manual' | 'smart_plus' | 'smart_plus_legacy';

/** An object keeps its generation for life; what the account has at all changes. */
const OBJECT_TTL_MS = 3_600_000;
const ACCOUNT_TTL_MS = 30_000;

/** The generation that a row of campaign/get, adgroup/get or ad/get shows; undefined = it does not say. */
export function generationOf(row: Native): Generation | undefined {
  const said = automationOf(row);
  return said === 'manual' || said === 'smart_plus' || said === 'smart_plus_legacy' ? said : undefined;
}

const keyOf = (level: Level, input: OperationInput, id: string): string =>
  `tiktok/automation/${input.organization.id}/${level.endpoint}/${id}`;

async function readRow(input: OperationInput, level: Level, id: string): Promise<Native | undefined> {
  const data = await read(input, `${level.endpoint}/get`, {
    filtering: { [level.ids]: [id], primary_status: 'STATUS_ALL' },
    page: 1,
    page_size: 10,
  });
  return rowsOf(data, 'list').find((row) => String(row[level.id]) === id);
}

/** Keeps in mind what a row has shown. */
export function learn(input: OperationInput, level: Level, id: string, generation: Generation): Promise<Generation> {
  return input.ctx.remember(keyOf(level, input, id), OBJECT_TTL_MS, async () => generation);
}

/**
 * The generation of a campaign. `row`: reads it, where the caller has a cheaper way. An object that TikTok does not know
 * counts as manual: the write that follows is refused by TikTok, in its own words.
 */
export function generationOfCampaign(
  input: OperationInput,
  id: string,
  row: () => Promise<Native | undefined> = () => readRow(input, CAMPAIGN, id),
): Promise<Generation> {
  // The sandbox has no Smart+ (TikTok docs 1738855331457026).
  if (input.ctx.environment === 'sandbox') return Promise.resolve('manual');
  return input.ctx.remember(
    keyOf(CAMPAIGN, input, id),
    OBJECT_TTL_MS,
    async () => generationOf((await row()) ?? {}) ?? 'manual',
  );
}

/** The same of an ad group: its own row says it, else its campaign. */
export function generationOfGroup(
  input: OperationInput,
  id: string,
  row: () => Promise<Native | undefined> = () => readRow(input, ADGROUP, id),
): Promise<Generation> {
  if (input.ctx.environment === 'sandbox') return Promise.resolve('manual');
  return input.ctx.remember(keyOf(ADGROUP, input, id), OBJECT_TTL_MS, async () => {
    const found = await row();
    const said = generationOf(found ?? {});
    const campaign = found?.['campaign_id'];
    if (said !== undefined || typeof campaign !== 'string') return said ?? 'manual';
    return generationOfCampaign(input, campaign);
  });
}

/** Whether the ad account has ads of Upgraded Smart+, deleted ones included. */
export function hasSmartAds(input: OperationInput): Promise<boolean> {
  if (input.ctx.environment === 'sandbox') return Promise.resolve(false);
  return input.ctx.remember(`tiktok/smart-ads/${input.organization.id}`, ACCOUNT_TTL_MS, async () => {
    try {
      const data = await read(input, 'smart_plus/ad/get', {
        filtering: { primary_status: 'STATUS_ALL' },
        page: 1,
        page_size: 1,
      });
      return totalOf(data) > 0 || rowsOf(data, 'list').length > 0;
    } catch (error) {
      if (!isNotOffered(error)) throw error;
      input.ctx.log.debug({ code: error.code }, 'this app may not read Smart+ ads');
      return false;
    }
  });
}
