/** A real MariaDB server on loopback, with a fresh data folder. Debian packages: mariadb-server-core, mariadb-client-core. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { guardedFolder, onFreePort, ServerNotStarted, startGuarded } from './guarded-child.ts';
import {
  filesIn,
  type MysqlFamilyOptions,
  type MysqlFamilyServer,
  rootPassword,
  startArguments,
} from './mysql-family.ts';

const debianPackages = 'mariadb-server-core mariadb-client-core';
const run = promisify(execFile);

/** Starts a server and waits until it takes connections. */
export async function startMariadb(options: MysqlFamilyOptions = {}): Promise<MysqlFamilyServer> {
  const folder = await guardedFolder('mariadb');
  const data = join(folder.path, 'data');
  try {
    const temporary = join(folder.path, 'tmp');
    await mkdir(temporary);
    await install(data, temporary);
    const own = await startArguments(folder.path, options);
    return await onFreePort(async (port) => {
      const child = await startGuarded({
        command: 'mariadbd',
        package: debianPackages,
        ready: /ready for connections/,
        args: [...common(data, temporary), `--port=${port}`, ...own],
      });
      const stop = async () => {
        await child.stop();
        await folder.remove();
      };
      return { host: '127.0.0.1', port, rootPassword, folder: folder.path, ...filesIn(folder.path), stop };
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Small and without waiting for the disk: the data is thrown away. */
function common(data: string, temporary: string): string[] {
  return [
    '--no-defaults',
    `--datadir=${data}`,
    // Servers that share a folder for temporary files take each other's away when they start.
    `--tmpdir=${temporary}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    '--innodb-buffer-pool-size=16M',
    '--innodb-log-file-size=4M',
    '--innodb-flush-method=nosync',
    '--innodb-flush-log-at-trx-commit=0',
    '--skip-log-bin',
    '--character-set-server=utf8mb4',
  ];
}

async function install(data: string, temporary: string): Promise<void> {
  const args = [...common(data, temporary), '--auth-root-authentication-method=normal', '--skip-test-db'];
  try {
    await run('mariadb-install-db', args);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new ServerNotStarted(
        `mariadb-install-db was not found. Install it: apt-get install --no-install-recommends ${debianPackages}`,
        '',
      );
    }
    throw error;
  }
}
