/** A real MySQL server on loopback, with a fresh data folder. `npm run fetch:mysql` brings its files. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { guardedFolder, onFreePort, ServerNotStarted, startGuarded } from '../guarded-child.ts';
import {
  filesIn,
  type MysqlFamilyOptions,
  type MysqlFamilyServer,
  rootPassword,
  startArguments,
} from '../mysql-family.ts';
import { mysqlFiles } from './files.ts';

/** Starts a server and waits until it takes connections. */
export async function startMysql(options: MysqlFamilyOptions = {}): Promise<MysqlFamilyServer> {
  const files = mysqlFiles();
  if (files === undefined) throw new ServerNotStarted('MySQL was not found. Fetch it: npm run fetch:mysql', '');
  const folder = await guardedFolder('mysql');
  const data = join(folder.path, 'data');
  const temporary = join(folder.path, 'tmp');
  try {
    await mkdir(temporary);
    await cp(files.data, data, { recursive: true });
    const own = await startArguments(folder.path, options);
    return await onFreePort(async (port) => {
      const args = [...files.args, ...small, `--datadir=${data}`, `--tmpdir=${temporary}`, `--port=${port}`, ...own];
      const child = await startGuarded({
        command: files.command,
        package: 'none: run npm run fetch:mysql',
        ready: /ready for connections\. Version/,
        startTimeoutMs: 60_000,
        args,
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
const small = [
  '--innodb-buffer-pool-size=16M',
  '--innodb-redo-log-capacity=8M',
  '--innodb-flush-method=nosync',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-doublewrite=OFF',
  '--performance-schema=OFF',
  '--skip-log-bin',
];
