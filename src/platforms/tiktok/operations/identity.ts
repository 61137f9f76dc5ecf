/** Identities as objects: identity/{get,create,delete}. Ads use them through `operations/identities.ts`. */
import type { ObjectSpec, OperationInput } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { PolyadError } from '../../../core/errors/index.ts';
import { IDENTITY_IMAGE, identityFields } from '../entities/creators.ts';
import { IDENTITY_REF, identityRef } from '../entities/promoted-refs.ts';
import { pages, write as send } from '../request.ts';
import { mediaMembers } from './media.ts';
import { numberedList } from './shared.ts';

/** Most rows of a page of identity/get. */
const PAGE = 100;

/** One identity, by the id that `promoted` takes or by TikTok's own. */
async function find(input: OperationInput, id: string): Promise<Native | undefined> {
  const whole = IDENTITY_REF.test(id);
  for await (const row of pages(input, 'identity/get', { rows: 'identity_list', size: PAGE }))
    if (whole ? identityRef(row) === id : row['identity_id'] === id) return row;
  return undefined;
}

/** TikTok's identities as unified ones. */
export const identity: ObjectSpec = {
  native: 'identity',
  scope: 'organization',
  fields: identityFields,
  list: {
    // Its total is zero in TikTok's own examples.
    ...numberedList('identity/get', PAGE, { rows: 'identity_list' }),
    // TikTok's own filter by type wants a Business Center for one of the types.
    filters: { type: { kind: 'local' }, query: { kind: 'local' } },
  },
  get: find,
  async create(input, native, write) {
    const { [IDENTITY_IMAGE]: source, ...rest } = native;
    const { image_ids: images } = await mediaMembers(input, [String(source)], 'SINGLE_IMAGE', write.requestToken);
    const [image] = Array.isArray(images) ? images : [];
    if (image === undefined)
      throw new PolyadError('input_value_invalid', {
        message: '`image_url` must be a picture.',
        details: { field: 'image_url', reason: 'not a picture' },
      });
    const { identity_id } = await send(input, 'identity/create', { ...rest, image_uri: image });
    const row = typeof identity_id === 'string' ? await find(input, identity_id) : undefined;
    return { row: row ?? { ...rest, identity_id, identity_type: 'CUSTOMIZED_USER' } };
  },
  async remove(input, id, write) {
    const { identity_id, identity_type } = await write.current();
    if (identity_type === 'AUTH_CODE')
      throw new PolyadError('method_unsupported', {
        message:
          'The identity stands for a post that its creator authorised: remove the creator authorization instead.',
        details: {
          object: 'identity',
          method: 'remove',
          instead: 'DELETE /ads/{connection_id}/creator_authorization/{id}',
        },
      });
    await send(input, 'identity/delete', { identity_id, identity_type }, true);
    return { id };
  },
  refusals: {
    update: 'A custom identity cannot be changed: make a new one. Other identities change in the TikTok app.',
  },
};
