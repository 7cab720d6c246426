import { Cursor } from './cursor.ts';
import { expression, select } from './expressions.ts';
import { alterLogin, alterRole, alterUser, createLogin, createUser, permission } from './principal-statements.ts';
import { sqlErrors } from './sql-error.ts';
import type { Statement } from './syntax.ts';

const settings = new Set([
  'nocount',
  'xact_abort',
  'lock_timeout',
  'ansi_nulls',
  'ansi_null_dflt_on',
  'ansi_padding',
  'ansi_warnings',
  'arithabort',
  'concat_null_yields_null',
  'cursor_close_on_commit',
  'datefirst',
  'dateformat',
  'implicit_transactions',
  'language',
  'numeric_roundabort',
  'quoted_identifier',
  'textsize',
]);

function set(at: Cursor): Statement {
  if (at.takeWords('transaction', 'isolation', 'level')) {
    const level = [at.expectName(), ...(at.token.kind === 'word' ? [at.expectName()] : [])].join(' ');
    return { kind: 'set', option: 'isolation', value: level.toLowerCase() };
  }
  const option = at.expectName().toLowerCase();
  if (!settings.has(option)) at.fail();
  const negative = at.takeSymbol('-');
  if (at.token.kind === 'number') {
    const number = at.expectNumber();
    return { kind: 'set', option, value: negative ? -number : number };
  }
  return { kind: 'set', option, value: at.expectName().toLowerCase() };
}

function block(at: Cursor): Statement[] {
  if (!at.takeWords('begin')) return [statement(at)];
  const found: Statement[] = [];
  while (!at.takeWords('end')) {
    if (at.atEnd) at.fail();
    if (!at.takeSymbol(';')) found.push(statement(at));
  }
  return found;
}

function throwing(at: Cursor): Statement {
  const number = at.expectNumber();
  at.expectSymbol(',');
  const message = at.expectString();
  at.expectSymbol(',');
  return { kind: 'throw', number, message, state: at.expectNumber() };
}

function waitFor(at: Cursor): Statement {
  at.expectWords('delay');
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?$/.exec(at.expectString());
  if (match === null) return at.fail();
  const [, hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match;
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return { kind: 'wait', ms: whole * 1000 + Number(fraction.padEnd(3, '0')) };
}

function creation(at: Cursor): Statement {
  if (at.takeWords('login')) return createLogin(at);
  if (at.takeWords('user')) return createUser(at);
  if (at.takeWords('server', 'role')) return { kind: 'create-role', name: at.expectName(), onServer: true };
  at.expectWords('role');
  return { kind: 'create-role', name: at.expectName(), onServer: false };
}

function alteration(at: Cursor): Statement {
  if (at.takeWords('login')) return alterLogin(at);
  if (at.takeWords('user')) return alterUser(at);
  if (at.takeWords('server', 'role')) return alterRole(at, true);
  at.expectWords('role');
  return alterRole(at, false);
}

function removal(at: Cursor): Statement {
  if (at.takeWords('login')) return { kind: 'drop-login', name: at.expectName() };
  at.expectWords('user');
  return { kind: 'drop-user', name: at.expectName() };
}

/** `EXEC (N'…')`, or a procedure, of which there is none here. */
function execution(at: Cursor): Statement {
  if (at.takeSymbol('(')) {
    const text = at.expectString();
    at.expectSymbol(')');
    return { kind: 'execute', text };
  }
  const procedure = at.dottedName().join('.');
  while (!at.atEnd && !at.takeSymbol(';')) at.next();
  return { kind: 'call', procedure };
}

function transaction(at: Cursor, action: 'begin' | 'commit' | 'rollback'): Statement {
  if (!at.takeWords('transaction')) at.expectWords('tran');
  return { kind: 'transaction', action };
}

function statement(at: Cursor): Statement {
  if (at.takeWords('select')) return select(at);
  if (at.takeWords('set')) return set(at);
  if (at.takeWords('use')) return { kind: 'use', database: at.expectName() };
  if (at.takeWords('if')) return { kind: 'if', condition: expression(at), body: block(at) };
  if (at.takeWords('throw')) return throwing(at);
  if (at.takeWords('begin')) return transaction(at, 'begin');
  if (at.takeWords('commit')) return transaction(at, 'commit');
  if (at.takeWords('rollback')) return transaction(at, 'rollback');
  if (at.takeWords('waitfor')) return waitFor(at);
  if (at.takeWords('exec') || at.takeWords('execute')) return execution(at);
  if (at.takeWords('dbcc', 'flushauthcache')) return { kind: 'flush-logins' };
  if (at.takeWords('kill')) return { kind: 'kill', session: at.expectNumber() };
  if (at.takeWords('create')) return creation(at);
  if (at.takeWords('alter')) return alteration(at);
  if (at.takeWords('drop')) return removal(at);
  if (at.takeWords('grant')) return permission(at, 'grant');
  if (at.takeWords('deny')) return permission(at, 'deny');
  if (at.takeWords('revoke')) return permission(at, 'revoke');
  return at.fail();
}

const alone = new Map<string, string>([
  ['create-login', 'CREATE LOGIN'],
  ['alter-login', 'ALTER LOGIN'],
  ['drop-login', 'DROP LOGIN'],
]);

function everyStatement(statements: readonly Statement[]): Statement[] {
  return statements.flatMap((one) => (one.kind === 'if' ? [one, ...everyStatement(one.body)] : [one]));
}

/**
 * Reads a whole batch before anything runs: one mistake anywhere, and none of it is done. On Azure SQL Database statements about logins
 * share a batch with nothing.
 */
export function parse(text: string, azure: boolean): Statement[] {
  const at = new Cursor(text);
  const found: Statement[] = [];
  while (!at.atEnd) if (!at.takeSymbol(';')) found.push(statement(at));
  const all = everyStatement(found);
  const crowded = azure && all.length > 1 ? all.find((one) => alone.has(one.kind)) : undefined;
  if (crowded !== undefined) throw sqlErrors.notAlone(alone.get(crowded.kind) ?? '');
  return found;
}
