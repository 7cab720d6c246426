/**
 * A stand-in for SQL Server on loopback: the wire protocol, real login state, and a strict reading of the statements the rotator sends.
 * It is no database: tables hold no rows. What Microsoft's reference says of logins, permissions and Azure SQL Database it does; FreeTDS
 * and Microsoft.Data.SqlClient log in to it in tests. It lives here and not with the tests because the demo rotates a login on it.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createSecureContext } from 'node:tls';
import { Gate } from './authenticate.ts';
import { Connection, type SecureContexts } from './connection.ts';
import { LoginMemory } from './login-memory.ts';
import type { Session } from './sql/context.ts';
import { masterId } from './sql/context.ts';
import { SqlEngine } from './sql/engine.ts';
import type { ResultSet } from './sql/run-select.ts';
import { SqlError } from './sql/sql-error.ts';
import { findDatabase, newDatabase, newId, newServer, type Securable } from './state.ts';
import type { Message } from './tds/packets.ts';

export { packetTypes } from './tds/packets.ts';
export { SqlError };

export interface SqlServerOptions {
  /** Password of `sa`. */
  readonly saPassword: string;
  /** PEM; absent: the server does not encrypt at all. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Whether a client that does not encrypt is sent away; Azure SQL Database does so always. */
  readonly demandsEncryption?: boolean;
  /** Behaves as Azure SQL Database: no USE, logins seen and changed in master only, each in a batch of its own. */
  readonly azure?: boolean;
  /** On Azure SQL Database: how long a database goes by its copy of a login, in ms. 0 (the default): no time at all. */
  readonly loginCacheMs?: number;
  /** Wrong passwords in a row that lock a login whose policy is checked. Absent: none do. */
  readonly lockoutThreshold?: number;
  /** Longest age of a password whose expiration is checked. Default 42, as Windows has it. */
  readonly passwordMaxAgeDays?: number;
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

export interface DatabaseAbout {
  readonly contained?: boolean;
  readonly trustworthy?: boolean;
  readonly tables?: readonly TableDefinition[];
  /** Types, certificates, keys and assemblies that permissions may be given on. Types are in the schema dbo. */
  readonly securables?: readonly Pick<Securable, 'kind' | 'name'>[];
  /** Server that holds a replica of it: by an availability group, on Azure SQL Database by geo-replication. */
  readonly partner?: string;
}

export interface SqlServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Lines as a server's log would have them: logins and refusals; never a statement. */
  readonly log: readonly string[];
  readonly sessions: ReadonlyMap<number, Session>;
  addDatabase(name: string, about?: DatabaseAbout): void;
  /** Takes a database off, or makes it refuse changes. */
  setDatabase(name: string, change: { readonly offline?: boolean; readonly readOnly?: boolean }): void;
  /** Pauses a database of Azure SQL Database, as serverless ones are when nobody uses them: as many logins as `tries` find it asleep. */
  putToSleep(name: string, tries: number): void;
  /** Has sessions that are told to end undo their work, which takes until they are let go again. */
  holdSessions(on: boolean): void;
  /** Answers every login with this error, until it is told otherwise. */
  failLogins(error: SqlError | undefined): void;
  /** Empties the copies of logins that a database goes by, as DBCC FLUSHAUTHCACHE does. */
  flushLogins(name: string): void;
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
  const { engine, gate, memory, state, azure } = makeServer(options);
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
    gate,
    demandsEncryption: options.demandsEncryption ?? azure,
    nextSessionId,
    onMessage: options.onMessage ?? (() => undefined),
    log: (line: string) => void log.push(line),
    ...secureContexts(options),
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
    setDatabase: (name, change) => {
      const database = findDatabase(state, name);
      if (database === undefined) throw new Error(`there is no database ${name}`);
      if (change.offline !== undefined) database.state = change.offline ? 6 : 0;
      if (change.readOnly !== undefined) database.readOnly = change.readOnly;
    },
    putToSleep: (name, tries) => void gate.asleep.set(name.toLowerCase(), tries),
    holdSessions: (on) => engine.hold(on),
    failLogins: (error) => {
      gate.trouble = error;
    },
    flushLogins: (name) => memory.flush(findDatabase(state, name)?.id ?? 0),
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

function makeServer(options: SqlServerOptions) {
  const azure = options.azure === true;
  const now = options.now ?? (() => new Date());
  const { lockoutThreshold, loginCacheMs = 0, passwordMaxAgeDays = 42 } = options;
  const memory = new LoginMemory({
    copyMs: azure ? loginCacheMs : 0,
    ...(lockoutThreshold === undefined ? {} : { lockoutThreshold }),
  });
  const state = newServer(options.saPassword, azure);
  const without = new Set((options.without ?? []).map((name) => name.toLowerCase()));
  const engine = new SqlEngine(state, { azure, memory, without, now });
  const tokens = new Map(Object.entries(options.tokens ?? {}));
  const gate = new Gate(state, memory, { azure, tokens, now, passwordMaxAgeMs: passwordMaxAgeDays * 86_400_000 });
  return { engine, gate, memory, state, azure };
}

function secureContexts({ certificate }: SqlServerOptions): { secureContexts?: SecureContexts } {
  if (certificate === undefined) return {};
  const tds7 = createSecureContext({ ...certificate, maxVersion: 'TLSv1.2' });
  return { secureContexts: { tds7, tds8: createSecureContext(certificate) } };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

function addDatabase(engine: SqlEngine, name: string, about: DatabaseAbout): void {
  const { contained = false, trustworthy = false, partner } = about;
  const replica = partner === undefined ? {} : { partner };
  const database = newDatabase(newId(), name, '01', { contained, trustworthy, ...replica });
  for (const securable of about.securables ?? []) database.securables.push({ ...securable, id: newId(), schemaId: 1 });
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
    authenticatingDatabase: masterId,
    loginDatabase: name,
    hostName: 'console',
    programName: 'console',
    loggedInAt: new Date(),
    database: findDatabase(engine.state, name)?.name ?? name,
    xactAbort: true,
    lockTimeoutMs: 5000,
    end: () => undefined,
  };
  const results: ResultSet[] = [];
  for await (const answer of engine.run(session, { text, params: new Map() }, new AbortController().signal)) {
    if (answer.kind === 'error') throw answer.error;
    if (answer.kind === 'rows') results.push(answer.result);
  }
  engine.leave(session);
  return results;
}
