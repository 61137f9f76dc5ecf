import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTokens } from '../../src/core/auth/credentials.ts';
import type { PolyadError } from '../../src/core/errors/index.ts';
import { connection as connectionSchema } from '../../src/core/model/index.ts';
import { createWorkspace, getConnection } from '../../src/core/store/repositories/index.ts';
import { asked, Browser, connectOnce, linkOf, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
afterEach(() => {
  world.platform.faults.length = 0;
});

const caller = () => ({ requestId: 'req-1', signal: new AbortController().signal });
const create = (body: object) =>
  world.connections.create(world.workspace, { integration_type: 'loopads', ...body }, caller());
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: PolyadError) => error.code,
  );

/** Tokens that somebody holds already, as the platform knows them. */
function held(more: object = {}) {
  const grant = {
    user: 'user-1',
    accounts: ['acc-1'],
    scopes: ['1'],
    access: `held-${Math.random()}`,
    revoked: false,
    ...more,
  };
  world.platform.grants.push(grant);
  return grant;
}

describe('POST /unified/connection', () => {
  it('refuses tokens of another environment before a request could carry them there', async () => {
    const grant = held();
    const made = await create({ environment: 'Production', auth: { access_token: grant.access } });
    expect(made.id).toBeTruthy();
    const before = world.platform.seen.length;
    expect(await codeOf(create({ environment: 'Sandbox', auth: { access_token: grant.access } }))).toBe(
      'environment_crossed',
    );
    expect(world.platform.seen.length).toBe(before);
    // The same tokens in their own environment are welcome again.
    await create({ environment: 'Production', auth: { access_token: grant.access } });
  });

  it('tests imported credentials, keeps them sealed and answers none of them', async () => {
    const grant = held({ refresh: 'held-refresh-token' });
    const made = await create({
      environment: 'Production',
      external_xref: 'customer-9',
      permissions: ['ads_campaign_read'],
      categories: ['ads'],
      auth: {
        access_token: grant.access,
        refresh_token: 'held-refresh-token',
        expires_in: 3600,
        refresh_token_expires_in: 86_400,
        name: 'Given name',
        meta: { advertiser_ids: ['acc-7'], scopes: '20 21' },
      },
    });
    expect(connectionSchema.parse(made)).toBeTruthy();
    expect(made).toMatchObject({
      environment: 'Production',
      external_xref: 'customer-9',
      permissions: ['ads_campaign_read'],
      auth: {
        name: 'Name of user-1',
        user_id: 'user-1',
        expiry_date: new Date(world.clock.now().getTime() + 3_600_000).toISOString(),
        refresh_token_expires_date: new Date(world.clock.now().getTime() + 86_400_000).toISOString(),
        meta: { organization_ids: ['acc-7', 'acc-1'], scopes: ['20', '21'] },
      },
      health: { state: 'healthy' },
    });
    const shown = JSON.stringify([
      made,
      await world.connections.get(world.workspace, made.id as string),
      await world.connections.list(world.workspace),
    ]);
    expect(shown).not.toContain(grant.access);
    expect(shown).not.toContain('held-refresh-token');
    const row = await world.row(made.id as string);
    expect((await openTokens(world.secrets, world.store.db, row))?.tokens).toMatchObject({
      access_token: grant.access,
      imported: true,
    });
    const imported = grant.access;
    await world.clock.advance(3_600_000);
    expect((await world.tokens.tokenFor(row)).accessToken).toBe(grant.access);
    expect(grant.access).not.toBe(imported);
  });

  it('stores nothing when the platform refuses the credentials', async () => {
    const before = await world.connections.list(world.workspace, { limit: 1000 });
    expect(await codeOf(create({ auth: { access_token: 'made-up' } }))).toBe('connection_test_failed');
    expect(await world.connections.list(world.workspace, { limit: 1000 })).toHaveLength(before.length);
    expect(world.lines.join('\n')).not.toContain('made-up');
  });

  it('names what is missing or does not belong', async () => {
    expect(await codeOf(create({}))).toBe('input_field_required');
    expect(await codeOf(create({ auth: { refresh_token: 'r' } }))).toBe('input_field_required');
    expect(await codeOf(create({ auth: { access_token: 'a', client_secret: 's' } }))).toBe('input_field_unsupported');
    expect(await codeOf(create({ auth: { access_token: 'a', expires_in: -1 } }))).toBe('input_value_invalid');
    expect(await codeOf(create({ auth: { access_token: 'a', meta: { grant: 'nonsense' } } }))).toBe(
      'input_value_invalid',
    );
    expect(await codeOf(create({ auth: { access_token: 'a' }, environment: 'staging' }))).toBe(
      'environment_unsupported',
    );
    expect(await codeOf(create({ auth: { access_token: 'a' }, permissions: ['everything'] }))).toBe('input_invalid');
    expect(await codeOf(world.connections.create(world.workspace, { auth: { access_token: 'a' } }, caller()))).toBe(
      'input_field_required',
    );
  });
});

