/** Identities: the TikTok accounts that ads are posted under. */
import type { OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native, Unified } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { IDENTITY_REF, identityRef } from '../entities/promoted-refs.ts';
import { pages } from '../request.ts';

const MINUTES_5 = 300_000;

/** All identities of the ad account (identity/get, TikTok docs 1740218420781057). */
export function identities(input: OperationInput): Promise<Native[]> {
  return input.ctx.remember(`tiktok/identities/${input.organization.id}`, MINUTES_5, () =>
    Array.fromAsync(pages(input, 'identity/get', { rows: 'identity_list', size: 100 })),
  );
}

/** Identities of whole accounts; AUTH_CODE ones stand for a single post each. */
const usable = (row: Native): boolean =>
  row['identity_type'] !== 'AUTH_CODE' &&
  (row['available_status'] === undefined ||
    row['available_status'] === null ||
    row['available_status'] === 'AVAILABLE');

interface PromotedRef {
  type?: unknown;
  id?: unknown;
}

/** `promoted` with plain identity ids made whole: an id that an identity has means that identity, not a page. */
export async function withWholeRefs(input: OperationInput, promoted: readonly PromotedRef[]): Promise<PromotedRef[]> {
  const plain = (ref: PromotedRef): boolean =>
    ref.type === 'PAGE_ID' && typeof ref.id === 'string' && !IDENTITY_REF.test(ref.id);
  if (!promoted.some(plain)) return [...promoted];
  const known = await identities(input);
  return promoted.map((ref) => {
    const row = plain(ref) ? known.find((one) => one['identity_id'] === ref.id) : undefined;
    return row === undefined ? ref : { ...ref, id: identityRef(row) };
  });
}

/**
 * The body of an ad with its identity settled. TikTok wants one on every ad: when the caller names none and the account
 * has exactly one that can be used, that one is meant; with several the caller must choose.
 */
export async function withIdentity(input: OperationInput, unified: Unified, given: Native): Promise<Unified> {
  const refs = Array.isArray(unified['promoted']) ? (unified['promoted'] as PromotedRef[]) : [];
  const promoted = await withWholeRefs(input, refs);
  const named = promoted.some((ref) => ref.type === 'PAGE_ID' && IDENTITY_REF.test(String(ref.id)));
  if (named || given['identity_id'] !== undefined || given['display_name'] !== undefined)
    return refs.length === 0 ? unified : { ...unified, promoted };
  const all = (await identities(input)).filter(usable);
  // Custom identities are closed for ads on TikTok itself since 2026 (TikTok docs 1739470744631298).
  const accounts = all.filter((row) => row['identity_type'] !== 'CUSTOMIZED_USER');
  const choice = accounts.length > 0 ? accounts : all;
  const [only] = choice;
  if (only === undefined || choice.length > 1)
    throw new PolyadError('input_field_required', {
      message:
        only === undefined
          ? 'The ad account has no identity that ads could be posted under; link a TikTok account to it in Ads Manager.'
          : 'The ad account has several identities: name one in `promoted` with the type PAGE_ID.',
      details: {
        missing: ['promoted'],
        allowed: choice
          .slice(0, 50)
          .map((row) => ({ type: 'PAGE_ID', id: identityRef(row), name: row['display_name'] })),
      },
    });
  return { ...unified, promoted: [...promoted, { type: 'PAGE_ID', id: identityRef(only) }] };
}

/** The same for a change, where nothing has to be named. */
export async function withWholeIdentity(input: OperationInput, unified: Unified): Promise<Unified> {
  if (Array.isArray(unified['promoted']) && unified['promoted'].length === 0)
    throw new PolyadError('input_value_invalid', {
      message: '`promoted` cannot be empty: a TikTok ad is always posted under an identity (PAGE_ID).',
      details: { field: 'promoted', reason: 'must name what stays, such as the identity' },
    });
  return Array.isArray(unified['promoted'])
    ? { ...unified, promoted: await withWholeRefs(input, unified['promoted'] as PromotedRef[]) }
    : unified;
}
