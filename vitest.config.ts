import { configDefaults, defineConfig } from 'vitest/config';
import { testsWithoutServer } from './test/servers.ts';
import { leftOutAsSlow } from './test/slow.ts';

// For CI, which counts from a file rather than from what is printed for people.
const report = process.env['TEST_REPORT'];

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...testsWithoutServer(import.meta.dirname), ...leftOutAsSlow()],
    globalSetup: ['test/paths/global-setup.ts'],
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
