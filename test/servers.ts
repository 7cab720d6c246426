/**
 * Programs that no npm package brings along. On a developer's machine without one of them, the tests that need it are left out, and said
 * so. In CI they run and fail, but for those of a program that CI cannot install everywhere: they are left out there too, by name.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { debianPostgres } from '../local/debian-postgres.ts';
import { mysqlFiles } from '../local/mysql/files.ts';

interface Server {
  readonly program: string;
  /** What to install: packages, or how to get what is none. */
  readonly package: string;
  /** The file that starts it: whatever imports it, however indirectly, needs the server. */
  readonly startedBy: string;
  /** Whether it is there, where it is not on anybody's path. */
  readonly isThere?: () => boolean;
  /** CI runs without it where the machine has none. */
  readonly optional?: true;
}

const servers: readonly Server[] = [
  { program: 'mariadbd', package: 'mariadb-server-core mariadb-client-core', startedBy: 'local/mariadb.ts' },
  { program: 'redis-server', package: 'redis-server redis-tools', startedBy: 'local/redis.ts' },
  { program: 'dotnet', package: 'the .NET SDK 10', startedBy: 'test/dotnet/judge.ts', optional: true },
  // Clients that know nothing of this project, which the stand-in for SQL Server is held to.
  { program: 'tsql', package: 'freetds-bin', startedBy: 'test/local/freetds.ts' },
  { program: 'dotnet', package: 'the .NET SDK 10', startedBy: 'test/dotnet-sql-client/run.ts' },
  {
    program: 'mysqld',
    package: 'MySQL (npm run fetch:mysql)',
    startedBy: 'local/mysql/index.ts',
    isThere: () => mysqlFiles() !== undefined,
  },
  { program: 'pgbouncer', package: 'pgbouncer', startedBy: 'local/pgbouncer.ts' },
  {
    program: 'postgres of Debian',
    package: 'postgresql',
    startedBy: 'local/debian-postgres.ts',
    isThere: () => debianPostgres() !== undefined,
  },
  { program: 'openssl', package: 'openssl', startedBy: 'test/emulator/openssl.ts' },
  { program: 'dotnet', package: 'the .NET SDK 10', startedBy: 'test/dotnet-configuration/run.ts' },
];

/** Debian keeps servers in a folder that is on the path of root alone. */
function isInstalled({ program, isThere }: Server): boolean {
  if (isThere !== undefined) return isThere();
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => existsSync(join(folder, program)));
}

const imported = /(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g;

/** Whether `file` imports `wanted`, itself or through others. */
function reaches(file: string, wanted: string, seen: Set<string>): boolean {
  if (file === wanted) return true;
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  const next = [...readFileSync(file, 'utf8').matchAll(imported)].map((match) =>
    resolve(dirname(file), match[1] ?? ''),
  );
  return next.some((one) => reaches(one, wanted, seen));
}

/** Test files to leave out here, relative to the root. */
export function testsWithoutServer(root: string): readonly string[] {
  const inCi = process.env['CI'] !== undefined;
  const missing = servers.filter((server) => !isInstalled(server) && (!inCi || server.optional === true));
  if (missing.length === 0) return [];
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(root, 'test', path));
  const left = tests.filter((test) => missing.some(({ startedBy }) => reaches(test, join(root, startedBy), new Set())));
  const packages = missing.map((server) => server.package).join(', ');
  const names = left.map((path) => relative(root, path)).join(' ');
  process.stderr.write(`${left.length} test files are left out: install ${packages} to run them (${names})\n`);
  return left.map((path) => relative(root, path));
}
