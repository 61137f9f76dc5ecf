import { defineConfig } from 'vitest/config';

/** One suite for the machine's two cores; every test file has its own process, as servers and workers need. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    allowOnly: false,
    passWithNoTests: false,
    reporters: ['default'],
  },
});
