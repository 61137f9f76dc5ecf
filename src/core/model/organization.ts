import { z } from 'zod';
import { adsManager, id, openEnum, raw, timestamps } from './common.ts';
import { STATUSES } from './enums.ts';

/** An ad account (advertiser, customer) or what is above it (business, manager account). */
export const adsOrganization = z
  .object({
    account_number: z.string().optional().describe('Number of the account that people see, where it is not the id.'),
    ...timestamps,
    currency: z.string().optional().describe("The account's currency, ISO 4217. All its money is in this currency."),
    id: id.optional().describe("The account's id on the platform. Use it as `org_id`."),
    managers: z.array(adsManager).optional().describe('Who manages the account.'),
    name: z.string().optional().describe("The account's name."),
    parent_id: id.optional().describe('Id of the organization above: business, business center, manager account.'),
    raw: raw.optional(),
    status: openEnum(STATUSES).optional().describe('State of the account.'),
    timezone: z.string().optional().describe("The account's time zone, an IANA name. Its days begin by this zone."),
  })
  .meta({ id: 'AdsOrganization', title: 'Organization', description: 'An ad account, or what is above it.' });
export type AdsOrganization = z.infer<typeof adsOrganization>;
