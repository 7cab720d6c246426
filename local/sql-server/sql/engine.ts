import { setTimeout as delay } from 'node:timers/promises';
import type { LoginMemory } from '../login-memory.ts';
import { findDatabase, type ServerState } from '../state.ts';
import { alterLogin, alterServerRole, type Change, createLogin, createServerRole, dropLogin } from './change-logins.ts';
import {
  alterRole,
  alterUser,
  changePermission,
  createRole,
  createUser,
  dropUser,
  isServerPermission,
} from './change-users.ts';
import { type Context, contextOf, mayInDatabase, mayOnServer, type Session, userIn } from './context.ts';
import { evaluate } from './evaluate.ts';
import { Locks } from './locks.ts';
import { parse } from './parser.ts';
import { type ResultSet, runSelect } from './run-select.ts';
import { SqlError, sqlErrors } from './sql-error.ts';
import type { Statement, Value } from './syntax.ts';

/** What a batch answers, in order. */
export type Answer =
  | { readonly kind: 'rows'; readonly result: ResultSet }
  | { readonly kind: 'database'; readonly name: string }
  | { readonly kind: 'error'; readonly error: SqlError }
  | { readonly kind: 'done' };

type Changing = Extract<
  Statement,
  { kind: `${'create' | 'alter' | 'drop'}-${'login' | 'user' | 'role'}` | 'permission' }
>;

/** Answers of the statements so far, and in the end whether the batch goes on. */
type Running = AsyncGenerator<Answer, boolean>;

/** Name of the lock a change takes: the login, or the database. */
function lockOf(statement: Changing, context: Context): string {
  const onServer = statement.kind.endsWith('-login') || ('onServer' in statement && statement.onServer);
  if (onServer && 'name' in statement) return `login ${statement.name.toLowerCase()}`;
  return onServer || isServerPermission(statement) ? 'server roles' : `database ${context.database.id}`;
}

function plan(context: Context, statement: Changing): Change {
  switch (statement.kind) {
    case 'create-login':
      return createLogin(context, statement);
    case 'alter-login':
      return alterLogin(context, statement);
    case 'drop-login':
      return dropLogin(context, statement);
    case 'create-user':
      return createUser(context, statement);
    case 'alter-user':
      return alterUser(context, statement);
    case 'drop-user':
      return dropUser(context, statement);
    case 'create-role':
      return statement.onServer ? createServerRole(context, statement.name) : createRole(context, statement.name);
    case 'alter-role':
      return statement.onServer ? alterServerRole(context, statement) : alterRole(context, statement);
    case 'permission':
      return changePermission(context, statement);
  }
}

interface About {
  readonly azure: boolean;
  readonly memory: LoginMemory;
  readonly without: ReadonlySet<string>;
  readonly now: () => Date;
}

/** A statement with the values of its parameters, by name. */
interface Bound {
  readonly text: string;
  readonly params: ReadonlyMap<string, Value>;
}

/** Runs batches against the shared state. */
export class SqlEngine {
  readonly sessions = new Map<number, Session>();
  readonly state: ServerState;
  readonly #about: About;
  readonly #locks = new Locks();
  /** Sessions that were told to end and undo their work first; absent: they end at once. */
  #held: Session[] | undefined;

  constructor(state: ServerState, about: About) {
    this.state = state;
    this.#about = about;
  }

  /** Runs a batch; `signal` is the client's attention. */
  async *run(session: Session, bound: Bound, signal: AbortSignal): AsyncGenerator<Answer> {
    yield* this.#batch(session, bound, signal);
  }

  /** Whether sessions that are told to end take their time; those that did are let go. */
  hold(on: boolean): void {
    for (const session of this.#held ?? []) this.#end(session);
    this.#held = on ? [] : undefined;
  }

  #end(session: Session): void {
    this.leave(session);
    session.end();
  }

  /** A session as new, for whoever takes its connection out of a pool. */
  reset(session: Session): void {
    this.#endTransaction(session);
    session.database = session.loginDatabase;
    session.xactAbort = false;
    session.lockTimeoutMs = -1;
  }

  /** Ends what the session left open. */
  leave(session: Session): void {
    this.sessions.delete(session.id);
    this.#endTransaction(session);
  }

  async *#batch(session: Session, { text, params }: Bound, signal: AbortSignal): Running {
    let statements: Statement[];
    try {
      statements = parse(text, this.#about.azure);
    } catch (error) {
      const failed = this.#failed(session, error);
      yield failed.answer;
      return !failed.endsBatch;
    }
    return yield* this.#all(session, statements, params, signal);
  }

