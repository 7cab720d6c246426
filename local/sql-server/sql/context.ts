import type { LoginMemory } from '../login-memory.ts';
import { databaseRights, isSysadmin, serverRights } from '../permissions.ts';
import {
  type Database,
  type DatabasePrincipal,
  findDatabase,
  type ServerPrincipal,
  type ServerState,
} from '../state.ts';
import { sqlErrors } from './sql-error.ts';
import type { Value } from './syntax.ts';

/** One logged-in connection. */
export interface Session {
  readonly id: number;
  /** Name of the login, or of the contained user. */
  readonly loginName: string;
  readonly sid: string;
  /** 1, which is master, for logins; for contained users the id of the database that knows the password. */
  readonly authenticatingDatabase: number;
  readonly hostName: string;
  readonly programName: string;
  readonly loggedInAt: Date;
  database: string;
  /** The database it entered first, and goes back to when it is taken out of a pool. */
  readonly loginDatabase: string;
  xactAbort: boolean;
  /** -1 waits for ever, as the server does unless told. */
  lockTimeoutMs: number;
  transaction?: Transaction;
  /** Cuts the connection. */
  readonly end: () => void;
}

/** Works on a copy of the state; what it did is done again on the shared state at commit. */
export interface Transaction {
  readonly state: ServerState;
  readonly changes: ((state: ServerState) => void)[];
}

/** Everything one statement sees. Made anew for each: the statement before may have changed any of it. */
export interface Context {
  readonly state: ServerState;
  readonly session: Session;
  readonly sessions: ReadonlyMap<number, Session>;
  readonly params: ReadonlyMap<string, Value>;
  readonly now: Date;
  /** Azure SQL Database: no USE, logins only seen in master. */
  readonly azure: boolean;
  readonly memory: LoginMemory;
  /** Views and functions this server does not have, in lower case. */
  readonly without: ReadonlySet<string>;
  readonly database: Database;
  readonly user: DatabasePrincipal;
  readonly login?: ServerPrincipal;
}

/** What a session of a login names as the database that knows its password: the server's security team says 1, not 0. */
export const masterId = 1;

const guest: DatabasePrincipal = {
  id: 2,
  name: 'guest',
  type: 'S',
  sid: '00',
  authenticationType: 1,
  defaultSchema: 'guest',
  defaultLanguage: null,
};

/** Databases that everybody may enter. */
const withGuest: ReadonlySet<string> = new Set(['master', 'tempdb', 'msdb']);

/** The user a session is in a database; undefined when it may not enter. */
export function userIn(
  state: ServerState,
  session: Pick<Session, 'sid' | 'authenticatingDatabase'>,
  database: Database,
): DatabasePrincipal | undefined {
  const contained = session.authenticatingDatabase !== masterId;
  if (contained && session.authenticatingDatabase !== database.id) return undefined;
  const login = state.principals.find((one) => one.sid === session.sid);
  const dbo = database.principals.find((one) => one.id === 1);
  if (login !== undefined && (isSysadmin(state, login) || database.ownerSid === login.sid)) return dbo;
  const user = database.principals.find((one) => one.type !== 'R' && one.sid === session.sid);
  if (user !== undefined) return databaseRights(database, user).has('CONNECT') ? user : undefined;
  if (login !== undefined && serverRights(state, login).has('CONNECT ANY DATABASE')) return guest;
  return withGuest.has(database.name) ? guest : undefined;
}

export function contextOf(about: Omit<Context, 'database' | 'user' | 'login'>): Context {
  const { state, session } = about;
  const database = findDatabase(state, session.database);
  if (database === undefined) throw sqlErrors.databaseUnknown(session.database);
  const login = state.principals.find((one) => one.sid === session.sid);
  const user = userIn(state, session, database) ?? guest;
  return { ...about, database, user, ...(login === undefined ? {} : { login }) };
}

/** Whether the session holds a permission on the server. */
export function mayOnServer(context: Context, permission: string): boolean {
  return context.login !== undefined && serverRights(context.state, context.login).has(permission);
}

/** Whether the session holds a permission on the database it is in. */
export function mayInDatabase(context: Context, permission: string): boolean {
  if (databaseRights(context.database, context.user).has(permission)) return true;
  // Whoever may see every definition of the server sees those of its databases too.
  const sees = permission === 'VIEW DEFINITION' && mayOnServer(context, 'VIEW ANY DEFINITION');
  return sees || mayOnServer(context, 'CONTROL SERVER');
}
