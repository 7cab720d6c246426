/** How the tests of one mutant run: those that it was given, in their order, up to the first that fails. */
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import type { TestSequencer, TestSpecification } from 'vitest/node';

const root = join(import.meta.dirname, '..', '..');
const tests = (process.env['MUTATION_TESTS'] ?? '').split(',');

class AsGiven implements TestSequencer {
  async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files;
  }

  async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => tests.findIndex((test) => moduleId === join(root, test));
    return [...files].sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  root,
  cacheDir: join(root, '.vite'),
  test: {
    include: tests,
    reporters: [['json', { outputFile: process.env['TEST_REPORT'] ?? 'report.json' }]],
    globalSetup: ['test/paths/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // One process for all files: starting one for each would take longer than most of the tests.
    isolate: false,
    sequence: { sequencer: AsGiven },
    bail: 1,
    // The same histories each time, so that a run says the same when it is repeated; few, because every mutant plays them.
    env: { SIMULATIONS: '150', SIMULATIONS_FROM: '1' },
    retry: 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
  },
});
