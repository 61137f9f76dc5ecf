import { describe, expect, it } from 'vitest';
import { PlatformRegistry } from '../../core/connector/registry.ts';
import type { Platform } from '../../core/connector/types.ts';
import { checkVersions, judgeApps } from './service.ts';

const registry = (sunset: string | null): PlatformRegistry =>
  new PlatformRegistry([
    {
      manifest: {
        id: 'testads',
        type: 'testads',
        name: 'Test Ads',
        apiVersions: [
          { version: 'v1', released: '2020-01-01', sunset: '2021-01-01', source: 'test' },
          { version: 'v2', released: '2024-01-01', sunset, default: true, source: 'test' },
        ],
      },
      auth: { grants: [{ id: 'main', callbackSlash: true }] },
      objects: {},
    } as unknown as Platform,
  ]);

describe('checkVersions', () => {
  it.each([
    [null, 'ok'],
    ['2026-06-30', 'ok'],
    ['2026-02-15', 'warning'],
    ['2026-02-14', 'warning'],
    ['2025-12-31', 'error'],
  ])('a version that ends on %s: %s', (sunset, severity) => {
    const [finding] = checkVersions(registry(sunset), new Date('2026-01-01T00:00:00Z'));
    expect(finding).toMatchObject({ severity, text: expect.stringContaining('Test Ads v2') });
  });
});

describe('judgeApps', () => {
  const judge = (apps: Parameters<typeof judgeApps>[0]) => judgeApps(apps, registry(null), 'https://ads.example.com');
  const app = { type: 'testads', environment: 'production', active: true, credentials: true };

  it('names the redirect URL to register', () => {
    expect(judge([app])).toEqual([
      {
        check: 'app credentials',
        severity: 'ok',
        text: expect.stringContaining('https://ads.example.com/connect/callback/testads/'),
      },
    ]);
  });

  it('warns of an integration that is on without credentials, and notes one that is off or absent', () => {
    expect(judge([{ ...app, credentials: false }])[0]?.severity).toBe('warning');
    expect(judge([{ ...app, active: false }])[0]?.severity).toBe('note');
    expect(judge([])[0]).toMatchObject({
      severity: 'note',
      fix: expect.stringContaining('PUT /v1/integrations/testads/production'),
    });
  });
});
