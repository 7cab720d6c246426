/**
 * A stand-in for SQL Server on loopback: the wire protocol as the real driver speaks it, real login state, and a strict reading of
 * the statements the rotator sends. It is no database: tables hold no rows.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Connection } from './connection.ts';
import type { Session } from './sql/context.ts';
import { SqlEngine } from './sql/engine.ts';
import type { ResultSet } from './sql/run-select.ts';
import type { Value } from './sql/syntax.ts';
import { findDatabase, newDatabase, newId, newServer } from './state.ts';
import type { Message } from './tds/packets.ts';

export { SqlError } from './sql/sql-error.ts';
export { packetTypes } from './tds/packets.ts';

export interface SqlServerOptions {
  /** Password of `sa`. */
  readonly saPassword: string;
  /** PEM; absent: the server does not encrypt at all. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Behaves as Azure SQL Database: no USE, logins seen and changed in master only. */
  readonly azure?: boolean;
  /** Views and functions to leave out, as older servers lack some: `sys.server_permissions`, `has_perms_by_name`. */
  readonly without?: readonly string[];
  /** Entra tokens, each with the login it stands for. The login is made with `CREATE LOGIN … FROM EXTERNAL PROVIDER`. */
  readonly tokens?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** Clock of the server. */
  readonly now?: () => Date;
  /** Sees every message of every client in clear, and whether it came through TLS. */
  readonly onMessage?: (message: Message, encrypted: boolean) => void;
}

/** A table: its schema, name and columns. */
export interface TableDefinition {
  readonly schema?: string;
  readonly name: string;
  readonly columns: readonly string[];
}

export interface SqlServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Lines as a server's log would have them: logins and refusals; never a statement. */
  readonly log: readonly string[];
  readonly sessions: ReadonlyMap<number, Session>;
  addDatabase(name: string, about?: { contained?: boolean; tables?: readonly TableDefinition[] }): void;
  /** Runs a batch as `sa` without a connection; throws the first error. */
  run(text: string, database?: string): Promise<readonly ResultSet[]>;
  /** All state there is, as a copy: passwords only as hashes. For comparing before and after. */
  snapshot(): unknown;
  /** Ends all connections, and lets nobody in until `resume`. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Starts it; `port` 0 (the default) takes a free one. */
export async function startSqlServer(options: SqlServerOptions): Promise<SqlServer> {
  const engine = new SqlEngine(newServer(options.saPassword), {
    azure: options.azure === true,
    without: new Set((options.without ?? []).map((name) => name.toLowerCase())),
    now: options.now ?? (() => new Date()),
  });
  const log: string[] = [];
  const connections = new Set<Connection>();
  let sessionId = 50;
  let paused = false;
  const nextSessionId = (): number => {
    sessionId += 1;
    return sessionId;
  };
  const settings = {
    engine,
    tokens: new Map(Object.entries(options.tokens ?? {})),
    nextSessionId,
    onMessage: options.onMessage ?? (() => undefined),
    log: (line: string) => void log.push(line),
    ...secureContext(options),
  };
  const server = createServer((socket) => {
    if (paused) return void socket.destroy();
    const connection = new Connection(socket, settings);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  const cutAll = (): void => {
    for (const connection of connections) connection.end();
  };
  return {
    host: '127.0.0.1',
    port: await listen(server, options.port ?? 0),
    log,
    sessions: engine.sessions,
    addDatabase: (name, about = {}) => addDatabase(engine, name, about),
    run: (text, database = 'master') => runAsSa(engine, text, database, nextSessionId()),
    snapshot: () => structuredClone(engine.state),
    pause: () => {
      paused = true;
      cutAll();
    },
    resume: () => {
      paused = false;
    },
    close: async () => {
      server.close();
      cutAll();
      await once(server, 'close');
    },
  };
}

function secureContext({ certificate }: SqlServerOptions): { secureContext?: SecureContext } {
  return certificate === undefined ? {} : { secureContext: createSecureContext(certificate) };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function addDatabase(engine: SqlEngine, name: string, about: Parameters<SqlServer['addDatabase']>[1] & object): void {
  const database = newDatabase(newId(), name, '01', about.contained === true);
  for (const table of about.tables ?? []) {
    const schemaName = table.schema ?? 'dbo';
    const known = database.schemas.find((one) => one.name === schemaName);
    const schema = known ?? { id: newId(), name: schemaName, principalId: 1 };
    if (known === undefined) database.schemas.push(schema);
    database.objects.push({ id: newId(), name: table.name, schemaId: schema.id, columns: [...table.columns] });
  }
  engine.state.databases.push(database);
}

async function runAsSa(engine: SqlEngine, text: string, name: string, id: number): Promise<ResultSet[]> {
  const session: Session = {
    id,
    loginName: 'sa',
    sid: '01',
    authenticatingDatabase: 0,
    hostName: 'console',
    programName: 'console',
    loggedInAt: new Date(),
    database: findDatabase(engine.state, name)?.name ?? name,
    xactAbort: true,
    lockTimeoutMs: 5000,
    end: () => undefined,
  };
  const results: ResultSet[] = [];
  const params = new Map<string, Value>();
  for await (const answer of engine.run(session, text, params, new AbortController().signal)) {
    if (answer.kind === 'error') throw answer.error;
    if (answer.kind === 'rows') results.push(answer.result);
  }
  engine.leave(session);
  return results;
}
