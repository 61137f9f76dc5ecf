/** The journal between two nodes on one database: one of them does a write, and only one. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Meter, type Scope } from '../../src/core/calls/scope.ts';
import type { PlatformRequest } from '../../src/core/connector/types.ts';
import { PolyadError } from '../../src/core/errors/index.ts';
import { Journal, KEEP_MS, KEEP_OPEN_MS, LEASE_MS, type WriteEntry } from '../../src/core/idempotency/journal.ts';
import type { Store } from '../../src/core/store/port.ts';
import { createWorkspace, pruneWrites } from '../../src/core/store/repositories/index.ts';
import type { ConnectionRow, WorkspaceRow } from '../../src/core/store/schema.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };
const request: PlatformRequest = { method: 'POST', path: '/', operation: 'campaign/create' };

export function journalSuite(engine: string, open: () => Promise<Store>, close: (store: Store) => Promise<void>): void {
  describe(`journal of writes on ${engine}`, () => {
    let store: Store;
    let workspace: WorkspaceRow;
    let clock: VirtualClock;
    let nodes: [Journal, Journal];
    let count = 0;

    beforeAll(async () => {
      store = await open();
      workspace = await createWorkspace(store.db, { name: 'w' });
    });
    afterAll(() => close(store));
    beforeEach(() => {
      clock = new VirtualClock();
      // Several nodes share a server, not the embedded engine; what they do to the tables is the same.
      const shared: Store = new Proxy(store, {
        get: (target, name) => (name === 'engine' ? 'postgres' : Reflect.get(target, name, target)),
      });
      nodes = [new Journal({ store: shared, clock, log }), new Journal({ store: shared, clock, log })];
      count += 1;
    });

    const scope = (signal = new AbortController().signal): Scope => ({
      workspace,
      connection: { id: `connection-${count}` } as ConnectionRow,
      requestId: 'r',
      signal,
      meter: new Meter(),
    });
    const begin = (node: 0 | 1, key: string | undefined = 'key', fingerprint = 'same', signal?: AbortSignal) =>
      nodes[node].begin(scope(signal), { route: 'create campaign', key, fingerprint });
    const entryOf = async (begun: ReturnType<typeof begin>): Promise<WriteEntry> => {
      const { entry } = await begun;
      if (entry === undefined) throw new Error('a replay');
      return entry;
    };
    const inFlight = { code: 'idempotency_in_flight', status: 409 };

    it('lets one of a hundred callers begin, and answers the others from what it kept', async () => {
      const begun = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => begin((index % 2) as 0 | 1)));
      const won = begun.filter((one) => one.status === 'fulfilled');
      expect(won).toHaveLength(1);
      for (const one of begun) if (one.status === 'rejected') expect(one.reason).toMatchObject(inFlight);
      await won[0]?.value.entry?.done({ id: '7' });
      for (const node of [0, 1] as const)
        expect((await begin(node)).replay).toEqual({ status: 200, body: { id: '7' } });
      await expect(begin(1, 'key', 'other')).rejects.toMatchObject({ code: 'idempotency_key_conflict' });
    });

    it('hands a write over when its node is dead, and keeps the dead from sending', async () => {
      const dead = await entryOf(begin(0));
      await clock.advance(LEASE_MS - 1);
      await expect(begin(1)).rejects.toMatchObject({ ...inFlight, retryAfterMs: 1_000 });
      await clock.advance(1);
      const heir = await entryOf(begin(1));
      expect(heir.sentAt).toBeUndefined();
      await expect(dead.beforeSend(request)).rejects.toMatchObject(inFlight);
      await heir.beforeSend(request);
      await heir.done({ id: 'heir' });
      // It finds out late, and changes nothing.
      await dead.done({ id: 'dead' });
      expect((await begin(0)).replay?.body).toEqual({ id: 'heir' });
    });

    it('tells the heir that something may have been sent', async () => {
      const dead = await entryOf(begin(0));
      await dead.beforeSend(request);
      const sentAt = dead.sentAt;
      await clock.advance(LEASE_MS);
      const heir = await entryOf(begin(1));
      expect(heir.sentAt).toEqual(sentAt);
      expect(heir.requestToken).toBe(dead.requestToken);
    });

    it('frees the key after failures that others can cure, and keeps those that stay', async () => {
      const outage = await entryOf(begin(0));
      await outage.failed(new PolyadError('platform_unavailable'), 'r');
      const refused = await entryOf(begin(1));
      await refused.beforeSend(request);
      refused.ended(request, 'refused');
      await refused.failed(new PolyadError('platform_rejected', { message: 'no' }), 'request-1');
      expect((await begin(0)).replay).toMatchObject({
        status: 422,
        body: { code: 'platform_rejected', message: 'no', request_id: 'request-1' },
      });
    });

    it('lets no two writes take one object', async () => {
      const [a, b] = [await entryOf(begin(0, 'a')), await entryOf(begin(1, 'b'))];
      for (const entry of [a, b]) {
        entry.about('acme/production/1/campaign', 'Name');
        await entry.beforeSend(request);
      }
      expect((await a.rivals()).map(({ live, same }) => ({ live, same }))).toEqual([{ live: true, same: true }]);
      expect((await Promise.all([a.claim('7'), b.claim('7')])).filter(Boolean)).toHaveLength(1);
      expect([...(await a.unclaimed(['7', '8'])), ...(await b.unclaimed(['7', '8']))].sort()).toEqual(['7', '8', '8']);
    });

    it('ends with its caller until something was sent, and not after', async () => {
      const early = new AbortController();
      const unsent = await entryOf(begin(0, 'early', 'same', early.signal));
      early.abort(new Error('gone'));
      expect(unsent.signal.aborted).toBe(true);
      const late = new AbortController();
      const sent = await entryOf(begin(0, 'late', 'same', late.signal));
      await sent.beforeSend(request);
      late.abort(new Error('gone'));
      expect(sent.signal.aborted).toBe(false);
    });

    it('is no open write when its caller goes while it is marked: nothing has left', async () => {
      const caller = new AbortController();
      const entry = await entryOf(begin(0, 'key', 'same', caller.signal));
      const marking = entry.beforeSend(request);
      caller.abort(new Error('gone'));
      await expect(marking).rejects.toThrow('gone');
      expect(entry.sentAt).toBeUndefined();
      await entry.failed(new Error('gone'), 'r');
      expect((await entryOf(begin(1))).sentAt).toBeUndefined();
    });

    it('forgets answers after a day, and open writes after a month', async () => {
      await (await entryOf(begin(0, 'done'))).done({ id: '1' });
      const open = await entryOf(begin(0, 'open'));
      await open.beforeSend(request);
      await open.failed(new PolyadError('write_outcome_unknown'), 'r');
      const prune = () => {
        const now = clock.now().getTime();
        return pruneWrites(store.db, new Date(now - KEEP_MS), new Date(now - KEEP_OPEN_MS));
      };
      await clock.advance(KEEP_MS + 1);
      await prune();
      expect((await begin(1, 'done')).entry).toBeDefined();
      expect((await entryOf(begin(1, 'open'))).sentAt).toBeDefined();
      await clock.advance(KEEP_OPEN_MS);
      await prune();
      expect((await entryOf(begin(0, 'open'))).sentAt).toBeUndefined();
    });
  });
}
