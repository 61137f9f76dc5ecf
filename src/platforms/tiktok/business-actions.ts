/** Requests, assignments and shares in a Business Center. Bodies: bc/* of the TikTok API for Business docs. */
import type { AccountAction } from '../../core/connector/accounts-spec.ts';
import type { Native, PlatformRequest } from '../../core/connector/types.ts';
import { API } from './manifest.ts';

type Field = AccountAction['fields'][number];

const BUSINESS: Field = { name: 'business_id', kind: 'id', required: true, text: 'Business Center.' };
const USER: Field = { name: 'user_id', kind: 'id', required: true, text: 'Member of the Business Center.' };
const ACCOUNT: Field = { name: 'organization_id', kind: 'id', required: true, text: 'Ad account.' };
const PARTNER: Field = { name: 'partner_id', kind: 'id', required: true, text: 'Business Center of the partner.' };
const ACCOUNTS = (required: boolean): Field => ({
  ...{ name: 'organization_ids', kind: 'ids', most: 50, required },
  text: 'Ad accounts, at most 50.',
});
const ROLE: Field = {
  ...{ name: 'role', kind: 'choice', choices: ['admin', 'operator', 'analyst'], required: false },
  text: 'Role on the ad accounts. Default analyst.',
};

const roleOf = (body: Native): string => String(body['role'] ?? 'analyst').toUpperCase();

const post = (endpoint: string, json: Native): PlatformRequest => ({
  ...{ method: 'POST', path: `${API}/${endpoint}/`, operation: endpoint, json },
  // Doing it twice does the same as doing it once is documented for none of them.
  idempotent: false,
});

const nothing = (): Native => ({});
const dataOf = (answer: unknown): Native => ((answer as Native | undefined)?.['data'] as Native | undefined) ?? {};

/** By name, as polyad calls them. */
export const businessActions: Readonly<Record<string, AccountAction>> = {
  assign_member: {
    title: 'Give a member a role on an ad account',
    fields: [BUSINESS, USER, ACCOUNT, ROLE],
    request: (body) =>
      post('bc/asset/assign', {
        bc_id: body['business_id'],
        user_id: body['user_id'],
        asset_id: body['organization_id'],
        asset_type: 'ADVERTISER',
        advertiser_role: roleOf(body),
      }),
    read: nothing,
  },
  unassign_member: {
    title: 'Take a member’s role on an ad account away',
    fields: [BUSINESS, USER, ACCOUNT],
    request: (body) =>
      post('bc/asset/unassign', {
        bc_id: body['business_id'],
        user_id: body['user_id'],
        asset_id: body['organization_id'],
        asset_type: 'ADVERTISER',
      }),
    read: nothing,
  },
  invite_members: {
    title: 'Invite people to the Business Center, with roles on ad accounts',
    fields: [
      BUSINESS,
      { name: 'emails', kind: 'emails', required: true, most: 50, text: 'Addresses to invite.' },
      {
        ...{ name: 'member_role', kind: 'choice', choices: ['admin', 'standard'], required: false },
        text: 'Role in the Business Center. Default standard.',
      },
      ACCOUNTS(false),
      ROLE,
    ],
    request: (body) =>
      post('bc/member/invite', {
        bc_id: body['business_id'],
        emails: body['emails'],
        user_role: String(body['member_role'] ?? 'standard').toUpperCase(),
        ...(body['organization_ids'] === undefined
          ? {}
          : { asset_ids: body['organization_ids'], advertiser_role: roleOf(body) }),
      }),
    read: nothing,
  },
  share_with_partner: {
    title: 'Share ad accounts with a partner’s Business Center',
    fields: [BUSINESS, PARTNER, ACCOUNTS(true), ROLE],
    request: (body) =>
      post('bc/partner/add', {
        bc_id: body['business_id'],
        partner_id: body['partner_id'],
        asset_type: 'ADVERTISER',
        asset_ids: body['organization_ids'],
        advertiser_role: roleOf(body),
      }),
    read: nothing,
  },
  unshare_with_partner: {
    title: 'End the sharing of ad accounts with a partner',
    fields: [BUSINESS, PARTNER, ACCOUNTS(true)],
    request: (body) =>
      post('bc/partner/asset/delete', {
        bc_id: body['business_id'],
        partner_id: body['partner_id'],
        asset_type: 'ADVERTISER',
        asset_ids: body['organization_ids'],
      }),
    read: nothing,
  },
  transfer_funds: {
    title: 'Move money between the Business Center and an ad account',
    money: true,
    fields: [
      BUSINESS,
      ACCOUNT,
      {
        ...{ name: 'direction', kind: 'choice', choices: ['to_account', 'from_account'], required: true },
        text: '`to_account` charges the ad account, `from_account` takes back.',
      },
      { name: 'cash_amount', kind: 'amount', required: true, text: 'In the currency of the account.' },
    ],
    request: (body, token) => ({
      ...post('bc/transfer', {
        bc_id: body['business_id'],
        advertiser_id: body['organization_id'],
        transfer_level: 'ADVERTISER',
        transfer_type: body['direction'] === 'to_account' ? 'RECHARGE' : 'REFUND',
        cash_amount: Number(body['cash_amount']),
        // TikTok documents it as an aid against doubles for transfers at the level of the Business Center only.
        request_id: token,
      }),
      once: true,
    }),
    read: (answer) => ({ transactions: dataOf(answer)['transaction_infos'] ?? [] }),
  },
};
