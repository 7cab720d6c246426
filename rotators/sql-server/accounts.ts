/** What an account is: a login of the server, or a user whose password is in its database. */
import * as z from 'zod';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import { SqlFault } from './fault.ts';
import { quoteName, quoteText } from './quote.ts';
import type { Server } from './server.ts';

export const master = 'master';

export interface Account {
  readonly kind: 'login' | 'contained-user';
  /** Where it is changed: master, or the database that holds the password. */
  readonly home: string;
}

const authentication = z.object({ type: z.number() });
const inDatabase = 2;

const typeQuery = 'SELECT authentication_type AS type FROM sys.database_principals WHERE name = @first;';

function accountOf(users: readonly z.infer<typeof authentication>[], database: string): Account {
  const isContained = users.some((user) => user.type === inDatabase);
  return isContained ? { kind: 'contained-user', home: database } : { kind: 'login', home: master };
}

/**
 * The kind of account a name logs in as at the endpoint. A contained user of the name comes first there, as it does for the server
 * when somebody logs in.
 */
export async function findAccount(server: Server, name: string, endpoint: Endpoint): Promise<Account> {
  const database = endpoint.database ?? server.database;
  const login: Account = { kind: 'login', home: master };
  if (database.toLowerCase() === master) return login;
  try {
    const users = await server.rows(authentication, database, typeQuery, { first: name });
    return accountOf(users, database);
  } catch (error) {
    // An admin of logins need not be able to enter the database; then it cannot change a contained user in it either.
    if (error instanceof SqlFault && (error.kind === 'missing' || error.kind === 'refused')) return login;
    throw error;
  }
}

/** Azure SQL Database takes `login@server` from older clients; the login itself has no such ending. */
export function bareName(username: string, endpoint: Endpoint): string {
  const [label = ''] = endpoint.host.split('.');
  const ending = `@${label.toLowerCase()}`;
  const onAzure = endpoint.host.includes('.database.') && username.toLowerCase().endsWith(ending);
  return onAzure && username.length > ending.length ? username.slice(0, -ending.length) : username;
}

const loginRow: z.ZodType<LoginRow> = z.object({
  id: z.number(),
  name: z.string(),
  sid: z.instanceof(Buffer),
  disabled: z.boolean(),
  policy: z.boolean(),
  expiration: z.boolean(),
  database: z.string().nullable(),
  language: z.string().nullable(),
});

interface LoginRow {
  readonly id: number;
  readonly name: string;
  readonly sid: Buffer;
  readonly disabled: boolean;
  readonly policy: boolean;
  readonly expiration: boolean;
  readonly database: string | null;
  readonly language: string | null;
}

const userRow = z.object({
  id: z.number(),
  name: z.string(),
  sid: z.instanceof(Buffer),
  schema: z.string().nullable(),
  language: z.string().nullable(),
});

/** An account as the catalogue describes it. */
export interface Principal {
  readonly id: number;
  readonly name: string;
  readonly sid: Buffer;
  readonly disabled: boolean;
  /** Whether it is locked out after so many wrong passwords, and whether its password expires by the server's policy. */
  readonly policy: boolean;
  readonly expiration: boolean;
  /** What a second account must be created with, as options of CREATE LOGIN or CREATE USER. */
  readonly creation: readonly string[];
}

const onOff = (value: boolean): string => (value ? 'ON' : 'OFF');

/** The account of a name; undefined when there is none, or none that we may see. */
export async function findPrincipal(server: Server, account: Account, name: string): Promise<Principal | undefined> {
  return (await findPair(server, account, name, name))[0];
}

interface Identified {
  readonly account: Account;
  readonly pair: readonly [Principal | undefined, Principal | undefined];
}

/**
 * The kind of account that the first name logs in as, and both accounts. Both questions go in one batch; on Azure SQL Database two
 * connections are asked at a time.
 */
export async function identify(server: Server, first: string, second: string, endpoint: Endpoint): Promise<Identified> {
  const together = await identifyTogether(server, first, second, endpoint.database ?? server.database);
  if (together !== undefined) return together;
  const login: Account = { kind: 'login', home: master };
  const logins = findPair(server, login, first, second).then(
    (pair) => ({ kind: 'found' as const, pair }),
    // An admin of contained users alone may be unknown in master; whether that matters shows below.
    (error: unknown) => ({ kind: 'failed' as const, error }),
  );
  const account = await findAccount(server, first, endpoint);
  if (account.kind === 'contained-user') return { account, pair: await findPair(server, account, first, second) };
  const found = await logins;
  if (found.kind === 'failed') throw found.error;
  return { account, pair: found.pair };
}

