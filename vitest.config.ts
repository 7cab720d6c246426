import { configDefaults, defineConfig } from 'vitest/config';
import { planRun } from './test/left-out/plan.ts';
import { LeftOutReporter } from './test/left-out/reporter.ts';

// For CI, which counts from a file rather than from what is printed for people.
const report = process.env['TEST_REPORT'];
const plan = planRun(import.meta.dirname);
const leftOut = new LeftOutReporter(plan, process.env['TEST_LEFT_OUT']);

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default', leftOut] : ['default', ['json', { outputFile: report }], leftOut],
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...plan.lacking.keys(), ...plan.slow],
    globalSetup: ['test/paths/global-setup.ts'],
    // Real servers are started by many test files; more than two files at once would only make all of them slow.
    pool: 'forks',
    maxWorkers: 2,
    // A test that passes at the second try has found a defect, so nothing is tried twice.
    retry: 0,
    passWithNoTests: false,
    allowOnly: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
