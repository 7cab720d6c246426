/** A real PgBouncer in front of a real Postgres, both on loopback. Debian package: pgbouncer. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guardedFolder, onFreePort, startGuarded } from './guarded-child.ts';
import type { PostgresServer } from './postgres.ts';
import { asUnprivileged, own } from './unprivileged.ts';

export interface PgBouncer {
  readonly host: string;
  readonly port: number;
  /** What it printed so far. */
  log(): string;
  /** Ends it and removes its folder. May be called again. */
  close(): Promise<void>;
}

export interface PgBouncerOptions {
  /** `transaction`: a server session goes to another client after each transaction. `session`: after the client has left. */
  readonly mode: 'transaction' | 'session';
  /** Server sessions for each pair of login and database. Default 1, so that what one client leaves behind, the next one meets. */
  readonly poolSize?: number;
  /** More settings (`server_reset_query`, `auth_type`, …). */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts a pooler that asks the server for every login's password, so that it knows a new one at once. */
export async function startPgBouncer(server: PostgresServer, options: PgBouncerOptions): Promise<PgBouncer> {
  const folder = await guardedFolder('pgbouncer');
  try {
    const users = join(folder.path, 'users.txt');
    const configuration = join(folder.path, 'pgbouncer.ini');
    await writeFile(users, `"${server.adminUser}" "${server.adminPassword}"\n`, { mode: 0o600 });
    return await onFreePort(async (port) => {
      await writeFile(configuration, `${linesOf(server, options, users, port).join('\n')}\n`, { mode: 0o600 });
      await own(folder.path, users, configuration);
      const child = await startGuarded({
        ...asUnprivileged('pgbouncer', [configuration]),
        package: 'pgbouncer',
        ready: /process up/,
      });
      const close = async () => {
        await child.stop();
        await folder.remove();
      };
      return { host: '127.0.0.1', port, log: () => child.output(), close };
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

function linesOf(server: PostgresServer, options: PgBouncerOptions, users: string, port: number): readonly string[] {
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    pool_mode: options.mode,
    default_pool_size: String(options.poolSize ?? 1),
    auth_type: 'scram-sha-256',
    auth_file: users,
    auth_user: server.adminUser,
    // Drivers send these when they connect, and PgBouncer would refuse them.
    ignore_startup_parameters: 'extra_float_digits,options,statement_timeout,lock_timeout',
    ...options.settings,
  };
  return [
    '[databases]',
    `* = host=${server.host} port=${server.port}`,
    '[pgbouncer]',
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
  ];
}
