/** What tests of report jobs share: making one, having it done, and reading what came of it. */
import { expect } from 'vitest';
import { addDecimals } from '../../src/core/model/decimal.ts';
import type { Json, TestApp } from '../support/app.ts';

export const DAY = 86_400_000;

/** Rows of a report as sums by metric, exact. */
export function totals(rows: readonly Json[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const { metrics } of rows)
    for (const { type, value } of metrics) out[type] = addDecimals(out[type] ?? '0', String(value));
  return out;
}

export interface Jobs {
  create(body: Json): Promise<Json>;
  /** Does all jobs that can be done now. */
  work(): Promise<number>;
  get(id: string): Promise<Json>;
  download(id: string, headers?: Record<string, string>): Promise<Response>;
  /** Makes a job, has it done, answers job and lines. */
  done(body: Json): Promise<{ job: Json; rows: Json[] }>;
  /** Platform calls since the last `clearLog`, by path. */
  calls(): Promise<Record<string, number>>;
}

export function jobsOf(polyad: TestApp, connection: () => string): Jobs {
  const jobs: Jobs = {
    async create(body) {
      const made = await polyad.call('POST', '/v1/report_jobs', { connection_id: connection(), ...body });
      expect(made).toMatchObject({ status: 201 });
      return made.body;
    },
    work: () => polyad.app.reportRunner.run(new AbortController().signal),
    get: (id) => polyad.ok('GET', `/v1/report_jobs/${id}`),
    download: (id, headers = {}) =>
      fetch(`${polyad.url}/v1/report_jobs/${id}/download`, { headers: { authorization: polyad.key, ...headers } }),
    async done(body) {
      const { id } = await jobs.create(body);
      await jobs.work();
      const job = await jobs.get(id);
      expect(job).toMatchObject({ state: 'done' });
      const text = await (await jobs.download(id)).text();
      return { job, rows: text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])) };
    },
    async calls() {
      const counts: Record<string, number> = {};
      for (const { path } of await polyad.requests()) {
        const name = path.replace('/open_api/v1.3/', '').replace(/\/$/, '');
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    },
  };
  return jobs;
}

/** A day of the account, so many days ago. */
export const daysAgo = (polyad: TestApp, days: number): string =>
  new Date(polyad.now().getTime() - days * DAY).toISOString().slice(0, 10);
