import { serverRights } from './permissions.ts';
import { type Session, userIn } from './sql/context.ts';
import { type SqlError, sqlErrors } from './sql/sql-error.ts';
import { findDatabase, findLogin, findUser, passwordMatches, type ServerPrincipal, type ServerState } from './state.ts';
import type { Login7 } from './tds/login7.ts';

export type Identity = Pick<Session, 'loginName' | 'sid' | 'authenticatingDatabase' | 'database'>;

export type Authenticated =
  | { readonly kind: 'in'; readonly identity: Identity }
  /** Errors in the order the server sends them. */
  | { readonly kind: 'refused'; readonly errors: readonly SqlError[] };

const refused = (...errors: SqlError[]): Authenticated => ({ kind: 'refused', errors });

/** A contained user is asked for first, and if there is one of the name its password alone decides. */
function contained(state: ServerState, login: Login7): Authenticated | undefined {
  const database = findDatabase(state, login.database);
  if (database?.contained !== true) return undefined;
  const user = findUser(database, login.userName);
  if (user === undefined || user.authenticationType !== 2) return undefined;
  if (!passwordMatches(user.password, login.password)) return refused(sqlErrors.loginFailed(login.userName, 1));
  const identity = {
    loginName: user.name,
    sid: user.sid,
    authenticatingDatabase: database.id,
    database: database.name,
  };
  return { kind: 'in', identity };
}

function enter(state: ServerState, principal: ServerPrincipal, wanted: string): Authenticated {
  const name = wanted === '' ? principal.defaultDatabase : wanted;
  const database = findDatabase(state, name);
  const identity = { loginName: principal.name, sid: principal.sid, authenticatingDatabase: 0, database: name };
  // Only what decides about entering a database is read of the session.
  const session = { sid: principal.sid, authenticatingDatabase: 0 };
  if (database === undefined || database.state !== 0 || userIn(state, session, database) === undefined) {
    return refused(sqlErrors.databaseNotOpened(name), sqlErrors.loginFailed(principal.name, 1));
  }
  return { kind: 'in', identity: { ...identity, database: database.name } };
}

/** Decides about a login. `tokens` maps Entra tokens to the names of their logins. */
export function authenticate(state: ServerState, login: Login7, tokens: ReadonlyMap<string, string>): Authenticated {
  if (login.token !== undefined) {
    const name = tokens.get(login.token);
    const principal = name === undefined ? undefined : findLogin(state, name);
    if (principal?.type !== 'E') return refused(sqlErrors.loginFailed('<token-identified principal>', 1));
    return enter(state, principal, login.database);
  }
  const inDatabase = contained(state, login);
  if (inDatabase !== undefined) return inDatabase;
  const principal = findLogin(state, login.userName);
  if (principal?.type !== 'S' || !passwordMatches(principal.password, login.password)) {
    return refused(sqlErrors.loginFailed(login.userName, 1));
  }
  if (principal.disabled) return refused(sqlErrors.loginDisabled(login.userName));
  if (!serverRights(state, principal).has('CONNECT SQL')) return refused(sqlErrors.loginFailed(login.userName, 1));
  return enter(state, principal, login.database);
}
