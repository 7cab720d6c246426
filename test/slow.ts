/**
 * Test files that take longest: whole paths through processes that are started and killed, and the second and third flavour of a target.
 * A developer's `npm test` leaves them out and says so, to be done in three minutes; `npm run test:all`, a file named on the command
 * line, and CI run them.
 */
const slow = [
  'test/api/access.test.ts',
  'test/api/bad-input.test.ts',
  'test/api/rotate.test.ts',
  'test/api/selectors.test.ts',
  'test/bench/**',
  'test/cli/commands.test.ts',
  'test/cli/process.test.ts',
  'test/consumer/**',
  'test/engine/faults.test.ts',
  'test/dotnet-configuration/**',
  'test/local/functions-host-*.test.ts',
  'test/local/vault-to-functions.test.ts',
  'test/notify/faults.test.ts',
  'test/paths/crash-real.test.ts',
  'test/paths/healed.test.ts',
  'test/paths/instances.test.ts',
  'test/paths/life.test.ts',
  'test/paths/news.test.ts',
  'test/paths/policies.test.ts',
  'test/paths/schedule.test.ts',
  'test/paths/silent.test.ts',
  'test/rotators/keys/faults.test.ts',
  'test/rotators/mysql-mariadb.conformance.test.ts',
  'test/rotators/postgres-debian.conformance.test.ts',
  'test/rotators/postgres-wire.test.ts',
  'test/rotators/redis.test.ts',
  'test/local/sql-server-dotnet.test.ts',
  'test/rotators/sql-server-azure.conformance.test.ts',
  'test/rotators/sql-server-contained.conformance.test.ts',
  'test/runbooks/**',
];

/** Patterns to leave out of this run. */
export function leftOutAsSlow(): readonly string[] {
  const named = process.argv.slice(2).some((word) => word !== 'run' && !word.startsWith('-'));
  const all = process.env['CI'] !== undefined || process.env['TESTS'] === 'all' || named;
  if (!all) process.stderr.write('The longest tests are left out; "npm run test:all" runs them too, as CI does.\n');
  return all ? [] : slow;
}
