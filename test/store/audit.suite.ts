import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { type AuditRecord, verifyChain } from '../../src/core/audit/chain.ts';
import { type AuditEntry, AuditLog } from '../../src/core/audit/log.ts';
import { Signer } from '../../src/core/auth/signing.ts';
import { systemClock } from '../../src/core/clock.ts';
import { knownSecrets } from '../../src/core/http/redact-values.ts';
import type { Store } from '../../src/core/store/port.ts';
import { createWorkspace, deleteWorkspace } from '../../src/core/store/repositories/index.ts';
import { memoryLog } from './log.ts';

const signer = new Signer([Buffer.alloc(32, 5)]);

/** The audit log: part of the suite of both engines. */
export function auditSuite(store: () => Store): void {
  describe('audit log', () => {
    let id: string;
    beforeEach(async () => {
      id = (await createWorkspace(store().db, { name: 'A' })).id;
    });
    const open = (with_: Signer = signer): AuditLog =>
      new AuditLog({ store: store(), clock: systemClock, log: memoryLog(), signer: with_ });
    const entry = (action: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
      workspaceId: id,
      actor: { kind: 'api_key', id: 'k1', name: 'backend' },
      action,
      ...more,
    });
    const rows = (log: AuditLog): Promise<AuditRecord[]> => Array.fromAsync(log.rows(id));
    /** Changes the table as somebody would who owns the database. */
    const tamper = async (statement: string): Promise<void> => {
      const { db } = store();
      await sql.raw('alter table audit_log disable trigger all').execute(db);
      try {
        await sql.raw(statement).execute(db);
      } finally {
        await sql.raw('alter table audit_log enable trigger all').execute(db);
      }
    };

    it('keeps what was done, in order, and each row’s hash covers the row before it', async () => {
      const log = open();
      await log.append(
        entry('createApiKey', { objectType: 'key', objectId: 'k2', details: { name: 'é\u0000\ud800' } }),
      );
      await log.append(entry('updateAdsCampaign', { connectionId: 'c1', outcome: 'platform_rejected' }));
      const all = await rows(log);
      expect(all).toMatchObject([
        { seq: 1, action: 'createApiKey', object_id: 'k2', actor_id: 'k1', outcome: 'ok' },
        { seq: 2, action: 'updateAdsCampaign', connection_id: 'c1', outcome: 'platform_rejected' },
      ]);
      expect(all[1]?.previous_hash).toBe(all[0]?.hash);
      expect(await log.verify(id)).toMatchObject({ ok: true, rows: 2, sealed: true });
      // The same from an export, without the database.
      const lines = all.map((row) => JSON.stringify(row));
      expect(await verifyChain(lines.map((line) => JSON.parse(line) as AuditRecord))).toMatchObject({ ok: true });
      await log.close();
    });

    it('is written by many at a time, on several nodes, without a gap', async () => {
      const nodes = [open(), open(), open()];
      const other = (await createWorkspace(store().db, { name: 'B' })).id;
      await Promise.all(
        nodes.flatMap((log, node) =>
          Array.from({ length: 100 }, (_, n) =>
            log.append(entry(`act-${node}-${n}`, n % 4 === 0 ? { workspaceId: other } : {})),
          ),
        ),
      );
      const [first] = nodes as [AuditLog];
      expect(await first.verify(id)).toMatchObject({ ok: true, rows: 225, first: 1, last: 225 });
      expect(await first.verify(other)).toMatchObject({ ok: true, rows: 75 });
      // Each node's own acts keep their order.
      const own = (await rows(first)).filter(({ action }) => action.startsWith('act-1-')).map(({ action }) => action);
      expect(own).toEqual(own.toSorted((a, b) => Number(a.slice(6)) - Number(b.slice(6))));
      for (const log of nodes) await log.close();
    });

    it('is written by nodes that go through the same fifty workspaces in opposite orders, without another try', async () => {
      const ids = Array.from({ length: 50 }, (_, n) => `${id}-${n}`);
      const logs = [memoryLog(), memoryLog()];
      const nodes = logs.map((log) => new AuditLog({ store: store(), clock: systemClock, log, signer }));
      const orders = [ids, ids.toReversed()];
      await Promise.all(
        nodes.map(async (log, node) => {
          for (let round = 1; round <= 10; round += 1) {
            for (const workspaceId of orders[node] as string[])
              log.note(entry('act', { workspaceId, details: { node, round } }));
            await log.flush();
          }
        }),
      );
      // A deadlock would have been written by another try.
      for (const { lines } of logs) expect(lines).toEqual([]);
      const [first] = nodes as [AuditLog];
      for (const workspaceId of ids) {
        expect(await first.verify(workspaceId)).toMatchObject({ ok: true, rows: 20, first: 1, last: 20, sealed: true });
        const rounds = (await Array.fromAsync(first.rows(workspaceId))).map(({ details }) => details);
        for (const node of [0, 1])
          expect(rounds.filter((one) => one['node'] === node).map(({ round }) => round)).toEqual(
            Array.from({ length: 10 }, (_, n) => n + 1),
          );
      }
      for (const log of nodes) await log.close();
    });

    it('takes as many statements for rows of many workspaces as for one row', async () => {
      let statements = 0;
      const counting = store().db.withPlugin({
        transformQuery: ({ node }) => {
          statements += 1;
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const log = new AuditLog({ store: { ...store(), db: counting }, clock: systemClock, log: memoryLog(), signer });
      const taken = async (rows: number, more: (n: number) => Partial<AuditEntry>): Promise<number> => {
        statements = 0;
        // The first row is on its way before the others have come: these are what is looked at.
        for (let n = 0; n <= rows; n += 1) log.note(entry('act', more(n)));
        await log.flush();
        return statements;
      };
      const ofOne = await taken(0, () => ({}));
      expect(ofOne).toBeGreaterThan(0);
      expect(await taken(80, (n) => ({ workspaceId: `${id}-${n}` }))).toBe(2 * ofOne);
      expect(await taken(80, () => ({}))).toBe(2 * ofOne);
      // Large rows are written a few at a time, so that no transaction is a long one.
      const large = await taken(80, () => ({ details: { text: 'x'.repeat(60_000) } }));
      expect(large).toBeGreaterThan(5 * ofOne);
      expect(large).toBeLessThan(20 * ofOne);
      expect(await log.verify(id)).toMatchObject({ ok: true, rows: 163 });
      await log.close();
    });

    it('keeps to the character what was hashed', async () => {
      const log = open();
      const details = {
        z: 'a\\u0000 "\\" \n\t\u2028 é 😀',
        a: [1.1, -0.5, 1e21, null, true],
        nested: { '': '\\ud800' },
      };
      await log.append(entry('act\u0000', { outcome: 'x\ud800', objectId: '\\N\\', ipAddress: undefined, details }));
      expect(await log.verify(id)).toMatchObject({ ok: true, rows: 1 });
      const [row] = await rows(log);
      expect(row).toMatchObject({ action: 'act\uFFFD', outcome: 'x\uFFFD', object_id: '\\N\\', ip_address: null });
      expect(JSON.stringify(row?.details)).toBe(JSON.stringify(details));
      await log.close();
    });

    it('lets nobody change or remove a row', async () => {
      const log = open();
      await log.append(entry('a'));
      const { db } = store();
      await expect(db.updateTable('audit_log').set({ outcome: 'x' }).execute()).rejects.toThrow(/only ever added to/);
      await expect(db.deleteFrom('audit_log').execute()).rejects.toThrow(/only ever added to/);
      await expect(sql`truncate audit_log`.execute(db)).rejects.toThrow(/only ever added to/);
      await log.close();
    });

    it.each([
      [
        'a changed row',
        (ws: string) => `update audit_log set actor_id = 'k9' where workspace_id = '${ws}' and seq = 3`,
      ],
      [
        'changed details',
        (ws: string) => `update audit_log set details = '{}' where workspace_id = '${ws}' and seq = 4`,
      ],
      ['a missing row', (ws: string) => `delete from audit_log where workspace_id = '${ws}' and seq = 3`],
      ['missing rows at the end', (ws: string) => `delete from audit_log where workspace_id = '${ws}' and seq > 3`],
      [
        'missing rows at the beginning',
        (ws: string) => `delete from audit_log where workspace_id = '${ws}' and seq < 3`,
      ],
      [
        'two rows that changed places',
        (ws: string) =>
          `update audit_log set seq = case seq when 2 then -3 else -2 end where workspace_id = '${ws}' and seq in (2, 3);
           update audit_log set seq = -seq where workspace_id = '${ws}' and seq < 0`,
      ],
      [
        'another time',
        (ws: string) => `update audit_log set at = at + interval '1 ms' where workspace_id = '${ws}' and seq = 2`,
      ],
    ])('shows %s', async (_name, statement) => {
      const log = open();
      for (let n = 1; n <= 5; n += 1) await log.append(entry('act', { details: { n } }));
      expect((await log.verify(id)).ok).toBe(true);
      for (const one of statement(id).split(';')) await tamper(one);
      expect((await log.verify(id)).ok).toBe(false);
      await log.close();
    });

    it('shows a chain that was made anew by somebody without our key, and one that was cut with its end', async () => {
      const log = open();
      for (let n = 1; n <= 4; n += 1) await log.append(entry('act', { details: { n } }));
      const [, second, , fourth] = (await rows(log)) as [AuditRecord, AuditRecord, AuditRecord, AuditRecord];
      const anchor = { seq: fourth.seq, hash: fourth.hash };
      expect((await log.verify(id, anchor)).ok).toBe(true);
      // Cut after the second row, with the recorded end moved: only the seal tells.
      await tamper(`delete from audit_log where workspace_id = '${id}' and seq > 2`);
      await store()
        .db.updateTable('audit_heads')
        .set({ seq: 2, hash: second.hash })
        .where('workspace_id', '=', id)
        .execute();
      expect(await log.verify(id)).toMatchObject({ ok: false, sealed: false });
      await store()
        .db.updateTable('audit_heads')
        .set({ seal: new Signer([Buffer.alloc(32, 6)]).sign('audit', id, '2', second.hash) })
        .where('workspace_id', '=', id)
        .execute();
      expect(await log.verify(id)).toMatchObject({ ok: false, sealed: false });
      // And a hash that was noted elsewhere tells even of somebody who has the key.
      expect((await log.verify(id, anchor)).fault?.seq).toBe(4);
      await store().db.deleteFrom('audit_heads').where('workspace_id', '=', id).execute();
      expect((await log.verify(id)).ok).toBe(false);
      await log.close();
    });

    it('holds no secrets, by name nor by value', async () => {
      knownSecrets.learn('audit-canary-secret-value');
      const log = open();
      await log.append(
        entry('putIntegrationApp', {
          objectId: 'audit-canary-secret-value',
          details: { client_secret: 'never-seen-before', note: 'was audit-canary-secret-value' },
        }),
      );
      const text = JSON.stringify(await rows(log));
      expect(text).not.toMatch(/never-seen-before|canary-secret/);
      await log.close();
    });

    it('counts uses of credentials by purpose in few rows', async () => {
      const log = open();
      for (let n = 0; n < 500; n += 1)
        log.used({
          workspaceId: id,
          connectionId: `c${n % 2}`,
          purpose: n % 5 === 0 ? 'passthrough' : 'call',
          keyId: 'k1',
        });
      log.used({ workspaceId: id, connectionId: 'c1', purpose: 'refresh' });
      await log.flush();
      const all = await rows(log);
      expect(all).toHaveLength(1);
      const { uses } = (all[0] as AuditRecord).details as {
        uses: { purpose: string; count: number; connection_id: string }[];
      };
      expect(uses.filter(({ purpose }) => purpose === 'call').map(({ count }) => count)).toEqual([200, 200]);
      expect(uses).toHaveLength(5);
      await log.close();
    });

    it('outlives its workspace', async () => {
      const log = open();
      await log.append(entry('a'));
      await deleteWorkspace(store().db, id);
      expect(await log.verify(id)).toMatchObject({ ok: true, rows: 1 });
      await log.close();
    });

    it('holds up nobody for long while the database is away, and is written when it is back', async () => {
      const { db } = store();
      let away = true;
      const broken = db.withPlugin({
        transformQuery: ({ node }) => {
          if (away) throw new Error('the database is away');
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const log = new AuditLog({ store: { ...store(), db: broken }, clock: systemClock, log: memoryLog(), signer });
      log.note(entry('first'));
      log.note(entry('second'));
      await log.flush();
      away = false;
      await log.flush();
      expect((await Array.fromAsync(open().rows(id))).map(({ action }) => action)).toEqual(['first', 'second']);
      expect(log.lost).toBe(0);
      await log.close();
    });
  });
}
