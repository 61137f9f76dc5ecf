import { describe, expect, it } from 'vitest';
import { PlatformUsage } from '../../src/core/calls/usage.ts';
import type { Store } from '../../src/core/store/port.ts';
import * as repo from '../../src/core/store/repositories/index.ts';
import { trafficPeaks, usageTotals } from '../../src/core/store/repositories/usage.ts';
import type { Db } from '../../src/core/store/schema.ts';
import { memoryLog } from './log.ts';

/** Calls at platforms are counted once, whatever the database does meanwhile: part of both engines' suite. */
export function usageSuite(store: () => Store): void {
  describe('the use of platforms', () => {
    const of = (workspace_id: string) => ({ workspace_id, integration_type: 'x_ads', environment: 'sandbox' as const });
    const start = (db: Db = store().db) => {
      let now = new Date('2026-11-21T23:59:30Z');
      const clock = { now: () => now, sleep: async () => {} };
      const usage = new PlatformUsage({ db, clock, log: memoryLog() });
      return { usage, at: (text: string) => (now = new Date(text)) };
    };

    it('is added up by day and by minute', async () => {
      const { db } = store();
      const { id } = await repo.createWorkspace(db, { name: 'used' });
      const { usage, at } = start();
      for (let n = 0; n < 3; n += 1) usage.note(of(id), 'campaign/get', undefined);
      usage.note(of(id), 'campaign/get', 'platform_rate_limited');
      at('2026-11-22T00:00:00Z');
      usage.note(of(id), 'campaign/get', undefined);
      at('2026-11-22T00:01:00Z');
      usage.note(of(id), 'campaign/get', undefined);
      await usage.flush();
      usage.note(of(id), 'campaign/get', undefined);
      await usage.close();
      expect(await usageTotals(db, id, 'x_ads')).toEqual([
        { environment: 'sandbox', operation: 'campaign/get', outcome: '', calls: 6, ...days('21', '22') },
        {
          ...{ environment: 'sandbox', operation: 'campaign/get', outcome: 'platform_rate_limited', calls: 1 },
          ...days('21', '21'),
        },
      ]);
      expect(await trafficPeaks(db, id, 'x_ads')).toEqual([{ environment: 'sandbox', per_minute: 4, per_day: 4 }]);
    });

    it('of more tenants than are written at once is written whole, but for those that are gone', async () => {
      const { db } = store();
      const ids = await Promise.all(
        Array.from({ length: 300 }, async (_, n) => (await repo.createWorkspace(db, { name: `tenant ${n}` })).id),
      );
      await repo.deleteWorkspace(db, ids[7] as string);
      const { usage } = start();
      for (const id of ids) usage.note(of(id), 'ad/get', undefined);
      await usage.close();
      const totals = await Promise.all(ids.map(async (id) => (await usageTotals(db, id, 'x_ads'))[0]?.calls));
      expect(totals).toEqual(ids.map((_, n) => (n === 7 ? undefined : 1)));
    });

    it('is kept while the database cannot take it', async () => {
      const { db } = store();
      const { id } = await repo.createWorkspace(db, { name: 'unlucky' });
      let away = true;
      const flaky = new Proxy(db, {
        get(target, name) {
          if (away && name === 'getExecutor') throw new Error('away');
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
      const { usage } = start(flaky);
      usage.note(of(id), 'ad/get', undefined);
      await usage.flush();
      usage.note(of(id), 'ad/get', undefined);
      await usage.flush();
      away = false;
      usage.note(of(id), 'ad/get', undefined);
      await usage.close();
      expect(await usageTotals(db, id, 'x_ads')).toMatchObject([{ calls: 3 }]);
    });
  });
}

const days = (first: string, last: string) => ({ first_day: `2026-11-${first}`, last_day: `2026-11-${last}` });
