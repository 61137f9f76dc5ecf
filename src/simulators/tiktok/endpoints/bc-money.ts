/**
 * Money of Business Centers: bc/transfer, transactions, costs, invoices. Facts: official yml bc_*, advertiser_transaction_get; TikTok docs 1739939095321601,
 * 1739939020318721. Wordings and codes of refusals are (unverified).
 */
import { spendingOf } from '../delivery.ts';
import { page } from '../paging.ts';
import { invalid, missing } from '../rules.ts';
import { type Advertiser, type Call, type Endpoint, type Param, TikTokError } from '../types.ts';
import { bcOf, filtering, id, keywordFilter, matches, paging, requireBcMember, text } from './bc-access.ts';
import { requireFinance } from './bc-member.ts';

type Values = Record<string, unknown>;

/** One movement of money. */
interface Transaction {
  id: string;
  bc_id: string;
  /** Empty for movements between Business Centers. */
  advertiser_id: string;
  /** In the Business Center's currency; negative = out of the account. */
  amount: number;
  kind: 'RECHARGE' | 'REFUND';
  funds: 'CASH' | 'GRANT';
  at: string;
  request_id?: string;
  infos: Values[];
}

const transactions = (call: Call) =>
  call.world.store.collection<Transaction>('bc_transactions', { bc: (row: Transaction) => row.bc_id });

const amountOf = (params: Values): { amount: number; funds: 'CASH' | 'GRANT' } => {
  const info = (params['amount_info'] ?? {}) as Values;
  const cash = params['cash_amount'] ?? info['cash_amount'];
  const grant = params['grant_amount'] ?? info['grant_amount'];
  if (cash === undefined && grant === undefined) missing('cash_amount');
  if (cash !== undefined && grant !== undefined) invalid('cash_amount and grant_amount cannot be used together.');
  const amount = Number(cash ?? grant);
  if (!(amount > 0)) invalid('cash_amount: Must be greater than 0.');
  return { amount, funds: cash === undefined ? 'GRANT' : 'CASH' };
};

/** Moves money: into an ad account or back, or between a Business Center and one below it. */
function transfer(call: Call): unknown {
  const { world, params } = call;
  const bc = requireBcMember(call, String(params['bc_id']));
  requireFinance(call, bc);
  const level = String(params['transfer_level'] ?? 'ADVERTISER');
  const { amount, funds } = amountOf(params);
  const kind = params['transfer_type'] as Transaction['kind'];
  const request = text(params['request_id']);
  // A request_id makes a transfer between Business Centers happen once; ad accounts have no such help (TikTok docs).
  const known =
    level === 'BC' && request !== undefined
      ? transactions(call)
          .by('bc', bc.id)
          .find((row) => row.request_id === request)
      : undefined;
  if (known) return { bc_id: bc.id, transaction_infos: known.infos };
  const signed = kind === 'RECHARGE' ? amount : -amount;
  const balance = bc.balance ?? 0;
  let other: { type: string; id: string };
  if (level === 'BC') {
    const child = requireBcMember(call, text(params['child_bc_id']) ?? missing('child_bc_id'));
    if (child.id === bc.id) invalid('child_bc_id: It must be another Business Center.');
    if (balance < signed || (child.balance ?? 0) < -signed) invalid('The balance is insufficient.');
    world.businessCenters.put({ ...child, balance: (child.balance ?? 0) + signed });
    other = { type: 'BC', id: child.id };
  } else if (level === 'ADVERTISER') {
    const account = text(params['advertiser_id']) ?? missing('advertiser_id');
    const row = world.advertisers.get(account);
    if (row?.owner_bc_id !== bc.id) throw new TikTokError(40001, `No permission to operate advertiser ${account}.`);
    if (balance < signed || row.balance < -signed) invalid('The balance is insufficient.');
    world.advertisers.put({ ...row, balance: row.balance + signed });
    other = { type: 'ADVERTISER', id: row.id };
  } else {
    throw new TikTokError(40118, `Your app is not on the allowlist for transfer_level ${level}.`);
  }
  world.businessCenters.put({ ...world.businessCenters.get(bc.id)!, balance: balance - signed });
  const side = { account_type: 'BC', account_id: bc.id };
  const party = { account_type: other.type, account_id: other.id };
  const transactionId = world.nextId();
  const infos = [
    {
      transaction_id: transactionId,
      transaction_type: funds,
      payee_account: kind === 'RECHARGE' ? party : side,
      remitter_account: kind === 'RECHARGE' ? side : party,
    },
  ];
  transactions(call).put({
    id: transactionId,
    bc_id: bc.id,
    advertiser_id: other.type === 'ADVERTISER' ? other.id : '',
    amount: signed,
    kind,
    funds,
    at: world.stamp(call.now),
    ...(request === undefined ? {} : { request_id: request }),
    infos,
  });
  return {
    bc_id: bc.id,
    advertiser_id: other.type === 'ADVERTISER' ? other.id : null,
    child_bc_id: other.type === 'BC' ? other.id : null,
    transaction_infos: infos,
  };
}

