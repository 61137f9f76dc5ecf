/** A small platform for tests of the server: two objects, a report, plain errors. Its host is the test's upstream. */
import { id, integer, money, text } from '../../../src/core/connector/codecs.ts';
import { definePlatform } from '../../../src/core/connector/define.ts';
import type { ReportRow } from '../../../src/core/connector/report-spec.ts';
import type { ErrorSpec } from '../../../src/core/connector/types.ts';

const classify: ErrorSpec['classify'] = (_request, response) => {
  if (response.status < 400) return null;
  const native = { code: String(response.status), message: response.text.slice(0, 100) };
  if (response.status === 404) return { code: 'platform_not_found', retry: 'never', scope: 'request', native };
  if (response.status === 429)
    return { code: 'platform_rate_limited', retry: 'never', scope: 'request', retryAfterMs: 1500, native };
  return { code: 'platform_rejected', retry: 'never', scope: 'request', native };
};

export const testPlatform = definePlatform({
  manifest: {
    id: 'testads',
    type: 'testads',
    name: 'Test Ads',
    color: '#123456',
    textColor: '#ffffff',
    docsUrl: 'https://docs.invalid',
    webUrl: 'https://web.invalid',
    description: 'A platform for tests.',
    rateLimitDescription: 'None.',
    apiVersions: [{ version: 'v1', released: '2026-01-01', sunset: null, default: true, source: 'test' }],
    hosts: { production: { api: 'https://api.invalid' } },
    quotas: [],
    queryStyle: 'json',
    money: 'Decimal.',
    time: 'UTC.',
    requestIdHeaders: ['x-request-id'],
    secretParams: ['app_sign'],
  },
  auth: {
    grants: [
      {
        id: 'code',
        title: 'Code',
        authorize: { host: 'api', path: '/authorize', params: { state: '{state}' } },
        codeParams: ['code'],
        exchange: { host: 'api', method: 'POST', path: '/token', encoding: 'json', params: { code: '{code}' } },
        readTokens: () => ({ accessToken: 'never', scopes: [] }),
        tokenModel: () => ({ kind: 'long_lived' }),
        environments: ['production'],
      },
    ],
    header: { name: 'X-Token', value: '{access_token}' },
    credentialAliases: { app_id: 'client_id' },
    permissions: {},
    probe: async () => ({ accountId: 'u1' }),
  },
  errors: { classify },
  objects: {
    organization: {
      native: 'account',
      scope: 'connection',
      fields: [
        { unified: 'id', native: 'id', codec: id, access: 'read' },
        { unified: 'name', native: 'name', codec: text(), access: 'read' },
        { unified: 'currency', native: 'currency', codec: text(), access: 'read' },
        { unified: 'timezone', native: 'timezone', codec: text(), access: 'read' },
      ],
      list: {
        request: () => ({ method: 'GET', path: '/v1/accounts', operation: 'accounts' }),
        rows: 'rows',
        paging: { kind: 'none' },
        filters: {},
      },
    },
    campaign: {
      native: 'campaign',
      scope: 'organization',
      fields: [
        { unified: 'id', native: 'id', codec: id, access: 'read' },
        { unified: 'name', native: 'name', codec: text({ max: 50 }), access: 'write', required: true },
        { unified: 'budget_amount', native: 'budget', codec: money.decimal({ unset: 0 }), access: 'write' },
        { unified: 'frequency_cap.max_impressions', native: 'cap', codec: integer(), access: 'write' },
      ],
      list: {
        request: ({ organization }) => ({
          method: 'GET',
          path: '/v1/campaigns',
          query: { account: organization.id },
          operation: 'campaigns',
        }),
        rows: 'rows',
        paging: { kind: 'none' },
        filters: { status: { kind: 'local' } },
      },
      get: async ({ ctx, organization }, campaign) => {
        const answer = await ctx.request({
          method: 'GET',
          path: '/v1/campaign',
          query: { account: organization.id, id: campaign },
          operation: 'campaign',
        });
        return (answer.json as { row?: Record<string, unknown> }).row;
      },
      create: async ({ ctx }, native) => {
        const answer = await ctx.request({ method: 'POST', path: '/v1/campaign', json: native, operation: 'create' });
        return { row: (answer.json as { row: Record<string, unknown> }).row };
      },
      update: async ({ ctx }, campaign, native) => {
        const answer = await ctx.request({
          method: 'POST',
          path: '/v1/campaign/update',
          json: { ...native, id: campaign },
          operation: 'update',
        });
        return { row: (answer.json as { row: Record<string, unknown> }).row };
      },
      remove: async ({ ctx }, campaign) => {
        await ctx.request({ method: 'POST', path: '/v1/campaign/delete', json: { id: campaign }, operation: 'delete' });
      },
    },
  },
  report: {
    levels: ['campaign'],
    defaultLevel: 'campaign',
    metrics: { CLICKS: { native: ['clicks'], unit: 'count', additive: true } },
    defaultMetrics: ['CLICKS'],
    dimensions: {},
    maxDays: { daily: 30, total: 365 },
    provisionalDays: 1,
    async *fetch(ctx, fetch): AsyncGenerator<ReportRow> {
      const answer = await ctx.request({
        method: 'GET',
        path: '/v1/report',
        query: { account: fetch.organization.id },
        operation: 'report',
      });
      const { rows } = answer.json as { rows: { id: string; name: string; clicks: string }[] };
      for (const row of rows)
        yield { entityId: row.id, entityName: row.name, dimensions: {}, metrics: { clicks: row.clicks } };
    },
  },
});
