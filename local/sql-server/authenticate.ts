import type { LoginMemory } from './login-memory.ts';
import { serverRights } from './permissions.ts';
import { checkPassword } from './sql/change-logins.ts';
import { masterId, type Session, userIn } from './sql/context.ts';
import { SqlError, sqlErrors } from './sql/sql-error.ts';
import {
  type Database,
  findDatabase,
  findLogin,
  findUser,
  passwordMatches,
  type ServerPrincipal,
  type ServerState,
  storePassword,
} from './state.ts';
import type { Login7 } from './tds/login7.ts';

export type Identity = Pick<Session, 'loginName' | 'sid' | 'authenticatingDatabase' | 'database'>;

export type Authenticated =
  | { readonly kind: 'in'; readonly identity: Identity }
  /** Errors in the order the server sends them. */
  | { readonly kind: 'refused'; readonly errors: readonly SqlError[] };

const refused = (...errors: SqlError[]): Authenticated => ({ kind: 'refused', errors });

export interface GateSettings {
  readonly azure: boolean;
  /** Entra tokens, each with the name of its login. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly now: () => Date;
  /** Longest age of a password whose expiration is checked. */
  readonly passwordMaxAgeMs: number;
}

/** Decides about logins. */
export class Gate {
  readonly #state: ServerState;
  readonly #memory: LoginMemory;
  readonly #settings: GateSettings;
  /** Databases that are asleep, with how many tries it takes until they are awake. */
  readonly asleep = new Map<string, number>();
  /** Answers every login, while it is set. */
  trouble: SqlError | undefined;

  constructor(state: ServerState, memory: LoginMemory, settings: GateSettings) {
    this.#state = state;
    this.#memory = memory;
    this.#settings = settings;
  }

  decide(login: Login7): Authenticated {
    if (this.trouble !== undefined) return refused(this.trouble);
    const sleeping = this.#wake(login.database);
    if (sleeping !== undefined) return refused(sleeping);
    if (login.token !== undefined) return this.#byToken(login.token, login);
    return this.#contained(login) ?? this.#byPassword(login);
  }

  /** The first try wakes a database that was paused, and it is not there for that one. */
  #wake(name: string): SqlError | undefined {
    const left = this.asleep.get(name.toLowerCase());
    if (left === undefined) return undefined;
    if (left <= 1) this.asleep.delete(name.toLowerCase());
    else this.asleep.set(name.toLowerCase(), left - 1);
    return sqlErrors.databasePaused(name);
  }

  #byToken(token: string, login: Login7): Authenticated {
    const name = this.#settings.tokens.get(token);
    const principal = name === undefined ? undefined : findLogin(this.#state, name);
    if (principal?.type !== 'E') return refused(sqlErrors.loginFailed('<token-identified principal>', 1));
    return this.#enter(principal, login.database);
  }

  /** A contained user is asked for first, and if there is one of the name its password alone decides. */
  #contained(login: Login7): Authenticated | undefined {
    const database = findDatabase(this.#state, login.database);
    if (database?.contained !== true) return undefined;
    const user = findUser(database, login.userName);
    if (user === undefined || user.authenticationType !== 2) return undefined;
    if (!passwordMatches(user.password, login.password)) return refused(sqlErrors.loginFailed(login.userName, 1));
    const { name: loginName, sid } = user;
    return { kind: 'in', identity: { loginName, sid, authenticatingDatabase: database.id, database: database.name } };
  }

  #byPassword(login: Login7): Authenticated {
    const principal = this.#known(login);
    if (principal?.type !== 'S') return refused(sqlErrors.loginFailed(login.userName, 1));
    if (this.#memory.isLocked(principal)) return refused(sqlErrors.lockedOut(login.userName));
    if (!passwordMatches(principal.password, login.password)) {
      this.#memory.failed(principal);
      return refused(sqlErrors.loginFailed(login.userName, 1));
    }
    if (principal.disabled) return refused(sqlErrors.loginDisabled(login.userName));
    const stale = this.#stale(principal, login) ?? this.#change(principal, login);
    if (stale !== undefined) return refused(...stale);
    if (!serverRights(this.#state, principal).has('CONNECT SQL')) {
      return refused(sqlErrors.loginFailed(login.userName, 1));
    }
    const entered = this.#enter(principal, login.database);
    if (entered.kind === 'in') this.#memory.forget(principal.id);
    return entered;
  }

  /** In master the logins are; every other database of Azure SQL Database goes by its copy. */
  #known(login: Login7): ServerPrincipal | undefined {
    const lookUp = (): ServerPrincipal | undefined => findLogin(this.#state, login.userName);
    const database = findDatabase(this.#state, login.database);
    if (!this.#settings.azure || database === undefined || database.id === masterId) return lookUp();
    return this.#memory.asKnownTo(database.id, login.userName, this.#settings.now().getTime(), lookUp);
  }

  /** A password that is right and may not be used any more, unless the client brings the next one along. */
  #stale(principal: ServerPrincipal, login: Login7): readonly SqlError[] | undefined {
    if (login.newPassword !== undefined) return undefined;
    if (principal.mustChange) return [sqlErrors.mustChangePassword(login.userName)];
    const age = this.#settings.now().getTime() - principal.passwordSetAt;
    const expired = principal.expirationChecked && age > this.#settings.passwordMaxAgeMs;
    return expired ? [sqlErrors.passwordExpired(login.userName)] : undefined;
  }

  /** The change of password that LOGIN7 may carry. */
  #change(principal: ServerPrincipal, login: Login7): readonly SqlError[] | undefined {
    if (login.newPassword === undefined) return undefined;
    try {
      if (principal.policyChecked) checkPassword(login.newPassword, principal.name);
    } catch (error) {
      if (error instanceof SqlError) return [error, sqlErrors.loginFailed(login.userName, 1)];
      throw error;
    }
    const now = this.#settings.now().getTime();
    for (const one of this.#state.principals.filter(({ id }) => id === principal.id)) {
      one.password = storePassword(login.newPassword);
      one.passwordSetAt = now;
      one.modifiedAt = now;
      one.mustChange = false;
    }
    return undefined;
  }

  #enter(principal: ServerPrincipal, wanted: string): Authenticated {
    const name = wanted === '' ? principal.defaultDatabase : wanted;
    const database = findDatabase(this.#state, name);
    if (database === undefined || !this.#mayEnter(principal, database)) {
      const notOpened = wanted === '' ? sqlErrors.defaultDatabaseNotOpened() : sqlErrors.databaseNotOpened(name);
      return refused(notOpened, sqlErrors.loginFailed(principal.name, 1));
    }
    const { name: loginName, sid } = principal;
    return { kind: 'in', identity: { loginName, sid, authenticatingDatabase: masterId, database: database.name } };
  }

  #mayEnter({ sid }: ServerPrincipal, database: Database): boolean {
    // Only what decides about entering a database is read of the session.
    return (
      database.state === 0 && userIn(this.#state, { sid, authenticatingDatabase: masterId }, database) !== undefined
    );
  }
}