const newest = (call: Call, bcId: string) => [...transactions(call).by('bc', bcId)].reverse();

/** Movements by account (bc/account/transaction/get). */
function accountTransactions(call: Call): unknown {
  const bc = requireBcMember(call, text(call.params['bc_id']) ?? missing('bc_id'));
  const filter = filtering(call);
  const ids = filter['account_ids'] as string[] | undefined;
  const rows = newest(call, bc.id)
    .filter((row) => !ids || ids.includes(row.advertiser_id || bc.id))
    .filter((row) => !text(filter['start_time']) || row.at >= String(filter['start_time']))
    .filter((row) => !text(filter['end_time']) || row.at <= String(filter['end_time']));
  const { list, page_info } = page(rows, call, 50);
  return {
    transaction_list: list.map((row) => ({
      transaction_id: row.id,
      account_id: row.advertiser_id || bc.id,
      account_name: call.world.advertisers.get(row.advertiser_id)?.name ?? bc.name,
      bc_id: bc.id,
      bc_name: bc.name,
      amount: row.amount,
      subtotal: row.amount,
      tax_amount: 0,
      currency: bc.currency,
      amount_type: row.funds,
      transaction_type: row.kind,
      billing_type: row.funds,
      timezone: bc.timezone,
      create_time: row.at,
      invoice_id: null,
      serial_number: null,
    })),
    page_info,
  };
}

const inDays = (row: Transaction, from: unknown, to: unknown) =>
  (!text(from) || row.at.slice(0, 10) >= String(from)) && (!text(to) || row.at.slice(0, 10) <= String(to));

/** Movements of the Business Center itself (bc/transaction/get). */
function bcTransactions(call: Call): unknown {
  const bc = bcOf(call);
  const { start_date, end_date } = call.params;
  const wanted = filtering(call)['funds_type'] as string[] | undefined;
  const rows = newest(call, bc.id)
    .filter((row) => inDays(row, start_date, end_date))
    .filter((row) => !wanted || wanted.includes(`FUNDS_TYPE_${row.funds}`));
  const { list, page_info } = page(rows, call, 50);
  const sum = (kind: Transaction['kind']) =>
    rows.filter((row) => row.kind === kind).reduce((all, row) => all + Math.abs(row.amount), 0);
  return {
    list: list.map((row) => ({
      date: Math.floor(Date.parse(`${row.at.replace(' ', 'T')}Z`) / 1000),
      amount: -row.amount,
      timezone: bc.timezone,
      currency: bc.currency,
      funds_type: `FUNDS_TYPE_${row.funds}`,
      invoice_id: null,
      invoice_serial_number: null,
    })),
    page_info,
    transaction_summary: { amount_charged: sum('REFUND'), amount_paid: sum('RECHARGE'), currency: bc.currency },
  };
}

/** Movements of ad accounts (advertiser/transaction/get). */
function advertiserTransactions(call: Call): unknown {
  const bc = requireBcMember(call, String(call.params['bc_id']));
  const filter = filtering(call);
  const rows = newest(call, bc.id)
    .filter((row) => row.advertiser_id !== '' && inDays(row, filter['start_date'], filter['end_date']))
    .map((row) => ({ row, account: call.world.advertisers.get(row.advertiser_id)! }))
    .filter(({ account }) => matches(filter['keyword'], account.name, account.id));
  const { list, page_info } = page(rows, call, 50);
  return {
    transaction_list: list.map(({ row, account }) => ({
      advertiser_id: account.id,
      advertiser_name: account.name,
      amount: row.amount,
      currency: account.currency,
      date: row.at,
      funds_type: `FUNDS_TYPE_${row.funds}`,
      transfer_type: 'TRANS_TYPE_TRANSFER',
      timezone: account.display_timezone,
    })),
    page_info,
  };
}

