/**
 * Servers that no npm package brings along. On a developer's machine without one of them, the tests that need it are left out, and said
 * so; in CI they run and fail.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';

interface Server {
  readonly program: string;
  readonly package: string;
  /** The file that starts it: whatever imports it, however indirectly, needs the server. */
  readonly startedBy: string;
}

const servers: readonly Server[] = [
  { program: 'mariadbd', package: 'mariadb-server-core mariadb-client-core', startedBy: 'local/mariadb.ts' },
  { program: 'redis-server', package: 'redis-server redis-tools', startedBy: 'local/redis.ts' },
];

/** Debian keeps servers in a folder that is on the path of root alone. */
function isInstalled({ program }: Server): boolean {
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

/** Test files to leave out here, relative to the root. None in CI. */
export function testsWithoutServer(root: string): readonly string[] {
  const missing = servers.filter((server) => !isInstalled(server));
  if (missing.length === 0 || process.env['CI'] !== undefined) return [];
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(root, 'test', path));
  const left = tests.filter((test) => missing.some(({ startedBy }) => reaches(test, join(root, startedBy), new Set())));
  const packages = missing.map((server) => server.package).join(' ');
  process.stderr.write(`${left.length} test files are left out: install ${packages} to run them (CI does)\n`);
  return left.map((path) => relative(root, path));
}
