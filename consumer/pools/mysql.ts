import { connect, isIP } from 'node:net';
import type { FieldPacket, Pool, PoolConnection, PoolOptions, QueryOptions, QueryResult } from 'mysql2/promise';
import { installed } from '../driver.ts';
import type { SecretText } from '../secret-text.ts';
import { hidden, isThisMachine, readConnectionValue } from './connection-value.ts';
import type { PoolDriver, RotatingPoolOptions } from './pool-driver.ts';
import { type PoolState, RotatingPool } from './rotating-pool.ts';

/** What is used of the module `mysql2/promise`. */
export interface MysqlModule {
  createPool(config: PoolOptions): Pool;
}

export interface RotatingMysqlPoolOptions extends RotatingPoolOptions {
  /** Settings of `createPool` that no rotation changes: `connectionLimit`, `ssl`, … They win over what the value says. */
  readonly options?: PoolOptions;
  /**
   * What the value says about the connection. Default: reads `mysql://` and `mariadb://` URIs, JSON (`host`, `port`, `username`,
   * `password`, `database`, …) and bare passwords. TLS is on and verified, unless the value says otherwise or the host is this machine.
   */
  readonly connect?: (value: SecretText, name: string) => PoolOptions;
  /** The module `mysql2/promise`. Default: loaded when the pool is made. */
  readonly driver?: MysqlModule;
}

/** What mysql2 takes as values of `query` and of `execute`. */
export type MysqlQueryValues = Parameters<Pool['query']>[1];
export type MysqlExecuteValues = Parameters<Pool['execute']>[1];

