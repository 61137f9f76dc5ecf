import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// As `npm start` does: tests start the server and the command line hundreds of times, which would compile all anew.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/polyad', import.meta.url));

/** Files that start many processes or wait for real ones, the longest first. */
const LONG = [
  'test/vault/life',
  'test/docs/samples',
  'test/vault/kill',
  'test/tiktok-depth/reports',
  'test/transport/paging-callers',
  'test/idempotency/kill',
  'test/vault/rotation-server',
  'test/scenarios/cli',
  'test/browser/pages',
  'test/scenarios/report-scale',
  'test/scenarios/kill-server',
  'test/vault/outage',
  'test/tiktok-depth/conversions',
  'test/security/leak',
  'test/pacing/all-platform-limits',
  'test/reports/jobs',
  'test/scenarios/start',
  'test/scenarios/refresh-year',
];

/**
 * Of a fresh clone vitest knows no times and begins with the files of most bytes, so that the longest came last and one
 * core waited for them.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((name) => moduleId.includes(`/${name}`));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** One suite for the machine's two cores; every test file has its own process, as servers and workers need. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests of killed processes and of real servers share CI's two cores: one that fails there is tried once more, and the
    // report names it. At a desk nothing is repeated.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    allowOnly: false,
    passWithNoTests: false,
    reporters: ['default'],
  },
});
