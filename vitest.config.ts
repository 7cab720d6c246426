import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real servers are started by many test files; more than two files at once would only make all of them slow.
    pool: 'forks',
    maxWorkers: 2,
    // A test that passes at the second try has found a defect, so nothing is tried twice.
    retry: 0,
    passWithNoTests: false,
    allowOnly: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
