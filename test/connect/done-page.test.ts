import { describe, expect, it } from 'vitest';
import { type DonePage, donePage } from '../../src/core/auth/connect-page.ts';
import { loopAdsPlatform } from './support/loop-ads.ts';

const NONE = { permissions_gained: [], permissions_lost: [], organizations_gained: [], organizations_lost: [] };
const done = (input: Partial<DonePage> = {}): string => {
  const { status, body } = donePage({
    workspace: 'Acme & <Sons>',
    platform: loopAdsPlatform(),
    environment: 'production',
    lang: 'en',
    connectionId: '6b02ea2f3b87c550cdd520b1',
    missing: [],
    ...input,
  } as DonePage);
  expect(status).toBe(200);
  return body;
};
/** What a person reads, one `|` between things. */
const read = (body: string): string =>
  body
    .replace(/<style[\s\S]*?<\/style>/, '')
    .replace(/(<[^>]+>\s*)+/g, '|')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');

describe('the page at the end of a flow', () => {
  it('says that it is done, for whom, and which connection it is', () => {
    const text = read(done());
    expect(text).toContain('|Connected|Acme & <Sons> can use your Loop Ads account now. You can close this page.|');
    expect(text).toContain('6b02ea2f3b87c550cdd520b1');
    for (const other of ['same as before', 'New with this', 'No longer', 'not allowed'])
      expect(text).not.toContain(other);
  });

  it('names what was asked for and not allowed', () => {
    const text = read(done({ missing: ['ads_campaign_write', 'ads_report_read'] }));
    expect(text).toMatch(/Asked for by Acme & <Sons>, and not allowed\|Campaigns: view and change\|Reports: view\|/);
  });

  it('says of a new authorization without changes that it is the same as before', () => {
    const text = read(done({ changes: NONE }));
    expect(text).toContain('|Connected again|');
    expect(text).toContain('What you allow is the same as before.');
    for (const other of ['New with this', 'No longer', 'not allowed']) expect(text).not.toContain(other);
  });

  it('shows what was gained and lost, and says of what was lost once that it is missing', () => {
    const changes = {
      permissions_gained: ['ads_campaign_read'],
      permissions_lost: ['ads_campaign_write'],
      organizations_gained: ['acc-3'],
      organizations_lost: ['acc-1'],
    };
    const text = read(done({ changes, missing: ['ads_campaign_write', 'ads_report_read'] } as Partial<DonePage>));
    expect(text).toMatch(/New with this authorization\|Campaigns: view\|Ad account acc-3\|/);
    expect(text).toMatch(/No longer allowed\|Campaigns: view and change\|Ad account acc-1\|/);
    expect(text.match(/view and change/g)).toHaveLength(1);
    expect(text).toMatch(/not allowed\|Reports: view\|/);
    expect(text).not.toContain('same as before');
  });

  it('writes every name as text, never as markup', () => {
    const evil = '<script>alert(1)</script>';
    const body = done({
      workspace: evil,
      connectionId: evil,
      missing: [evil],
      changes: { ...NONE, organizations_gained: [evil], permissions_lost: [evil] },
    } as unknown as Partial<DonePage>);
    expect(body).not.toContain('<script>');
  });
});
