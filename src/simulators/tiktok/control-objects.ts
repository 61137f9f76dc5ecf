/** What happens to ad accounts outside the API, by the control API: linked accounts, lost pixels. */
import { type ControlCall, ControlError, type ControlRoute } from '../kit/control.ts';
import { agencyRoutes } from './control-agency.ts';
import { ledgerRoutes } from './control-ledger.ts';
import { sparkRoutes } from './control-spark.ts';
import { setIdentityUsable } from './spark.ts';
import type { Native, World } from './types.ts';

const STATUSES = [
  'AVAILABLE',
  'NO_VALID_BIND_ACCOUNT',
  'SCOPE_UNAVAILABLE',
  'IS_PRIVATE_ACCOUNT',
  'NOT_BUSINESS_ACCOUNT',
];

const bad = (message: string): never => {
  throw new ControlError(400, message);
};

const found = (row: Native | undefined, what: string): Native => {
  if (!row) throw new ControlError(404, `there is no ${what}`);
  return row;
};

const text = (body: Record<string, unknown>, name: string, fallback?: string): string => {
  const value = body[name] ?? fallback;
  return typeof value === 'string' && value !== '' ? value : bad(`${name} must be a text`);
};

/** A member of an identity that the owner of the TikTok account decides. */
function permissions(body: Record<string, unknown>): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const name of ['can_push_video', 'can_pull_video', 'can_use_live_ads', 'can_manage_message']) {
    const value = body[name];
    if (value === undefined) continue;
    patch[name] = typeof value === 'boolean' ? value : bad(`${name} must be true or false`);
  }
  if (body['available_status'] !== undefined) {
    const status = text(body, 'available_status');
    if (!STATUSES.includes(status)) bad(`available_status must be one of ${STATUSES.join(', ')}`);
    patch['available_status'] = status;
  }
  return patch;
}

/**
 * - `POST /identities` `{ advertiser_id, display_name, identity_authorized_bc_id?, available_status?, can_… }` links a
 *   TikTok account to an ad account, through a Business Center if one is named; `PATCH /identities/:id`
 *   `{ available_status?, can_… }` changes what its owner allows; `DELETE /identities/:id` unlinks it. Ads stop
 *   while the account is unlinked or not available.
 * - `PATCH /pixels/:id` `{ unbound }`: the ad account loses the pixel, or gets it back.
 */
export function objectRoutes(world: World): ControlRoute[] {
  const link = ({ body }: ControlCall) => {
    const advertiserId = text(body, 'advertiser_id');
    if (!world.advertisers.get(advertiserId)) throw new ControlError(404, `there is no ad account ${advertiserId}`);
    const name = text(body, 'display_name');
    const bc = body['identity_authorized_bc_id'];
    const id = world.nextId();
    const row: Native = {
      id,
      identity_id: id,
      advertiser_id: advertiserId,
      identity_type: bc === undefined ? 'TT_USER' : 'BC_AUTH_TT',
      ...(bc === undefined ? {} : { identity_authorized_bc_id: text(body, 'identity_authorized_bc_id') }),
      display_name: name,
      username: name.toLowerCase().replace(/\W+/g, '_'),
      available_status: 'AVAILABLE',
      can_push_video: true,
      can_pull_video: true,
      ...permissions(body),
    };
    world.identities.put(row);
    return row;
  };
  const identity = ({ params }: ControlCall) => found(world.identities.get(params['id']!), `identity ${params['id']}`);
  const change = (call: ControlCall) => {
    const row = { ...identity(call), ...permissions(call.body) };
    world.identities.put(row);
    setIdentityUsable(world, row.id, row['available_status'] === 'AVAILABLE');
    return row;
  };
  const changePixel = ({ params, body }: ControlCall) => {
    const pixel = found(world.pixels.get(params['id']!), `pixel ${params['id']}`);
    if (typeof body['unbound'] !== 'boolean') return bad('unbound must be true or false');
    const row = { ...pixel, _unbound: body['unbound'] };
    world.pixels.put(row);
    return row;
  };
  return [
    ...sparkRoutes(world),
    ...ledgerRoutes(world),
    ...agencyRoutes(world),
    { method: 'POST', path: '/identities', summary: 'link a TikTok account to an ad account', handle: link },
    { method: 'PATCH', path: '/identities/:id', summary: 'change what a linked account allows', handle: change },
    {
      method: 'DELETE',
      path: '/identities/:id',
      summary: 'unlink a TikTok account',
      handle: (call) => {
        const { id } = identity(call);
        world.identities.delete(id);
        setIdentityUsable(world, id, false);
      },
    },
    { method: 'PATCH', path: '/pixels/:id', summary: 'take a pixel from its ad account', handle: changePixel },
  ];
}