describe('the form where the platform has no sign-in', () => {
  const targets = {
    env: 'sandbox',
    success_redirect: 'https://app.example/ok',
    failure_redirect: 'https://app.example/no',
    state: 's',
  };

  async function form() {
    const browser = new Browser();
    const { url } = await world.connect.start(world.workspace.id, 'loopads', targets);
    const page = browser.take(await world.connect.page(linkOf(url), asked(browser)));
    const submit = (fields: Record<string, string>) => world.connect.submit(linkOf(url), fields, asked(browser));
    return { page, submit };
  }

  it('needs no app credentials, asks for token and ad account, and connects', async () => {
    const { page, submit } = await form();
    expect(page.body).toMatch(/<input id="access_token"[^>]*type="password"/);
    expect(page.body).toMatch(/<input id="organization_id"[^>]*type="text"/);
    const grant = held();
    const answer = await submit({ access_token: ` ${grant.access} `, organization_id: 'acc-55' });
    const query = new URL(answer.headers['location'] as string).searchParams;
    expect(query.get('state')).toBe('s');
    const made = await world.connections.get(world.workspace, query.get('id') as string);
    expect(made).toMatchObject({ environment: 'Sandbox', auth: { meta: { organization_ids: ['acc-55', 'acc-1'] } } });
    expect((await submit({ access_token: grant.access })).status).toBe(400);
  });

  it('says on the form what was wrong, without showing the token, and lets the person try again', async () => {
    const { submit } = await form();
    const wrong = await submit({ access_token: 'wrong-token-value', organization_id: '"><script>alert(1)</script>' });
    expect(wrong.status).toBe(422);
    expect(wrong.body).toContain('role="alert"');
    expect(wrong.body).not.toContain('wrong-token-value');
    expect(wrong.body).not.toContain('<script>');
    expect((await submit({})).body).toContain('need an access token');
    const right = await submit({ access_token: held().access, organization_id: 'acc-1' });
    expect(right.headers['location']).toContain('https://app.example/ok?id=');
  });

  it('connects once, however often the button is pressed', async () => {
    const { submit } = await form();
    const { access } = held();
    const before = await world.connections.list(world.workspace, { env: 'sandbox' });
    const answers = await Promise.all([1, 2, 3].map(() => submit({ access_token: access, organization_id: 'acc-1' })));
    expect(answers.filter((answer) => answer.status === 302)).toHaveLength(1);
    expect(await world.connections.list(world.workspace, { env: 'sandbox' })).toHaveLength(before.length + 1);
  });
});

