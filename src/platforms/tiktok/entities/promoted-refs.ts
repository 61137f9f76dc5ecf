/** `promoted` of ad groups, ads and creatives: which native member holds which kind of promoted thing. */
import { type Codec, custom, invalid } from '../../../core/connector/codecs.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';

interface PromotedRef {
  type: string;
  id: string;
}

/** One kind of promoted thing in one native object. */
export interface PromotedMember {
  type: string;
  decode(row: Native): string | undefined;
  encode(id: string): Native;
}

const idText = (value: unknown): string | undefined => {
  // A number beyond 2^53 has lost its last digits already; a wrong id is worse than none.
  if (typeof value === 'number') return value === 0 || !Number.isSafeInteger(value) ? undefined : String(value);
  return typeof value === 'string' && value !== '' && value !== '0' ? value : undefined;
};

/** A promoted thing that is one native member holding an id. */
export const member = (type: string, native: string): PromotedMember => ({
  type,
  decode: (row) => idText(row[native]),
  encode: (id) => ({ [native]: id }),
});

/** Identities are promoted things of type PAGE_ID, called `<identity_type>:<identity_id>[:<business center id>]`. */
export const IDENTITY_REF = /^([A-Z][A-Z0-9_]*):([^:]+)(?::(\d+))?$/;

/** The name of an identity as a promoted thing; `0` stands for "no Business Center" in some answers. */
export function identityRef(row: Native): string | undefined {
  const type = idText(row['identity_type']);
  const id = idText(row['identity_id']);
  if (type === undefined || id === undefined) return undefined;
  const bc = idText(row['identity_authorized_bc_id']);
  return bc === undefined ? `${type}:${id}` : `${type}:${id}:${bc}`;
}

/** The account that an ad is posted under. */
export const identityMember: PromotedMember = {
  type: 'PAGE_ID',
  decode: identityRef,
  encode(ref) {
    const [, identity_type, identity_id, bc] = IDENTITY_REF.exec(ref) ?? [];
    return { identity_type, identity_id, ...(bc === undefined ? {} : { identity_authorized_bc_id: bc }) };
  },
};

/**
 * The codec of `promoted` for a native object with these members. `pick` chooses among members of one type by the id.
 */
export function promotedCodec(
  members: readonly PromotedMember[],
  pick: (candidates: readonly PromotedMember[], id: string) => PromotedMember = (candidates) =>
    candidates[0] as PromotedMember,
): Codec {
  const allowed = [...new Set(members.map(({ type }) => type))];
  return custom({
    name: 'tiktok.promoted',
    allowed,
    decode(native) {
      const found = members.flatMap((one): PromotedRef[] => {
        const id = one.decode(native as Native);
        return id === undefined ? [] : [{ type: one.type, id }];
      });
      return found.length === 0 ? undefined : found;
    },
    encode(unified, ctx) {
      if (!Array.isArray(unified)) throw invalid(ctx, 'must be a list of {type, id}');
      const out: Native = {};
      for (const ref of unified as Partial<PromotedRef>[]) {
        const candidates = members.filter(({ type }) => type === ref?.type);
        if (candidates.length === 0)
          throw new PolyadError('input_value_unsupported', {
            message: `\`${ctx.field ?? 'promoted'}\` cannot hold ${JSON.stringify(ref?.type)} here.`,
            details: { field: ctx.field, value: ref?.type, allowed },
          });
        if (typeof ref.id !== 'string' || ref.id === '') throw invalid(ctx, 'needs an `id` in every member');
        const encoded = pick(candidates, ref.id).encode(ref.id);
        const twice = Object.keys(encoded).find((name) => name in out);
        if (twice !== undefined) throw invalid(ctx, `names two values for \`${twice}\``);
        Object.assign(out, encoded);
      }
      return out;
    },
  });
}
