/** A SQL Server stand-in with an admin of least privilege and as many logins as tests ask for, reached by a client that is not the rotator. */
import mssql from 'mssql';
import { type Certificates, makeCertificates } from '../../local/certificates.ts';
import { type SqlServer, startSqlServer } from '../../local/sql-server/index.ts';
import type { SqlServerTags } from '../../rotators/sql-server/tags.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Admin, Endpoint } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import type { Scene, Session, Target, Variant } from '../conformance/harness.ts';
import { newPassword } from '../conformance/step.ts';

export interface Flavour {
  readonly account: 'login' | 'contained-user';
  readonly azure?: boolean;
  /** Views and functions the server lacks. */
  readonly without?: readonly string[];
  /** How long a database of Azure goes by its copy of a login, in ms. */
  readonly loginCacheMs?: number;
  readonly lockoutThreshold?: number;
  /** Server that holds a replica of the database `orders`. */
  readonly partner?: string;
}

/** A message as the stand-in took it. */
export interface Heard {
  readonly type: number;
  readonly text: string;
  readonly encrypted: boolean;
}

/** What a test may turn while the server runs. */
export interface Knobs {
  /** Called with every message before the server acts on it. */
  listener: (message: Heard) => void;
  /** Added to the server's clock. */
  clockOffsetMs: number;
}

export interface SqlServerFixture extends Target<SqlServerTags> {
  readonly server: SqlServer;
  readonly endpoint: Endpoint;
  readonly admin: Extract<Admin, { kind: 'connection' }>;
  /** Authority of the server's certificate. */
  readonly ca: string;
  /** Everything that came in since the start. */
  readonly heard: readonly Heard[];
  readonly knobs: Knobs;
  scene(strategy: string, variant?: Partial<Variant>): Promise<Scene<SqlServerTags>>;
  connect(credential: Credential, database?: string): Promise<mssql.ConnectionPool>;
  /** Rows of a batch run as the credential. */
  ask(credential: Credential, text: string, database?: string): Promise<readonly Record<string, unknown>[]>;
}

export const quoted = (name: string): string => `[${name.replaceAll(']', ']]')}]`;
export const literal = (secret: SecretText): string => `N'${secret.reveal().replaceAll("'", "''")}'`;

/** Entra token that stands for the app. */
export const appToken = 'entra-token-of-the-function-app';
export const appLogin = 'keyturn-app';
export const adminName = 'rotation_admin';

const tables = [
  { name: 'items', columns: ['id', 'total', 'note'] },
  { schema: 'audit', name: 'trail', columns: ['id'] },
];

const securables = [
  { kind: 'type', name: 'money_list' },
  { kind: 'certificate', name: 'signing' },
  { kind: 'symmetric key', name: 'cards' },
  { kind: 'asymmetric key', name: 'wrapping' },
  { kind: 'assembly', name: 'geometry' },
] as const;

async function grantAdmin(server: SqlServer, flavour: Flavour, password: SecretText): Promise<void> {
  await server.run(`CREATE LOGIN ${adminName} WITH PASSWORD = ${literal(password)}`);
  await server.run(`CREATE LOGIN ${quoted(appLogin)} FROM EXTERNAL PROVIDER`);
  await server.run(`ALTER SERVER ROLE sysadmin ADD MEMBER ${quoted(appLogin)}`);
  if (flavour.azure) await server.run(`ALTER SERVER ROLE [##MS_LoginManager##] ADD MEMBER ${adminName}`);
  else {
    const rights = ['ALTER ANY LOGIN', 'VIEW ANY DEFINITION', 'VIEW SERVER STATE', 'ALTER ANY CONNECTION'];
    await server.run(`GRANT ${rights.join(', ')} TO ${adminName}; GRANT ALTER ANY SERVER ROLE TO ${adminName}`);
    await server.run(`CREATE SERVER ROLE monitors`);
  }
  const inOrders = `CREATE USER ${adminName} FOR LOGIN ${adminName}; ALTER ROLE db_owner ADD MEMBER ${adminName};
    CREATE ROLE clerks; GRANT INSERT, UPDATE ON OBJECT::dbo.items TO clerks`;
  await server.run(inOrders, 'orders');
}

function rightsOf(name: string, flavour: Flavour): string {
  const user = quoted(name);
  return `ALTER ROLE clerks ADD MEMBER ${user}; ALTER ROLE db_datareader ADD MEMBER ${user};
    GRANT EXECUTE ON SCHEMA::audit TO ${user}; GRANT UPDATE ON OBJECT::[dbo].[items] ([note]) TO ${user};
    DENY SELECT ON OBJECT::audit.trail TO ${user}; GRANT VIEW DATABASE STATE TO ${user} WITH GRANT OPTION;
    ${flavour.account === 'login' ? '' : `GRANT VIEW DEFINITION TO ${user}`}`;
}

async function createLogin(server: SqlServer, flavour: Flavour, credential: Credential): Promise<void> {
  const name = credential.username ?? '';
  const password = literal(credential.password);
  if (flavour.account === 'contained-user') {
    await server.run(`CREATE USER ${quoted(name)} WITH PASSWORD = ${password}, DEFAULT_SCHEMA = audit`, 'orders');
  } else {
    await server.run(`CREATE LOGIN ${quoted(name)} WITH PASSWORD = ${password}`);
    await server.run(`CREATE USER ${quoted(name)} FOR LOGIN ${quoted(name)} WITH DEFAULT_SCHEMA = audit`, 'orders');
    if (!flavour.azure) await server.run(`ALTER SERVER ROLE monitors ADD MEMBER ${quoted(name)}`);
  }
  await server.run(rightsOf(name, flavour), 'orders');
}

