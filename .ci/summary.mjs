// Prints `N passed, N failed, N skipped` from the test report and ends with the code of the whole run. Plain JavaScript, because it
// also has to run on the Node that the machine came with.
import { readFileSync } from 'node:fs';

const [, , path = '', code = '1'] = process.argv;

function readReport() {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // Types or lint failed first, or the tests never ended.
    console.error(`no test report: ${error instanceof Error ? error.message : error}`);
    return {};
  }
}

const report = readReport();
const passed = report.numPassedTests ?? 0;
// A file that cannot be loaded has no tests to count, and is a failure all the same.
const brokenFiles = (report.testResults ?? []).filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length;
const failed = (report.numFailedTests ?? 0) + brokenFiles;
const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
const good = Number(code) === 0 && failed === 0 && skipped === 0 && passed > 0 && report.success === true;

if (Number(code) === 0 && skipped > 0) console.error('a test was left out: that fails here');
if (Number(code) === 0 && passed === 0) console.error('no test ran: that fails here');
process.exitCode = good ? 0 : Number(code) || 1;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
