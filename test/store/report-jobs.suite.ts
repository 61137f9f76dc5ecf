import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store/port.ts';
import * as repo from '../../src/core/store/repositories/index.ts';
import type { Db, ReportChunkRow, ReportJobRow } from '../../src/core/store/schema.ts';

const NOW = new Date('2026-11-22T12:00:00Z');
const LATER = new Date('2026-11-23T12:00:00Z');
const LEASE_MS = 60_000;
const PLAN = { planned_at: NOW.toISOString(), organizations: [{ id: '1', timeZone: 'UTC' }] };

/** Jobs are taken by one worker each, kept while it lives, and taken over when it does not: part of both engines' suite. */
export function reportJobSuite(store: () => Store): void {
  describe('report jobs', () => {
    const make = async (
      db: Db,
      workspaceId: string,
      more: Partial<repo.NewReportJob> = {},
      at = NOW,
    ): Promise<ReportJobRow> =>
      repo.createReportJob(
        db,
        workspaceId,
        {
          ...{ connection_id: 'c', query: { level: 'ad' }, format: 'csv', route: 'auto', cache: true },
          ...{ priority: 'backfill', request_id: null, ...more },
        },
        at,
      );
    /** Takes jobs until there are none left: other tests leave some. */
    const drain = async (db: Db): Promise<void> => {
      while ((await repo.claimReportJob(db, 'drain', LEASE_MS, LATER)) !== undefined);
    };
    const chunk = (number: number): Omit<ReportChunkRow, 'job_id' | 'task_failures'> => ({
      ...{ number, organization_id: '1', start_date: '2026-01-01', end_date: '2026-01-30', closed: true },
      ...{ state: 'waiting', route: null, task_id: null, segment_id: null, reused: false, rows: null },
    });
    const segment = (
      workspaceId: string,
      id: string,
      more: Partial<repo.NewReportSegment> = {},
    ): repo.NewReportSegment => ({
      ...{ id, workspace_id: workspaceId, connection_id: 'c', organization_id: '1', key: 'k', file: `${id}.gz` },
      ...{
        start_date: '2026-01-01',
        end_date: '2026-01-30',
        rows: 7,
        bytes: 100,
        kept: true,
        checks: { '2026-01-01': '1' },
      },
      ...more,
    });

    it('are taken once each by many workers at a time, the least served workspace first', async () => {
      const { db } = store();
      await drain(db);
      const [busy, quiet] = [
        await repo.createWorkspace(db, { name: 'busy' }),
        await repo.createWorkspace(db, { name: 'quiet' }),
      ];
      for (let n = 0; n < 4; n += 1) await make(db, busy.id);
      await make(db, quiet.id, {}, new Date(NOW.getTime() + 1));
      const taken: string[] = [];
      for (let n = 0; n < 2; n += 1)
        taken.push((await repo.claimReportJob(db, `w${n}`, LEASE_MS, NOW))?.workspace_id as string);
      expect(taken).toEqual([busy.id, quiet.id]);
      const rest = await Promise.all(
        Array.from({ length: 6 }, (_, n) => repo.claimReportJob(db, `v${n}`, LEASE_MS, NOW)),
      );
      const ids = rest.flatMap((row) => (row === undefined ? [] : [row.id]));
      expect(new Set(ids).size).toBe(ids.length);
      // Workers that meet on one row may go away with empty hands; the next look finds what is left.
      while (ids.length < 3) {
        const row = await repo.claimReportJob(db, 'last', LEASE_MS, NOW);
        if (row === undefined) break;
        ids.push(row.id);
      }
      expect(ids.length).toBe(3);
    });

    it('are taken over when the lease has run out, and not written by who held it before', async () => {
      const { db } = store();
      await drain(db);
      const workspace = await repo.createWorkspace(db, { name: 'A' });
      const { id } = await make(db, workspace.id);
      expect(await repo.claimReportJob(db, 'first', -1, NOW)).toMatchObject({ id, attempts: 1 });
      expect(await repo.claimReportJob(db, 'second', LEASE_MS, NOW)).toMatchObject({
        id,
        holder: 'second',
        attempts: 2,
      });
      expect(await repo.renewReportJob(db, id, 'first', LEASE_MS)).toBeUndefined();
      expect(await repo.planReportJob(db, id, 'first', PLAN, [chunk(0)])).toBe(false);
      expect(await repo.endReportJob(db, id, 'first', { state: 'done' })).toBe(false);
      expect(await repo.renewReportJob(db, id, 'second', LEASE_MS)).toEqual({ cancel: false });
      expect(await repo.cancelReportJob(db, workspace.id, id, NOW)).toMatchObject({
        state: 'running',
        cancel_asked: true,
      });
      expect(await repo.renewReportJob(db, id, 'second', LEASE_MS)).toEqual({ cancel: true });
      expect(await repo.endReportJob(db, id, 'second', { state: 'canceled', finished_at: NOW })).toBe(true);
      expect(await repo.claimReportJob(db, 'third', LEASE_MS, LATER)).toBeUndefined();
    });

    it('that wait for a time are not taken before it', async () => {
      const { db } = store();
      await drain(db);
      const workspace = await repo.createWorkspace(db, { name: 'A' });
      const { id } = await make(db, workspace.id);
      await repo.claimReportJob(db, 'one', LEASE_MS, NOW);
      const run_after = new Date(NOW.getTime() + 5_000);
      await repo.endReportJob(db, id, 'one', { state: 'waiting', run_after, error: { code: 'platform_unavailable' } });
      expect(await repo.claimReportJob(db, 'two', LEASE_MS, NOW)).toBeUndefined();
      expect(await repo.claimReportJob(db, 'two', LEASE_MS, run_after)).toMatchObject({ id });
    });

    it('have pieces that are done together with their rows, and say how far they are', async () => {
      const { db } = store();
      await drain(db);
      const workspace = await repo.createWorkspace(db, { name: 'A' });
      const { id } = await make(db, workspace.id);
      await repo.claimReportJob(db, 'one', LEASE_MS, NOW);
      expect(await repo.planReportJob(db, id, 'one', PLAN, [chunk(0), chunk(1)])).toBe(true);
      expect(await repo.planReportJob(db, id, 'one', PLAN, [chunk(0)])).toBe(false);
      await repo.updateReportChunk(db, id, 1, { task_id: '99', route: 'tasks' });
      await repo.finishReportChunk(
        db,
        { job_id: id, number: 0, route: 'calls' },
        segment(workspace.id, `s-${id}`),
        NOW,
      );
      const [first, second] = await repo.listReportChunks(db, id);
      expect(first).toMatchObject({ state: 'done', segment_id: `s-${id}`, rows: 7, route: 'calls' });
      expect(second).toMatchObject({ state: 'waiting', task_id: '99' });
      expect((await repo.reportProgress(db, [id])).get(id)).toEqual({
        ...{ chunks: 2, done: 1, reused: 0, rows: 7, routes: ['calls', 'tasks'] },
      });
      expect((await repo.getReportJob(db, workspace.id, id))?.plan).toEqual(PLAN);
      // Nobody else's.
      expect(await repo.getReportJob(db, 'another', id)).toBeUndefined();
      expect((await repo.countReportJobs(db)).running).toBeGreaterThan(0);
    });

    it('keep their rows from being cleared away while they need them', async () => {
      const { db } = store();
      await drain(db);
      const workspace = await repo.createWorkspace(db, { name: 'A' });
      const connection = await repo.createConnection(db, workspace.id, {
        integration_type: 'x',
        environment: 'simulator',
      });
      const { id } = await make(db, workspace.id, { connection_id: connection.id });
      await repo.claimReportJob(db, 'one', LEASE_MS, NOW);
      await repo.planReportJob(db, id, 'one', PLAN, [chunk(0), chunk(1)]);
      const own = { connection_id: connection.id, key: `k-${id}` };
      await repo.finishReportChunk(
        db,
        { job_id: id, number: 0, route: 'calls' },
        segment(workspace.id, `a-${id}`, { ...own, kept: false }),
        NOW,
      );
      await repo.finishReportChunk(
        db,
        { job_id: id, number: 1, route: 'calls' },
        segment(workspace.id, `b-${id}`, own),
        NOW,
      );
      const days = { start: '2026-01-10', end: '2026-02-10' };
      expect((await repo.findKeptSegments(db, `k-${id}`, days, new Date(0))).map((one) => one.id)).toEqual([`b-${id}`]);
      const gone = async (): Promise<string[]> =>
        (await repo.pruneReportSegments(db, new Date(0), 0)).filter((file) => file.endsWith(`${id}.gz`)).sort();
      expect(await gone()).toEqual([]);
      await repo.endReportJob(db, id, 'one', { state: 'done', finished_at: NOW, file: `${id}.csv`, expires_at: LATER });
      expect([...(await repo.knownReportFiles(db, [`a-${id}.gz`, `${id}.csv`, 'stray']))].sort()).toEqual(
        [`a-${id}.gz`, `${id}.csv`].sort(),
      );
      expect(await gone()).toEqual([`a-${id}.gz`, `b-${id}.gz`]);
      expect(await repo.pruneReportJobs(db, LATER, new Date(0))).toContain(`${id}.csv`);
      expect(await repo.getReportJob(db, workspace.id, id)).toBeUndefined();
    });

    it('remember who may not use tasks, for a time', async () => {
      const { db } = store();
      const key = { platform: 'x', environment: 'simulator', app: 'a' };
      await repo.noteReportRefusal(db, key, 'platform_feature_restricted', NOW);
      await repo.noteReportRefusal(db, key, 'platform_feature_restricted', LATER);
      expect(await repo.findReportRefusal(db, key, NOW)).toMatchObject({ refused_at: LATER });
      expect(await repo.findReportRefusal(db, key, LATER)).toBeUndefined();
      expect(await repo.findReportRefusal(db, { ...key, app: 'b' }, new Date(0))).toBeUndefined();
    });
  });
}
