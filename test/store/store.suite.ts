import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/store/ids.ts';
import { MIGRATIONS } from '../../src/core/store/migrations/index.ts';
import { migrate } from '../../src/core/store/migrations/migrate.ts';
import type { Invalidation, Store } from '../../src/core/store/port.ts';
import * as repo from '../../src/core/store/repositories/index.ts';
import { auditSuite } from './audit.suite.ts';
import { cacheSuite } from './cache.suite.ts';
import { callLogSuite } from './call-log.suite.ts';
import { reportJobSuite } from './report-jobs.suite.ts';
import { call } from './rows.ts';
import { secretsSuite } from './secrets.suite.ts';
import { usageSuite } from './usage.suite.ts';

/** How a suite gets at one engine. */
export interface Engine {
  /** Opens the engine's database; calling it again after closing opens the same one. */
  open(): Promise<Store>;
  /** Throws the database away. */
  dispose(): Promise<void>;
}

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));

/**
 * Waits until no word of an earlier write is still under way. Postgres tells of a write twice: on the connection that
 * wrote, in time, and on the one that listens, a little later; in the order of the commits both times.
 */
export async function settled(store: Store): Promise<void> {
  let missing = store.engine === 'postgres' ? 2 : 1;
  const id = newId();
  await new Promise<void>((resolve, reject) => {
    const stop = store.listenInvalidations((invalidation) => {
      if (invalidation.event !== 'changed' || invalidation.id !== id || --missing > 0) return;
      stop();
      resolve();
    });
    store.publishInvalidation('fence', id).catch(reject);
  });
}

