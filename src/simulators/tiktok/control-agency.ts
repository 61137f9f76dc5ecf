/** Business Centers from outside the API, by the control API: members, shares, and the end of an app's access. */
import { bad, type ControlCall, type ControlRoute, found, reader } from '../kit/control.ts';
import { accountsOf, endShare, leave, withdrawApp } from './agency.ts';
import { acceptInvite } from './endpoints/bc-member.ts';
import type { World } from './types.ts';

/**
 * - `GET /business_centers`: Business Centers with members, partners and the number of their ad accounts.
 * - `POST /business_centers/:id/remove_member` `{ user_id }`: the member loses its ad accounts, unless another Business
 *   Center gives them, too.
 * - `POST /business_centers/:id/end_share` `{ partner_id, advertiser_ids? }`: the partner's members lose them.
 * - `POST /business_centers/:id/withdraw` `{ app_id? }`: the Business Center withdraws the app: its ad accounts leave
 *   every consent.
 * - `POST /business_centers/:id/accept` `{ email }`: the person accepts an invitation of bc/member/invite.
 *
 * What was taken is in the answer; these ad accounts answer 40001 from then on and are gone from oauth2/advertiser/get.
 */
export function agencyRoutes(world: World): ControlRoute[] {
  const bcOf = ({ params }: ControlCall) =>
    found(world.businessCenters.get(params['id']!), `Business Center ${params['id']}`);
  const list = () => ({
    business_centers: [...world.businessCenters.values()].map((bc) => ({
      ...bc,
      members: [...world.users.values()]
        .filter((user) => user.bc_roles[bc.id])
        .map((user) => ({ user_id: user.id, role: user.bc_roles[bc.id] })),
      advertisers: accountsOf(world, bc.id).size,
    })),
  });
  const removeMember = (call: ControlCall) => {
    const bc = bcOf(call);
    const id = reader(call.body).need('user_id');
    const user = found(world.users.get(id), `user ${id}`);
    if (!user.bc_roles[bc.id]) bad(`the user ${id} is no member of the Business Center`);
    return { advertiser_ids: leave(world, user, bc.id) };
  };
  const stopSharing = (call: ControlCall) => {
    const read = reader(call.body);
    return { advertiser_ids: endShare(world, bcOf(call), read.need('partner_id'), read.texts('advertiser_ids')) };
  };
  const accept = (call: ControlCall) => {
    const email = reader(call.body).need('email');
    return found(acceptInvite(world, bcOf(call).id, email), `invitation of ${email}, or user with this address`);
  };
  const path = '/business_centers';
  return [
    { method: 'GET', path, summary: 'Business Centers with members and partners', handle: list },
    {
      method: 'POST',
      path: `${path}/:id/remove_member`,
      summary: 'a member leaves: it loses the ad accounts',
      handle: removeMember,
    },
    {
      method: 'POST',
      path: `${path}/:id/end_share`,
      summary: 'a share with a partner ends',
      handle: stopSharing,
    },
    {
      method: 'POST',
      path: `${path}/:id/withdraw`,
      summary: 'the Business Center withdraws an app',
      handle: (call) => withdrawApp(world, bcOf(call).id, reader(call.body).text('app_id')),
    },
    { method: 'POST', path: `${path}/:id/accept`, summary: 'an invitation is accepted', handle: accept },
  ];
}
