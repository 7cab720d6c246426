/** What MySQL and MariaDB on loopback have in common. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';

export interface MysqlFamilyOptions {
  /** Statements run before the server takes connections, a statement a line. */
  readonly init?: readonly string[];
  /** Without them MariaDB speaks plain, and MySQL uses a certificate that nobody trusts. */
  readonly tls?: Certificates;
  /** Writes every statement it gets to `generalLog`. */
  readonly log?: boolean;
  /** More settings, as arguments (`--max-connections=5`). */
  readonly settings?: readonly string[];
}

export interface MysqlFamilyServer {
  readonly host: string;
  readonly port: number;
  /** Login `root` may do everything and has this password. */
  readonly rootPassword: string;
  readonly folder: string;
  /** Unix socket, by which root comes in when the server resolves no names. */
  readonly socket: string;
  /** Path of the log of all statements; filled only with `log`. */
  readonly generalLog: string;
  /** Ends it and removes its folder. May be called again. */
  stop(): Promise<void>;
}

export const rootPassword = 'root-of-a-throwaway-server';

/** Where a server has its files. */
export function filesIn(folder: string): { readonly generalLog: string; readonly socket: string } {
  return { generalLog: join(folder, 'general.log'), socket: join(folder, 'sock') };
}

/** Writes what both servers are started with and gives the arguments for it. */
export async function startArguments(folder: string, options: MysqlFamilyOptions): Promise<readonly string[]> {
  const { generalLog, socket } = filesIn(folder);
  const initFile = join(folder, 'init.sql');
  const init = [
    // Not for the binary log: every server of a pair has a root of its own.
    'SET SESSION sql_log_bin = 0;',
    `ALTER USER root@localhost IDENTIFIED BY '${rootPassword}';`,
    'SET SESSION sql_log_bin = 1;',
    ...(options.init ?? []),
  ];
  await writeFile(initFile, `${init.join('\n')}\n`);
  return [
    '--bind-address=127.0.0.1',
    `--socket=${socket}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--init-file=${initFile}`,
    ...(options.log === true ? ['--general-log=1', `--general-log-file=${generalLog}`] : []),
    ...(await tlsSettings(folder, options.tls)),
    ...(options.settings ?? []),
  ];
}

async function tlsSettings(folder: string, tls: Certificates | undefined): Promise<readonly string[]> {
  if (tls === undefined) return [];
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), authority: join(folder, 'ca.crt') };
  await writeFile(files.cert, tls.cert);
  await writeFile(files.key, tls.key);
  await writeFile(files.authority, tls.ca);
  return [`--ssl-cert=${files.cert}`, `--ssl-key=${files.key}`, `--ssl-ca=${files.authority}`];
}