describe('changing and deleting connections', () => {
  const made = async () =>
    world.connections.get(world.workspace, (await connectOnce(world, { external_xref: 'x' })).get('id') as string);

  it('changes what is sent, ignores what only we write, refuses what never changes', async () => {
    const connection = await made();
    const update = (body: object) => world.connections.update(world.workspace, connection.id as string, body, caller());
    expect(await update({ ...connection, external_xref: 'y' })).toMatchObject({
      external_xref: 'y',
      permissions: connection.permissions,
    });
    expect(await update({ permissions: [] })).toMatchObject({ permissions: connection.permissions });
    expect(await update({ permissions: ['ads_campaign_read', 'webhook'] })).toMatchObject({
      permissions: ['ads_campaign_read'],
    });
    expect(await update({ permissions: connection.permissions })).toMatchObject({
      permissions: connection.permissions,
    });
    expect(await codeOf(update({ environment: 'Sandbox' }))).toBe('environment_crossed');
    expect(await update({ environment: 'production', integration_type: 'loopy' })).toMatchObject({ id: connection.id });
    expect(await codeOf(world.connections.update(world.workspace, 'f'.repeat(24), {}, caller()))).toBe(
      'connection_not_found',
    );
  });

  it('does not give permissions that the grant does not', async () => {
    world.platform.consent.scopes = ['20'];
    const connection = await made();
    world.platform.consent.scopes = ['1'];
    const update = world.connections.update(
      world.workspace,
      connection.id as string,
      { permissions: ['ads_campaign_write'] },
      caller(),
    );
    await expect(update).rejects.toMatchObject({
      code: 'input_value_unsupported',
      details: { allowed: ['ads_campaign_read'] },
    });
  });

  it('pauses and goes on', async () => {
    const connection = await made();
    const id = connection.id as string;
    expect(await world.connections.update(world.workspace, id, { is_paused: true }, caller())).toMatchObject({
      is_paused: true,
    });
    expect(await codeOf(world.me(await world.row(id)))).toBe('connection_paused');
    await world.connections.update(world.workspace, id, { is_paused: false }, caller());
    expect(await codeOf(world.me(await world.row(id)))).toBe('no error');
    expect(await world.events('connection.paused')).toHaveLength(1);
    expect(await world.events('connection.unpaused')).toHaveLength(1);
  });

  it('replaces credentials after their test, of the same account only', async () => {
    const connection = await made();
    const id = connection.id as string;
    const update = (auth: object) => world.connections.update(world.workspace, id, { auth }, caller());
    expect(await codeOf(update({ access_token: held({ user: 'user-2' }).access }))).toBe('oauth_account_mismatch');
    expect(await codeOf(update({ access_token: 'made-up' }))).toBe('connection_test_failed');
    const grant = held();
    expect(await update({ access_token: grant.access })).toMatchObject({ id, external_xref: 'x' });
    expect((await world.tokens.tokenFor(await world.row(id))).accessToken).toBe(grant.access);
  });

  it('is one workspace’s own business', async () => {
    const connection = await made();
    const other = await createWorkspace(world.store.db, { name: 'Other' });
    const id = connection.id as string;
    expect(await world.connections.list(other)).toEqual([]);
    expect(await codeOf(world.connections.get(other, id))).toBe('connection_not_found');
    expect(await codeOf(world.connections.update(other, id, { is_paused: true }, caller()))).toBe(
      'connection_not_found',
    );
    expect(await codeOf(world.connections.remove(other, id))).toBe('connection_not_found');
  });

  it('lists by environment, reference, type and category', async () => {
    const connection = await made();
    await world.connections.update(world.workspace, connection.id as string, { external_xref: 'only-me' }, caller());
    const ids = async (query: object) => (await world.connections.list(world.workspace, query)).map((one) => one.id);
    expect(
      await ids({ external_xref: 'only-me', env: 'PRODUCTION', integration_type: 'loopy', categories: ['crm', 'ads'] }),
    ).toEqual([connection.id]);
    expect(await ids({ external_xref: 'only-me', env: 'Sandbox' })).toEqual([]);
    expect(await ids({ external_xref: 'only-me', categories: ['crm'] })).toEqual([]);
    expect(await ids({ external_xref: 'only-me', integration_type: 'nonsense' })).toEqual([]);
  });

  it('destroys credentials with the connection, and revokes a grant that nobody else shares', async () => {
    world.platform.consent.user = 'user-alone';
    const connection = await made();
    const grant = world.platform.grants.at(-1);
    const shared = await (async () => {
      world.platform.consent.user = 'user-1';
      return made();
    })();
    const row = await world.row(connection.id as string);
    await world.connections.remove(world.workspace, connection.id as string);
    await world.connections.settle();
    expect(grant?.revoked).toBe(true);
    expect(await getConnection(world.store.db, world.workspace.id, row.id)).toBeUndefined();
    expect(await openTokens(world.secrets, world.store.db, row)).toBeUndefined();
    expect(await codeOf(world.tokens.tokenFor(row))).toBe('connection_credentials_missing');
    expect(await codeOf(world.connections.remove(world.workspace, row.id))).toBe('connection_not_found');

    const still = world.platform.grants.at(-1);
    await world.connections.remove(world.workspace, shared.id as string);
    await world.connections.settle();
    expect(still?.revoked).toBe(false);
  });

  it('deletes although the platform is in trouble, and never revokes imported tokens', async () => {
    world.platform.consent.user = 'user-gone';
    const connection = await made();
    world.platform.consent.user = 'user-1';
    world.platform.faults.push({ path: '/token/revoke', status: 200, body: { code: 'E_PATH', message: 'no' } });
    await world.connections.remove(world.workspace, connection.id as string);
    const grant = held({ user: 'user-import' });
    const imported = await create({ auth: { access_token: grant.access } });
    await world.connections.remove(world.workspace, imported.id as string);
    await world.connections.settle();
    expect(grant.revoked).toBe(false);
  });
});
