/** What every refresh lease promises, whatever it is made of. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Held, RefreshLease } from '../../src/core/auth/life/lease.ts';
import type { Store } from '../../src/core/store/port.ts';
import {
  createConnection,
  createWorkspace,
  getConnection,
  getTokenLife,
} from '../../src/core/store/repositories/index.ts';
import type { ConnectionRow } from '../../src/core/store/schema.ts';

export interface LeaseWorld {
  store: Store;
  /** A lease as another process has it; `leaseMs` of its life, `spendingMs` while a token is spent. */
  lease(leaseMs: number, spendingMs: number): RefreshLease;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const never = async (): Promise<undefined> => undefined;

export function leaseSuite(name: string, world: () => LeaseWorld): void {
  describe(name, () => {
    let workspaceId: string;
    const fresh = (): Promise<ConnectionRow> =>
      createConnection(world().store.db, workspaceId, { integration_type: 't', environment: 'production' });
    beforeAll(async () => {
      workspaceId = (await createWorkspace(world().store.db, { name: 'Leases' })).id;
    });

    it('lets one holder at a time in, over many processes', async () => {
      const row = await fresh();
      let inside = 0;
      let most = 0;
      const work = async (): Promise<void> => {
        inside += 1;
        most = Math.max(most, inside);
        await pause(5);
        inside -= 1;
      };
      const nodes = Array.from({ length: 6 }, () => world().lease(5_000, 5_000));
      await Promise.all(nodes.map((node) => node.hold(row, work, never)));
      expect(most).toBe(1);
      expect(await getTokenLife(world().store.db, row.id)).toMatchObject({ holder: null, lease_until: null });
    });

    it('keeps connections apart', async () => {
      const [one, two] = [await fresh(), await fresh()];
      const node = world().lease(5_000, 5_000);
      const inner = node.hold(
        one,
        () =>
          world()
            .lease(5_000, 5_000)
            .hold(two, async () => 'both', never),
        never,
      );
      expect(await inner).toBe('both');
    });

    it('is kept by work that takes longer than the lease', async () => {
      const row = await fresh();
      const order: string[] = [];
      const slow = world()
        .lease(300, 300)
        .hold(row, () => pause(1_000).then(() => void order.push('slow')), never);
      await pause(50);
      await world()
        .lease(300, 300)
        .hold(row, async () => void order.push('next'), never);
      await slow;
      expect(order).toEqual(['slow', 'next']);
    });

    it('spares a waiter the work that the holder has done', async () => {
      const row = await fresh();
      let done: string | undefined;
      const finish = async (): Promise<string> => {
        await pause(150);
        done = 'done';
        return done;
      };
      const holding = world().lease(5_000, 5_000).hold(row, finish, never);
      await pause(30);
      let worked = false;
      const workAgain = async (): Promise<string> => {
        worked = true;
        return 'again';
      };
      const waited = await world()
        .lease(5_000, 5_000)
        .hold(row, workAgain, async () => done);
      expect([waited, worked]).toEqual(['done', false]);
      await holding;
    });

    it('passes on the error of the work, and is free afterwards', async () => {
      const row = await fresh();
      const node = world().lease(5_000, 5_000);
      await expect(node.hold(row, () => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
      expect(await node.hold(row, async () => 'yes', never)).toBe('yes');
    });
  });
}

/** What holds for the row in the database, behind every other lease. */
export function rowLeaseSuite(name: string, world: () => LeaseWorld): void {
  describe(name, () => {
    const fresh = async (): Promise<ConnectionRow> => {
      const { db } = world().store;
      const workspace = await createWorkspace(db, { name: 'Rows' });
      return createConnection(db, workspace.id, { integration_type: 't', environment: 'production' });
    };
    /** The holder's process stands still: nothing of it happens any more, also no extension. */
    const dies = (row: ConnectionRow, lifeMs: number): Promise<unknown> =>
      world()
        .store.db.updateTable('token_lives')
        .set({ holder: 'dead', lease_until: new Date(Date.now() + lifeMs) })
        .where('connection_id', '=', row.id)
        .execute();

    it('is taken over when its holder has died, and not before', async () => {
      const row = await fresh();
      await dies(row, 600);
      const begun = performance.now();
      await world()
        .lease(5_000, 5_000)
        .hold(row, async () => undefined, never);
      expect(performance.now() - begun).toBeGreaterThan(500);
      expect(performance.now() - begun).toBeLessThan(600 + 1_000);
    });

    it('lets nobody spend who has lost it: the work begins anew', async () => {
      const row = await fresh();
      let runs = 0;
      const spent = await world()
        .lease(5_000, 5_000)
        .hold(
          row,
          async (held: Held) => {
            runs += 1;
            if (runs === 1) await dies(row, 200);
            await held.spend(1, new Date());
            return runs;
          },
          never,
        );
      expect(spent).toBe(2);
      expect(await getTokenLife(world().store.db, row.id)).toMatchObject({ spending_version: 1, holder: null });
    });

    it('lasts as long as a token call may while a token is spent, extended or not', async () => {
      const row = await fresh();
      await world()
        .lease(200, 30_000)
        .hold(
          row,
          async (held) => {
            await held.spend(3, new Date());
            const life = await getTokenLife(world().store.db, row.id);
            expect((life?.lease_until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(25_000);
            expect((await getConnection(world().store.db, row.workspace_id, row.id))?.life).toBe('refreshing');
          },
          never,
        );
    });

    it('tells the next holder that a token was being spent when the last one died', async () => {
      const row = await fresh();
      await world()
        .lease(5_000, 5_000)
        .hold(row, (held) => held.spend(7, new Date()), never);
      const seen = await world()
        .lease(5_000, 5_000)
        .hold(row, async (held) => held.record.spending_version, never);
      expect(seen).toBe(7);
    });
  });
}
