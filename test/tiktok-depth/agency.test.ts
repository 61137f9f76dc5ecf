/** An agency: three Business Centers, 2,500 advertisers, and one Business Center that withdraws. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

interface Center {
  bc_id: string;
  name: string;
  advertiser_ids: string[];
}

let app: TestApp;
let centers: Center[];
let connection: string;
const all = (): string[] => centers.flatMap(({ advertiser_ids }) => advertiser_ids);
const root = (): string => `/v1/connections/${connection}`;
const tree = (query = ''): Promise<Json> => app.ok('GET', `${root()}/account_tree${query}`);
const events = (type: string): Promise<Json[]> =>
  app.ok('GET', `/v1/events?connection_id=${connection}&limit=100&type=${type}`);

/** Every account, page by page. */
async function everyAccount(query = ''): Promise<Json[]> {
  const rows: Json[] = [];
  for (let offset = 0; ; offset += 1000) {
    const page = await app.ok('GET', `${root()}/accounts?limit=1000&offset=${offset}${query}`);
    rows.push(...page);
    if (page.length < 1000) return rows;
  }
}

beforeAll(async () => {
  app = await startTestApp({ platform: 'tiktok', clock: 'virtual' });
  const { agency } = await app.control('POST', '/seed', { agency: true });
  centers = agency.business_centers;
  connection = (await app.connect({ consent: { user_id: agency.user_id } })).get('id') as string;
}, 120_000);
afterAll(() => app.close());

describe('an agency', () => {
  it('connects with all its advertisers', async () => {
    expect(centers).toHaveLength(3);
    expect(new Set(all()).size).toBe(2500);
    const row = await app.ok('GET', `/unified/connection/${connection}`);
    expect(row.auth.meta.organization_ids).toHaveLength(2500);
  });

  it('sees the tree: Business Centers, and under each its advertisers with role, status and owner', async () => {
    const found = await tree();
    expect(found.counts).toMatchObject({ businesses: 3, organizations: 2500, granted: 2500, lost: 0 });
    expect(found.gaps).toEqual([]);
    expect(found.beginning).toBeUndefined();
    expect(found.businesses.map((one: Json) => one.name).sort()).toEqual(centers.map(({ name }) => name).sort());
    for (const { bc_id, advertiser_ids } of centers) {
      const rows = await everyAccount(`&kind=organization&parent_id=${bc_id}`);
      expect(rows.map((row) => row.id).sort()).toEqual([...advertiser_ids].sort());
      for (const row of rows) expect(row).toMatchObject({ owner_id: bc_id, granted: true, selected: true });
      expect(rows.every((row) => ['ok', 'read_only', 'suspended', 'pending', 'rejected'].includes(row.health))).toBe(
        true,
      );
    }
  });

  it('is read in as few requests as TikTok’s pages allow', async () => {
    await app.clearLog();
    await tree('?refresh=true');
    // One list of grants, 25 batches of facts, one page of Business Centers, and pages of fifty of their advertisers.
    const pages = centers.reduce((sum, { advertiser_ids }) => sum + Math.ceil(advertiser_ids.length / 50), 0);
    expect((await app.requests()).length).toBeLessThanOrEqual(1 + 25 + 1 + pages);
  });

  it('is searched and paged', async () => {
    const [first] = await everyAccount('&kind=organization');
    const byId = await app.ok('GET', `${root()}/accounts?query=${first.id}`);
    expect(byId.map((row: Json) => row.id)).toEqual([first.id]);
    expect(await app.ok('GET', `${root()}/accounts?query=${encodeURIComponent('100%_nothing')}`)).toEqual([]);
    const two = await app.ok('GET', `${root()}/accounts?kind=organization&limit=2&offset=1`);
    const three = await app.ok('GET', `${root()}/accounts?kind=organization&limit=3`);
    expect(two).toEqual(three.slice(1));
  });

  it('uses the chosen ad accounts alone', async () => {
    const [one, two, three] = all() as [string, string, string];
    expect(await app.ok('PUT', `${root()}/accounts/selection`, { organization_ids: [one, two] })).toEqual({
      selected: 2,
      of: 2500,
    });
    expect((await app.ok('GET', `/ads/${connection}/organization`)).map((row: Json) => row.id).sort()).toEqual(
      [one, two].sort(),
    );
    await app.clearLog();
    await app.ok('GET', `/ads/${connection}/campaign`);
    const asked = (await app.requests('/campaign/get')).map(({ url, query }: Json) =>
      new URLSearchParams(query ?? new URL(url, 'http://x').search).get('advertiser_id'),
    );
    expect(asked.length).toBe(2);
    const refused = await app.call('GET', `/ads/${connection}/campaign?org_id=${three}`);
    expect(refused.body.code).toBe('organization_unknown');
    const unknown = await app.call('PUT', `${root()}/accounts/selection`, { organization_ids: ['1'] });
    expect(unknown.body).toMatchObject({ code: 'organization_unknown', details: { unknown: ['1'], count: 2500 } });
    expect((await app.call('PUT', `${root()}/accounts/selection`, { organization_ids: [] })).body.code).toBe(
      'input_invalid',
    );
    expect(await app.ok('PUT', `${root()}/accounts/selection`, { organization_ids: null })).toEqual({
      selected: 2500,
      of: 2500,
    });
    await app.ok('GET', `/ads/${connection}/campaign?org_id=${three}`);
  });
});

