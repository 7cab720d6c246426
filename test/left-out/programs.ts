/**
 * Programs that no npm package brings along, and which test files start them. On a machine without one of them those files are left out,
 * and the last lines of the run name them. In CI a missing program fails, but for one that CI cannot install everywhere.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export interface Program {
  readonly name: string;
  /** Debian packages that bring it, as words of `apt-get install`; or where it comes from otherwise. */
  readonly from: { readonly packages: string } | { readonly elsewhere: string };
  /** CI runs without it where the machine has none. */
  readonly optional?: true;
  /** Files of the project that start it: a test that imports one, however indirectly, needs the program. */
  readonly startedBy: readonly string[];
}

const benches = ['test/bench/zero-downtime.test.ts', 'test/bench/rotation.test.ts'];

export const programs: readonly Program[] = [
  {
    name: 'mariadbd',
    from: { packages: 'mariadb-server-core mariadb-client-core' },
    // The tests of the benches start their servers in another process, where no import shows them.
    startedBy: ['local/mariadb.ts', ...benches],
  },
  {
    name: 'redis-server',
    from: { packages: 'redis-server redis-tools' },
    startedBy: ['local/redis.ts', ...benches],
  },
  // Clients that know nothing of this project, which stand-ins and edited values are held to.
  { name: 'tsql', from: { packages: 'freetds-bin' }, startedBy: ['test/local/freetds.ts'] },
  {
    name: 'dotnet',
    from: { elsewhere: 'the .NET SDK 10, https://dotnet.microsoft.com/download' },
    startedBy: ['test/dotnet/judge.ts', 'test/dotnet-sql-client/run.ts', 'test/dotnet-configuration/run.ts'],
    optional: true,
  },
  {
    name: 'bicep',
    from: { elsewhere: 'npm run fetch:bicep, which takes the .NET SDK 10' },
    startedBy: ['local/bicep/index.ts'],
    optional: true,
  },
  {
    name: 'powershell',
    from: { elsewhere: 'npm run fetch:powershell, which takes the .NET SDK 10' },
    startedBy: ['local/powershell/index.ts'],
    optional: true,
  },
  { name: 'mysqld', from: { elsewhere: 'npm run fetch:mysql' }, startedBy: ['local/mysql/index.ts', ...benches] },
  { name: 'pgbouncer', from: { packages: 'pgbouncer' }, startedBy: ['local/pgbouncer.ts'] },
  { name: 'postgres of Debian', from: { packages: 'postgresql' }, startedBy: ['local/debian-postgres.ts'] },
  {
    name: 'psql',
    from: { packages: 'postgresql-client' },
    startedBy: ['test/pages/world.ts'],
  },
  // A real browser, headless, for the dashboard.
  { name: 'chromium', from: { packages: 'chromium' }, startedBy: ['test/dashboard/browser.ts'] },
  { name: 'jq', from: { packages: 'jq' }, startedBy: ['test/pages/world.ts', 'test/runbooks/answers.test.ts'] },
  { name: 'bash', from: { packages: 'bash' }, startedBy: ['test/pages/world.ts'] },
  { name: 'openssl', from: { packages: 'openssl' }, startedBy: ['test/emulator/openssl.ts', 'test/pages/world.ts'] },
  {
    name: 'python3',
    from: { packages: 'python3' },
    startedBy: ['test/runbooks/runbooks.test.ts', 'test/runbooks/answers.test.ts'],
  },
  {
    name: 'Python with psycopg, psycopg2 and SQLAlchemy',
    from: { packages: 'python3-psycopg python3-psycopg2 python3-sqlalchemy' },
    startedBy: ['test/recipes/python.ts'],
  },
  {
    name: 'curl',
    from: { packages: 'curl' },
    startedBy: [
      'test/runbooks/runbooks.test.ts',
      'test/runbooks/answers.test.ts',
      'test/pages/world.ts',
      'test/local/start-lines.test.ts',
    ],
  },
];

const imported = /(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g;

/** The files that `file` imports, itself or through others, and itself. Absolute paths. */
export function reachedFrom(file: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file) || !existsSync(file)) return seen;
  seen.add(file);
  for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(imported))
    reachedFrom(resolve(dirname(file), path), seen);
  return seen;
}

/** The programs that a test file needs, by the files it reaches. `root` and `file` are absolute. */
export function programsOf(root: string, file: string): readonly Program[] {
  const reached = reachedFrom(file);
  return programs.filter(({ startedBy }) => startedBy.some((starter) => reached.has(join(root, starter))));
}
