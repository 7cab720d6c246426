import type { IBulkOptions, IBulkResult, IProcedureResult, IResult, ISqlType, Request, Table } from 'mssql';

type SqlType = (() => ISqlType) | ISqlType;

/** The calls of a request of `mssql`. Parameters are set first; each run sends them anew. */
export interface MssqlRequest {
  input(name: string, value: unknown): MssqlRequest;
  input(name: string, type: SqlType, value: unknown): MssqlRequest;
  output(name: string, type: SqlType, value?: unknown): MssqlRequest;
  query<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>>;
  batch<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>>;
  execute<Row>(procedure: string): Promise<IProcedureResult<Row>>;
  bulk(table: Table, options?: IBulkOptions): Promise<IBulkResult>;
}

/** Makes a request of the driver on the current pool, and once more on the next when the login was refused. */
type Runner = <Result>(run: (request: Request) => Promise<Result>) => Promise<Result>;

/** A request is bound to one pool of the driver, so what is set on this one is kept and set on each that is run. */
export class RecordedRequest implements MssqlRequest {
  readonly #run: Runner;
  readonly #settings: ((request: Request) => void)[] = [];

  constructor(run: Runner) {
    this.#run = run;
  }

  input(name: string, ...rest: readonly [unknown] | readonly [SqlType, unknown]): MssqlRequest {
    this.#settings.push((request) => {
      if (rest.length === 1) request.input(name, rest[0]);
      else request.input(name, rest[0], rest[1]);
    });
    return this;
  }

  output(name: string, type: SqlType, value?: unknown): MssqlRequest {
    this.#settings.push((request) => void request.output(name, type, value));
    return this;
  }

  query<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>> {
    return this.#send((request) =>
      typeof command === 'string' ? request.query<Row>(command) : request.query<Row>(command, ...values),
    );
  }

  batch<Row>(command: string | TemplateStringsArray, ...values: unknown[]): Promise<IResult<Row>> {
    return this.#send((request) =>
      typeof command === 'string' ? request.batch<Row>(command) : request.batch<Row>(command, ...values),
    );
  }

  execute<Row>(procedure: string): Promise<IProcedureResult<Row>> {
    return this.#send((request) => request.execute<Row>(procedure));
  }

  bulk(table: Table, options?: IBulkOptions): Promise<IBulkResult> {
    return this.#send((request) => (options === undefined ? request.bulk(table) : request.bulk(table, options)));
  }

  #send<Result>(run: (request: Request) => Promise<Result>): Promise<Result> {
    return this.#run((request) => {
      for (const set of this.#settings) set(request);
      return run(request);
    });
  }
}