const proofs = ['SELECT id FROM dbo.items', 'SELECT id FROM audit.trail'];

/** A client as an application has it. */
function consumer(server: SqlServer, ca: string): Pick<SqlServerFixture, 'connect' | 'ask'> {
  let count = 0;
  const connect = async (credential: Credential, database = 'orders'): Promise<mssql.ConnectionPool> => {
    count += 1;
    const config: mssql.config = {
      server: server.host,
      port: server.port,
      user: credential.username ?? '',
      password: credential.password.reveal(),
      database,
      pool: { min: 0, max: 1 },
      options: {
        appName: `consumer-${count}`,
        encrypt: true,
        cryptoCredentialsDetails: { ca },
        maxRetriesOnTransientErrors: 0,
      },
    };
    return new mssql.ConnectionPool(config).connect();
  };
  const ask: SqlServerFixture['ask'] = async (credential, text, database = 'orders') => {
    const pool = await connect(credential, database);
    try {
      const result: mssql.IResult<Record<string, unknown>> = await pool.request().batch(text);
      return [...(result.recordset ?? [])];
    } finally {
      await pool.close();
    }
  };

  return { connect, ask };
}

/** The server with its databases; what it takes in is noted and told. */
async function startServer(
  flavour: Flavour,
  certificate: Certificates,
  heard: Heard[],
  knobs: Knobs,
): Promise<SqlServer> {
  const server = await startSqlServer({
    saPassword: newPassword().reveal(),
    certificate,
    azure: flavour.azure === true,
    without: flavour.without ?? [],
    loginCacheMs: flavour.loginCacheMs ?? 0,
    ...(flavour.lockoutThreshold === undefined ? {} : { lockoutThreshold: flavour.lockoutThreshold }),
    tokens: { [appToken]: appLogin },
    now: () => new Date(Date.now() + knobs.clockOffsetMs),
    onMessage: ({ type, data }, encrypted) => {
      const message = { type, text: data.toString('utf16le'), encrypted };
      heard.push(message);
      knobs.listener(message);
    },
  });
  const replica = flavour.partner === undefined ? {} : { partner: flavour.partner };
  server.addDatabase('orders', { contained: true, tables, securables, ...replica });
  server.addDatabase('elsewhere');
  return server;
}

/** Starts the stand-in, with TLS. */
export async function startFixture(flavour: Flavour): Promise<SqlServerFixture> {
  const certificates = await makeCertificates({ hosts: ['127.0.0.1', 'localhost'] });
  const heard: Heard[] = [];
  const knobs: Knobs = { listener: () => undefined, clockOffsetMs: 0 };
  const server = await startServer(flavour, certificates, heard, knobs);
  const adminPassword = newPassword();
  await grantAdmin(server, flavour, adminPassword);
  const endpoint: Endpoint = {
    host: server.host,
    port: server.port,
    database: 'orders',
    options: { encrypt: 'true' },
  };
  const { database: _orders, ...adminEndpoint } = endpoint;
  const admin = {
    kind: 'connection',
    secret: 'sql-admin',
    credential: { username: adminName, password: adminPassword },
  } as const;
  const { connect, ask } = consumer(server, certificates.ca);
  let count = 0;

  return {
    server,
    endpoint,
    admin,
    ca: certificates.ca,
    heard,
    knobs,
    connect,
    ask,
    environment: { trustedCertificates: [certificates.ca] },
    async scene(_strategy, variant = {}) {
      count += 1;
      const current = { username: variant.login ?? `app_${count}`, password: newPassword() };
      await createLogin(server, flavour, current);
      const self = variant.admin === 'self';
      return {
        current,
        endpoint,
        adminEndpoint: self
          ? endpoint
          : { ...adminEndpoint, ...(flavour.account === 'login' ? {} : { database: 'orders' }) },
        admin: self ? { kind: 'self' } : admin,
        options: {},
        login: (credential) => logsIn(connect, credential),
        openSession: (credential) => openSession(server, connect, credential),
        mayDo: (credential) => mayDo(ask, credential),
        snapshot: async () => server.snapshot(),
        missing: { username: `nobody_${count}`, password: newPassword() },
      };
    },
    log: async () => [...server.log, ...heard.filter((one) => !one.encrypted).map((one) => one.text)].join('\n'),
    close: () => server.close(),
  };
}

async function logsIn(connect: SqlServerFixture['connect'], credential: Credential): Promise<boolean> {
  try {
    const pool = await connect(credential);
    await pool.close();
    return true;
  } catch (error) {
    if (error instanceof mssql.ConnectionError && error.code === 'ELOGIN') return false;
    throw error;
  }
}

async function openSession(
  server: SqlServer,
  connect: SqlServerFixture['connect'],
  credential: Credential,
): Promise<Session> {
  const pool = await connect(credential);
  pool.on('error', () => undefined);
  // The driver opens lazily: without a statement there would be no session to see.
  await pool.request().batch('SELECT 1 AS one');
  const id = Math.max(...server.sessions.keys());
  return {
    alive: async () => server.sessions.has(id),
    close: async () => void (await pool.close()),
  };
}

async function mayDo(ask: SqlServerFixture['ask'], credential: Credential): Promise<readonly string[]> {
  const done: string[] = [];
  for (const statement of proofs) {
    await ask(credential, statement).then(
      () => done.push(statement),
      (error: unknown) => {
        if (!(error instanceof mssql.RequestError) || error.number !== 229) throw error;
      },
    );
  }
  const own = await ask(credential, `SELECT permission_name AS name FROM sys.fn_my_permissions(NULL, N'DATABASE')`);
  return [...done, ...own.map((row) => String(row['name']))];
}
