import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCallLog } from '../../src/core/store/call-log.ts';
import type { Store } from '../../src/core/store/port.ts';
import * as repo from '../../src/core/store/repositories/index.ts';
import type { Db } from '../../src/core/store/schema.ts';
import { memoryLog } from './log.ts';
import { call } from './rows.ts';

/** The batched call log: part of the suite of both engines. */
export function callLogSuite(store: () => Store): void {
  describe('batched call log', () => {
    const open = async (capacity?: number) => {
      const { db, engine } = store();
      const ws = await repo.createWorkspace(db, { name: 'A' });
      const log = memoryLog();
      let queries = 0;
      let failure: Error | undefined;
      let lostAnswer = false;
      const counted: Db = db.withPlugin({
        transformQuery: ({ node }) => {
          if (failure !== undefined) throw failure;
          queries++;
          return node;
        },
        transformResult: async ({ result }) => {
          if (!lostAnswer) return result;
          lostAnswer = false;
          throw new Error('connection lost');
        },
      });
      const calls = createCallLog({ db: counted, engine, log, capacity });
      const stored = async () => (await repo.listApiCalls(db, ws.id, { limit: 10_000 })).length;
      const fail = (error: Error | undefined) => {
        failure = error;
      };
      const loseAnswer = () => {
        lostAnswer = true;
      };
      return { ws, log, calls, stored, fail, loseAnswer, queries: () => queries };
    };
    afterEach(() => {
      vi.useRealTimers();
    });

    it('writes many rows with few statements, all of them', async () => {
      const { ws, calls, stored, queries } = await open();
      for (let n = 0; n < 1_200; n++) calls.add(call(ws.id, { path: `/p/${n}` }));
      await calls.flush();
      expect(await stored()).toBe(1_200);
      expect(queries()).toBeLessThanOrEqual(6);
      expect(calls).toMatchObject({ pending: 0, dropped: 0 });
      await calls.close();
    });

    it('writes by itself within a second', async () => {
      const { ws, calls, stored } = await open();
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      calls.add(call(ws.id));
      vi.advanceTimersByTime(999);
      expect(calls.pending).toBe(1);
      expect(await stored()).toBe(0);
      vi.advanceTimersByTime(1);
      vi.useRealTimers();
      await calls.flush();
      expect(await stored()).toBe(1);
      await calls.close();
    });

    it('writes rows once although the answer to the first attempt was lost', async () => {
      const { ws, calls, stored, loseAnswer } = await open();
      for (let n = 0; n < 3; n++) calls.add(call(ws.id));
      loseAnswer();
      await calls.flush();
      expect(calls.pending).toBe(3);
      await calls.flush();
      expect(await stored()).toBe(3);
      expect(calls).toMatchObject({ pending: 0, dropped: 0 });
      await calls.close();
    });

    it('keeps rows while the database fails and writes them later', async () => {
      const { ws, log, calls, stored, fail } = await open();
      fail(new Error('connection lost'));
      for (let n = 0; n < 600; n++) calls.add(call(ws.id));
      await calls.flush();
      expect(calls).toMatchObject({ pending: 600, dropped: 0 });
      expect(log.lines).toContainEqual(
        expect.objectContaining({ level: 'warn', message: expect.stringContaining('trying again') }),
      );
      fail(undefined);
      await calls.flush();
      expect(await stored()).toBe(600);
      await calls.close();
    });

    it('counts and reports what it cannot hold, and what is left at the end', async () => {
      const { ws, log, calls, fail } = await open(10);
      fail(new Error('connection lost'));
      for (let n = 0; n < 15; n++) calls.add(call(ws.id));
      expect(calls).toMatchObject({ pending: 10, dropped: 5 });
      await calls.flush();
      expect(log.lines).toContainEqual({
        level: 'error',
        fields: { lost: 5, lost_in_total: 5 },
        message: 'rows of the call log were lost',
      });
      await calls.close();
      expect(log.lines.at(-1)).toEqual({
        level: 'error',
        fields: { lost: 10, lost_in_total: 15 },
        message: 'rows of the call log were lost',
      });
    });

    it('leaves out a row that the database refuses, and only that one', async () => {
      const { ws, log, calls, stored } = await open();
      for (let n = 0; n < 20; n++) calls.add(call(ws.id));
      calls.add(call(ws.id, { type: 'nonsense' as 'inbound', name: 'bad row' }));
      for (let n = 0; n < 20; n++) calls.add(call(ws.id, { user_agent: 'a\u0000b' }));
      await calls.flush();
      expect(await stored()).toBe(40);
      expect(calls).toMatchObject({ pending: 0, dropped: 1 });
      expect(log.lines).toContainEqual(
        expect.objectContaining({ fields: expect.objectContaining({ name: 'bad row' }) }),
      );
      await calls.close();
    });

    it('keeps every character and every kind of value as it was, and what is missing as null', async () => {
      const { ws, calls } = await open();
      const odd = [
        'tab\there',
        'two\nlines\r\n',
        'back\\slash \\N \\.',
        '\\N',
        '\\.',
        '',
        '{"a":[1]}',
        'ключ 鍵 🗝',
        "it's -- $1",
      ];
      const made = odd.map((text, at) =>
        call(ws.id, { path: text, error: text, size: at / 3, created_at: new Date(Date.UTC(2026, 0, 1) + at) }),
      );
      made.push(
        call(ws.id, { path: 'half \ud83d', error: null, size: 1e21, created_at: new Date(Date.UTC(2026, 0, 2)) }),
      );
      for (const one of made) calls.add(one);
      await calls.close();
      const kept = await repo.listApiCalls(store().db, ws.id, { limit: 100, sort: 'created_at', order: 'asc' });
      expect(kept.map(({ path, error, size, created_at }) => ({ path, error, size, created_at }))).toEqual(
        made.map(({ path, error, size, created_at }) => ({ path: path.toWellFormed(), error, size, created_at })),
      );
      expect(kept[0]).toMatchObject({ external_xref: null, unified_ms: made[0]?.unified_ms ?? null });
    });

    it('flushes at close, and loses nothing that was added during a flush', async () => {
      const { ws, calls, stored } = await open();
      calls.add(call(ws.id));
      const flushing = calls.flush();
      calls.add(call(ws.id));
      await flushing;
      await calls.close();
      expect(await stored()).toBe(2);
      calls.add(call(ws.id));
      expect(calls.dropped).toBe(1);
    });

    it('writes the use of a busy key at once, then no more than every ten seconds, and what is left at the end', async () => {
      const { ws, calls, queries } = await open();
      const { db } = store();
      const { row } = await repo.createApiKey(db, ws.id, { name: 'k', scopes: [] });
      const used = async () => (await repo.listApiKeys(db, ws.id))[0]?.last_used_at;
      const [first, second] = [new Date(Date.UTC(2026, 0, 1)), new Date(Date.UTC(2026, 0, 2))];
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      calls.keyUsed(row.id, first);
      vi.advanceTimersByTime(1_000);
      // On a server the write and our question take a connection each.
      for (let asked = 0; asked < 100 && (await used())?.getTime() !== first.getTime(); asked += 1);
      expect(await used()).toEqual(first);
      calls.keyUsed(row.id, second);
      const before = queries();
      vi.advanceTimersByTime(5_000);
      expect(await used()).toEqual(first);
      expect(queries()).toBe(before);
      vi.useRealTimers();
      await calls.close();
      expect(await used()).toEqual(second);
    });

    it('notes when keys were used', async () => {
      const { ws, calls } = await open();
      const { db } = store();
      const { row } = await repo.createApiKey(db, ws.id, { name: 'k', scopes: [] });
      const [early, late] = [new Date(Date.UTC(2026, 0, 1)), new Date(Date.UTC(2026, 0, 2))];
      calls.keyUsed(row.id, late);
      calls.keyUsed(row.id, early);
      await calls.close();
      expect((await repo.listApiKeys(db, ws.id))[0]!.last_used_at).toEqual(late);
    });
  });
}