  async *#all(
    session: Session,
    statements: readonly Statement[],
    params: ReadonlyMap<string, Value>,
    signal: AbortSignal,
  ): Running {
    for (const statement of statements) {
      if (signal.aborted) return false;
      try {
        const context = this.#context(session, params);
        if (statement.kind === 'if') {
          if (evaluate(context, new Map(), statement.condition) !== true) continue;
          const goesOn = yield* this.#all(session, statement.body, params, signal);
          if (!goesOn) return false;
          continue;
        }
        if (statement.kind === 'execute') {
          const inner = { text: statement.text, params: new Map<string, Value>() };
          const { database } = session;
          const goesOn = yield* this.#batch(session, inner, signal);
          // What it switched to ends with it, as with a procedure.
          session.database = database;
          if (!goesOn && session.xactAbort) return false;
          continue;
        }
        const answer = await this.#one(context, statement, signal);
        if (answer !== undefined) yield answer;
      } catch (error) {
        const failed = this.#failed(session, error);
        yield failed.answer;
        if (failed.endsBatch) return false;
      }
    }
    return true;
  }

  #context(session: Session, params: ReadonlyMap<string, Value>): Context {
    const state = session.transaction?.state ?? this.state;
    const { azure, memory, without, now } = this.#about;
    return contextOf({ state, session, sessions: this.sessions, params, now: now(), azure, memory, without });
  }

  /** With XACT_ABORT an error undoes the transaction and ends the batch. */
  #failed(session: Session, error: unknown): { answer: Answer; endsBatch: boolean } {
    if (!(error instanceof SqlError)) throw error;
    const undone = session.xactAbort || error.number === 1222;
    if (undone && session.transaction !== undefined) this.#endTransaction(session);
    return { answer: { kind: 'error', error }, endsBatch: session.xactAbort || error.endsBatch };
  }

  #endTransaction(session: Session): void {
    delete session.transaction;
    this.#locks.release(session.id);
  }

  async #one(
    context: Context,
    statement: Exclude<Statement, { kind: 'if' | 'execute' }>,
    signal: AbortSignal,
  ): Promise<Answer | undefined> {
    switch (statement.kind) {
      case 'select':
        return { kind: 'rows', result: runSelect(context, statement) };
      case 'set':
        this.#set(context.session, statement.option, statement.value);
        return undefined;
      case 'use':
        return this.#use(context, statement.database);
      case 'throw':
        throw new SqlError(statement.number, statement.message, { state: statement.state, endsBatch: true });
      case 'transaction':
        this.#transaction(context.session, statement.action);
        return undefined;
      case 'wait':
        await delay(statement.ms, undefined, { signal }).catch(() => undefined);
        return undefined;
      case 'kill':
        this.#kill(context, statement.session);
        return undefined;
      case 'call':
        throw sqlErrors.unknownProcedure(statement.procedure);
      case 'flush-logins':
        this.#flush(context);
        return undefined;
      default:
        await this.#change(context, statement, signal);
        return { kind: 'done' };
    }
  }

  async #change(context: Context, statement: Changing, signal: AbortSignal): Promise<void> {
    const { session, database } = context;
    const onServer = lockOf(statement, context) !== `database ${database.id}`;
    if (database.readOnly && !onServer) throw sqlErrors.databaseReadOnly(database.name);
    await this.#locks.take(lockOf(statement, context), session.id, session.lockTimeoutMs, signal);
    try {
      // The state may have changed while the lock was waited for.
      const change = plan(this.#context(session, context.params), statement);
      change(session.transaction?.state ?? this.state);
      session.transaction?.changes.push(change);
    } finally {
      if (session.transaction === undefined) this.#locks.release(session.id);
    }
  }

  #set(session: Session, option: string, value: string | number): void {
    if (option === 'xact_abort') session.xactAbort = value === 'on';
    if (option === 'lock_timeout') session.lockTimeoutMs = Number(value);
  }

  #use(context: Context, name: string): Answer {
    const database = findDatabase(context.state, name);
    if (context.azure && name.toLowerCase() !== context.database.name.toLowerCase()) throw sqlErrors.useUnsupported();
    if (database === undefined || database.state !== 0) throw sqlErrors.databaseUnknown(name);
    if (userIn(context.state, context.session, database) === undefined) {
      throw sqlErrors.databaseDenied(context.session.loginName, name);
    }
    context.session.database = database.name;
    return { kind: 'database', name: database.name };
  }

  #transaction(session: Session, action: 'begin' | 'commit' | 'rollback'): void {
    if (action === 'begin') {
      session.transaction ??= { state: structuredClone(this.state), changes: [] };
      return;
    }
    const open = session.transaction;
    if (open === undefined) throw sqlErrors.noTransaction(`${action.toUpperCase()} TRANSACTION`);
    if (action === 'commit') for (const change of open.changes) change(this.state);
    this.#endTransaction(session);
  }

  /** Of the copies of logins in the database it runs in. */
  #flush(context: Context): void {
    if (!context.azure) throw sqlErrors.syntax('flushauthcache');
    if (!mayInDatabase(context, 'KILL DATABASE CONNECTION')) throw sqlErrors.permissionDenied();
    context.memory.flush(context.database.id);
  }

  #kill(context: Context, id: number): void {
    const allowed =
      mayOnServer(context, 'ALTER ANY CONNECTION') ||
      (context.azure && mayInDatabase(context, 'KILL DATABASE CONNECTION'));
    if (!allowed) throw sqlErrors.killDenied();
    if (id === context.session.id) throw sqlErrors.killSelf();
    const victim = this.sessions.get(id);
    // On Azure SQL Database a session is seen, and ended, from the database it is in.
    if (victim === undefined || (context.azure && victim.database !== context.database.name))
      throw sqlErrors.sessionUnknown(id);
    if (this.#held === undefined) this.#end(victim);
    else this.#held.push(victim);
  }
}
