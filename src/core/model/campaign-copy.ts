import { z } from 'zod';
import { dateTime, id, openEnum, raw } from './common.ts';
import { AUTOMATIONS, COPY_STATES, STATUSES } from './enums.ts';

/** A copy of a campaign that the platform makes in its own time. An object of polyad, beyond the wire contract. */
export const adsCampaignCopy = z
  .object({
    automation: openEnum(AUTOMATIONS).optional().describe('That of the campaign which is copied.'),
    budget_amount: z.number().optional().describe("Budget of the copy, in units of the account's currency."),
    campaign_id: id.optional().describe('Id of the campaign that is copied.'),
    end_at: dateTime.optional().describe('When the copy ends.'),
    errors: z.array(z.string()).optional().describe('What could not be copied, in the words of the platform.'),
    id: id.optional().describe('Id of the copy’s task.'),
    name: z.string().optional().describe('Name of the copy.'),
    new_campaign_id: id.optional().describe('Id of the new campaign, once there is one.'),
    organization_id: id.optional().describe('Id of the ad account.'),
    raw: raw.optional(),
    start_at: dateTime.optional().describe('When the copy begins.'),
    state: openEnum(COPY_STATES).optional().describe('How far it is.'),
    status: openEnum(STATUSES).optional().describe('Status that the copy begins with.'),
  })
  .meta({ id: 'AdsCampaignCopy', title: 'Campaign copy', description: 'A copy of a campaign, made step by step.' });
export type AdsCampaignCopy = z.infer<typeof adsCampaignCopy>;
