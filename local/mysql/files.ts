/** Where MySQL's program files are. Neither npm nor a stable Debian has them, so `npm run fetch:mysql` puts them into a cache. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface MysqlFiles {
  /** Command and first arguments that run the server. */
  readonly command: string;
  readonly args: readonly string[];
  /** A data folder as `--initialize-insecure` makes it: login `root@localhost` without a password. It is copied, never used in place. */
  readonly data: string;
}

/** The folder with everything, complete or not there at all. */
export function mysqlFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] ?? '';
  return join(cache === '' ? join(homedir(), '.cache') : cache, 'keyturn', 'mysql');
}

/** Undefined where they were not fetched yet. */
export function mysqlFiles(): MysqlFiles | undefined {
  const folder = mysqlFolder();
  return existsSync(folder) ? mysqlFilesIn(folder) : undefined;
}

/** The server needs a newer C library than most machines have, so it is started by the loader that came with it. */
export function mysqlFilesIn(folder: string): MysqlFiles {
  const root = join(folder, 'root', 'usr');
  return {
    command: join(folder, 'loader'),
    args: [
      '--library-path',
      `${join(folder, 'libraries')}:${join(root, 'lib', 'mysql', 'private')}`,
      join(root, 'sbin', 'mysqld'),
      '--no-defaults',
      `--basedir=${root}`,
      `--plugin-dir=${join(root, 'lib', 'mysql', 'plugin')}`,
      `--lc-messages-dir=${join(root, 'share', 'mysql')}`,
      `--character-sets-dir=${join(root, 'share', 'mysql', 'charsets')}`,
      // A second protocol on a port of its own, and a folder of the whole machine: neither is needed.
      '--mysqlx=OFF',
      '--secure-file-priv=NULL',
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ],
    data: join(folder, 'data'),
  };
}
