/**
 * Prints each failed test of a vitest JSON report, then its counts as `N passed, N failed, N skipped`; fails where there is
 * none. The names stand at the end because often only the end of the output is kept.
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [path = ''] = process.argv.slice(2);
if (!existsSync(path)) {
  console.log('0 passed, 1 failed, 0 skipped');
  process.exit(1);
}
const report = JSON.parse(readFileSync(path, 'utf8'));
// A file that could not be loaded has no tests of its own to count.
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
);
const firstLine = (message) => (message ?? '').split('\n', 1)[0];
for (const file of report.testResults) {
  const name = relative(process.cwd(), file.name);
  if (broken.includes(file)) console.log(`failed: ${name}: ${firstLine(file.message)}`);
  for (const test of file.assertionResults) {
    if (test.status !== 'failed') continue;
    console.log(`failed: ${name} > ${test.fullName}: ${firstLine(test.failureMessages[0])}`);
  }
}
const failed = report.numFailedTests + broken.length;
const skipped = report.numPendingTests + report.numTodoTests;
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || !report.success ? 1 : 0);
