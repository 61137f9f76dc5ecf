/** The way through TikTok's app review: a checklist that fills itself, and a dossier that says what would fail. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LaunchReport } from '../../src/core/launch/types.ts';
import { type Json, startTestApp, type TestApp } from '../support/app.ts';

const POLICY = `<html><body><h1>Privacy policy</h1><p>We collect personal data: names, ad accounts and results of ads.
It is used to show reports. We share nothing with third parties. We retain it for 90 days.
Ask us to delete it at any time: contact privacy@acme.example.</p></body></html>`;

let app: TestApp;
let pages: Server;
let site: string;
let connection: string;
/** Pages of the company's site; tests change them. */
const served: Record<string, string> = { '/': '<p>Acme</p>', '/privacy': POLICY };

beforeAll(async () => {
  pages = createServer((request, response) => {
    const page = served[request.url ?? ''];
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html' }).end(page ?? 'not found');
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  site = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  app = await startTestApp({ platform: 'tiktok', clock: 'virtual', variables: { POLYAD_EGRESS_ALLOW: site } });
  connection = (await app.connect()).get('id') as string;
});
afterAll(async () => {
  await app.close();
  pages.close();
});

const report = (): Promise<LaunchReport> => app.ok('GET', '/v1/launch/tiktok');
const answer = (answers: Record<string, unknown>): Promise<LaunchReport> =>
  app.ok('PUT', '/v1/launch/tiktokads/answers', { answers });
const check = (found: LaunchReport, id: string) =>
  found.steps.flatMap(({ checks }) => checks).find((one) => one.id === id);

/** Answers with which nothing fails. */
const SOUND = (): Record<string, unknown> => ({
  'organization.name': 'Acme GmbH',
  'organization.verification': 'approved',
  'business.verification': 'approved',
  'app.name': 'Acme <Ads>',
  'app.use_case': 'Acme shows its customers how their campaigns do.',
  'app.website': `${site}/`,
  'app.privacy_policy': `${site}/privacy`,
  'app.redirect_uris': ['https://acme.example/connect/callback/tiktokads'],
  'data.retention': 'Reports for 90 days.',
  'data.deletion': 'Within 30 days of a request.',
  'data.contact': 'security@acme.example',
});

describe('the checklist', () => {
  it('knows nothing at first, and says what it is waiting for', async () => {
    const found = await report();
    expect(found.integration_type).toBe('tiktokads');
    expect(found.ready).toBe(false);
    expect(found.would_fail).toEqual([]);
    expect(found.open.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['answer:app.privacy_policy', 'redirects', 'scopes', 'revocation', 'sandbox', 'https']),
    );
    expect(check(found, 'consent')).toMatchObject({ status: 'ok' });
  });

  it('counts calls by operation, environment and outcome, of pass-through too', async () => {
    await app.ok('GET', `/ads/${connection}/campaign?limit=5`);
    await app.ok('GET', `/ads/${connection}/group?limit=5`);
    const [account] = await app.ok('GET', `/ads/${connection}/organization`);
    await app.ok('GET', `/passthrough/${connection}/open_api/v1.3/ad/get/?advertiser_id=${account.id}`);
    await app.ok('GET', `/passthrough/${connection}/open_api/v1.3/campaign/get/?advertiser_id=1`);
    const found = await report();
    const use = (operation: string) => found.endpoints.find((one) => one.operation === operation);
    expect(use('adgroup/get')?.scopes).toEqual([{ scope: '210', name: 'Read Ad Groups' }]);
    expect(use('ad/get')?.environments['simulator']).toMatchObject({ calls: 1, failed: 0 });
    const campaigns = use('campaign/get')?.environments['simulator'];
    expect(campaigns?.failed).toBe(1);
    expect(Object.keys(campaigns?.codes ?? {})).toEqual(['permission_missing']);
    expect(found.traffic.peaks).toEqual([
      expect.objectContaining({ environment: 'simulator', per_minute: expect.any(Number) }),
    ]);
    const calls = found.endpoints.reduce((sum, one) => sum + (one.environments['simulator']?.calls ?? 0), 0);
    expect(found.traffic.peaks[0]?.per_day).toBe(calls);
  });

  it('suggests the fewest permissions that would do', async () => {
    const { scopes } = await report();
    expect(scopes.source).toBe('none');
    expect(scopes.least.map(({ scope }) => scope)).toEqual(['100', '200', '210', '220']);
  });

  it('refuses answers that make no sense, all of them at once', async () => {
    const refused = await app.call('PUT', '/v1/launch/tiktokads/answers', {
      answers: { 'app.website': 'acme', 'app.scopes': ['1234567'], 'organization.verification': 'soon', nonsense: 1 },
    });
    expect(refused.status).toBe(400);
    expect(refused.body.code).toBe('input_invalid');
    expect(refused.body.details.issues.map((issue: Json) => issue.path).sort()).toEqual([
      'app.scopes',
      'app.website',
      'nonsense',
      'organization.verification',
    ]);
    expect((await report()).questions.filter(({ value }) => value !== undefined)).toEqual([]);
  });

  it('keeps answers with date and author; null takes one back', async () => {
    const found = await answer({ ...SOUND(), 'app.scopes': '100,200,210,220' });
    const name = found.questions.find(({ key }) => key === 'app.name');
    expect(name).toMatchObject({
      value: 'Acme <Ads>',
      answered_by: 'test',
      answered_at: expect.stringMatching(/^2026-/),
    });
    expect(found.would_fail).toEqual([]);
    expect(check(found, 'privacy_policy')?.status).toBe('ok');
    expect(check(found, 'redirects')?.status).toBe('ok');
    const without = await answer({ 'data.contact': null });
    expect(without.open.map(({ id }) => id)).toContain('answer:data.contact');
    await answer({ 'data.contact': 'security@acme.example' });
  });
});

describe('what would fail', () => {
  it('is exactly what was planted: an unused scope, an HTTP redirect, a privacy page that cannot be opened', async () => {
    const found = await answer({
      'app.scopes': ['100', '200', '210', '220', '30'],
      'app.redirect_uris': ['https://acme.example/connect/callback/tiktokads', 'http://acme.example/back'],
      'app.privacy_policy': `${site}/nowhere`,
    });
    expect(found.would_fail.map(({ id }) => id).sort()).toEqual(['privacy_policy', 'redirects', 'scopes']);
    const reason = (id: string) => found.would_fail.find((one) => one.id === id)?.reason;
    expect(reason('scopes')).toContain('Asked for and never used: Read Custom Audiences (30).');
    expect(reason('redirects')).toContain('`http://acme.example/back` is not HTTPS.');
    expect(reason('privacy_policy')).toContain('HTTP 404');
    expect(found.ready).toBe(false);
  });

  it('stands on the first page of the dossier', async () => {
    const html = (await app.call('GET', '/v1/launch/tiktokads/dossier?format=html')).body as string;
    expect(html).toContain('This would fail the review today');
    for (const text of ['Read Custom Audiences (30)', 'http://acme.example/back is not HTTPS', 'HTTP 404'])
      expect(html).toContain(text);
    expect(html).toContain('Acme &lt;Ads&gt;');
    expect(html).not.toContain('Acme <Ads>');
    await answer({ ...SOUND(), 'app.scopes': '100,200,210,220' });
    const mended = (await app.call('GET', '/v1/launch/tiktokads/dossier?format=html')).body as string;
    expect(mended).not.toContain('This would fail the review today');
  });

  it('a localhost redirect fails too, and a policy that says nothing of deletion', async () => {
    served['/thin'] = POLICY.replace(/delete|deletion/g, 'see');
    const found = await answer({
      'app.redirect_uris': ['http://localhost:3000/callback'],
      'app.privacy_policy': `${site}/thin`,
    });
    expect(found.would_fail.map(({ id }) => id).sort()).toEqual(['privacy_policy', 'redirects']);
    expect(found.would_fail.find(({ id }) => id === 'redirects')?.reason).toContain('localhost is for sandbox only');
    expect(found.would_fail.find(({ id }) => id === 'privacy_policy')?.reason).toContain(
      'says nothing of how data is deleted on request',
    );
    await answer(SOUND());
  });

  it('pages are opened by the rules for addresses that users give', async () => {
    const found = await answer({ 'app.privacy_policy': 'https://169.254.169.254/latest/meta-data' });
    expect(found.would_fail.map(({ id }) => id)).toEqual(['privacy_policy']);
    expect(found.would_fail[0]?.reason).toContain('not public');
    await answer(SOUND());
  });

  it('scopes: one that covers more than was used is named with what would do, a missing one fails', async () => {
    const wide = await answer({ 'app.scopes': ['1', '2'] });
    expect(wide.would_fail).toEqual([]);
    expect(check(wide, 'scopes')?.evidence).toContain(
      'Ads Management (2) is wider than needed: 200, 210, 220 would do.',
    );
    const narrow = await answer({ 'app.scopes': ['100', '200', '210'] });
    expect(narrow.would_fail.map(({ id }) => id)).toEqual(['scopes']);
    expect(narrow.would_fail[0]?.reason).toContain('Used and not asked for: Read Ads (220).');
    await answer({ 'app.scopes': '100,200,210,220' });
  });
});

describe('evidence', () => {
  it('of a withdrawn grant comes from having met one', async () => {
    expect(check(await report(), 'revocation')?.status).toBe('open');
    const other = (await app.connect()).get('id') as string;
    await app.control('POST', '/grants/revoke', { app_id: app.simulator.ready['app_id'] });
    expect((await app.call('GET', `/ads/${other}/campaign`)).body.code).toBe('connection_reconnect_required');
    const found = await report();
    expect(check(found, 'revocation')).toMatchObject({ status: 'ok' });
    connection = (await app.connect()).get('id') as string;
  });

  it('of data security is filled in from how the server runs', async () => {
    const { data_security } = await report();
    const said = (question: string) => data_security.find((one) => one.question === question)?.answer ?? '';
    expect(said('How are they encrypted?')).toContain('AES-256-GCM');
    expect(said('How long is data kept?')).toContain('for 30 days');
    expect(said('How long is data kept?')).toContain('Reports for 90 days.');
    expect(said('Who has access?')).toContain('test (admin)');
    expect(JSON.stringify(data_security)).not.toContain(app.key);
  });

  it('the dossier is a PDF of several pages', async () => {
    const answer = await fetch(`${app.url}/v1/launch/tiktokads/dossier`, { headers: { authorization: app.key } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-');
    expect(bytes.toString('latin1').match(/\/Type \/Page\b/g)?.length ?? 0).toBeGreaterThan(4);
  });
});

describe('after the review', () => {
  it('a change of scopes asks for another one', async () => {
    const submitted = await app.ok('POST', '/v1/launch/tiktokads/submissions', { note: 'first' });
    expect(submitted).toMatchObject({ outcome: 'waiting', snapshot: { scopes: ['100', '200', '210', '220'] } });
    expect((await report()).re_review).toEqual({ needed: false, reasons: [] });
    await app.ok('PATCH', `/v1/launch/tiktokads/submissions/${submitted.id}`, { outcome: 'approved' });
    const changed = await answer({ 'app.scopes': '100,200,201,210,220' });
    expect(changed.re_review.needed).toBe(true);
    expect(changed.re_review.reasons[0]).toContain('Create and Update Campaigns (201)');
    await answer({ 'app.scopes': '100,200,210,220' });
    expect((await report()).re_review.needed).toBe(false);
    const unknown = await app.call('PATCH', '/v1/launch/tiktokads/submissions/nothing', { outcome: 'refused' });
    expect(unknown.body.code).toBe('record_not_found');
  });
});

describe('going to production', () => {
  const go = (body: unknown) => app.call('POST', '/v1/launch/tiktokads/production', body);
  const credentials = { app_id: '7359999999999999999', secret: 'a-production-secret-of-acme' };

  it('carries no token and no id across', async () => {
    for (const more of [{ access_token: 'x' }, { advertiser_ids: ['1'] }, { connection_id: connection }]) {
      const refused = await go({ ...credentials, ...more });
      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({ code: 'environment_crossed', details: { refused: Object.keys(more) } });
    }
    const { ready } = app.simulator as unknown as { ready: Record<string, string> };
    const own = await go({ app_id: ready['app_id'], secret: ready['secret'] });
    expect(own.body.code).toBe('environment_crossed');
    const integration = await app.call('GET', '/v1/integrations/tiktokads/production');
    expect(integration.body.code).toBe('record_not_found');
  });

  it('is refused while something would fail, unless the operator knows better', async () => {
    await answer({ 'app.privacy_policy': `${site}/nowhere` });
    const refused = await go(credentials);
    expect(refused.status).toBe(409);
    expect(refused.body.code).toBe('launch_not_ready');
    expect(refused.body.details.would_fail.map((one: Json) => one.id)).toEqual(['privacy_policy']);
    await answer(SOUND());
  });

  it('stores the app, makes production the default, and says what stays behind', async () => {
    const moved = await go(credentials);
    expect(moved.status).toBe(200);
    expect(moved.body).toMatchObject({
      environment: 'Production',
      left_behind: { connections: [{ environment: 'simulator', count: expect.any(Number) }] },
    });
    const stored = await app.ok('GET', '/v1/integrations/tiktokads/production');
    expect(stored).toMatchObject({ client_id: credentials.app_id, has_credentials: true });
    // Connections of the simulator stay there, and go on.
    const row = await app.ok('GET', `/unified/connection/${connection}`);
    expect(row.environment).toBe('simulator');
    await app.ok('GET', `/ads/${connection}/campaign?limit=1`);
    expect(JSON.stringify(moved.body)).not.toContain(credentials.secret);
  });
});
