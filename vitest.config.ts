import { defineConfig } from 'vitest/config';

/** One suite for the machine's two cores; every test file has its own process, as servers and workers need. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
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
