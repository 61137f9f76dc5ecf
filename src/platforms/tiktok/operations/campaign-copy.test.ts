/** Copies of campaigns: answers that take their time, by a platform that the test plays. */
import { describe, expect, it } from 'vitest';
import { fakeContext } from '../../../../test/platforms/tiktok/support/fake-context.ts';
import { compileFields } from '../../../core/connector/fields.ts';
import type { OperationInput, WriteContext } from '../../../core/connector/object-spec.ts';
import type { Native } from '../../../core/connector/types.ts';
import { campaignCopy } from './campaign-copy.ts';

const fields = compileFields(campaignCopy.fields);
const write: WriteContext = { unified: {}, requestToken: '4711', current: async () => ({}) };

function world(generation: string, check: Native) {
  const fake = fakeContext(({ operation }) => {
    if (operation === 'campaign/get')
      return { data: { list: [{ campaign_id: '1', campaign_automation_type: generation }] } };
    return { data: operation.endsWith('create') ? { task_id: '77' } : check };
  });
  const input: OperationInput = { ctx: fake.ctx, organization: fake.organization, raw: {} };
  return { fake, input };
}

describe('a copy', () => {
  it.each([
    ['MANUAL', 'campaign/copy/task', '77'],
    ['UPGRADED_SMART_PLUS', 'smart_plus/campaign/copy/task', 'smart_plus.77'],
  ])('of a campaign that is %s is made and asked for by its endpoints', async (generation, endpoint, copyId) => {
    const { fake, input } = world(generation, { task_status: 'SUCCESS', task_result: { campaign_id: '9' } });
    const native = fields.encode(
      { campaign_id: '1', name: 'Copy', status: 'PAUSED', budget_amount: 50 },
      {},
      'create',
      'x',
    );
    const made = await campaignCopy.create?.(input, native, write);
    expect(fields.decode(made?.row as Native, {})).toMatchObject({ id: copyId, state: 'RUNNING', campaign_id: '1' });
    expect(fake.requests.at(-1)).toMatchObject({
      operation: `${endpoint}/create`,
      json: { campaign_id: '1', campaign_name: 'Copy', operation_status: 'DISABLE', budget: 50, request_id: '4711' },
    });
    const row = await campaignCopy.get?.(input, copyId);
    expect(fake.requests.at(-1)).toMatchObject({ operation: `${endpoint}/check`, query: { task_id: '77' } });
    expect(fields.decode(row as Native, {})).toMatchObject({ id: copyId, state: 'DONE', new_campaign_id: '9' });
  });

  it('says what could not be copied, on every level', async () => {
    const { input } = world('MANUAL', {
      task_status: 'FAILURE',
      task_result: {
        campaign_error_infos: ['no budget'],
        adgroup_result_list: [{ adgroup_error_list: ['no place'], ad_list_result: [{ ad_error_list: ['no video'] }] }],
      },
    });
    expect(fields.decode((await campaignCopy.get?.(input, '77')) as Native, {})).toMatchObject({
      state: 'FAILED',
      errors: ['no budget', 'no place', 'no video'],
    });
  });

  it('has an id that TikTok could have given', async () => {
    const { fake, input } = world('MANUAL', {});
    expect(await campaignCopy.get?.(input, 'x/../y')).toBeUndefined();
    expect(fake.requests).toEqual([]);
  });
});
