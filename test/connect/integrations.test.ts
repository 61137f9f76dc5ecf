import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PolyadError } from '../../src/core/errors/index.ts';
import { secretHint } from '../../src/core/integrations/app-credentials.ts';
import { setupFacts } from '../../src/core/integrations/integrations.ts';
import { integration as integrationSchema } from '../../src/core/model/index.ts';
import { createWorkspace } from '../../src/core/store/repositories/index.ts';
import { connectOnce, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const issuesOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: PolyadError) =>
      (error.details?.['issues'] as { path: string }[] | undefined)?.map((issue) => issue.path) ?? error.code,
  );

describe('integrations', () => {
  it('are what the platform declares, with the capability map, in the form of the contract', async () => {
    await connectOnce(world);
    const [found, ...others] = await world.integrations.list(world.workspace, { type: 'LOOPY' });
    expect(others).toEqual([]);
    expect(integrationSchema.parse(found)).toBeTruthy();
    expect(found).toMatchObject({
      type: 'loopads',
      name: 'Loop Ads',
      categories: ['ads', 'passthrough'],
      is_active: true,
      active_healthy_connections: 1,
      api: { urls: ['https://api.loop.example'] },
      sandbox: { urls: ['https://sandbox.loop.example'] },
      support: { ads_campaign: { methods: { list: false, get: true, create: true, update: false, remove: false } } },
    });
    expect(found).not.toHaveProperty('token_names');
    expect(Buffer.from(String(found?.logo_url).split(',')[1] as string, 'base64').toString()).toContain(
      'fill="#123456"',
    );
  });

  it('say what is pasted where there is no sign-in', async () => {
    const [found] = await world.integrations.list(world.workspace, { environment: 'sandbox' });
    expect(found).toMatchObject({
      is_active: true,
      active_healthy_connections: 0,
      token_names: ['Access token', 'Ad account id'],
    });
    expect(found?.token_instructions).toHaveLength(2);
  });

  it('are active where the workspace configured them', async () => {
    const fresh = await createWorkspace(world.store.db, { name: 'Fresh' });
    const types = async (query: object, workspace = world.workspace) =>
      (await world.integrations.list(workspace, query)).map((one) => one.type);
    expect(await types({ active: true })).toEqual(['loopads']);
    expect(await types({ active: false })).toEqual([]);
    expect(await types({ active: true }, fresh)).toEqual([]);
    expect(await types({ active: false }, fresh)).toEqual(['loopads']);
    expect(await types({ categories: ['crm'] })).toEqual([]);
    expect(await types({ categories: ['crm', 'ads'] })).toEqual(['loopads']);
    expect(await types({ type: 'nonsense' })).toEqual([]);
    expect(await types({ environment: 'simulator' })).toEqual([]);
    expect(await types({ offset: 1 })).toEqual([]);
    expect(await types({ updated_gte: new Date(world.clock.now().getTime() + 1) })).toEqual([]);
  });

  it('come in short as a summary', async () => {
    const [found] = await world.integrations.list(world.workspace, { summary: true });
    expect(Object.keys(found ?? {}).sort()).toEqual([
      'categories',
      'color',
      'is_active',
      'logo_url',
      'name',
      'text_color',
      'type',
    ]);
  });

  it('tell an operator which redirect addresses to register', () => {
    expect(setupFacts(world.module, 'production', 'https://p.example')).toMatchObject({
      environment: 'Production',
      redirect_urls: [
        { grant: 'main', url: 'https://p.example/connect/callback/loopads' },
        { grant: 'account', url: 'https://p.example/connect/callback/loopads/' },
      ],
    });
  });
});

describe('app credentials', () => {
  const put = (input: Record<string, unknown>, environment: 'production' | 'sandbox' = 'sandbox') =>
    world.apps.put(world.workspace.id, world.module, environment, input);
  const get = () => world.apps.get(world.workspace.id, 'loopads', 'sandbox');

  it('are taken under any of their names, used, and never shown again', async () => {
    const hint = await put({ client_key: 'id-1', app_secret: 'the-secret-of-the-app-f3a9', scopes: ['20'] });
    expect(hint).toMatchObject({
      integration_type: 'loopads',
      environment: 'Sandbox',
      is_active: true,
      has_credentials: true,
      client_id: 'id-1',
      client_secret_hint: '…f3a9',
      settings: { scopes: ['20'] },
    });
    expect(JSON.stringify([hint, await world.apps.hint(world.workspace.id, 'loopads', 'sandbox')])).not.toContain(
      'the-secret',
    );
    expect(await get()).toEqual({ client_id: 'id-1', client_secret: 'the-secret-of-the-app-f3a9' });
    const stored = await world.store.db.selectFrom('secrets').selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain('the-secret');
  });

  it('change as a pair, or the secret alone, at once', async () => {
    await put({ app_id: 'id-2', secret: 'second-secret-value' });
    expect(await get()).toEqual({ client_id: 'id-2', client_secret: 'second-secret-value' });
    await put({ secret: 'third-secret-value' });
    expect(await get()).toEqual({ client_id: 'id-2', client_secret: 'third-secret-value' });
    expect(await issuesOf(put({ app_id: 'id-3' }))).toEqual(['client_secret']);
    expect(await get()).toEqual({ client_id: 'id-2', client_secret: 'third-secret-value' });
    await put({ is_active: false });
    expect(await get()).toEqual({ client_id: 'id-2', client_secret: 'third-secret-value' });
  });

  it('are refused when something is wrong with them, by name', async () => {
    expect(await issuesOf(put({ client_id: '', client_secret: 7, nonsense: 1 }))).toEqual([
      'client_id',
      'client_secret',
      'nonsense',
    ]);
    expect(await issuesOf(put({ app_id: 'a', client_id: 'b', secret: 'c' }))).toEqual(['client_id']);
    expect(await issuesOf(put({ scopes: 'x' }))).toEqual(['scopes']);
    expect(await issuesOf(put({ is_active: 'yes' }))).toEqual(['is_active']);
    expect(await issuesOf(put({ constructor: 'x' }))).toEqual(['constructor']);
  });

  it('stay in their environment and workspace', async () => {
    const other = await createWorkspace(world.store.db, { name: 'Other' });
    expect(await world.apps.get(other.id, 'loopads', 'sandbox')).toBeUndefined();
    expect(await world.apps.get(world.workspace.id, 'loopads', 'production')).toMatchObject({ client_id: 'app-1' });
  });

  it('are destroyed when removed', async () => {
    expect(await world.apps.remove(world.workspace.id, 'loopads', 'sandbox')).toBe(true);
    expect(await get()).toBeUndefined();
    expect(await world.apps.hint(world.workspace.id, 'loopads', 'sandbox')).toBeUndefined();
    expect(await world.apps.remove(world.workspace.id, 'loopads', 'sandbox')).toBe(false);
    const left = await world.store.db.selectFrom('secrets').select('owner_kind').where('kind', '=', 'app').execute();
    expect(left).toHaveLength(1);
  });

  it('give no short secret away by their hint', () => {
    expect(secretHint('short')).toBe('…');
    expect(secretHint('0123456789ab')).toBe('…89ab');
  });
});
