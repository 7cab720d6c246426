/**
 * Test files that take longest: whole paths through processes that are started and killed, and the second and third flavour of a target.
 * `npm run test:quick`, for an edit loop, leaves them out and names them. `npm test` and CI run them.
 */
/** Beginnings of their paths. */
export const slow: readonly string[] = [
  'test/api/access.test.ts',
  'test/api/bad-input.test.ts',
  'test/api/rotate.test.ts',
  'test/api/selectors.test.ts',
  'test/bench/',
  'test/cli/commands.test.ts',
  'test/cli/process.test.ts',
  'test/consumer/',
  'test/engine/faults.test.ts',
  'test/dotnet-configuration/',
  'test/local/functions-host-',
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
  'test/rotators/mysql-mariadb',
  'test/rotators/postgres-circumstances.test.ts',
  'test/rotators/postgres-debian.conformance.test.ts',
  'test/rotators/postgres-wire.test.ts',
  'test/rotators/redis-sentinels.test.ts',
  'test/rotators/redis.test.ts',
  'test/local/sql-server-dotnet.test.ts',
  'test/rotators/sql-server-azure.conformance.test.ts',
  'test/rotators/sql-server-contained.conformance.test.ts',
  'test/runbooks/',
];
