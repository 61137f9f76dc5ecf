import { reads, writes } from '../declared.ts';
import { accountsOf, pixelOfCode } from '../event-sources.ts';
import { page } from '../paging.ts';
import { type Call, type Endpoint, type Native, TikTokError } from '../types.ts';
import { requireBcMember } from './bc-access.ts';
import { assetsOf } from './bc-asset.ts';

/** Pixels of Business Centers: bc/pixel/{transfer,link/update,link/get}. Facts: yml bc_pixel_*. */

/** The pixel of a code that the caller may see. @throws TikTokError 40001 */
function pixelOf(call: Call): Native {
  const code = String(call.params['pixel_code']);
  const pixel = pixelOfCode(call.world, code);
  if (!pixel) throw new TikTokError(40001, `No permission to operate pixel code: ${code}.`);
  return pixel;
}

/** A pixel that the Business Center owns. @throws TikTokError 40001 */
function ownPixel(call: Call): Native {
  const pixel = pixelOf(call);
  if (pixel['owner_bc_id'] !== call.params['bc_id']) {
    throw new TikTokError(
      40001,
      `The pixel ${String(pixel['pixel_code'])} is not owned by the Business Center ${String(call.params['bc_id'])}. Transfer it first.`,
    );
  }
  return pixel;
}

/** Whoever gives a pixel away must be an admin of its ad account (unverified). There is no way back. */
function transfer(call: Call): unknown {
  const bc = requireBcMember(call, String(call.params['bc_id']), true);
  const pixel = pixelOf(call);
  const role = call.world.users.get(call.grant!.user_id)?.roles[pixel.advertiser_id];
  if (role !== 'ADMIN' || !call.grant!.advertiser_ids.includes(pixel.advertiser_id)) {
    throw new TikTokError(40001, `You must be an admin of the advertiser account ${pixel.advertiser_id}.`);
  }
  const owner = pixel['owner_bc_id'];
  if (typeof owner === 'string' && owner !== '') {
    throw new TikTokError(40002, `pixel_code: The pixel is owned by the Business Center ${owner} already.`);
  }
  call.world.pixels.put({
    ...pixel,
    bc_id: bc.id,
    owner_bc_id: bc.id,
    _linked_advertiser_ids: [pixel.advertiser_id],
  });
  return { asset_id: pixel.id };
}

function updateLinks(call: Call): unknown {
  const bc = requireBcMember(call, String(call.params['bc_id']), true);
  const pixel = ownPixel(call);
  const accounts = assetsOf(call, bc, 'ADVERTISER').map(({ asset_id }) => asset_id);
  const ids = call.params['advertiser_ids'] as string[];
  const strange = ids.find((id) => !accounts.includes(id));
  if (strange !== undefined) {
    throw new TikTokError(40001, `The advertiser ${strange} does not belong to the Business Center ${bc.id}.`);
  }
  const before = accountsOf(pixel);
  const _linked_advertiser_ids =
    call.params['relation_status'] === 'LINK'
      ? [...new Set([...before, ...ids])]
      : before.filter((id) => !ids.includes(id));
  call.world.pixels.put({ ...pixel, _linked_advertiser_ids });
  return {};
}

function links(call: Call): unknown {
  requireBcMember(call, String(call.params['bc_id']));
  const rows = accountsOf(ownPixel(call)).flatMap((id) => call.world.advertisers.get(id) ?? []);
  const { list, page_info } = page(rows, call, 50);
  return {
    list: list.map(({ id, name, currency, timezone }) => ({
      advertiser_id: id,
      name,
      currency,
      timezone,
      type: 'AUCTION',
    })),
    page_info,
  };
}

/** Pixels of Business Centers. */
export const endpoints: Endpoint[] = [
  writes('bc/pixel/transfer', transfer),
  writes('bc/pixel/link/update', updateLinks),
  reads('bc/pixel/link/get', links),
];