/** Undefined where the two must be asked one by one: another connection is needed, or one of them cannot be answered. */
async function identifyTogether(
  server: Server,
  first: string,
  second: string,
  database: string,
): Promise<Identified | undefined> {
  if (server.azure || database.toLowerCase() === master) return undefined;
  try {
    const batch = `${typeQuery}\nUSE ${quoteName(master)};\n${loginsQuery}`;
    const [types = [], logins = []] = await server.read(database, batch, { first, second });
    const account = accountOf(z.array(authentication).parse(types), database);
    if (account.kind === 'contained-user') return { account, pair: await findPair(server, account, first, second) };
    const found = z.array(loginRow).parse(logins);
    return {
      account,
      pair: pairAmong(
        found.map((row) => loginOf(server, row)),
        first,
        second,
      ),
    };
  } catch (error) {
    if (error instanceof SqlFault && ['missing', 'refused', 'forbidden', 'rejected'].includes(error.kind))
      return undefined;
    throw error;
  }
}

/** Two accounts by their names, in one question. */
export async function findPair(
  server: Server,
  account: Account,
  first: string,
  second: string,
): Promise<Identified['pair']> {
  const found =
    account.kind === 'login'
      ? await findLogins(server, first, second)
      : await findContainedUsers(server, account.home, first, second);
  return pairAmong(found, first, second);
}

function pairAmong(found: readonly Principal[], first: string, second: string): Identified['pair'] {
  // The server compares names by its collation, which most often knows no case.
  const named = (name: string): Principal | undefined =>
    found.find((one) => one.name === name) ?? found.find((one) => one.name.toLowerCase() === name.toLowerCase());
  return [named(first), named(second)];
}

const loginsQuery = `SELECT principal_id AS id, name, sid, is_disabled AS disabled, is_policy_checked AS policy,
    is_expiration_checked AS expiration, default_database_name AS [database], default_language_name AS [language]
    FROM sys.sql_logins WHERE name IN (@first, @second)`;

async function findLogins(server: Server, first: string, second: string): Promise<readonly Principal[]> {
  return (await server.rows(loginRow, master, loginsQuery, { first, second })).map((login) => loginOf(server, login));
}

function loginOf(server: Server, login: LoginRow): Principal {
  // Azure SQL Database takes none of these options.
  const creation = server.azure
    ? []
    : [
        ...(login.database === null ? [] : [`DEFAULT_DATABASE = ${quoteName(login.database)}`]),
        ...(login.language === null ? [] : [`DEFAULT_LANGUAGE = ${quoteName(login.language)}`]),
        `CHECK_EXPIRATION = ${onOff(login.expiration)}`,
        `CHECK_POLICY = ${onOff(login.policy)}`,
      ];
  const { id, name, sid, disabled, policy, expiration } = login;
  return { id, name, sid, disabled, policy, expiration, creation };
}

async function findContainedUsers(
  server: Server,
  database: string,
  first: string,
  second: string,
): Promise<readonly Principal[]> {
  const query = `SELECT principal_id AS id, name, sid, default_schema_name AS [schema], default_language_name AS [language]
    FROM sys.database_principals WHERE name IN (@first, @second) AND authentication_type = ${inDatabase}`;
  const users = await server.rows(userRow, database, query, { first, second });
  return users.map(({ id, name, sid, schema, language }) => ({
    id,
    name,
    sid,
    disabled: false,
    policy: false,
    expiration: false,
    creation: [...schemaOption(schema), ...(language === null ? [] : [`DEFAULT_LANGUAGE = ${quoteName(language)}`])],
  }));
}

const nameRow = z.object({ name: z.string() });

/** Whether the name belongs to something that is no account of this kind: a role, an Entra or Windows login, a user of a login. */
export async function isTaken(server: Server, account: Account, name: string): Promise<boolean> {
  const catalogue = account.kind === 'login' ? 'sys.server_principals' : 'sys.database_principals';
  try {
    const query = `SELECT name FROM ${catalogue} WHERE name = @name`;
    return (await server.rows(nameRow, account.home, query, { name })).length > 0;
  } catch (error) {
    // A server without the view says so itself when the account is created.
    if (error instanceof SqlFault && (error.kind === 'rejected' || error.kind === 'forbidden')) return false;
    throw error;
  }
}

export function schemaOption(schema: string | null): readonly string[] {
  return schema === null ? [] : [`DEFAULT_SCHEMA = ${quoteName(schema)}`];
}

/** The statement that gives the account a password; with `old` it is refused unless that is the password now. */
export function passwordStatement(
  account: Account,
  name: string,
  next: string,
  about: { readonly old?: string; readonly unlock?: boolean } = {},
): string {
  const what = account.kind === 'login' ? 'LOGIN' : 'USER';
  const compare = about.old === undefined ? '' : ` OLD_PASSWORD = ${quoteText(about.old)}`;
  const unlock = about.unlock === true ? ' UNLOCK' : '';
  return `ALTER ${what} ${quoteName(name)} WITH PASSWORD = ${quoteText(next)}${compare}${unlock};`;
}

/** A lockout goes on under a new password. Azure SQL Database knows neither lockouts nor the word. */
export function mayBeLocked(server: Server, { policy }: Principal): boolean {
  return policy && !server.azure;
}
