/** Fields of Acme's objects: native path, unified path, codec, and what may be done with it. */
import { enums, id, money, text, time } from '../../core/connector/codecs.ts';
import type { FieldRule } from '../../core/connector/fields.ts';

/** Fields of an ad account (native: account). */
export const organizationFields: readonly FieldRule[] = [
  { unified: 'id', native: 'id', codec: id, access: 'read' },
  { unified: 'name', native: 'name', codec: text(), access: 'read' },
  { unified: 'currency', native: 'currency', codec: text(), access: 'read' },
  { unified: 'timezone', native: 'time_zone', codec: text(), access: 'read' },
];

/** Fields of a campaign. `write` = created and updated, `create` = fixed at creation, `read` = the platform sets it. */
export const campaignFields: readonly FieldRule[] = [
  { unified: 'id', native: 'id', codec: id, access: 'read' },
  { unified: 'organization_id', native: 'account_id', codec: id, access: 'read' },
  { unified: 'name', native: 'name', codec: text({ max: 255 }), access: 'write', required: true },
  {
    unified: 'goal',
    native: 'objective',
    codec: enums({ traffic: 'WEBSITE_TRAFFIC', sales: 'SALES', reach: 'REACH' }),
    access: 'create',
    required: true,
  },
  { unified: 'budget_amount', native: 'daily_budget', codec: money.minor(), access: 'write' },
  { unified: 'status', native: 'status', codec: enums({ on: 'ACTIVE', off: 'PAUSED' }), access: 'write' },
  { unified: 'start_at', native: 'starts_at', codec: time.iso, access: 'write' },
  { unified: 'created_at', native: 'created_at', codec: time.iso, access: 'read' },
];