describe('a Business Center that withdraws', () => {
  it('takes its advertisers, exactly them; a single refused call is enough to find out', async () => {
    const [gone, ...stay] = centers as [Center, ...Center[]];
    await app.control('POST', `/business_centers/${gone.bc_id}/withdraw`, { app_id: app.simulator.ready['app_id'] });
    app.advance(10 * 60_000);
    const refused = await app.call('GET', `/ads/${connection}/campaign?org_id=${gone.advertiser_ids[0]}`);
    expect(refused.body.code).toBe('organization_access_lost');
    await app.app.services.accounts.trees.settle();

    const lost = await everyAccount('&kind=organization&lost=true');
    expect(lost.map((row) => row.id).sort()).toEqual([...gone.advertiser_ids].sort());
    for (const row of lost) expect(row).toMatchObject({ health: 'revoked', lost_with: gone.bc_id });
    expect(lost[0].fix).toContain('administrator');
    const well = await everyAccount('&kind=organization&lost=false');
    expect(well.map((row) => row.id).sort()).toEqual(stay.flatMap(({ advertiser_ids }) => advertiser_ids).sort());
    expect(well.some((row) => row.health === 'revoked' || row.health === 'no_permission')).toBe(false);

    const { health } = await app.ok('GET', `/unified/connection/${connection}`);
    expect(health.state).toBe('healthy');
    expect(health.organizations.map((one: Json) => one.id).sort()).toEqual([...gone.advertiser_ids].sort());
  });

  it('is told once, with its name and what it took', async () => {
    const gone = centers[0] as Center;
    const told = await events('connection.business_access_lost');
    expect(told).toHaveLength(1);
    expect(told[0].payload).toMatchObject({
      business_id: gone.bc_id,
      business_name: gone.name,
      organizations: gone.advertiser_ids.length,
    });
    // The one that a caller met by itself, before anybody knew the reason.
    expect((await events('connection.organization_access_lost')).length).toBeLessThanOrEqual(1);
    await tree('?refresh=true');
    expect(await events('connection.business_access_lost')).toHaveLength(1);
  });

  it('stops no call to the others', async () => {
    const [gone, second, third] = centers as [Center, Center, Center];
    for (const { advertiser_ids } of [second, third])
      for (const id of [advertiser_ids[0], advertiser_ids.at(-1)])
        expect((await app.call('GET', `/ads/${connection}/campaign?org_id=${id}`)).status).toBe(200);
    await app.clearLog();
    const again = await app.call('GET', `/ads/${connection}/campaign?org_id=${gone.advertiser_ids[5]}`);
    expect(again.body.code).toBe('organization_access_lost');
    expect(await app.requests('/campaign/get')).toEqual([]);
  });
});

