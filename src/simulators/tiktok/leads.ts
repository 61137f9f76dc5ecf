/**
 * Leads that people leave in instant forms and chats, with the forms' fields. Facts: TikTok docs on leads as an
 * independent transcription has them; the names of a form's fields are (unverified).
 */
import { hash32 } from '../kit/random.ts';
import type { Collection } from '../kit/types.ts';
import type { Native, World } from './types.ts';

/** How a lead came: an instant form, or a conversation. */
export const LEAD_SOURCES = ['INSTANT_FORM', 'DIRECT_MESSAGE'] as const;
export type LeadSource = (typeof LEAD_SOURCES)[number];

/** One lead. Everything in it is invented. */
export interface Lead {
  /** lead_id */
  id: string;
  lead_source: LeadSource;
  advertiser_id: string;
  page_id: string;
  campaign_id: string | null;
  adgroup_id: string | null;
  ad_id: string | null;
  /** Epoch milliseconds. */
  created: number;
  values: Record<string, string>;
  /** Made by page/lead/mock/create. */
  test: boolean;
}

/** All leads, with the indexes `page` and `advertiser`. */
export const leadsOf = (world: World): Collection<Lead> =>
  world.store.collection<Lead>('leads', { page: (row) => row.page_id, advertiser: (row) => row.advertiser_id });

const FIELDS = ['name', 'email', 'phone_number'];

/** What a form asks. */
export const fieldsOfForm = (form: Native): string[] => (form['fields'] as string[] | undefined) ?? FIELDS;

const FIRST = ['Mia', 'Noah', 'Zoë', 'Jürgen', 'Ana', 'Kenji', 'Aïcha', 'Lars'];
const LAST = ['Miller', 'Schmidt', 'Tanaka', 'García', 'Okafor', 'Larsen'];

/** An invented answer to a field; the addresses and numbers are reserved for such use. */
function invent(field: string, id: string): string {
  const first = FIRST[hash32('lead first', id) % FIRST.length]!;
  const last = LAST[hash32('lead last', id) % LAST.length]!;
  if (field.includes('email')) return `person${hash32('lead', id) % 1_000_000}@example.com`;
  if (field.includes('phone')) return `+1202555${String(100 + (hash32('lead phone', id) % 100)).padStart(4, '0')}`;
  if (field.includes('name')) return `${first} ${last}`;
  return `answer ${hash32('lead', field, id) % 100}`;
}

/** What may be said of a new lead. */
export interface NewLead {
  lead_source?: LeadSource;
  ad?: Native;
  values?: Record<string, string>;
  test?: boolean;
}

/** Makes a lead of a form. */
export function makeLead(world: World, form: Native, { lead_source, ad, values, test }: NewLead = {}): Lead {
  const id = world.nextId();
  const lead: Lead = {
    id,
    lead_source: lead_source ?? 'INSTANT_FORM',
    advertiser_id: form.advertiser_id,
    page_id: form.id,
    campaign_id: ad ? String(ad['campaign_id']) : null,
    adgroup_id: ad ? String(ad['adgroup_id']) : null,
    ad_id: ad?.id ?? null,
    created: world.clock.now().getTime(),
    values: Object.fromEntries(fieldsOfForm(form).map((field) => [field, values?.[field] ?? invent(field, id)])),
    test: test ?? false,
  };
  for (const [field, value] of Object.entries(values ?? {})) lead.values[field] ??= value;
  leadsOf(world).put(lead);
  return lead;
}

/** `meta_data` of a lead, as lead/get and the mock endpoints answer it. */
export function leadMeta(world: World, lead: Lead) {
  const name = (rows: Collection<Native>, id: string | null, field: string) =>
    (id === null ? null : (rows.get(id)?.[field] ?? null)) as string | null;
  return {
    lead_source: lead.lead_source,
    lead_id: lead.id,
    page_id: lead.page_id,
    campaign_id: lead.campaign_id,
    campaign_name: name(world.campaigns, lead.campaign_id, 'campaign_name'),
    adgroup_id: lead.adgroup_id,
    adgroup_name: name(world.adgroups, lead.adgroup_id, 'adgroup_name'),
    ad_id: lead.ad_id,
    ad_name: name(world.ads, lead.ad_id, 'ad_name'),
    create_time: world.stamp(new Date(lead.created)),
  };
}

/** The library of a Business Center: forms moved there are its own from then on. */
export const libraryId = (bcId: string): string =>
  String(7_400_000_000_000_000_000n + (BigInt(bcId) % 100_000_000_000_000_000n));

/** The Business Center behind a library id. */
export const bcOfLibrary = (world: World, library: string): string | undefined =>
  [...world.businessCenters.values()].find(({ id }) => libraryId(id) === library)?.id;
