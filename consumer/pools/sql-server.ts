import type { ConnectionPool, IIsolationLevel, IResult, config as MssqlConfig, Transaction } from 'mssql';
import { installed } from '../driver.ts';
import type { SecretText } from '../secret-text.ts';
import { hidden, isThisMachine, readConnectionValue, unreadable } from './connection-value.ts';
import type { PoolDriver, RotatingPoolOptions } from './pool-driver.ts';
import { type PoolState, RotatingPool, type Work } from './rotating-pool.ts';
import { type MssqlRequest, RecordedRequest } from './sql-server-request.ts';

/** What is used of the module `mssql`. */
export interface MssqlModule {
  readonly ConnectionPool: (new (
    config: MssqlConfig,
  ) => ConnectionPool) & {
    parseConnectionString(text: string): MssqlConfig;
  };
}

export interface RotatingMssqlPoolOptions extends RotatingPoolOptions {
  /** Settings of `mssql.ConnectionPool` that no rotation changes: `pool`, `options`, `requestTimeout`, … They win over the value. */
  readonly options?: Partial<MssqlConfig>;
  /**
   * What the value says about the connection. Default: reads ADO.NET strings, `mssql://` URIs, JSON (`server`, `port`, `username`,
   * `password`, `database`, …) and bare passwords. TLS is on and verified, unless the value says otherwise or the server is this machine.
   */
  readonly connect?: (value: SecretText, name: string) => Partial<MssqlConfig>;
  /** The module `mssql`. Default: loaded when the pool is made. */
  readonly driver?: MssqlModule;
}

/** A transaction of `mssql`. It keeps its connection, and with it the old pool, until it is committed, rolled back or aborted. */
export interface MssqlTransaction {
  /** Makes the connection; anew after a refusal. */
  begin(isolationLevel?: IIsolationLevel): Promise<MssqlTransaction>;
  /** A request of the driver, inside the transaction. Throws before `begin`. */
  request(): ReturnType<Transaction['request']>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** A pool of `mssql` whose connections follow a secret. */
export interface RotatingMssqlPool {
  request(): MssqlRequest;
  /** Also as a tag of a template: ``pool.query`select ${id}` ``, whose values are sent as parameters. */
  query<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>>;
  batch<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>>;
  transaction(): MssqlTransaction;
  /** Gives the driver's current pool, which stays open until the work is over. For what the calls above do not have. */
  use<Result>(work: (pool: ConnectionPool) => Result | Promise<Result>): Promise<Result>;
  readonly state: PoolState;
  /** Waits for the work under way and closes all connections. May be called again. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes the pool and logs in once. Rejects with a `ConsumerError`. */
export async function rotatingMssqlPool(options: RotatingMssqlPoolOptions): Promise<RotatingMssqlPool> {
  const driver = options.driver ?? (await installed('mssql', () => import('mssql'))).default;
  return new MssqlPool(await RotatingPool.start(mssqlDriver(driver, options), options));
}

class MssqlPool implements RotatingMssqlPool {
  readonly #rotating: RotatingPool<ConnectionPool>;

  constructor(rotating: RotatingPool<ConnectionPool>) {
    this.#rotating = rotating;
  }

  request(): MssqlRequest {
    return new RecordedRequest((run) => this.#run((pool) => run(pool.request())));
  }

  query<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>> {
    return this.request().query<Row>(command, ...values);
  }

  batch<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>> {
    return this.request().batch<Row>(command, ...values);
  }

  transaction(): MssqlTransaction {
    return new RotatingTransaction(this.#rotating);
  }

  use<Result>(work: (pool: ConnectionPool) => Result | Promise<Result>): Promise<Result> {
    return this.#rotating.use(work);
  }

  get state(): PoolState {
    return this.#rotating.state;
  }

  close(): Promise<void> {
    return this.#rotating.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#rotating.close();
  }

  // The driver connects inside the request. ELOGIN is told by ConnectionError alone, before a request is sent.
  async #run<Result>(run: (pool: ConnectionPool) => Promise<Result>): Promise<Result> {
    const { connection, work } = await this.#rotating.connect(run);
    work.end();
    return connection;
  }
}

class RotatingTransaction implements MssqlTransaction {
  readonly #rotating: RotatingPool<ConnectionPool>;
  #begun: { readonly transaction: Transaction; readonly work: Work<ConnectionPool> } | undefined;

