/** Agreements of an ad account. Facts: official yml term_check, term_confirm, term_get; scope 120. */
import type { Endpoint, Param, World } from '../types.ts';

const TERM_TYPES = ['InstantPage', 'LeadAds', 'Pixel', 'ReachFrequency'] as const;

interface Confirmation {
  /** advertiser_id and term type. */
  id: string;
  confirmed_at: string;
}

const confirmations = (world: World) => world.store.collection<Confirmation>('terms');

const params: Param[] = [
  { name: 'advertiser_id', type: 'string', required: true },
  { name: 'term_type', type: 'string', required: true, enum: TERM_TYPES },
];

const keyOf = (params: Record<string, unknown>) => `${params['advertiser_id']}/${params['term_type']}`;

const TITLES: Record<string, Record<string, string>> = {
  EN: { heading: 'Terms', body: 'Simulated agreement; it binds nobody.' },
  JA: { heading: '規約', body: 'シミュレーター用の規約です。効力はありません。' },
  ZH: { heading: '条款', body: '模拟协议，不具约束力。' },
};

const check: Endpoint = {
  method: 'GET',
  path: 'term/check',
  auth: 'token',
  sandbox: true,
  params,
  handle: ({ world, params }) => ({ confirmed: confirmations(world).get(keyOf(params)) !== undefined }),
};

const confirm: Endpoint = {
  method: 'POST',
  path: 'term/confirm',
  auth: 'token',
  sandbox: true,
  write: true,
  params,
  handle({ world, params, now }) {
    confirmations(world).put({ id: keyOf(params), confirmed_at: now.toISOString() });
    return {};
  },
};

/** `terms` is a list of HTML texts (that it is a list is sourced, what its items are is unverified). */
const get: Endpoint = {
  method: 'GET',
  path: 'term/get',
  auth: 'token',
  sandbox: true,
  params: [...params, { name: 'lang', type: 'string', enum: ['EN', 'JA', 'ZH'] }],
  handle({ params }) {
    const text = TITLES[String(params['lang'] ?? 'EN')]!;
    return { terms: [`<h1>${params['term_type']} ${text['heading']}</h1><p>${text['body']}</p>`] };
  },
};

/** The agreements family. */
export const endpoints: Endpoint[] = [check, confirm, get];
