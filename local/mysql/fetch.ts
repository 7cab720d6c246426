/**
 * Fetches a MySQL server into the cache: `npm run fetch:mysql`. It needs a Debian machine and no special rights. The packages come from Debian
 * sid on the machine's own mirror. apt runs with a private configuration, and the packages are unpacked, not installed.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { mysqlFiles, mysqlFilesIn, mysqlFolder } from './files.ts';

const serverPackage = 'mysql-server-core';
// The only suite of Debian that has MySQL: stable ones have MariaDB instead.
const suite = 'sid';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Why MySQL is not available on this machine. */
class NotAvailable extends Error {
  override readonly name = 'NotAvailable';
}

const execute = promisify(execFile);

async function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', ...environment };
  try {
    const { stdout } = await execute(command, [...args], { env, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 });
    return stdout;
  } catch (error) {
    if (!(error instanceof Error) || !('stderr' in error)) throw error;
    const said = String(error.stderr).trim().split('\n').slice(-5).join('\n');
    throw new NotAvailable(`${command} failed:\n${said === '' ? error.message : said}`, { cause: error });
  }
}

/** Mirrors that serve this machine's release of Debian, most likely one. The others (security, updates) have no sid. */
async function debianMirrors(): Promise<readonly string[]> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID=debian$/m.test(release))
    throw new NotAvailable('its packages come from Debian, and this is another system');
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1] ?? suite;
  const uris = await run('apt-get', ['update', '--print-uris']);
  const found = [...uris.matchAll(/^'(\S+)\/dists\/(\S+)\/InRelease'/gm)];
  const mirrors = found.flatMap(([, base = '', name]) => (name === codename || name === suite ? [base] : []));
  if (mirrors.length === 0) throw new NotAvailable('the machine has no apt source with a release of Debian');
  return [...new Set(mirrors)];
}

/** The environment for apt-get: it uses `mirror` and the folders in `folder`, and of the machine's settings only those for downloads. */
async function privateApt(folder: string, mirror: string): Promise<NodeJS.ProcessEnv> {
  for (const path of ['state/lists/partial', 'cache/archives/partial', 'parts']) {
    await mkdir(join(folder, path), { recursive: true });
  }
  const architecture = (await run('dpkg', ['--print-architecture'])).trim();
  // Perl is only for helper scripts, and would add a third to the download.
  const assumed = { Package: 'perl', Status: 'install ok installed', Architecture: architecture, Version: '99' };
  const fields = { ...assumed, 'Multi-Arch': 'allowed', Maintainer: 'none', Description: 'assumed' };
  await writeFile(join(folder, 'status'), paragraph(fields));
  const source = { Types: 'deb', URIs: mirror, Suites: suite, Components: 'main', 'Signed-By': keyring };
  await writeFile(join(folder, 'parts', `${suite}.sources`), paragraph(source));
  // This part of the machine's configuration holds its proxies; hooks and everything else are left out.
  const settings = await run('apt-config', ['dump', 'Acquire']);
  const own = {
    'Dir::Etc::Parts': '/dev/null',
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(folder, 'parts'),
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'APT::Sandbox::User': '',
  };
  const lines = Object.entries(own).map(([name, value]) => `${name} "${value}";`);
  const configuration = join(folder, 'apt.conf');
  await writeFile(configuration, `${settings}\n${lines.join('\n')}\n`, { mode: 0o600 });
  return { APT_CONFIG: configuration };
}

function paragraph(fields: Readonly<Record<string, string>>): string {
  return `${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')}\n`;
}

/** Downloads the server with all it needs and unpacks it into `root`. */
async function unpack(folder: string, mirror: string, root: string): Promise<void> {
  const apt = await privateApt(folder, mirror);
  await run('apt-get', ['update', '-q'], apt);
  const what = ['install', '--download-only', '--no-install-recommends', '--yes', '-q', serverPackage];
  await run('apt-get', what, apt);
  const archives = join(folder, 'cache', 'archives');
  for (const file of (await readdir(archives)).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg', ['-x', join(archives, file), root]);
  }
}

/** Links the loader and its libraries under fixed names: their folder is named after the processor. */
async function nameLoader(folder: string): Promise<void> {
  const libraries = join(folder, 'root', 'usr', 'lib');
  for (const name of await readdir(libraries)) {
    const loader = (await readdir(join(libraries, name)).catch(() => [])).find((file) => file.startsWith('ld-linux'));
    if (loader === undefined) continue;
    await symlink(relative(folder, join(libraries, name)), join(folder, 'libraries'));
    await symlink(relative(folder, join(libraries, name, loader)), join(folder, 'loader'));
    return;
  }
  throw new NotAvailable('its packages contain no loader');
}

// Takes six seconds and gives the same result for every server, so it is done once.
async function initialise(folder: string): Promise<void> {
  const { command, args, data } = mysqlFilesIn(folder);
  const small = ['--innodb-redo-log-capacity=8M', '--innodb-buffer-pool-size=16M'];
  await run(command, [...args, ...small, '--initialize-insecure', `--datadir=${data}`]);
  // It holds the server's identity, and every copy needs its own.
  await rm(join(data, 'auto.cnf'));
}

async function fetchMysql(): Promise<string> {
  const target = mysqlFolder();
  if (mysqlFiles() !== undefined) return `MySQL is there already: ${target}`;
  const mirrors = await debianMirrors();
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(`${target}-`);
  try {
    const built = join(work, 'mysql');
    await mkdir(built);
    await firstThatWorks(mirrors, (mirror) => unpack(join(work, 'apt'), mirror, join(built, 'root')));
    await nameLoader(built);
    await initialise(built);
    await takePlace(built, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return `MySQL is in ${target}`;
}

async function firstThatWorks(mirrors: readonly string[], attempt: (mirror: string) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const mirror of mirrors) {
    try {
      return await attempt(mirror);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

// Another run may have finished first, with the same files.
async function takePlace(built: string, target: string): Promise<void> {
  try {
    await rename(built, target);
  } catch (error) {
    if (mysqlFiles() === undefined) throw error;
  }
}

try {
  console.log(await fetchMysql());
} catch (error) {
  if (!(error instanceof NotAvailable)) throw error;
  console.error(`MySQL is not available here: ${error.message}`);
  process.exitCode = 1;
}
