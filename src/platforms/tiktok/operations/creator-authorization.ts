/**
 * Creators' authorizations of single posts: tt_video/{authorize,info,list,unbind}. A code is redeemed for one ad account;
 * from then on the post has an identity of type AUTH_CODE there, and ads can show it until the authorization ends.
 */

import { time } from '../../../core/connector/codecs.ts';
import { getPath } from '../../../core/connector/fields.ts';
import type { ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { CREATOR_ACTION, postProblem } from '../creator-texts.ts';
import { type AuthorizationFacts, creatorAuthorizationFields, FACTS } from '../entities/creators.ts';
import { pages, read, rowsOf, write as send } from '../request.ts';
import { numberedList, PAGE_SIZE } from './shared.ts';

const DAY_MS = 86_400_000;
/** Days before the end at which a warning is due, the earliest first. */
const WARNING_DAYS = [14, 7, 1] as const;
/** Most rows of a page of tt_video/list (TikTok docs, Spark Ads). */
const PAGE = 50;
/** Without this carousels are left out. */
const ITEM_TYPES = ['VIDEO', 'CAROUSEL'];

const at = (row: Native, path: string): number | undefined => {
  const text = time.utcText.decode(getPath(row, path), {});
  return typeof text === 'string' ? Date.parse(text) : undefined;
};

/** Where an authorization stands at `now` (ms): its state, why it cannot be used, and how long it lasts. */
export function standing(row: Native, now: number): AuthorizationFacts {
  const start = at(row, 'auth_info.auth_start_time');
  const end = at(row, 'auth_info.auth_end_time');
  const native = String(getPath(row, 'auth_info.ad_auth_status') ?? '');
  const left = end === undefined ? undefined : Math.max(0, end - now);
  const daysLeft = left === undefined ? undefined : Math.ceil(left / DAY_MS);
  const due = left === undefined || left === 0 ? undefined : WARNING_DAYS.findLast((days) => left <= days * DAY_MS);
  const lasting = {
    ...(daysLeft === undefined ? {} : { daysLeft }),
    ...(due === undefined ? {} : { warningDays: due }),
  };
  if (left === 0 || /EXPIRED/i.test(native))
    return {
      state: 'EXPIRED',
      daysLeft: 0,
      reason: `The authorization has run out; ads that show the post have stopped. ${CREATOR_ACTION.creator_code_expired}`,
    };
  // Only AUTHORIZED is documented; other words are read by their sense (unverified).
  if (/CANCEL|DELET|REVOK|UNAUTH|REJECT|INVALID|UNBIND/i.test(native))
    return {
      state: 'WITHDRAWN',
      ...(daysLeft === undefined ? {} : { daysLeft }),
      reason: `The creator has taken the authorization back (TikTok says ${native}). ${CREATOR_ACTION.creator_code_deleted}`,
    };
  const problem = postProblem(getPath(row, 'item_info.status'));
  if (problem !== undefined) return { state: 'POST_UNAVAILABLE', ...lasting, reason: problem };
  if (start !== undefined && start > now) return { state: 'NOT_STARTED', ...lasting };
  return { state: due === undefined ? 'ACTIVE' : 'EXPIRING', ...lasting };
}

/** The refusal of a post whose authorization does not hold; undefined where it does. */
export function refusalOf(row: Native, now: number): PolyadError | undefined {
  const { state, reason } = standing(row, now);
  const code = (
    {
      EXPIRED: 'creator_authorization_ended',
      WITHDRAWN: 'creator_authorization_ended',
      POST_UNAVAILABLE: 'creator_post_unavailable',
    } as const
  )[state];
  if (code === undefined) return undefined;
  return new PolyadError(code, {
    message: `The post cannot be used in ads: ${reason ?? state}`,
    details: {
      item_id: getPath(row, 'item_info.item_id'),
      state,
      post_status: getPath(row, 'item_info.status'),
      end_at: time.utcText.decode(getPath(row, 'auth_info.auth_end_time'), {}),
      ...(CREATOR_ACTION[code] === undefined ? {} : { creator_action: CREATOR_ACTION[code] }),
    },
  });
}

/** Every authorised post of the ad account. */
export const authorizedPosts = (input: OperationInput): AsyncIterable<Native> =>
  pages(input, 'tt_video/list', { rows: 'list', size: PAGE, query: { item_types: ITEM_TYPES } });

/** One of them, by the id of its post. */
export async function authorizedPost(input: OperationInput, itemId: string): Promise<Native | undefined> {
  for await (const row of authorizedPosts(input)) if (getPath(row, 'item_info.item_id') === itemId) return row;
  return undefined;
}

/** What a code stands for (tt_video/info). */
async function postOfCode(input: OperationInput, code: string): Promise<Native> {
  const row = await read(input, 'tt_video/info', { auth_code: code });
  const itemId = getPath(row, 'item_info.item_id');
  // The identity of the post is what ads need; answers without it are completed from the list.
  if (getPath(row, 'user_info.identity_id') === undefined && typeof itemId === 'string')
    return (await authorizedPost(input, itemId)) ?? row;
  return row;
}

/** An ad of the account that shows a post. */
export interface AdOfPost {
  id: string;
  name?: string;
  status?: string;
}

/**
 * Ads that show one of these posts, by post; deleted ads are left out. TikTok cannot filter ads by their post, so all of
 * the account are read.
 */
export async function adsOfPosts(
  input: OperationInput,
  itemIds: ReadonlySet<string>,
): Promise<Map<string, AdOfPost[]>> {
  const out = new Map<string, AdOfPost[]>();
  const seen = new Set<string>();
  for await (const row of pages(input, 'ad/get', { rows: 'list', size: PAGE_SIZE })) {
    const item = row['tiktok_item_id'];
    if (typeof item !== 'string' || !itemIds.has(item)) continue;
    // Creatives of a Smart+ ad are rows of their own; the ad is what stops.
    const id = String(row['smart_plus_ad_id'] ?? row['ad_id']);
    if (seen.has(`${item}/${id}`)) continue;
    seen.add(`${item}/${id}`);
    const list = out.get(item) ?? [];
    const { ad_name: name, operation_status: status } = row;
    list.push({
      id,
      ...(typeof name === 'string' && name !== '' ? { name } : {}),
      ...(typeof status === 'string' ? { status: status === 'ENABLE' ? 'ACTIVE' : 'PAUSED' } : {}),
    });
    out.set(item, list);
  }
  return out;
}

/** Whether the music of a post may be used in ads (identity/music/authorization). */
async function musicOf(input: OperationInput, row: Native): Promise<string | undefined> {
  const data = await read(input, 'identity/music/authorization', {
    identity_type: getPath(row, 'user_info.identity_type') ?? 'AUTH_CODE',
    identity_id: getPath(row, 'user_info.identity_id'),
    video_id: getPath(row, 'item_info.item_id'),
  });
  const status = rowsOf(data, 'music_authorization')[0]?.['music_status'];
  return typeof status === 'string' ? status : undefined;
}

async function enrich(input: OperationInput, rows: Native[]): Promise<Native[]> {
  const now = input.ctx.now().getTime();
  const ids = new Set(rows.map((row) => String(getPath(row, 'item_info.item_id'))));
  const ads = input.wants?.('ad_ids') === true ? await adsOfPosts(input, ids) : undefined;
  const out: Native[] = [];
  for (const row of rows) {
    const facts: AuthorizationFacts = standing(row, now);
    if (ads !== undefined) facts.adIds = (ads.get(String(getPath(row, 'item_info.item_id'))) ?? []).map(({ id }) => id);
    if (input.wants?.('music_status') === true) {
      const music = await musicOf(input, row);
      if (music !== undefined) facts.music = music;
    }
    // Not enumerable, so that it is no part of `raw`.
    out.push(Object.defineProperty({ ...row }, FACTS, { value: facts, enumerable: false }));
  }
  return out;
}

/** TikTok's authorised posts as unified creator authorizations. */
export const creatorAuthorization: ObjectSpec = {
  native: 'tt_video',
  scope: 'organization',
  fields: creatorAuthorizationFields,
  slowFields: ['ad_ids', 'music_status'],
  list: {
    ...numberedList('tt_video/list', PAGE, {
      query: ({ type }) => ({ item_types: type === undefined ? ITEM_TYPES : [type] }),
    }),
    filters: {
      // In the request already.
      type: { kind: 'native', apply: () => undefined },
      query: {
        kind: 'native',
        apply: (value, query) => {
          query['keyword'] = value;
        },
      },
    },
  },
  get: (input, id) => authorizedPost(input, id),
  enrich,
  async create(input, native) {
    const code = String(native['auth_code']).trim();
    const original = native['original_post_auth_code'];
    // Redeemed twice for the same ad account, a code stands for the same: a lost answer may be asked for again.
    await send(
      input,
      'tt_video/authorize',
      { auth_code: code, ...(original === undefined ? {} : { original_post_auth_code: original }) },
      true,
    );
    const row = await postOfCode(input, code);
    // TikTok takes codes again that have been redeemed before, though what they stood for is over.
    const refusal = refusalOf(row, input.ctx.now().getTime());
    if (refusal !== undefined) throw refusal;
    return { row };
  },
  async remove(input, id) {
    const ads = (await adsOfPosts(input, new Set([id]))).get(id) ?? [];
    await send(input, 'tt_video/unbind', { item_id: id }, true);
    return { id, ended_ads: ads };
  },
  refusals: {
    update:
      'A creator gives an authorization more days in the TikTok app, in the ad settings of the post; the change shows here by itself.',
  },
};
