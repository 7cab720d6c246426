import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { installed } from '../driver.ts';
import { ConsumerError } from '../errors.ts';
import type { SecretText } from '../secret-text.ts';
import { type ConnectionValue, hidden, isThisMachine, readConnectionValue } from './connection-value.ts';
import type { PoolDriver, RotatingPoolOptions } from './pool-driver.ts';
import { isRefusal, type RedisClient, type RotatingRedis, rotatingCommands } from './redis-commands.ts';
import { RotatingPool } from './rotating-pool.ts';

/** What is used of the module `ioredis`. */
export interface RedisModule {
  readonly Redis: new (options: RedisOptions) => Redis;
}

export interface RotatingRedisOptions extends RotatingPoolOptions {
  /** Settings of ioredis that no rotation changes: `keyPrefix`, `scripts`, `tls`, … They win over what the value says. */
  readonly options?: RedisOptions;
  /**
   * What the value says about the connection. Default: reads `redis://` and `rediss://` URIs, StackExchange.Redis strings, JSON
   * (`host`, `port`, `username`, `password`, …) and bare passwords. TLS is on and verified, unless the value says otherwise (also by the
   * scheme `redis`) or the host is this machine.
   */
  readonly connect?: (value: SecretText, name: string) => RedisOptions;
  /** Makes a client that does not connect yet. Default: `new Redis(options)`; give it for a cluster. */
  readonly create?: (options: RedisOptions) => Redis | Cluster;
  /** The module `ioredis`. Default: loaded when it is needed. */
  readonly driver?: RedisModule;
}

/** Makes a client and logs in once. Rejects with a `ConsumerError`. */
export async function rotatingRedis(options: RotatingRedisOptions): Promise<RotatingRedis> {
  const create = options.create ?? (await plainClient(options.driver));
  const rotating = await RotatingPool.start(redisDriver(create, options), options);
  return rotatingCommands(rotating, Object.keys(options.options?.scripts ?? {}));
}

async function plainClient(given: RedisModule | undefined): Promise<(options: RedisOptions) => Redis> {
  const driver = given ?? (await installed('ioredis', () => import('ioredis')));
  return (options) => new driver.Redis(options);
}

function redisDriver(
  create: (options: RedisOptions) => Redis | Cluster,
  options: RotatingRedisOptions,
): PoolDriver<RedisClient> {
  const hostElsewhere = options.options?.host;
  const connect = options.connect ?? ((value: SecretText, name: string) => redisOptions(value, name, hostElsewhere));
  const { secret } = options;
  const ready = new WeakSet<RedisClient>();
  // The client reconnects by itself, and keeps the commands that were on the way to send them again: with a credential that is of no
  // use any more it would keep them without end. So it is given the newer one, also when it is about to be closed.
  const logInAnew = async (pool: RedisClient, version: string, secrets: SecretText[]): Promise<void> => {
    await secret.refused(version);
    const { current } = secret;
    if (current.version === version) return;
    const { username, password } = { ...connect(current.value, secret.name), ...options.options };
    secrets.push(current.value, ...hidden(password));
    for (const client of 'nodes' in pool ? pool.nodes() : [pool]) Object.assign(client.options, { username, password });
  };
  return {
    async open({ value, version }, trouble) {
      const config = { ...connect(value, secret.name), ...options.options, lazyConnect: true };
      const pool = create(config);
      const secrets = [value, ...hidden(config.password)];
      pool.on('error', (error: unknown) => {
        // Until it is ready the proof tells what is wrong.
        if (!ready.has(pool)) return;
        trouble(error);
        if (isRefusal(error)) void logInAnew(pool, version, secrets);
      });
      return { pool, secrets };
    },
    async prove(pool) {
      await proveClient(pool);
      ready.add(pool);
    },
    close: closeClient,
    isRefusal,
  };
}

// The promise of connect() says only that the connection was closed; why comes as an event before.
async function proveClient(pool: RedisClient): Promise<void> {
  let reason: unknown;
  const note = (error: unknown) => {
    reason = error instanceof Error && 'lastNodeError' in error ? (error.lastNodeError ?? error) : error;
  };
  pool.on('error', note);
  try {
    await pool.connect();
    await pool.ping();
  } catch (error) {
    throw reason ?? error;
  } finally {
    pool.off('error', note);
  }
}

// QUIT is answered after everything before it. A client that is not connected would only queue it.
async function closeClient(pool: RedisClient, workLeft: boolean): Promise<void> {
  try {
    if (pool.status === 'ready' && !workLeft) await pool.quit();
  } finally {
    pool.disconnect();
  }
}

function redisOptions(value: SecretText, name: string, hostElsewhere: string | undefined): RedisOptions {
  const text = value.reveal();
  const said = /,\s*password\s*=/i.test(text)
    ? fromStackExchange(text, name)
    : readConnectionValue(value, name, ['redis', 'rediss']);
  const { host, port, user, password, database, tls, unchecked } = said;
  const encrypted = tls ?? !((isThisMachine(host) && isThisMachine(hostElsewhere)) || /^redis:/i.test(text));
  if (database !== undefined && !/^\d+$/.test(database)) {
    throw new ConsumerError('value-unreadable', `The value of ${name} names a database of Redis that is no number.`);
  }
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { username: user }),
    password,
    ...(database === undefined ? {} : { db: Number(database) }),
    ...(encrypted ? { tls: { rejectUnauthorized: unchecked !== true } } : {}),
  };
}

// `HOST:PORT,password=…,user=…,ssl=True`: commas end every part, and nothing quotes them.
// https://stackexchange.github.io/StackExchange.Redis/Configuration
function fromStackExchange(text: string, name: string): ConnectionValue {
  const [endpoint = '', ...rest] = text.split(',').map((part) => part.trim());
  const settings = new Map(
    rest.map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1)];
    }),
  );
  const password = settings.get('password');
  const [, host, port] = /^(.+?)(?::(\d{1,5}))?$/.exec(endpoint) ?? [];
  if (password === undefined || password === '' || host === undefined) {
    throw new ConsumerError('value-unreadable', `The value of ${name} has no endpoint or no password.`);
  }
  const user = settings.get('user');
  const ssl = settings.get('ssl')?.toLowerCase();
  const database = settings.get('defaultdatabase');
  return {
    host,
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    password,
    ...(database === undefined ? {} : { database }),
    ...(ssl === undefined ? {} : { tls: ssl === 'true' }),
  };
}