  constructor(rotating: RotatingPool<ConnectionPool>) {
    this.#rotating = rotating;
  }

  async begin(isolationLevel?: IIsolationLevel): Promise<MssqlTransaction> {
    const { connection, work } = await this.#rotating.connect((pool) => pool.transaction().begin(isolationLevel));
    // The server ends a transaction by itself after some errors; the driver gives the connection back then.
    connection.once('rollback', () => work.end());
    this.#begun = { transaction: connection, work };
    return this;
  }

  request(): ReturnType<Transaction['request']> {
    return this.#transaction().request();
  }

  commit(): Promise<void> {
    return this.#finish((transaction) => transaction.commit());
  }

  rollback(): Promise<void> {
    return this.#finish((transaction) => transaction.rollback());
  }

  async #finish(finish: (transaction: Transaction) => Promise<void>): Promise<void> {
    const transaction = this.#transaction();
    let open = false;
    try {
      await finish(transaction);
    } catch (error) {
      // The driver gives the connection back also when the end of a transaction fails, except while a request still runs on it.
      open = error instanceof Error && 'code' in error && error.code === 'EREQINPROG';
      throw error;
    } finally {
      if (!open) this.#begun?.work.end();
    }
  }

  #transaction(): Transaction {
    if (this.#begun === undefined) throw new Error('The transaction has not begun: call begin() first.');
    return this.#begun.transaction;
  }
}

function mssqlDriver(driver: MssqlModule, options: RotatingMssqlPoolOptions): PoolDriver<ConnectionPool> {
  const connect =
    options.connect ??
    ((value: SecretText, name: string) => mssqlOptions(driver, value, name, options.options?.server));
  return {
    async open({ value }, trouble) {
      const said = connect(value, options.secret.name);
      const { server, ...others } = { ...said, ...options.options };
      if (server === undefined) throw unreadable(options.secret.name, 'it names no server, and "options" neither.');
      const config = { ...others, server, options: { ...said.options, ...options.options?.options } };
      const pool = new driver.ConnectionPool(config);
      pool.on('error', trouble);
      return { pool, secrets: [value, ...hidden(config.password)] };
    },
    // It logs in by a connection of its own and closes it, before the pool opens any.
    async prove(pool) {
      await pool.connect();
    },
    close: (pool) => pool.close(),
    isRefusal: (error) =>
      error instanceof Error && error.name === 'ConnectionError' && 'code' in error && error.code === 'ELOGIN',
  };
}

function mssqlOptions(
  driver: MssqlModule,
  value: SecretText,
  name: string,
  serverElsewhere: string | undefined,
): Partial<MssqlConfig> {
  const text = value.reveal();
  if (/;/.test(text) && /(?:^|;)\s*(?:password|pwd)\s*=/i.test(text)) return fromConnectionString(driver, text, name);
  const { host, port, user, password, database, tls, unchecked } = readConnectionValue(value, name, [
    'mssql',
    'sqlserver',
  ]);
  return {
    ...(host === undefined ? {} : { server: host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    password,
    ...(database === undefined ? {} : { database }),
    options: {
      encrypt: tls ?? !(isThisMachine(host) && isThisMachine(serverElsewhere)),
      trustServerCertificate: unchecked === true,
    },
  };
}

function fromConnectionString(driver: MssqlModule, text: string, name: string): MssqlConfig {
  try {
    return driver.ConnectionPool.parseConnectionString(text);
  } catch {
    // What the driver throws may quote the text.
    throw unreadable(name, 'the driver cannot read the connection string.');
  }
}
