/**
 * `npm test`: runs the suites and ends with the line `N passed, N failed`. Arguments are file filters, as vitest takes
 * them. With POLYAD_TEST_DATABASE_URL and POLYAD_TEST_REDIS_URL the store suites run on those servers too.
 */
import { startVitest } from 'vitest/node';

const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const vitest = await startVitest('test', filters, { watch: false });
await vitest.close();

let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of vitest.state.getTestModules()) {
  // A file that could not be loaded has no tests, yet it is a failure.
  if (file.errors().length > 0) failed += 1;
  for (const test of file.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') passed += 1;
    else if (state === 'failed') failed += 1;
    else skipped += 1;
  }
}
const unhandled = vitest.state.getUnhandledErrors().length;
failed += unhandled;
for (const [variable, what] of [
  ['POLYAD_TEST_DATABASE_URL', 'the store suites on PostgreSQL'],
  ['POLYAD_SPECS_DIR', 'the checks against the platforms’ own specifications'],
])
  if (process.env[variable as string] === undefined) console.log(`SKIPPED: ${what} (${variable} is not set)`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
