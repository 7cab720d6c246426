import type {
  Pool,
  PoolClient,
  PoolConfig,
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryResult,
  QueryResultRow,
} from 'pg';
import { installed } from '../driver.ts';
import type { SecretText } from '../secret-text.ts';
import { hidden, isThisMachine, readConnectionValue } from './connection-value.ts';
import type { PoolDriver, RotatingPoolOptions } from './pool-driver.ts';
import { type PoolState, RotatingPool } from './rotating-pool.ts';

/** What is used of the module `pg`. */
export interface PgModule {
  readonly Pool: new (config: PoolConfig) => Pool;
}

export interface RotatingPgPoolOptions extends RotatingPoolOptions {
  /** Settings of `pg.Pool` that no rotation changes: `max`, `idleTimeoutMillis`, `ssl`, … They win over what the value says. */
  readonly options?: PoolConfig;
  /**
   * What the value says about the connection. Default: reads `postgres://` URIs, JSON (`host`, `port`, `username`, `password`,
   * `dbname`, …) and bare passwords. TLS is on and verified, unless the value says otherwise or the host is this machine.
   */
  readonly connect?: (value: SecretText, name: string) => PoolConfig;
  /** The module `pg`. Default: loaded when the pool is made. */
  readonly driver?: PgModule;
}

/** A pool of `pg` whose connections follow a secret. */
export interface RotatingPgPool {
  query<Row extends unknown[] = unknown[]>(
    config: QueryArrayConfig,
    values?: unknown[],
  ): Promise<QueryArrayResult<Row>>;
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>>;
  /** A client of one's own until `client.release()`. The old pool lives until its last client is released. */
  connect(): Promise<PoolClient>;
  /** Runs the work between BEGIN and COMMIT, or ROLLBACK when it rejects. The connection is made anew after a refusal, the work is not. */
  transaction<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result>;
  /** Gives the driver's current pool, which stays open until the work is over. For what the calls above do not have. */
  use<Result>(work: (pool: Pool) => Result | Promise<Result>): Promise<Result>;
  readonly state: PoolState;
  /** Waits for the work under way and closes all connections. May be called again. */
  end(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes the pool and logs in once. Rejects with a `ConsumerError`. */
export async function rotatingPgPool(options: RotatingPgPoolOptions): Promise<RotatingPgPool> {
  const driver = options.driver ?? (await installed('pg', () => import('pg'))).default;
  return new PgPool(await RotatingPool.start(pgDriver(driver, options), options));
}

class PgPool implements RotatingPgPool {
  readonly #rotating: RotatingPool<Pool>;

  constructor(rotating: RotatingPool<Pool>) {
    this.#rotating = rotating;
  }

  // Connecting is a step of its own, so that its refusal cannot be confused with an error of the query, which may have run.
  async query(query: string | QueryConfig, values?: unknown[]) {
    const { connection, work } = await this.#rotating.connect((pool) => pool.connect());
    try {
      const result = await connection.query(query, values);
      connection.release();
      return result;
    } catch (error) {
      // As the driver's own pool does: a connection on which something failed is not used again.
      connection.release(true);
      throw work.clean(error);
    } finally {
      work.end();
    }
  }

  async connect(): Promise<PoolClient> {
    const { connection, work } = await this.#rotating.connect((pool) => pool.connect());
    const release = connection.release;
    // The driver sets this function anew each time it hands out a client, so it may be replaced in the same way.
    connection.release = (error) => {
      release.call(connection, error);
      work.end();
    };
    return connection;
  }

  async transaction<Result>(run: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.connect();
    try {
      await client.query('BEGIN');
      const result = await run(client);
      await client.query('COMMIT');
      client.release();
      return result;
    } catch (error) {
      await rollBack(client);
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
}

// The first error is the one that counts; a connection that cannot roll back is closed, which rolls back too.
async function rollBack(client: PoolClient): Promise<void> {
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}

// 28P01 invalid_password, 28000 invalid_authorization_specification: https://www.postgresql.org/docs/current/errcodes-appendix.html
const refusals = new Set(['28P01', '28000']);

function pgDriver(driver: PgModule, options: RotatingPgPoolOptions): PoolDriver<Pool> {
  // The host the driver will take, wherever it is named: it decides whether a connection without TLS may be made.
  const hostElsewhere = options.options?.host ?? process.env['PGHOST'];
  const connect = options.connect ?? ((value: SecretText, name: string) => pgOptions(value, name, hostElsewhere));
  return {
    async open({ value }, trouble) {
      // The driver waits for a connection without end by default; the proof must not.
      const config = { connectionTimeoutMillis: 10_000, ...connect(value, options.secret.name), ...options.options };
      const pool = new driver.Pool(config);
      pool.on('error', trouble);
      return { pool, secrets: [value, ...hidden(config.password, config.connectionString)] };
    },
    async prove(pool) {
      await pool.query('SELECT 1');
    },
    close: (pool) => pool.end(),
    isRefusal: (error) =>
      error instanceof Error && 'code' in error && typeof error.code === 'string' && refusals.has(error.code),
  };
}

function pgOptions(value: SecretText, name: string, hostElsewhere: string | undefined): PoolConfig {
  const { host, port, user, password, database, tls, unchecked } = readConnectionValue(value, name, [
    'postgres',
    'postgresql',
  ]);
  const encrypted = tls ?? !(isThisMachine(host) && isThisMachine(hostElsewhere));
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    password,
    ...(database === undefined ? {} : { database }),
    ...(encrypted ? { ssl: { rejectUnauthorized: unchecked !== true } } : {}),
  };
}
