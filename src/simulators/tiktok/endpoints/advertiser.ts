/** Ad accounts. Facts: official yml advertiser_info, advertiser_update; TikTok docs 1739593083610113. */
import { requireAdvertiser } from '../auth.ts';
import { pickFields } from '../paging.ts';
import { type Advertiser, type Endpoint, TikTokError } from '../types.ts';
import { requireBcMember } from './bc-access.ts';

/** Members of an item of advertiser/info. */
const FIELDS = [
  'advertiser_id',
  'name',
  'company',
  'brand',
  'status',
  'role',
  'rejection_reason',
  'currency',
  'timezone',
  'display_timezone',
  'country',
  'language',
  'industry',
  'address',
  'description',
  'contacter',
  'email',
  'telephone_number',
  'cellphone_number',
  'license_no',
  'license_url',
  'promotion_area',
  'company_name_editable',
  'can_use_custom_identity',
  'ads_only_mode',
  'advertiser_account_type',
  'balance',
  'create_time',
  'owner_bc_id',
];

/** The most ids that one call of advertiser/info takes; more is 40011. */
const MAX_IDS = 100;

/** `Ada Lane` as TikTok shows it: `A***ane`. */
const mask = (text: string, end: number) => `${text.slice(0, 2)}***${text.slice(-end)}`;

/** An ad account as advertiser/info shows it. */
export function advertiserInfo(row: Advertiser): Record<string, unknown> {
  const domain = `${row.company.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.test`;
  return {
    advertiser_id: row.id,
    name: row.name,
    company: row.company,
    brand: row.brand ?? row.company,
    status: row.status,
    role: row.role,
    rejection_reason: null,
    currency: row.currency,
    timezone: row.timezone,
    display_timezone: row.display_timezone,
    country: row.country,
    language: row.language,
    industry: row.industry,
    address: row.address ?? '',
    description: row.description ?? '',
    contacter: mask(row.contact_name ?? row.name, 2),
    email: `${(row.contact_email ?? `ads@${domain}`).slice(0, 1)}**@${(row.contact_email ?? `ads@${domain}`).split('@')[1]}`,
    telephone_number: '+1415****85',
    cellphone_number: '+1415****85',
    license_no: row.license_no ?? '',
    license_url: null,
    promotion_area: 'OVERSEAS',
    company_name_editable: true,
    can_use_custom_identity: false,
    ads_only_mode: false,
    advertiser_account_type: 'AUCTION',
    balance: row.balance,
    create_time: row.create_time,
    owner_bc_id: row.owner_bc_id ?? null,
  };
}

const info: Endpoint = {
  method: 'GET',
  path: 'advertiser/info',
  auth: 'token',
  params: [
    { name: 'advertiser_ids', type: 'array', required: true, min: 1, items: { type: 'string' } },
    { name: 'fields', type: 'array', items: { type: 'string' } },
  ],
  handle(call) {
    const ids = call.params['advertiser_ids'] as string[];
    if (ids.length > MAX_IDS) {
      throw new TikTokError(40011, `advertiser_ids: The number of ids must not be more than ${MAX_IDS}.`);
    }
    for (const id of ids) requireAdvertiser(call, id);
    return {
      list: [...new Set(ids)].map((id) =>
        pickFields(advertiserInfo(call.world.advertisers.get(id)!), call.params['fields'], FIELDS),
      ),
    };
  },
};

/** Which input of advertiser/update changes which member of the ad account. */
const EDITABLE = {
  advertiser_name: 'name',
  company: 'company',
  address: 'address',
  contact_name: 'contact_name',
  contact_email: 'contact_email',
  license_no: 'license_no',
} as const;

/**
 * advertiser/update: name, company, contact and licence of an ad account, and budgets of ad accounts of a Business
 * Center (`advertiser_budgets`). It answers `{ advertiser_list }` as the official yml says, one item per budget.
 */
const update: Endpoint = {
  method: 'POST',
  path: 'advertiser/update',
  auth: 'token',
  write: true,
  params: [
    { name: 'advertiser_id', type: 'string' },
    ...Object.keys(EDITABLE).map((name) => ({ name, type: 'string' as const, max: 512 })),
    { name: 'bc_id', type: 'integer' },
    { name: 'budget_update_type', type: 'string', enum: ['UPDATE', 'RESET', 'INCREMENTAL_UPDATE', 'ONE_CLICK_SET'] },
    {
      name: 'advertiser_budgets',
      type: 'array',
      items: {
        type: 'object',
        fields: [
          { name: 'budget', type: 'number', min: 0 },
          {
            name: 'budget_mode',
            type: 'string',
            enum: ['CUSTOM_BUDGET', 'DAILY_BUDGET', 'MONTHLY_BUDGET', 'UNLIMITED'],
          },
        ],
      },
    },
  ],
  handle(call) {
    const { world, params } = call;
    const budgets = (params['advertiser_budgets'] ?? []) as Record<string, unknown>[];
    if (params['advertiser_id'] === undefined && budgets.length === 0) {
      throw new TikTokError(40002, 'Missing required field(s): advertiser_id.');
    }
    const changed: Advertiser[] = [];
    if (params['advertiser_id'] !== undefined) {
      const row: Record<string, unknown> = { ...world.advertisers.get(params['advertiser_id'] as string)! };
      for (const [name, member] of Object.entries(EDITABLE)) {
        if (params[name] !== undefined && params[name] !== null) row[member] = params[name];
      }
      changed.push(row as unknown as Advertiser);
    }
    const results = budgets.map((item) => {
      const id = String(item['advertiser_id'] ?? '');
      requireAdvertiser(call, id, true);
      const owner = world.advertisers.get(id)!.owner_bc_id;
      if (owner === undefined) throw new TikTokError(40002, `Advertiser ${id} does not belong to a Business Center.`);
      requireBcMember(call, owner);
      const before = changed.find((row) => row.id === id) ?? world.advertisers.get(id)!;
      changed.push({
        ...before,
        budget: Number(item['budget'] ?? 0),
        budget_mode: String(item['budget_mode'] ?? before.budget_mode ?? 'UNLIMITED'),
      });
      return { advertiser_id: id, status: 'SUCCESS', error_msg: '' };
    });
    world.advertisers.putAll(changed);
    return { advertiser_list: results };
  },
};

/** The ad account family (balances are in `bc.ts`: they are read through a Business Center). */
export const endpoints: Endpoint[] = [info, update];
