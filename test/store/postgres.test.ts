import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createStoreCache } from '../../src/core/store/cache.ts';
import { type Invalidation, openStore } from '../../src/core/store/port.ts';
import * as repo from '../../src/core/store/repositories/index.ts';
import { memoryLog } from './log.ts';
import { storeSuite } from './store.suite.ts';

const url = process.env['POLYAD_TEST_DATABASE_URL'];

if (url === undefined || url === '') {
  process.stderr.write('\n*** Postgres store suite not run: POLYAD_TEST_DATABASE_URL is not set. ***\n\n');
}

/** A schema of its own for one run, reached through a URL like any other. */
async function ownSchema(base: string) {
  const schema = `polyad_test_${randomBytes(6).toString('hex')}`;
  const admin = async (statement: string) => {
    const client = new pg.Client(base);
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await admin(`create schema ${schema}`);
  const own = new URL(base);
  own.searchParams.set('options', `-c search_path=${schema} -c client_min_messages=warning`);
  // Names the run's connections among all those of the server.
  own.searchParams.set('application_name', schema);
  return { schema, url: own.href.replaceAll('+', '%20'), drop: () => admin(`drop schema ${schema} cascade`) };
}

describe.runIf(url)('with a Postgres server', async () => {
  if (!url) return;
  const first = await ownSchema(url);
  const log = memoryLog();
  const open = (databaseUrl: string) => openStore({ databaseUrl, dataDir: '/nonexistent', log });

  storeSuite('Postgres', { open: () => open(first.url), dispose: first.drop });

  it('lets several nodes start at once on an empty database', async () => {
    const own = await ownSchema(url);
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(own.url)));
    const rows = await stores[0]!.db.selectFrom('polyad_migrations').select('id').execute();
    expect(rows.length).toBeGreaterThan(0);
    await Promise.all(stores.map((store) => store.close()));
    await own.drop();
  });

  it('tells other nodes of a change, and not those of another schema', async () => {
    const [own, other] = [await ownSchema(url), await ownSchema(url)];
    const [writer, reader, stranger] = [await open(own.url), await open(own.url), await open(other.url)];
    const strange: Invalidation[] = [];
    stranger.listenInvalidations((invalidation) => strange.push(invalidation));
    const cache = createStoreCache(reader);
    const ws = await repo.createWorkspace(writer.db, { name: 'A' });
    const { key, row } = await repo.createApiKey(writer.db, ws.id, { name: 'k', scopes: [] });
    const hash = repo.hashApiKey(key);
    const heard = (event: string, id?: string) =>
      new Promise<void>((resolve) => {
        const stop = reader.listenInvalidations((invalidation) => {
          if (invalidation.event !== event || (invalidation.event === 'changed' && invalidation.id !== id)) return;
          stop();
          resolve();
        });
      });
    expect((await cache.apiKey(hash))!.key.revoked_at).toBeNull();
    const told = heard('changed', row.id);
    await repo.revokeApiKey(writer.db, ws.id, row.id);
    await told;
    expect((await cache.apiKey(hash))!.key.revoked_at).not.toBeNull();

    // The reader's connections are cut: it must notice, come back, and see what it missed.
    const lost = heard('lost');
    const restored = heard('restored');
    await repo.updateWorkspace(writer.db, ws.id, { name: 'B' });
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = ${own.schema} and query ilike 'listen polyad_invalidation%' and pid <> pg_backend_pid()`.execute(
      writer.db,
    );
    await lost;
    await restored;
    await repo
      .updateWorkspace(writer.db, ws.id, { name: 'C' })
      .catch(() => repo.updateWorkspace(writer.db, ws.id, { name: 'C' }));
    expect((await cache.apiKey(hash))!.workspace.name).toBe('C');
    expect(strange.filter((invalidation) => invalidation.event === 'changed')).toEqual([]);
    cache.close();
    await Promise.all([writer.close(), reader.close(), stranger.close()]);
    await Promise.all([own.drop(), other.drop()]);
  });

  it('holds the ends of audit chains in one order on all nodes, and gives whoever waited the end as it is then', async () => {
    const own = await ownSchema(url);
    const store = await open(own.url);
    const waiting = async (count: number): Promise<void> => {
      for (let found = -1; found !== count; ) {
        const { rows } = await sql<{ found: number }>`select count(*)::int as found from pg_stat_activity
          where application_name = ${own.schema} and wait_event_type = 'Lock'`.execute(store.db);
        found = rows[0]?.found ?? 0;
      }
    };
    /** One holds what lies in the middle while two others, who name the same in opposite orders, come for all. */
    const meet = async (seq: number) => {
      const come = (ids: string[]) =>
        store.db.transaction().execute(async (trx) => {
          const held = await repo.holdAuditHeads(trx, ids, '0');
          return held.map((head) => `${head.workspace_id}${head.seq}`);
        });
      let others: Promise<string[]>[] = [];
      await store.db.transaction().execute(async (trx) => {
        const [head] = await repo.holdAuditHeads(trx, ['m'], '0');
        others = [come(['a', 'm', 'z']), come(['z', 'm', 'a'])];
        await waiting(2);
        await repo.insertAuditRows(trx, [], [{ ...head!, seq }]);
      });
      return Promise.all(others);
    };
    const expected = (m: string) => [
      ['a0', m, 'z0'],
      ['a0', m, 'z0'],
    ];
    // First there are no ends yet, then they are there.
    expect(await meet(7)).toEqual(expected('m7'));
    expect(await meet(8)).toEqual(expected('m8'));
    await store.close();
    await own.drop();
  });
});

describe.runIf(url)('a Postgres that goes away', () => {
  it('is named as such by every call, without its password, and is used again when it is back', async () => {
    const own = await ownSchema(url!);
    const target = new URL(own.url);
    const sockets = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = connect(Number(target.port || 5432), target.hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const through = new URL(own.url);
    through.host = `127.0.0.1:${port}`;
    through.password = 'hunter2';
    const store = await openStore({ databaseUrl: through.href, dataDir: '/nonexistent', log: memoryLog() });
    const events: string[] = [];
    const restored = new Promise<void>((resolve) => {
      store.listenInvalidations(({ event }) => {
        events.push(event);
        if (event === 'restored') resolve();
      });
    });
    await Promise.all(Array.from({ length: 15 }, () => store.ping()));

    proxy.close();
    for (const socket of sockets) socket.destroy();
    // More than the pool has connections: none of them may be lost to it for good.
    const refusals = await Promise.allSettled(Array.from({ length: 15 }, () => repo.listWorkspaces(store.db)));
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ status: 'rejected' });
    }
    const failure = await repo.listWorkspaces(store.db).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'store_unavailable', retry: 'after' });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('hunter2');

    proxy.listen(port, '127.0.0.1');
    await restored;
    await Promise.all(Array.from({ length: 15 }, () => store.ping()));
    expect(events).toEqual(['lost', 'restored']);
    await store.close();
    proxy.close();
    await own.drop();
  });
});

describe('a Postgres that is not there', () => {
  it('is named without its password', async () => {
    const opening = openStore({
      databaseUrl: 'postgres://someone:hunter2@127.0.0.1:1/nothing',
      dataDir: '/nonexistent',
      log: memoryLog(),
    });
    const error = await opening.then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('127.0.0.1:1/nothing') });
    expect(JSON.stringify([error, error?.message])).not.toContain('hunter2');
  });
});
