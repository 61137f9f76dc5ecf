/**
 * Spark Ads in an ad's body: which identity may show a post that is there already (pull), and whether one may make posts
 * (push). Source: TikTok docs, Spark Ads; ad/create 1739953377508354.
 */

import { getPath } from '../../../core/connector/fields.ts';
import type { OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { CREATOR_ACTION, postProblem } from '../creator-texts.ts';
import { rightsOf, unavailableReason } from '../entities/creators.ts';
import { IDENTITY_REF, identityRef } from '../entities/promoted-refs.ts';
import { read } from '../request.ts';
import { authorizedPost, refusalOf } from './creator-authorization.ts';
import { identities, withWholeRefs } from './identities.ts';
import { isNotOffered } from './shared.ts';

/** Accounts that are asked for a post, at most; with more the caller names one. */
const MAX_ASKED = 20;

/** A post, under the identity that may show it. */
interface Shown {
  identity: Native;
  /** VIDEO or CAROUSEL. */
  itemType: unknown;
}

/** A post of an account itself; undefined = it is not the account's. */
async function ownPost(input: OperationInput, identity: Native, itemId: string): Promise<Shown | undefined> {
  let detail: unknown;
  try {
    const data = await read(input, 'identity/video/info', {
      identity_type: identity['identity_type'],
      identity_id: identity['identity_id'],
      identity_authorized_bc_id: identity['identity_authorized_bc_id'] ?? undefined,
      item_id: itemId,
    });
    detail = data['video_detail'];
  } catch (error) {
    if (!(error instanceof PolyadError)) throw error;
    // What TikTok says of a post of somebody else (unverified: parameter error or not found).
    if (error.code === 'platform_rejected' || error.code === 'platform_not_found' || isNotOffered(error))
      return undefined;
    throw error;
  }
  if (detail === null || typeof detail !== 'object') return undefined;
  const problem = postProblem((detail as Native)['status']);
  if (problem !== undefined)
    throw new PolyadError('creator_post_unavailable', {
      message: problem,
      details: {
        item_id: itemId,
        post_status: (detail as Native)['status'],
        creator_action: CREATOR_ACTION.creator_post_unavailable,
      },
    });
  return { identity, itemType: (detail as Native)['item_type'] };
}

/** A post that its creator authorised for this ad account; throws when the authorization does not hold. */
async function creatorPost(input: OperationInput, itemId: string): Promise<Shown | undefined> {
  const row = await authorizedPost(input, itemId);
  if (row === undefined) return undefined;
  const refusal = refusalOf(row, input.ctx.now().getTime());
  if (refusal !== undefined) throw refusal;
  const identity = { identity_type: 'AUTH_CODE', identity_id: getPath(row, 'user_info.identity_id') };
  return { identity, itemType: getPath(row, 'item_info.item_type') };
}

const isAccount = (row: Native): boolean => row['identity_type'] === 'TT_USER' || row['identity_type'] === 'BC_AUTH_TT';

function unavailable(row: Native, what: string): PolyadError {
  const reason =
    unavailableReason(row) ??
    `It does not allow to ${what}. Its owner allows that in TikTok Ads Manager, or in the Business Center’s request in the app.`;
  return new PolyadError('identity_unavailable', {
    message: `The identity ${identityRef(row)} cannot ${what}. ${reason}`,
    details: { identity_id: identityRef(row), native_status: row['available_status'], status_reason: reason },
  });
}

/** The identity that shows post `itemId`: the one that was named, else the one that may. */
async function whoShows(input: OperationInput, itemId: string, named: string | undefined): Promise<Shown> {
  const missing = (message: string): PolyadError =>
    new PolyadError('creator_authorization_missing', {
      message,
      details: { item_id: itemId, creator_action: CREATOR_ACTION.creator_code_invalid },
    });
  const known = (await identities(input)).filter(isAccount);
  if (named !== undefined && !named.startsWith('AUTH_CODE:')) {
    const identity = known.find((row) => identityRef(row) === named || row['identity_id'] === named);
    // An identity that the list does not have is for TikTok to judge.
    if (identity === undefined) {
      const [, identity_type, identity_id, bc] = IDENTITY_REF.exec(named) ?? [];
      return { identity: { identity_type, identity_id, identity_authorized_bc_id: bc }, itemType: undefined };
    }
    if (rightsOf(identity).pull === false || unavailableReason(identity) !== undefined)
      throw unavailable(identity, 'show posts that are there already');
    const shown = await ownPost(input, identity, itemId);
    if (shown === undefined) throw missing(`Post ${itemId} is not a post of ${named}.`);
    return shown;
  }
  const authorised = await creatorPost(input, itemId);
  if (authorised !== undefined) {
    if (named !== undefined && identityRef(authorised.identity) !== named)
      throw missing(`Post ${itemId} belongs to the identity ${identityRef(authorised.identity)}, not to ${named}.`);
    return authorised;
  }
  const able = known.filter((row) => rightsOf(row).pull !== false && unavailableReason(row) === undefined);
  for (const identity of named === undefined ? able.slice(0, MAX_ASKED) : []) {
    const shown = await ownPost(input, identity, itemId);
    if (shown !== undefined) return shown;
  }
  throw missing(
    `No creator has authorised post ${itemId} for this ad account, and none of the accounts asked has it. Redeem its code first: POST /ads/{connection_id}/creator_authorization.`,
  );
}

interface PromotedRef {
  type?: unknown;
  id?: unknown;
}

const refsOf = (unified: Unified): PromotedRef[] =>
  Array.isArray(unified['promoted']) ? (unified['promoted'] as PromotedRef[]) : [];

const identityIn = (refs: readonly PromotedRef[]): string | undefined => {
  const ref = refs.find(({ type, id }) => type === 'PAGE_ID' && IDENTITY_REF.test(String(id)));
  return ref === undefined ? undefined : String(ref.id);
};

/**
 * The body of an ad that shows a post, with identity and form filled in. Bodies without a post, and those whose native
 * members name the identity, stay as they are.
 *
 * @throws PolyadError `creator_authorization_missing`, `creator_authorization_ended`, `creator_post_unavailable`,
 *   `identity_unavailable`
 */
export async function withPost(
  input: OperationInput,
  unified: Unified,
  given: Native,
): Promise<{ unified: Unified; implied: Native }> {
  const itemId = unified['item_id'] ?? given['tiktok_item_id'];
  if (typeof itemId !== 'string' || given['identity_id'] !== undefined) return { unified, implied: {} };
  if (unified['creative_asset_url'] !== undefined || unified['asset_urls'] !== undefined)
    throw new PolyadError('input_value_invalid', {
      message: 'An ad shows a post (`item_id`) or media of its own, not both.',
      details: { field: 'item_id', reason: 'named beside media' },
    });
  const refs = await withWholeRefs(input, refsOf(unified));
  const { identity, itemType } = await whoShows(input, itemId, identityIn(refs));
  const others = refs.filter((ref) => !(ref.type === 'PAGE_ID' && IDENTITY_REF.test(String(ref.id))));
  return {
    unified: { ...unified, promoted: [...others, { type: 'PAGE_ID', id: identityRef(identity) }] },
    implied: itemType === 'CAROUSEL' ? { ad_format: 'CAROUSEL_ADS' } : {},
  };
}

/** The identity that may show a post, as `promoted` takes it. */
export const refOfPost = async (input: OperationInput, itemId: string): Promise<string | undefined> =>
  identityRef((await whoShows(input, itemId, undefined)).identity);

/** Native identity members under which a post is shown by an ad that shows another one so far. */
export async function identityOfPost(input: OperationInput, itemId: string): Promise<Native> {
  const { identity } = await whoShows(input, itemId, undefined);
  const { identity_type, identity_id, identity_authorized_bc_id: bc } = identity;
  return { identity_type, identity_id, ...(typeof bc === 'string' ? { identity_authorized_bc_id: bc } : {}) };
}

/** Refuses an identity under which no post can be made, before media are uploaded for it. */
export async function checkPush(input: OperationInput, unified: Unified, given: Native): Promise<void> {
  if (unified['item_id'] !== undefined || given['tiktok_item_id'] !== undefined) return;
  const named = identityIn(refsOf(unified));
  if (named?.startsWith('AUTH_CODE:') === true)
    throw new PolyadError('identity_unavailable', {
      message: `${named} stands for one post of a creator: name that post in \`item_id\`.`,
      details: { identity_id: named, status_reason: 'it can show its post, and make none' },
    });
  if (named === undefined || !/^(TT_USER|BC_AUTH_TT):/.test(named)) return;
  const identity = (await identities(input)).find((row) => identityRef(row) === named);
  if (identity !== undefined && (rightsOf(identity).push === false || unavailableReason(identity) !== undefined))
    throw unavailable(identity, 'make posts');
}
