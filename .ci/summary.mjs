// Prints `N passed, N failed, N skipped` from the test report and ends with the code of the whole run. Plain JavaScript, because it
// also has to run on the Node that the machine came with.
import { readFileSync } from 'node:fs';

const [, , path = '', code = '1', ...others] = process.argv;

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // Types or lint failed first, or the tests never ended.
    console.error(`no test report: ${error instanceof Error ? error.message : error}`);
    return {};
  }
}

function countsOf(report) {
  // A file that cannot be loaded has no tests to count, and is a failure all the same.
  const brokenFiles = (report.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return {
    passed: report.numPassedTests ?? 0,
    failed: (report.numFailedTests ?? 0) + brokenFiles,
    skipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
    success: report.success === true,
  };
}

/** Each test ran in one of the runs, so their reports add up. */
const counts = [path, ...others].map((each) => countsOf(readReport(each)));
const sum = (of) => counts.reduce((total, each) => total + each[of], 0);
const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
const good =
  Number(code) === 0 && failed === 0 && skipped === 0 && passed > 0 && counts.every(({ success }) => success);

if (Number(code) === 0 && skipped > 0) console.error('a test was left out: that fails here');
if (Number(code) === 0 && passed === 0) console.error('no test ran: that fails here');
process.exitCode = good ? 0 : Number(code) || 1;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
