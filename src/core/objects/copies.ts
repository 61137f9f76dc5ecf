/** Copies of campaigns: the budgets that they take over, for the spend guards. */
import type { Scope } from '../calls/scope.ts';
import type { ObjectSpec, OperationInput } from '../connector/object-spec.ts';
import type { OrganizationFacts } from '../connector/types.ts';
import type { ObjectAccess } from './access.ts';
import { type Budget, budgetOf } from './spend.ts';
import { walk } from './walk.ts';

/**
 * The budgets that a copy begins with: the campaign's own, with the amount that the copy names instead, and those of its
 * groups, which are copied as they are.
 *
 * @throws PolyadError `platform_not_found` (there is no such campaign), what reading meets.
 */
export async function budgetsOfCopy(
  access: ObjectAccess,
  scope: Scope,
  organization: OrganizationFacts,
  campaignId: string,
  wanted: Budget,
): Promise<Budget[]> {
  const campaign = access.open(scope, 'campaign', 'get');
  const { row } = await access.read(scope, 'campaign', campaign, campaignId, { org_id: organization.id });
  const own = budgetOf(access.decode(scope, 'campaign', campaign, organization, row));
  const budgets: Budget[] = [{ amount: wanted.amount ?? own.amount, period: wanted.period ?? own.period }];
  if (campaign.platform.objects.group?.list === undefined) return budgets;
  const group = access.open(scope, 'group', 'list');
  const input: OperationInput = { ctx: group.ctx, organization, raw: {} };
  const list = group.spec.list as NonNullable<ObjectSpec['list']>;
  for await (const rows of walk(input, list, { campaign_id: campaignId }, 0, Number.POSITIVE_INFINITY))
    for (const found of rows) {
      const unified = access.decode(scope, 'group', group, organization, found);
      if (unified['campaign_id'] === campaignId) budgets.push(budgetOf(unified));
    }
  return budgets;
}