/** What the ad accounts of a Business Center have spent (bc/account/cost/get): since their creation. */
function costs(call: Call): unknown {
  const bc = bcOf(call);
  const rows = call.world.advertisers
    .by('bc', bc.id)
    .filter((row) => matches(filtering(call)['keyword'], row.name, row.id));
  const { list, page_info } = page(rows, call, 50);
  const cost = (row: Advertiser) => {
    const spending = spendingOf(call.world, row.id);
    return call.world.campaigns
      .by('advertiser', row.id)
      .reduce((all, campaign) => all + spending.of('campaign', campaign.id).lifetime, 0);
  };
  const cost_list = list.map((row) => {
    const amount = Math.round(cost(row) * 1000) / 1000;
    return {
      advertiser_id: row.id,
      advertiser_name: row.name,
      amount,
      cash_amount: amount,
      grant_amount: 0,
      tax_amount: 0,
      currency: row.currency,
    };
  });
  const total = cost_list.reduce((all, row) => all + row.amount, 0);
  return {
    cost_list,
    page_info,
    transaction_summary: {
      amount: total,
      cash_amount: total,
      grant_amount: 0,
      tax_amount: 0,
      currency: bc.currency,
    },
  };
}

const dates: readonly Param[] = [
  { name: 'start_date', type: 'string' },
  { name: 'end_date', type: 'string' },
];
/** `filtering` with these members. */
export const filter = (fields: readonly Param[]): Param => ({ name: 'filtering', type: 'object', fields });
/** A list of ad accounts. */
export const accounts = (name: string, more: Partial<Param> = {}): Param => ({
  name,
  type: 'array',
  items: { type: 'string', numeric: true },
  ...more,
});

/** An endpoint of a Business Center. */
export const endpoint = (
  method: Endpoint['method'],
  path: string,
  params: readonly Param[],
  handle: Endpoint['handle'],
): Endpoint => ({ method, path, auth: 'token', params, handle });

/** Money of Business Centers. */
export const endpoints: Endpoint[] = [
  endpoint(
    'POST',
    'bc/transfer',
    [
      id('bc_id'),
      // `advertiser_id` is not declared: it is judged by the Business Center, not by the caller's role on the account.
      id('child_bc_id', false),
      { name: 'transfer_level', type: 'string', enum: ['ADVERTISER', 'BC', 'PAYMENT_PORTFOLIO'] },
      { name: 'transfer_type', type: 'string', required: true, enum: ['RECHARGE', 'REFUND'] },
      { name: 'cash_amount', type: 'number' },
      { name: 'grant_amount', type: 'number' },
      { name: 'amount_info', type: 'object' },
      { name: 'request_id', type: 'string' },
    ],
    transfer,
  ),
  endpoint(
    'GET',
    'bc/account/transaction/get',
    [
      id('bc_id', false),
      id('child_bc_id', false),
      { name: 'transaction_level', type: 'string', enum: ['ADVERTISER', 'BC'] },
      filter([
        accounts('account_ids'),
        { name: 'account_name', type: 'string' },
        { name: 'start_time', type: 'string' },
        { name: 'end_time', type: 'string' },
      ]),
      ...paging,
    ],
    accountTransactions,
  ),
  endpoint(
    'GET',
    'bc/transaction/get',
    [
      id('bc_id'),
      filter([
        {
          name: 'funds_type',
          type: 'array',
          items: { type: 'string', enum: ['FUNDS_TYPE_CASH', 'FUNDS_TYPE_GRANT'] },
        },
      ]),
      ...dates,
      ...paging,
    ],
    bcTransactions,
  ),
  endpoint(
    'GET',
    'advertiser/transaction/get',
    [
      { name: 'bc_id', type: 'string', required: true },
      filter([{ name: 'keyword', type: 'string' }, ...dates]),
      ...paging,
    ],
    advertiserTransactions,
  ),
  endpoint('GET', 'bc/account/cost/get', [id('bc_id'), keywordFilter, ...paging], costs),
  endpoint(
    'GET',
    'bc/invoice/unpaid/get',
    [id('bc_id'), { name: 'invoice_type', type: 'string', required: true, enum: ['RECON'] }],
    (call) => {
      requireFinance(call, bcOf(call));
      return { result: [] };
    },
  ),
];
