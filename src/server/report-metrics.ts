/** Numbers of report jobs for Prometheus. */
import { Gauge, type Registry } from 'prom-client';
import type { Services } from './services.ts';

/** Adds them to a registry. Counts are those of this process since its start; jobs and bytes are those of all nodes. */
export function reportMetrics(
  registry: Registry,
  // Harnesses that test other routes bring none.
  services: Partial<Pick<Services, 'reportJobs' | 'reportRunner'>>,
): void {
  const registers = [registry];
  new Gauge({
    name: 'polyad_report_jobs',
    help: 'Report jobs by state, on all nodes.',
    labelNames: ['state'],
    registers,
    async collect() {
      for (const [state, count] of Object.entries((await services.reportJobs?.counts()) ?? {}))
        this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'polyad_report_jobs_ended',
    help: 'Report jobs that this process has ended since its start.',
    labelNames: ['outcome'],
    registers,
    collect() {
      for (const [outcome, count] of Object.entries(services.reportRunner?.counts.jobs ?? {}))
        this.set({ outcome }, count);
    },
  });
  new Gauge({
    name: 'polyad_report_pieces',
    help: 'Pieces of report jobs that this process got since its start: by tasks of the platform, by calls, or kept.',
    labelNames: ['route'],
    registers,
    collect() {
      for (const [route, count] of Object.entries(services.reportRunner?.counts.pieces ?? {}))
        this.set({ route }, count);
    },
  });
  new Gauge({
    name: 'polyad_report_rows',
    help: 'Native rows that this process has read for report jobs since its start.',
    registers,
    collect() {
      this.set(services.reportRunner?.counts.rows ?? 0);
    },
  });
  new Gauge({
    name: 'polyad_report_kept_bytes',
    help: 'Rows of closed days that are kept for later report jobs, on all nodes.',
    registers,
    async collect() {
      this.set((await services.reportJobs?.keptBytes()) ?? 0);
    },
  });
}