/** A pool of `mysql2/promise`, for MySQL and MariaDB, whose connections follow a secret. */
export interface RotatingMysqlPool {
  query<Result extends QueryResult>(
    sql: string | QueryOptions,
    values?: MysqlQueryValues,
  ): Promise<[Result, FieldPacket[]]>;
  execute<Result extends QueryResult>(
    sql: string | QueryOptions,
    values?: MysqlExecuteValues,
  ): Promise<[Result, FieldPacket[]]>;
  /** A connection of one's own until `connection.release()`. The old pool lives until its last connection is released. */
  getConnection(): Promise<PoolConnection>;
  /** Runs the work between BEGIN and COMMIT, or ROLLBACK when it rejects. The connection is made anew after a refusal, the work is not. */
  transaction<Result>(work: (connection: PoolConnection) => Promise<Result>): Promise<Result>;
  /** Gives the driver's current pool, which stays open until the work is over. For what the calls above do not have. */
  use<Result>(work: (pool: Pool) => Result | Promise<Result>): Promise<Result>;
  readonly state: PoolState;
  /** Waits for the work under way and closes all connections. May be called again. */
  end(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes the pool and logs in once. Rejects with a `ConsumerError`. */
export async function rotatingMysqlPool(options: RotatingMysqlPoolOptions): Promise<RotatingMysqlPool> {
  const driver = options.driver ?? (await installed('mysql2', () => import('mysql2/promise')));
  return new MysqlPool(await RotatingPool.start(mysqlDriver(driver, options), options));
}

class MysqlPool implements RotatingMysqlPool {
  readonly #rotating: RotatingPool<Pool>;

  constructor(rotating: RotatingPool<Pool>) {
    this.#rotating = rotating;
  }

  query<Result extends QueryResult>(sql: string | QueryOptions, values?: MysqlQueryValues) {
    return this.#run((connection) => connection.query<Result>(optionsOf(sql), values));
  }

  execute<Result extends QueryResult>(sql: string | QueryOptions, values?: MysqlExecuteValues) {
    return this.#run((connection) => connection.execute<Result>(optionsOf(sql), values));
  }

  async getConnection(): Promise<PoolConnection> {
    const { connection, work } = await this.#rotating.connect((pool) => pool.getConnection());
    const { release, destroy } = connection;
    connection.release = () => {
      release.call(connection);
      work.end();
    };
    connection.destroy = () => {
      destroy.call(connection);
      work.end();
    };
    return connection;
  }

  async transaction<Result>(run: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.getConnection();
    try {
      await connection.beginTransaction();
      const result = await run(connection);
      await connection.commit();
      connection.release();
      return result;
    } catch (error) {
      await rollBack(connection);
      throw error;
    }
  }

  use<Result>(work: (pool: Pool) => Result | Promise<Result>): Promise<Result> {
    return this.#rotating.use(work);
  }

  get state(): PoolState {
    return this.#rotating.state;
  }

  end(): Promise<void> {
    return this.#rotating.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#rotating.close();
  }

  // Connecting is a step of its own: error 1045 of a statement is about a file, and the statement may have run.
  async #run<Result>(run: (connection: PoolConnection) => Promise<Result>): Promise<Result> {
    const { connection, work } = await this.#rotating.connect((pool) => pool.getConnection());
    try {
      return await run(connection);
    } catch (error) {
      throw work.clean(error);
    } finally {
      connection.release();
      work.end();
    }
  }
}

function optionsOf(sql: string | QueryOptions): QueryOptions {
  return typeof sql === 'string' ? { sql } : sql;
}

// The first error is the one that counts; a connection that cannot roll back is closed, which rolls back too.
async function rollBack(connection: PoolConnection): Promise<void> {
  try {
    await connection.rollback();
    connection.release();
  } catch {
    connection.destroy();
  }
}

// 1045 and 1698 access denied, 1862 password expired, 3118 and 4151 account locked (MySQL, MariaDB). The numbers of the servers' manuals.
const refusals = new Set([1045, 1698, 1862, 3118, 4151]);

function mysqlDriver(driver: MysqlModule, options: RotatingMysqlPoolOptions): PoolDriver<Pool> {
  const hostElsewhere = options.options?.host;
  const read = options.connect ?? ((value: SecretText, name: string) => mysqlOptions(value, name, hostElsewhere));
  return {
    async open({ value }) {
      const config = withIdentity({ ...read(value, options.secret.name) }, options.options);
      return { pool: driver.createPool(config), secrets: [value, ...hidden(config.password, config.uri)] };
    },
    async prove(pool) {
      await pool.query('SELECT 1');
    },
    close: (pool) => pool.end(),
    isRefusal: (error) =>
      error instanceof Error && 'errno' in error && typeof error.errno === 'number' && refusals.has(error.errno),
  };
}

/** The settings together, with a certificate that is checked for the host: the driver checks it for nobody unless it is told to. */
function withIdentity(own: PoolOptions, more: PoolOptions = {}): PoolOptions {
  const config = { ...own, ...more };
  if (typeof config.ssl !== 'object') return config;
  const unchecked = config.ssl.rejectUnauthorized === false;
  const ssl = { verifyIdentity: !unchecked, ...(typeof own.ssl === 'object' ? own.ssl : {}), ...config.ssl };
  const { host = '', port = 3306, stream } = config;
  if (!ssl.verifyIdentity || isIP(host) === 0 || stream !== undefined) return { ...config, ssl };
  // The driver gives Node no name where the host is an address, and Node then checks the certificate for `localhost`. A socket that bears
  // the address as its host has it checked for that; without it the check would fail.
  const named = () => Object.assign(connect({ host, port, noDelay: true, keepAlive: true }), { _host: host });
  return { ...config, ssl, stream: named };
}

function mysqlOptions(value: SecretText, name: string, hostElsewhere: string | undefined): PoolOptions {
  const { host, port, user, password, database, tls, unchecked } = readConnectionValue(value, name, [
    'mysql',
    'mysql2',
    'mariadb',
  ]);
  const encrypted = tls ?? !(isThisMachine(host) && isThisMachine(hostElsewhere));
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    password,
    ...(database === undefined ? {} : { database }),
    ...(encrypted ? { ssl: { rejectUnauthorized: unchecked !== true, verifyIdentity: unchecked !== true } } : {}),
  };
}