/** What both engines must do alike. */
export function storeSuite(name: string, engine: Engine): void {
  describe(`store on ${name}`, () => {
    let store: Store;
    const workspace = () => repo.createWorkspace(store.db, { name: 'Acme' });
    const connection = async (fields: Partial<repo.NewConnection> = {}, minute = 0) => {
      const owner = await workspace();
      const row = await repo.createConnection(
        store.db,
        owner.id,
        { integration_type: 'tiktok', environment: 'simulator', ...fields },
        at(minute),
      );
      return { owner, row };
    };

    beforeAll(async () => {
      store = await engine.open();
    });
    afterAll(async () => {
      await store.close();
      await engine.dispose();
    });

    it('answers a ping, and names the failure once it is closed', async () => {
      await store.ping();
      await store.close();
      await store.close();
      await expect(store.ping()).rejects.toMatchObject({ code: 'store_unavailable' });
      store = await engine.open();
      await store.ping();
    });

    describe('migrations', () => {
      it('runs each once and finds nothing to do afterwards', async () => {
        const rows = await store.db.selectFrom('polyad_migrations').select('id').orderBy('id').execute();
        expect(rows.map((row) => row.id)).toEqual(MIGRATIONS.map((migration) => migration.id));
        expect(await migrate(store.db)).toEqual([]);
      });

      it('applies what is new, whole or not at all', async () => {
        const broken = { id: '9000-broken', statements: ['create table half (id text)', 'create table (nonsense'] };
        await expect(migrate(store.db, [...MIGRATIONS, broken])).rejects.toThrow();
        await expect(sql`select * from half`.execute(store.db)).rejects.toMatchObject({ code: '42P01' });
        expect(await migrate(store.db)).toEqual([]);
      });

      it('refuses a database that a newer version wrote, naming what it does not know', async () => {
        const newer = { id: '9001-from-the-future', statements: ['create table future (id text)'] };
        expect(await migrate(store.db, [...MIGRATIONS, newer])).toEqual(['9001-from-the-future']);
        await expect(migrate(store.db)).rejects.toMatchObject({
          code: 'store_version_ahead',
          message: expect.stringContaining('9001-from-the-future'),
        });
        await sql`drop table future`.execute(store.db);
        await sql`delete from polyad_migrations where id = '9001-from-the-future'`.execute(store.db);
      });

      it('refuses when a migration that has run was edited', async () => {
        const edited = MIGRATIONS.map((migration) => ({
          ...migration,
          statements: [...migration.statements, 'select 1'],
        }));
        await expect(migrate(store.db, edited)).rejects.toMatchObject({ code: 'store_migration_changed' });
      });
    });

    describe('workspaces', () => {
      it('are made, read, listed, changed and deleted with all that is in them', async () => {
        const made = await repo.createWorkspace(store.db, {
          name: "O'Brien",
          settings: { redirect_origins: ['https://a.example'] },
        });
        expect(made.id).toMatch(/^[0-9a-f]{24}$/);
        expect(await repo.getWorkspace(store.db, made.id)).toEqual(made);
        expect((await repo.listWorkspaces(store.db)).map((row) => row.id)).toContain(made.id);
        const changed = await repo.updateWorkspace(store.db, made.id, { name: 'New' });
        expect(changed).toMatchObject({ name: 'New', settings: { redirect_origins: ['https://a.example'] } });
        await expect(repo.updateWorkspace(store.db, 'f'.repeat(24), { name: 'x' })).rejects.toMatchObject({
          code: 'workspace_not_found',
        });

        const { key } = await repo.createApiKey(store.db, made.id, { name: 'k', scopes: [] });
        const conn = await repo.createConnection(store.db, made.id, {
          integration_type: 'tiktok',
          environment: 'sandbox',
        });
        await repo.insertApiCalls(store.db, [call(made.id)]);
        expect(await repo.deleteWorkspace(store.db, made.id)).toBe(true);
        expect(await repo.deleteWorkspace(store.db, made.id)).toBe(false);
        expect(await repo.findApiKeyByHash(store.db, repo.hashApiKey(key))).toBeUndefined();
        expect(await repo.getConnection(store.db, made.id, conn.id)).toBeUndefined();
        expect(await repo.listApiCalls(store.db, made.id)).toEqual([]);
      });

      it('keep any text: quotes, other scripts, and what the database cannot hold replaced', async () => {
        const settings = {
          キー: '値 "\' \\ \u{1F600}',
          nul: 'a\u0000b',
          surrogate: 'a\ud800b',
          list: ['{}', 'a,b', null],
        };
        const made = await repo.createWorkspace(store.db, { name: 'ünïcode 会社', settings });
        expect(await repo.getWorkspace(store.db, made.id)).toMatchObject({
          name: 'ünïcode 会社',
          settings: { ...settings, nul: 'a\uFFFDb', surrogate: 'a\uFFFDb' },
        });
      });
    });

    describe('API keys', () => {
      it('are found by hash alone, and the database never sees the key', async () => {
        const owner = await workspace();
        const { key, row } = await repo.createApiKey(store.db, owner.id, {
          name: 'ci',
          scopes: ['a"b', 'c,d', '{}', ''],
        });
        expect(key).toMatch(/^polyad_[0-9A-Za-z]{40}$/);
        expect(row).toMatchObject({ prefix: key.slice(0, 12), scopes: ['a"b', 'c,d', '{}', ''], revoked_at: null });
        expect(row).not.toHaveProperty('hash');
        const found = await repo.findApiKeyByHash(store.db, repo.hashApiKey(key));
        expect(found).toEqual({ key: row, workspace: owner });
        expect(await repo.findApiKeyByHash(store.db, repo.hashApiKey(`${key}x`))).toBeUndefined();
        const stored = await sql<{
          all: string;
        }>`select row_to_json(k)::text as "all" from api_keys k where id = ${row.id}`.execute(store.db);
        expect(stored.rows[0]!.all).toContain(row.id);
        expect(stored.rows[0]!.all).not.toContain(key);
        expect(stored.rows[0]!.all).not.toContain(key.slice(12));
      });

      it('are revoked once, by their own workspace', async () => {
        const [owner, other] = [await workspace(), await workspace()];
        const { row } = await repo.createApiKey(store.db, owner.id, { name: 'k', scopes: [] });
        await expect(repo.revokeApiKey(store.db, other.id, row.id)).rejects.toMatchObject({ code: 'record_not_found' });
        expect((await repo.revokeApiKey(store.db, owner.id, row.id, at(1))).revoked_at).toEqual(at(1));
        expect((await repo.revokeApiKey(store.db, owner.id, row.id, at(2))).revoked_at).toEqual(at(1));
        expect((await repo.listApiKeys(store.db, owner.id)).map((key) => key.id)).toEqual([row.id]);
        expect(await repo.listApiKeys(store.db, other.id)).toEqual([]);
      });

      it('note their last use and never an earlier one', async () => {
        const owner = await workspace();
        const { row } = await repo.createApiKey(store.db, owner.id, { name: 'k', scopes: [] });
        await repo.touchApiKeys(store.db, new Map([[row.id, at(5)]]));
        await repo.touchApiKeys(store.db, new Map([[row.id, at(4)]]));
        expect((await repo.listApiKeys(store.db, owner.id))[0]!.last_used_at).toEqual(at(5));
      });
    });

    describe('integrations', () => {
      it('exist once per workspace, type and environment, and keep what is not given', async () => {
        const owner = await workspace();
        const first = await repo.putIntegration(store.db, owner.id, 'tiktok', 'sandbox', {
          settings: { scopes: ['4'] },
        });
        const second = await repo.putIntegration(store.db, owner.id, 'tiktok', 'sandbox', { is_active: false });
        expect(second).toMatchObject({ id: first.id, is_active: false, settings: { scopes: ['4'] } });
        await repo.putIntegration(store.db, owner.id, 'tiktok', 'production');
        const list = (filter: repo.IntegrationFilter) => repo.listIntegrations(store.db, owner.id, filter);
        expect(await list({})).toHaveLength(2);
        expect(await list({ is_active: true })).toMatchObject([{ environment: 'production' }]);
        expect(await list({ environment: 'sandbox', type: 'tiktok' })).toMatchObject([{ id: first.id }]);
        expect(await list({ type: 'meta' })).toEqual([]);
        expect(await repo.getIntegration(store.db, (await workspace()).id, 'tiktok', 'sandbox')).toBeUndefined();
        expect(await repo.deleteIntegration(store.db, owner.id, 'tiktok', 'sandbox')).toBe(true);
        expect(await repo.deleteIntegration(store.db, owner.id, 'tiktok', 'sandbox')).toBe(false);
      });
    });

    describe('connections', () => {
      it('read back as they were made', async () => {
        const fields = {
          external_xref: 'customer 7',
          permissions: ['ads_campaign_read'],
          categories: ['ads'],
          is_paused: true,
          native_scopes: ['4', '21'],
          account: { user_id: '7', organization_ids: ['1', '2'] },
          token_expires_at: at(10),
          refresh_expires_at: at(20),
        };
        const { owner, row } = await connection(fields, 3);
        expect(row).toMatchObject({
          ...fields,
          version: 1,
          health_state: 'unknown',
          created_at: at(3),
          deleted_at: null,
        });
        expect(await repo.getConnection(store.db, owner.id, row.id)).toEqual(row);
      });

      it('are nobody else’s: another workspace neither reads, lists, changes nor deletes them', async () => {
        const { owner, row } = await connection();
        const other = await workspace();
        expect(await repo.getConnection(store.db, other.id, row.id)).toBeUndefined();
        expect(await repo.listConnections(store.db, other.id)).toEqual([]);
        await expect(repo.updateConnection(store.db, other.id, row.id, { is_paused: true })).rejects.toMatchObject({
          code: 'connection_not_found',
        });
        expect(await repo.deleteConnection(store.db, other.id, row.id)).toBe(false);
        expect(await repo.getConnection(store.db, owner.id, row.id)).toEqual(row);
      });

      it('change only what is given, and refuse a change made from an old version', async () => {
        const { owner, row } = await connection({ external_xref: 'x', permissions: ['p'] });
        const changed = await repo.updateConnection(
          store.db,
          owner.id,
          row.id,
          { is_paused: true },
          { version: 1, now: at(9) },
        );
        expect(changed).toEqual({ ...row, is_paused: true, version: 2, updated_at: at(9) });
        await expect(
          repo.updateConnection(store.db, owner.id, row.id, { external_xref: null }, { version: 1 }),
        ).rejects.toMatchObject({ code: 'record_conflict', details: { current_version: 2 } });
        expect((await repo.getConnection(store.db, owner.id, row.id))!.external_xref).toBe('x');
        expect(
          (await repo.updateConnection(store.db, owner.id, row.id, { external_xref: null })).external_xref,
        ).toBeNull();
      });

      it('let exactly one of many writers with the same version win', async () => {
        const { owner, row } = await connection();
        const results = await Promise.allSettled(
          Array.from({ length: 10 }, (_, n) =>
            repo.updateConnection(store.db, owner.id, row.id, { external_xref: `w${n}` }, { version: 1 }),
          ),
        );
        expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
        expect((await repo.getConnection(store.db, owner.id, row.id))!.version).toBe(2);
      });

      it('are gone once deleted', async () => {
        const { owner, row } = await connection();
        expect(await repo.deleteConnection(store.db, owner.id, row.id)).toBe(true);
        expect(await repo.deleteConnection(store.db, owner.id, row.id)).toBe(false);
        expect(await repo.getConnection(store.db, owner.id, row.id)).toBeUndefined();
        expect(await repo.listConnections(store.db, owner.id)).toEqual([]);
        await expect(repo.updateConnection(store.db, owner.id, row.id, {})).rejects.toMatchObject({
          code: 'connection_not_found',
        });
      });

      it('are listed by every filter, sorted and paged without gaps or repeats', async () => {
        const owner = await workspace();
        const make = (minute: number, fields: Partial<repo.NewConnection>) =>
          repo.createConnection(
            store.db,
            owner.id,
            { integration_type: 'tiktok', environment: 'sandbox', ...fields },
            at(minute),
          );
        const a = await make(0, { external_xref: 'x', categories: ['ads'] });
        const b = await make(1, { external_xref: 'x', categories: ['crm', 'ads'], integration_type: 'meta' });
        const c = await make(2, { environment: 'production', categories: ['crm'] });
        await repo.updateConnection(store.db, owner.id, a.id, {}, { now: at(30) });
        const ids = async (filter: repo.ConnectionFilter) =>
          (await repo.listConnections(store.db, owner.id, filter)).map((row) => row.id);
        expect(await ids({})).toEqual([c.id, b.id, a.id]);
        expect(await ids({ order: 'asc' })).toEqual([a.id, b.id, c.id]);
        expect(await ids({ sort: 'updated_at' })).toEqual([a.id, c.id, b.id]);
        expect((await ids({ sort: 'name', order: 'asc' }))[0]).toBe(b.id);
        expect(await ids({ environment: 'production' })).toEqual([c.id]);
        expect(await ids({ external_xref: 'x' })).toEqual([b.id, a.id]);
        expect(await ids({ integration_type: 'meta' })).toEqual([b.id]);
        expect(await ids({ categories: ['crm'] })).toEqual([c.id, b.id]);
        expect(await ids({ categories: ['hris', 'ads'] })).toEqual([b.id, a.id]);
        expect(await ids({ updated_gte: at(2) })).toEqual([c.id, a.id]);

        const same = await workspace();
        for (let n = 0; n < 25; n++) {
          await repo.createConnection(store.db, same.id, { integration_type: 'tiktok', environment: 'sandbox' }, at(0));
        }
        const pages = await Promise.all(
          [0, 10, 20, 30].map((offset) => repo.listConnections(store.db, same.id, { limit: 10, offset })),
        );
        expect(pages.map((rows) => rows.length)).toEqual([10, 10, 5, 0]);
        expect(new Set(pages.flat().map((row) => row.id)).size).toBe(25);
      });
    });

    describe('OAuth states', () => {
      const state = async (expires = at(10)) => {
        const owner = await workspace();
        const row = await repo.createOAuthState(store.db, owner.id, {
          type: 'tiktok',
          environment: 'simulator',
          payload: { verifier: 'v' },
          browser_hash: 'browser',
          expires_at: expires,
        });
        return { owner, row };
      };

      it('are taken by exactly one of many that try at the same time', async () => {
        const { owner, row } = await state();
        const taken = await Promise.all(
          Array.from({ length: 12 }, () => repo.consumeOAuthState(store.db, owner.id, row.id, 'browser', at(1))),
        );
        const won = taken.filter((result) => result !== undefined);
        expect(won).toHaveLength(1);
        expect(won[0]).toMatchObject({ payload: { verifier: 'v' }, used_at: at(1) });
      });

      it('are refused when expired, for another browser or workspace, and stay usable after a wrong try', async () => {
        const { owner, row } = await state();
        const take = (workspaceId: string, browser: string, now: Date) =>
          repo.consumeOAuthState(store.db, workspaceId, row.id, browser, now);
        expect(await take(owner.id, 'browser', at(10))).toBeUndefined();
        expect(await take(owner.id, 'another', at(1))).toBeUndefined();
        expect(await take((await workspace()).id, 'browser', at(1))).toBeUndefined();
        expect(await take(owner.id, 'browser', at(9))).toMatchObject({ id: row.id });
      });

      it('are deleted after they have expired', async () => {
        const { owner, row } = await state(at(1));
        const later = await state(at(60 * 24 * 365));
        expect(await repo.pruneOAuthStates(store.db, at(2))).toBeGreaterThanOrEqual(1);
        expect(await repo.consumeOAuthState(store.db, owner.id, row.id, 'browser', at(0))).toBeUndefined();
        expect(await repo.consumeOAuthState(store.db, later.owner.id, later.row.id, 'browser', at(0))).toBeDefined();
      });
    });

    describe('call log and events', () => {
      it('list calls by every filter', async () => {
        const owner = await workspace();
        await repo.insertApiCalls(store.db, [
          call(owner.id, {
            name: 'b',
            created_at: at(0),
            connection_id: 'c1',
            external_xref: 'x',
            size: 3_000_000_000,
          }),
          call(owner.id, {
            name: 'a',
            created_at: at(1),
            error: 'platform_rejected',
            environment: 'sandbox',
            endapi_ms: 1.5,
          }),
          call(owner.id, { name: 'c', created_at: at(2), integration_type: 'meta', type: 'login', request_id: 'r1' }),
        ]);
        const names = async (filter: repo.ApiCallFilter) =>
          (await repo.listApiCalls(store.db, owner.id, filter)).map((row) => row.name);
        expect(await names({})).toEqual(['c', 'a', 'b']);
        expect(await names({ sort: 'name', order: 'asc' })).toEqual(['a', 'b', 'c']);
        expect(await names({ connection_id: 'c1' })).toEqual(['b']);
        expect(await names({ error: true })).toEqual(['a']);
        expect(await names({ error: false })).toEqual(['c', 'b']);
        expect(await names({ environment: 'sandbox' })).toEqual(['a']);
        expect(await names({ external_xref: 'x' })).toEqual(['b']);
        expect(await names({ integration_type: 'meta' })).toEqual(['c']);
        expect(await names({ type: 'login' })).toEqual(['c']);
        expect(await names({ request_id: 'r1' })).toEqual(['c']);
        expect(await names({ updated_gte: at(1), limit: 1, offset: 1 })).toEqual(['a']);
        const [newest, , oldest] = await repo.listApiCalls(store.db, owner.id);
        expect(oldest).toMatchObject({ size: 3_000_000_000, error: null, created_at: at(0), endapi_ms: null });
        expect(await repo.getApiCall(store.db, owner.id, newest!.id)).toEqual(newest);
        const other = await workspace();
        expect(await repo.getApiCall(store.db, other.id, newest!.id)).toBeUndefined();
        expect(await repo.listApiCalls(store.db, other.id)).toEqual([]);
        expect(await repo.pruneApiCalls(store.db, at(1))).toBeGreaterThanOrEqual(1);
        expect(await names({})).toEqual(['c', 'a']);
      });

      it('keep events with their facts, per workspace', async () => {
        const owner = await workspace();
        const first = await repo.appendEvent(
          store.db,
          owner.id,
          { type: 'CONNECTION_CREATED', connection_id: 'c1' },
          at(0),
        );
        const second = await repo.appendEvent(store.db, owner.id, { type: 'X', payload: { why: ['a'] } }, at(1));
        expect(await repo.listEvents(store.db, owner.id)).toEqual([second, first]);
        expect(await repo.listEvents(store.db, owner.id, { connection_id: 'c1' })).toEqual([first]);
        expect(await repo.listEvents(store.db, owner.id, { type: 'X' })).toEqual([second]);
        expect(await repo.listEvents(store.db, owner.id, { created_gte: at(1) })).toEqual([second]);
        expect(await repo.listEvents(store.db, (await workspace()).id)).toEqual([]);
      });
    });

    describe('transactions', () => {
      it('undo everything when they fail', async () => {
        const owner = await workspace();
        const failing = store.db.transaction().execute(async (trx) => {
          await repo.putIntegration(trx, owner.id, 'tiktok', 'sandbox');
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        expect(await repo.listIntegrations(store.db, owner.id)).toEqual([]);
      });

      it('do not mix with each other or with statements outside of them', async () => {
        const owner = await workspace();
        let outside: Promise<unknown> | undefined;
        const failing = store.db.transaction().execute(async (trx) => {
          await repo.putIntegration(trx, owner.id, 'inside', 'sandbox');
          outside = repo.putIntegration(store.db, owner.id, 'outside', 'sandbox');
          await repo.putIntegration(trx, owner.id, 'inside', 'production');
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        await outside;
        expect((await repo.listIntegrations(store.db, owner.id)).map((row) => row.type)).toEqual(['outside']);

        const counter = await repo.createWorkspace(store.db, { name: '0' });
        await Promise.all(
          Array.from({ length: 20 }, () =>
            store.db.transaction().execute(async (trx) => {
              const row = await trx
                .selectFrom('workspaces')
                .select('name')
                .where('id', '=', counter.id)
                .forUpdate()
                .executeTakeFirstOrThrow();
              await repo.updateWorkspace(trx, counter.id, { name: String(Number(row.name) + 1) });
            }),
          ),
        );
        expect((await repo.getWorkspace(store.db, counter.id))!.name).toBe('20');
      });

      it('never answer success for a commit that was a rollback', async () => {
        const owner = await workspace();
        const spoiled = store.db.transaction().execute(async (trx) => {
          await repo.putIntegration(trx, owner.id, 'tiktok', 'sandbox');
          await sql`select 1/0`.execute(trx).catch(() => {});
        });
        await expect(spoiled).rejects.toThrow();
        expect(await repo.listIntegrations(store.db, owner.id)).toEqual([]);
        await store.ping();
      });
    });

    describe('invalidations', () => {
      it('tell of a write before the write resolves, and of nothing that was rolled back', async () => {
        const heard: Invalidation[] = [];
        const stop = store.listenInvalidations((invalidation) => heard.push(invalidation));
        const changed = (kind: string, id: string) => ({ event: 'changed', kind, id });
        const owner = await workspace();
        expect(heard).toContainEqual(changed('workspace', owner.id));
        const key = await repo.createApiKey(store.db, owner.id, { name: 'k', scopes: [] });
        expect(heard).toContainEqual(changed('api_key', key.row.id));
        const conn = await repo.createConnection(store.db, owner.id, { integration_type: 't', environment: 'sandbox' });
        await settled(store);
        heard.length = 0;
        await repo.touchApiKeys(store.db, new Map([[key.row.id, new Date()]]));
        await settled(store);
        expect(
          heard.filter((invalidation) => invalidation.event !== 'changed' || invalidation.kind !== 'fence'),
        ).toEqual([]);
        await repo.updateConnection(store.db, owner.id, conn.id, { is_paused: true });
        expect(heard).toContainEqual(changed('connection', conn.id));
        await settled(store);
        heard.length = 0;
        const failing = store.db.transaction().execute(async (trx) => {
          await repo.revokeApiKey(trx, owner.id, key.row.id);
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        await settled(store);
        expect(
          heard.filter((invalidation) => invalidation.event !== 'changed' || invalidation.kind !== 'fence'),
        ).toEqual([]);
        await repo.deleteWorkspace(store.db, owner.id);
        expect(heard).toEqual(
          expect.arrayContaining([
            changed('workspace', owner.id),
            changed('api_key', key.row.id),
            changed('connection', conn.id),
          ]),
        );
        await store.publishInvalidation('organizations', conn.id);
        expect(heard).toContainEqual(changed('organizations', conn.id));
        await settled(store);
        stop();
        heard.length = 0;
        await store.publishInvalidation('organizations', conn.id);
        expect(heard).toEqual([]);
      });
    });

    secretsSuite(() => store);
    cacheSuite(() => store);
    callLogSuite(() => store);
    auditSuite(() => store);
    reportJobSuite(() => store);
    usageSuite(() => store);
  });
}
