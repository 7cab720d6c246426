/** A real MariaDB server on loopback, with a fresh data folder. Debian packages: mariadb-server-core, mariadb-client-core. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificates } from './certificates.ts';
import { guardedFolder, onFreePort, ServerNotStarted, startGuarded } from './guarded-child.ts';

const debianPackages = 'mariadb-server-core mariadb-client-core';
const run = promisify(execFile);

export interface MariadbOptions {
  /** Statements run before the server takes connections, a statement a line. */
  readonly init?: readonly string[];
  /** Without them the server speaks plain. */
  readonly tls?: Certificates;
  /** Writes every statement it gets to `generalLog`. */
  readonly log?: boolean;
  /** More settings, as arguments (`--max-connections=5`). */
  readonly settings?: readonly string[];
}

export interface MariadbServer {
  readonly host: string;
  readonly port: number;
  /** Login `root` may do everything and has this password. */
  readonly rootPassword: string;
  readonly folder: string;
  /** Path of the log of all statements; filled only with `log`. */
  readonly generalLog: string;
  /** Ends it and removes its folder. May be called again. */
  stop(): Promise<void>;
}

/** Starts a server and waits until it takes connections. */
export async function startMariadb(options: MariadbOptions = {}): Promise<MariadbServer> {
  const folder = await guardedFolder('mariadb');
  const data = join(folder.path, 'data');
  const rootPassword = 'root-of-a-throwaway-server';
  const generalLog = join(folder.path, 'general.log');
  try {
    const temporary = join(folder.path, 'tmp');
    await mkdir(temporary);
    await install(data, temporary);
    const initFile = join(folder.path, 'init.sql');
    const init = [`ALTER USER root@localhost IDENTIFIED BY '${rootPassword}';`, ...(options.init ?? [])];
    await writeFile(initFile, `${init.join('\n')}\n`);
    const tls = await tlsSettings(folder.path, options.tls);
    return await onFreePort(async (port) => {
      const child = await startGuarded({
        command: 'mariadbd',
        package: debianPackages,
        ready: /ready for connections/,
        args: [
          ...common(data, temporary),
          '--bind-address=127.0.0.1',
          `--port=${port}`,
          `--socket=${join(folder.path, 'sock')}`,
          `--pid-file=${join(folder.path, 'pid')}`,
          `--init-file=${initFile}`,
          ...(options.log === true ? ['--general-log=1', `--general-log-file=${generalLog}`] : []),
          ...tls,
          ...(options.settings ?? []),
        ],
      });
      const stop = async () => {
        await child.stop();
        await folder.remove();
      };
      return { host: '127.0.0.1', port, rootPassword, folder: folder.path, generalLog, stop };
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
  const args = [
    ...common(data, temporary),
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
  ];
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

async function tlsSettings(folder: string, tls: MariadbOptions['tls']): Promise<string[]> {
  if (tls === undefined) return [];
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), authority: join(folder, 'ca.crt') };
  await writeFile(files.cert, tls.cert);
  await writeFile(files.key, tls.key);
  await writeFile(files.authority, tls.ca);
  return [`--ssl-cert=${files.cert}`, `--ssl-key=${files.key}`, `--ssl-ca=${files.authority}`];
}
