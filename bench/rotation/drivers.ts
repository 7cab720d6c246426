/** How each driver's connections are watched, and made again by somebody who does the same. */
import { Redis } from 'ioredis';
import { createConnection, Connection as MysqlConnection } from 'mysql2';
import { Client } from 'pg';
import { Connection, Request } from 'tedious';
import * as z from 'zod';
import type { Player, Rename } from './tape.ts';
import { watch } from './watch.ts';

/** Watches the drivers of all targets. Once in a process. */
export function watchDrivers(): void {
  watchPostgres();
  watchMysql();
  watchRedis();
  watchSqlServer();
}

const postgresClient = z.object({
  host: z.string(),
  port: z.number(),
  user: z.string(),
  password: z.string(),
  database: z.string(),
  connectionParameters: z.object({ application_name: z.string().optional(), options: z.string().optional() }),
});

function watchPostgres(): void {
  watch({
    prototype: Client.prototype,
    open: 'connect',
    send: { query: (args) => args },
    close: ['end'],
    player: (connection) => (rename) => {
      const { connectionParameters, user, database, ...rest } = postgresClient.parse(connection);
      const { application_name, options } = connectionParameters;
      const client = new Client({
        ...rest,
        user: rename(user),
        database: rename(database),
        ...(application_name === undefined ? {} : { application_name }),
        ...(options === undefined ? {} : { options }),
      });
      client.on('error', () => undefined);
      return {
        open: () => client.connect(),
        send: (args) => {
          const { text, values } = postgresQuery.parse(args);
          return values === undefined ? client.query(text) : client.query(text, [...values]);
        },
        close: () => client.end(),
      };
    },
  });
}

const postgresQuery = z.union([
  z.tuple([z.string()], z.unknown()).transform(([text, values]) => ({
    text,
    values: Array.isArray(values) ? z.array(z.unknown()).parse(values) : undefined,
  })),
  z
    .tuple([z.looseObject({ text: z.string(), values: z.array(z.unknown()).optional() })], z.unknown())
    .transform(([query]) => ({
      text: query.text,
      values: query.values,
    })),
]);

const mysqlConfig = z.object({
  host: z.string(),
  port: z.number(),
  user: z.string(),
  password: z.string(),
  database: z.string().nullish(),
});

function watchMysql(): void {
  watch({
    prototype: MysqlConnection.prototype,
    open: 'connect',
    send: { query: ([statement]) => statement },
    close: ['destroy', 'end'],
    player: (connection) => (rename) => {
      const { database, user, ...rest } = mysqlConfig.parse(Reflect.get(connection, 'config'));
      const within = typeof database === 'string' && database !== '' ? { database: rename(database) } : {};
      const own = createConnection({ ...rest, ...within, user: rename(user) });
      own.on('error', () => undefined);
      return {
        open: () => settled((done) => own.connect(done)),
        send: (statement) => settled((done) => own.query(z.string().parse(statement), done)),
        close: () => own.destroy(),
      };
    },
  });
}

function settled(start: (done: (error: unknown) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  start((error) => (error === null || error === undefined ? resolve() : reject(error)));
  return promise;
}

const redisOptions = z.object({ host: z.string(), port: z.number() });
const redisCommand = z.object({ name: z.string(), args: z.array(z.union([z.string(), z.number()])) });

function watchRedis(): void {
  watch({
    prototype: Redis.prototype,
    open: 'connect',
    send: {
      sendCommand: ([command]) => {
        const { name, args } = redisCommand.parse(command);
        return { name, args };
      },
    },
    close: ['disconnect'],
    player: (connection) => () => {
      const client = new Redis({
        ...redisOptions.parse(Reflect.get(connection, 'options')),
        ...{ lazyConnect: true, retryStrategy: null, enableReadyCheck: false, disableClientInfo: true, protocol: 2 },
      });
      client.on('error', () => undefined);
      return {
        open: () => client.connect(),
        send: (command) => {
          const { name, args } = redisCommand.parse(command);
          return client.call(name, ...args);
        },
        close: () => client.disconnect(),
      };
    },
  });
}

const sqlServerConfig = z.object({
  server: z.string(),
  authentication: z.object({ options: z.object({ userName: z.string(), password: z.string() }) }),
  options: z.object({
    port: z.number(),
    database: z.string().optional(),
    appName: z.string().optional(),
    encrypt: z.boolean(),
  }),
});

const sqlServerRequest = z.object({
  sqlTextOrProcedure: z.string(),
  parameters: z.array(
    z.object({ name: z.string(), type: z.unknown(), value: z.unknown(), length: z.number().optional() }),
  ),
});

function watchSqlServer(): void {
  const pick =
    (batch: boolean) =>
    ([request]: readonly unknown[]) => ({ batch, ...sqlServerRequest.parse(request) });
  watch({
    prototype: Connection.prototype,
    open: 'connect',
    send: { execSql: pick(false), execSqlBatch: pick(true) },
    close: ['close'],
    answered: ([request], done) => {
      if (!(request instanceof Request)) throw new Error('the driver was given no request');
      const own: unknown = Reflect.get(request, 'userCallback');
      Reflect.set(request, 'userCallback', (...answer: unknown[]) => {
        done(answer[0] instanceof Error);
        if (typeof own === 'function') Reflect.apply(own, request, answer);
      });
    },
    player: (connection) => (rename) => sqlServerPlayer(connection, rename),
  });
}

function sqlServerPlayer(connection: object, rename: Rename): Player {
  const { server, authentication, options } = sqlServerConfig.parse(Reflect.get(connection, 'config'));
  const { userName, password } = authentication.options;
  const { database, appName, ...rest } = options;
  const own = new Connection({
    server,
    authentication: { type: 'default', options: { userName: rename(userName), password } },
    options: {
      ...rest,
      ...(database === undefined ? {} : { database: rename(database) }),
      ...(appName === undefined ? {} : { appName }),
      maxRetriesOnTransientErrors: 0,
    },
  });
  own.on('error', () => undefined);
  return {
    open: () => settled((done) => own.connect(done)),
    send: (given) =>
      settled((done) => {
        const { sqlTextOrProcedure, parameters, batch } = sqlServerRequest.extend({ batch: z.boolean() }).parse(given);
        const request = new Request(sqlTextOrProcedure, done);
        for (const { name, type, value, length } of parameters)
          Reflect.apply(request.addParameter, request, [name, type, value, length === undefined ? {} : { length }]);
        if (batch) own.execSqlBatch(request);
        else own.execSql(request);
      }),
    close: () => own.close(),
  };
}
