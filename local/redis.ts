/** Real Redis servers on loopback, with a fresh folder each. Debian package: redis-server. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { type GuardedFolder, guardedFolder, onFreePort, startGuarded } from './guarded-child.ts';

const debianPackage = 'redis-server';
const host = '127.0.0.1';

export interface RedisOptions {
  /** Lines of an ACL file (`user app on >password ~* +@all`). Without it Redis keeps its users in memory only. */
  readonly acl?: readonly string[];
  /** `requirepass`, and `masterauth` with it, as nodes that share one password need. */
  readonly password?: string;
  /** TLS only: the plain port is closed. */
  readonly tls?: Certificates;
  readonly replicaOf?: { readonly host: string; readonly port: number };
  /** Starts from a configuration file, so that `CONFIG REWRITE` has something to write to. */
  readonly configFile?: boolean;
  /** Whom replicas present to their primary, where the default user may not. */
  readonly replicateAs?: { readonly username: string; readonly password: string };
  /** More settings, as lines of a configuration file. */
  readonly settings?: readonly string[];
}

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  /** Ends the server at once; its port and folder wait for `restart`. */
  halt(): Promise<void>;
  /** Starts it again on the same port and folder, as its owner would after a failure. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. May be called again. */
  stop(): Promise<void>;
}

/** Starts one server and waits until it takes connections. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  return startServer('server', options);
}

export async function startServer(mode: 'server' | 'sentinel', options: RedisOptions) {
  const folder = await guardedFolder('redis');
  try {
    return await onFreePort((port) => startIn(folder, port, mode, options));
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function startIn(
  folder: GuardedFolder,
  port: number,
  mode: 'server' | 'sentinel',
  options: RedisOptions,
): Promise<RedisServer> {
  const settings = await settingsOf(folder.path, port, options);
  const configFile = join(folder.path, 'redis.conf');
  const fromFile = options.configFile === true || mode === 'sentinel';
  if (fromFile) await writeFile(configFile, `${settings.join('\n')}\n`);
  const start = () =>
    startGuarded({
      command: 'redis-server',
      args: fromFile ? [configFile, ...(mode === 'sentinel' ? ['--sentinel'] : [])] : settings.flatMap(asArguments),
      package: debianPackage,
      ready: /Ready to accept connections|Sentinel ID is/,
    });
  let running = await start();
  return {
    host,
    port,
    folder: folder.path,
    halt: () => running.stop(),
    restart: async () => {
      await running.stop();
      running = await start();
    },
    stop: async () => {
      await running.stop();
      await folder.remove();
    },
  };
}

async function settingsOf(folder: string, port: number, options: RedisOptions): Promise<string[]> {
  const settings = [`bind ${host}`, `dir ${folder}`];
  if (options.settings?.some((line) => line.startsWith('sentinel ')) !== true)
    settings.push('save ""', 'repl-diskless-sync-delay 0');
  if (options.acl !== undefined) {
    const file = join(folder, 'users.acl');
    await writeFile(file, `${options.acl.join('\n')}\n`);
    settings.push(`aclfile ${file}`);
  }
  if (options.tls === undefined) settings.push(`port ${port}`);
  else settings.push('port 0', `tls-port ${port}`, ...(await tlsSettings(folder, options.tls)));
  if (options.password !== undefined) {
    settings.push(`requirepass ${options.password}`, `masterauth ${options.password}`);
  }
  if (options.replicateAs !== undefined) {
    settings.push(`masteruser ${options.replicateAs.username}`, `masterauth ${options.replicateAs.password}`);
  }
  if (options.replicaOf !== undefined) settings.push(`replicaof ${options.replicaOf.host} ${options.replicaOf.port}`);
  return [...settings, ...(options.settings ?? [])];
}

async function tlsSettings(folder: string, tls: Certificates): Promise<string[]> {
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), authority: join(folder, 'ca.crt') };
  await writeFile(files.cert, tls.cert);
  await writeFile(files.key, tls.key);
  await writeFile(files.authority, tls.ca);
  return [
    `tls-cert-file ${files.cert}`,
    `tls-key-file ${files.key}`,
    `tls-ca-cert-file ${files.authority}`,
    'tls-auth-clients no',
    'tls-replication yes',
  ];
}

/** A line of a configuration file as command line arguments: the setting, then its values. */
function asArguments(line: string): string[] {
  const [name = '', ...values] = line.split(' ');
  return [`--${name}`, ...values.map((value) => (value === '""' ? '' : value))];
}
