import { describe, expect, it } from 'vitest';
import { EFFECTIVE_STATUSES } from '../../core/model/enums.ts';
import { effectiveStatusRule, statusRule } from './statuses.ts';
import { EFFECTIVE } from './statuses-table.ts';

const read = (operation_status?: string, secondary_status?: string) => ({
  status: statusRule.codec.decode({ operation_status, secondary_status }, {}),
  effective: effectiveStatusRule.codec.decode({ operation_status, secondary_status }, {}),
});

describe('statuses', () => {
  it.each([
    ['ENABLE', 'CAMPAIGN_STATUS_ENABLE', 'ACTIVE', 'SERVING'],
    ['DISABLE', 'CAMPAIGN_STATUS_DISABLE', 'PAUSED', 'PAUSED'],
    ['ENABLE', 'CAMPAIGN_STATUS_DELETE', 'ARCHIVED', 'REMOVED'],
    ['ENABLE', 'CAMPAIGN_STATUS_BUDGET_EXCEED', 'ACTIVE', 'LIMITED'],
    ['ENABLE', 'CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY', 'ACTIVE', 'NOT_ELIGIBLE'],
    ['ENABLE', 'ADVERTISER_ACCOUNT_PUNISH', 'ACTIVE', 'NOT_ELIGIBLE'],
    ['ENABLE', 'ADGROUP_STATUS_CAMPAIGN_DISABLE', 'ACTIVE', 'PAUSED'],
    ['ENABLE', 'ADGROUP_STATUS_CAMPAIGN_DELETE', 'ACTIVE', 'REMOVED'],
    ['ENABLE', 'ADGROUP_STATUS_NOT_START', 'ACTIVE', 'PENDING'],
    ['ENABLE', 'ADGROUP_STATUS_TIME_DONE', 'ACTIVE', 'ENDED'],
    ['ENABLE', 'ADGROUP_STATUS_CREATE', 'ACTIVE', 'MISCONFIGURED'],
    ['FROZEN', 'ADGROUP_STATUS_FROZEN', 'PAUSED', 'MISCONFIGURED'],
    ['ENABLE', 'AD_STATUS_AUDIT', 'ACTIVE', 'PENDING'],
    ['ENABLE', 'AD_STAUS_PIXEL_UNBIND', 'ACTIVE', 'MISCONFIGURED'],
    ['DISABLE', 'AD_STATUS_ADGROUP_DISABLE', 'PAUSED', 'PAUSED'],
  ])('%s with %s is %s and %s', (own, secondary, status, effective) => {
    expect(read(own, secondary)).toEqual({ status, effective });
  });

  it('fall back on operation_status where there is no secondary_status', () => {
    expect(read('ENABLE')).toEqual({ status: 'ACTIVE', effective: 'UNSPECIFIED' });
    expect(read('DISABLE')).toEqual({ status: 'PAUSED', effective: 'PAUSED' });
    expect(read('DELETE')).toEqual({ status: 'ARCHIVED', effective: 'REMOVED' });
    expect(read(undefined, 'AD_STATUS_DISABLE')).toEqual({ status: 'PAUSED', effective: 'PAUSED' });
    expect(read()).toEqual({ status: undefined, effective: undefined });
  });

  it('keep words that nobody knows', () => {
    expect(read('SLEEPING', 'AD_STATUS_ON_THE_MOON')).toEqual({
      status: 'SLEEPING',
      effective: 'AD_STATUS_ON_THE_MOON',
    });
  });

  it('cover every row of the table with a status of the model', () => {
    expect(Object.keys(EFFECTIVE).length).toBeGreaterThan(110);
    for (const [native, effective] of Object.entries(EFFECTIVE))
      expect([native, EFFECTIVE_STATUSES.includes(effective)]).toEqual([native, true]);
  });

  it('write ACTIVE and PAUSED only', () => {
    expect(statusRule.codec.encode?.('ACTIVE', {})).toEqual({ operation_status: 'ENABLE' });
    expect(statusRule.codec.encode?.('PAUSED', {})).toEqual({ operation_status: 'DISABLE' });
    for (const status of ['ARCHIVED', 'DRAFT', 'ENABLE', 5])
      expect(() => statusRule.codec.encode?.(status, {})).toThrow(
        expect.objectContaining({ code: 'input_value_unsupported' }) as Error,
      );
  });
});
