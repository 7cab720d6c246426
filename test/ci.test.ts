import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const summary = fileURLToPath(new URL('../.ci/summary.mjs', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-ci-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const good = {
  success: true,
  numPassedTests: 12,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
};

function ended(report: unknown, code: number, ...others: readonly unknown[]) {
  const [path = '', ...more] = [report, ...others].map((each, at) => {
    const file = join(folder, `report-${at}.json`);
    writeFileSync(file, typeof each === 'string' ? each : JSON.stringify(each));
    return file;
  });
  const { stdout, status } = spawnSync(process.execPath, [summary, path, String(code), ...more], { encoding: 'utf8' });
  return { last: stdout.trimEnd().split('\n').at(-1), status };
}

describe('the last line of CI', () => {
  it('counts what passed, and ends well only then', () => {
    expect(ended(good, 0)).toEqual({ last: '12 passed, 0 failed, 0 skipped', status: 0 });
  });

  it('adds up the runs with and without servers, of which each has to be good', () => {
    expect(ended(good, 0, good)).toEqual({ last: '24 passed, 0 failed, 0 skipped', status: 0 });
    const bad = { ...good, success: false, numFailedTests: 1 };
    expect(ended(good, 1, bad)).toEqual({ last: '24 passed, 1 failed, 0 skipped', status: 1 });
    expect(ended(good, 0, { ...good, success: false }).status).not.toBe(0);
  });

  it.each([
    ['a failed test', { ...good, success: false, numFailedTests: 2 }, 1, '12 passed, 2 failed, 0 skipped'],
    ['no test at all', { ...good, numPassedTests: 0, testResults: [] }, 0, '0 passed, 0 failed, 0 skipped'],
    ['a test left out', { ...good, numPendingTests: 1, numTodoTests: 1 }, 0, '12 passed, 0 failed, 2 skipped'],
    [
      'a file that does not load',
      { ...good, success: false, testResults: [...good.testResults, { status: 'failed', assertionResults: [] }] },
      1,
      '12 passed, 1 failed, 0 skipped',
    ],
    ['types that are wrong, so that no test ran', '', 2, '0 passed, 0 failed, 0 skipped'],
    ['servers left over after tests that passed', good, 1, '12 passed, 0 failed, 0 skipped'],
    ['a report that says no success', { ...good, success: false }, 0, '12 passed, 0 failed, 0 skipped'],
  ])('says so for %s, and ends with a failure', (_, report, code, last) => {
    const end = ended(report, code);
    expect(end.last).toBe(last);
    expect(end.status).not.toBe(0);
  });
});
