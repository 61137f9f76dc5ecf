import { describe, expect, it } from 'vitest';
import { createStoreCache } from '../../src/core/store/cache.ts';
import type { Invalidation, Store } from '../../src/core/store/port.ts';
import * as repo from '../../src/core/store/repositories/index.ts';
import type { ConnectionRow } from '../../src/core/store/schema.ts';
import { settled } from './store.suite.ts';

/** Rows cached in the process: part of the suite of both engines. */
export function cacheSuite(store: () => Store): void {
  describe('cache', () => {
    /** The store with its queries counted, and an extra voice for invalidations. */
    const counted = () => {
      let queries = 0;
      const voices = new Set<(invalidation: Invalidation) => void>();
      const inner = store();
      const db = inner.db.withPlugin({
        transformQuery: ({ node }) => {
          queries++;
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const listenInvalidations: Store['listenInvalidations'] = (listener) => {
        voices.add(listener);
        return inner.listenInvalidations(listener);
      };
      return {
        outer: { ...inner, db, listenInvalidations } satisfies Store,
        queries: () => queries,
        say: (invalidation: Invalidation) => {
          for (const voice of voices) voice(invalidation);
        },
      };
    };

    it('reads a row once, and again after its own writes', async () => {
      const { outer, queries } = counted();
      const cache = createStoreCache(outer);
      const { db } = store();
      const ws = await repo.createWorkspace(db, { name: 'A' });
      const { key, row } = await repo.createApiKey(db, ws.id, { name: 'k', scopes: ['x'] });
      const conn = await repo.createConnection(db, ws.id, { integration_type: 'tiktok', environment: 'sandbox' });
      const app = await repo.putIntegration(db, ws.id, 'tiktok', 'sandbox');
      const hash = repo.hashApiKey(key);
      await settled(store());
      const all = async () => ({
        key: await cache.apiKey(hash),
        connection: await cache.connection(ws.id, conn.id),
        integration: await cache.integration(ws.id, 'tiktok', 'sandbox'),
      });
      expect(await all()).toEqual({ key: { key: row, workspace: ws }, connection: conn, integration: app });
      const before = queries();
      expect(before).toBe(4);
      await all();
      expect(queries()).toBe(before);

      await repo.revokeApiKey(db, ws.id, row.id);
      expect((await cache.apiKey(hash))!.key.revoked_at).not.toBeNull();
      await repo.updateWorkspace(db, ws.id, { name: 'B' });
      expect((await cache.apiKey(hash))!.workspace.name).toBe('B');
      await repo.updateConnection(db, ws.id, conn.id, { is_paused: true });
      expect((await cache.connection(ws.id, conn.id))!.is_paused).toBe(true);
      await repo.deleteConnection(db, ws.id, conn.id);
      expect(await cache.connection(ws.id, conn.id)).toBeUndefined();
      await repo.putIntegration(db, ws.id, 'tiktok', 'sandbox', { is_active: false });
      expect((await cache.integration(ws.id, 'tiktok', 'sandbox'))!.is_active).toBe(false);
      await repo.deleteWorkspace(db, ws.id);
      expect(await cache.apiKey(hash)).toBeUndefined();
      cache.close();
    });

    it('keeps tenants apart: a cached connection is not found under another workspace', async () => {
      const cache = createStoreCache(store());
      const { db } = store();
      const [mine, theirs] = [
        await repo.createWorkspace(db, { name: 'A' }),
        await repo.createWorkspace(db, { name: 'B' }),
      ];
      const conn = await repo.createConnection(db, mine.id, { integration_type: 'tiktok', environment: 'sandbox' });
      expect(await cache.connection(mine.id, conn.id)).toBeDefined();
      expect(await cache.connection(theirs.id, conn.id)).toBeUndefined();
      cache.close();
    });

    it('shares one read among callers, remembers nothing that does not exist, and stays within its capacity', async () => {
      const { outer, queries } = counted();
      const cache = createStoreCache(outer, 2);
      const { db } = store();
      const ws = await repo.createWorkspace(db, { name: 'A' });
      const conns: ConnectionRow[] = [];
      for (let n = 0; n < 3; n++) {
        conns.push(await repo.createConnection(db, ws.id, { integration_type: 'tiktok', environment: 'sandbox' }));
      }
      await settled(store());
      await Promise.all(Array.from({ length: 5 }, () => cache.connection(ws.id, conns[0]!.id)));
      expect(queries()).toBe(1);
      await cache.connection(ws.id, 'f'.repeat(24));
      await cache.connection(ws.id, 'f'.repeat(24));
      expect(queries()).toBe(3);
      await cache.connection(ws.id, conns[1]!.id);
      await cache.connection(ws.id, conns[0]!.id);
      await cache.connection(ws.id, conns[2]!.id);
      expect(queries()).toBe(5);
      await cache.connection(ws.id, conns[0]!.id);
      expect(queries()).toBe(5);
      await cache.connection(ws.id, conns[1]!.id);
      expect(queries()).toBe(6);
      cache.close();
    });

    it('does not keep a row that changed while it was being read', async () => {
      const { outer, say } = counted();
      const cache = createStoreCache(outer);
      const { db } = store();
      const ws = await repo.createWorkspace(db, { name: 'A' });
      const conn = await repo.createConnection(db, ws.id, { integration_type: 'tiktok', environment: 'sandbox' });
      await settled(store());
      const reading = cache.connection(ws.id, conn.id);
      say({ event: 'changed', kind: 'connection', id: conn.id });
      const stale = await reading;
      expect(await cache.connection(ws.id, conn.id)).not.toBe(stale);
      cache.close();
    });

    it('does not answer from memory while changes may go unheard', async () => {
      const { outer, queries, say } = counted();
      const cache = createStoreCache(outer);
      const { db } = store();
      const ws = await repo.createWorkspace(db, { name: 'A' });
      const conn = await repo.createConnection(db, ws.id, { integration_type: 'tiktok', environment: 'sandbox' });
      await settled(store());
      await cache.connection(ws.id, conn.id);
      say({ event: 'lost' });
      await cache.connection(ws.id, conn.id);
      await cache.connection(ws.id, conn.id);
      expect(queries()).toBe(3);
      say({ event: 'restored' });
      await cache.connection(ws.id, conn.id);
      await cache.connection(ws.id, conn.id);
      expect(queries()).toBe(4);
      cache.close();
    });
  });
}