describe('the page to choose ad accounts', () => {
  const form = (fields: [string, string][]): RequestInit => ({
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  const shown = (html: string): string[] =>
    [...html.matchAll(/name="shown" value="(\d+)"/g)].map(([, id]) => id as string);

  it('shows a hundred at a time, finds by name, keeps what was ticked elsewhere', async () => {
    const { picker_url: link } = await tree();
    const first = await (await fetch(link)).text();
    expect(first).toContain('Choose ad accounts for Acme');
    expect(shown(first)).toHaveLength(100);
    // The first page: only its first two. Everything not shown stays as it was.
    const ids = shown(first);
    const saved = await fetch(
      link,
      form([
        ...ids.map((id): [string, string] => ['shown', id]),
        ['organization', ids[0] as string],
        ['organization', ids[1] as string],
        ['action', 'save'],
      ]),
    );
    expect(saved.status).toBe(302);
    expect((await tree()).counts.selected).toBe(2500 - 98);
    const found = await (await fetch(`${link}?q=${ids[0]}`)).text();
    expect(shown(found)).toEqual([ids[0]]);
    await fetch(link, form([['action', 'all']]));
    expect((await tree()).counts.selected).toBeUndefined();
  });

  it('takes nothing that is not on it, and no other link', async () => {
    const { picker_url: link } = await tree();
    const [id] = all().slice(-1);
    await fetch(
      link,
      form([
        ['shown', id as string],
        ['organization', '1'],
        ['action', 'save'],
      ]),
    );
    expect((await tree()).counts.selected).toBe(2499);
    await fetch(link, form([['action', 'all']]));
    const wrong = await fetch(`${link}x`);
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain('reauth_token_invalid');
    app.advance(15 * 86_400_000);
    expect((await fetch(link)).status).toBe(400);
  });
});

describe('actions', () => {
  const run = (name: string, body: unknown, headers: Record<string, string> = {}, query = '') =>
    app.call('POST', `${root()}/accounts/actions/${name}${query}`, body, headers);

  it('are checked before anything is sent', async () => {
    await app.clearLog();
    const wrong = await run('share_with_partner', {
      business_id: centers[1]?.bc_id,
      organization_ids: [],
      colour: 'red',
    });
    expect(wrong.body.code).toBe('input_invalid');
    expect(wrong.body.details.issues.map((issue: Json) => issue.path).sort()).toEqual([
      'colour',
      'organization_ids',
      'partner_id',
    ]);
    expect((await run('paint', {})).body).toMatchObject({ code: 'method_unsupported' });
    expect(await app.requests(undefined, 'POST')).toEqual([]);
  });

  it('share an ad account with another Business Center, and end the share', async () => {
    const [, second, third] = centers as [Center, Center, Center];
    const body = { business_id: second.bc_id, partner_id: third.bc_id, organization_ids: [second.advertiser_ids[0]] };
    const dry = await run('share_with_partner', { ...body, role: 'operator' }, {}, '?dry_run=true');
    expect(dry.body.dry_run.requests[0].body).toMatchObject({ bc_id: second.bc_id, advertiser_role: 'OPERATOR' });
    expect((await run('share_with_partner', { ...body, role: 'operator' })).status).toBe(200);
    await tree('?refresh=true');
    const shared = await app.ok('GET', `${root()}/accounts?query=${second.advertiser_ids[0]}`);
    expect(shared[0].parent_ids.sort()).toEqual([second.bc_id, third.bc_id].sort());
    expect((await run('unshare_with_partner', body)).status).toBe(200);
  });

  it('that move money want the scope spend and a key, and are sent a single time', async () => {
    const second = centers[1] as Center;
    const body = {
      business_id: second.bc_id,
      organization_id: second.advertiser_ids[0],
      direction: 'to_account',
      cash_amount: '12.50',
    };
    expect((await run('transfer_funds', body)).body).toMatchObject({ code: 'input_invalid' });
    const { key } = await app.ok('POST', '/v1/keys', { name: 'no spend', scopes: ['read', 'write'] });
    const refused = await run('transfer_funds', body, { authorization: key, 'idempotency-key': 'a' });
    expect(refused.body).toMatchObject({ code: 'key_scope', details: { needed: 'spend' } });
    await app.clearLog();
    const first = await run('transfer_funds', body, { 'idempotency-key': 'pay-1' });
    const replay = await run('transfer_funds', body, { 'idempotency-key': 'pay-1' });
    expect(first.status).toBe(200);
    expect(replay.headers.get('idempotency-replayed')).toBe('true');
    expect(replay.body).toEqual(first.body);
    expect(await app.requests('/bc/transfer')).toHaveLength(1);
    const other = await run('transfer_funds', { ...body, cash_amount: '13' }, { 'idempotency-key': 'pay-1' });
    expect(other.body.code).toBe('idempotency_key_conflict');
  });

  it('whose answer is lost are not sent again when money moves', async () => {
    const second = centers[1] as Center;
    const body = {
      business_id: second.bc_id,
      organization_id: second.advertiser_ids[1],
      direction: 'to_account',
      cash_amount: '1',
    };
    await app.control('POST', '/faults', { kind: 'drop_after', path: '/bc/transfer', times: 1 });
    await app.clearLog();
    const lost = await run('transfer_funds', body, { 'idempotency-key': 'pay-2' });
    expect(lost.body.code).toBe('write_outcome_unknown');
    const again = await run('transfer_funds', body, { 'idempotency-key': 'pay-2' });
    expect(again.body.code).toBe('write_outcome_unknown');
    expect((await app.requests('/bc/transfer')).length).toBeLessThanOrEqual(1);
  });
});

describe('a customer without a Business Center', () => {
  it('is led through making one', async () => {
    const [first] = all();
    const single = await app.control('POST', '/users', {
      display_name: 'Solo',
      roles: { [first as string]: 'ADMIN' },
    });
    const own = (await app.connect({ consent: { user_id: single.id } })).get('id') as string;
    const found = await app.ok('GET', `/v1/connections/${own}/account_tree`);
    expect(found.counts.businesses).toBe(0);
    expect(found.counts.granted).toBeGreaterThan(0);
    expect(found.beginning[0].url).toBe('https://business.tiktok.com');
  });
});
