/** The statements about logins and server roles. Each looks and decides first and gives back the change to make, so that it can be made again at commit. */
import {
  findLogin,
  findServerRole,
  newId,
  newLogin,
  newSid,
  passwordMatches,
  type ServerPrincipal,
  type ServerState,
  storePassword,
} from '../state.ts';
import { type Context, mayOnServer } from './context.ts';
import { sqlErrors } from './sql-error.ts';
import type { LoginChange, LoginOptions, Statement } from './syntax.ts';

export type Change = (state: ServerState) => void;
type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

const longestPassword = 128;
const shortestPassword = 8;

/** The password policy: eight characters, three of four classes, and not the name. */
export function checkPassword(password: string, login: string): void {
  if (password.length > longestPassword) throw sqlErrors.passwordTooSimple();
  if (password.length < shortestPassword) throw sqlErrors.passwordTooShort();
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z0-9]/].filter((one) => one.test(password)).length;
  const holdsName = login.length > 2 && password.toLowerCase().includes(login.toLowerCase());
  if (classes < 3 || holdsName) throw sqlErrors.passwordTooSimple();
}

function masterOnly(context: Context): void {
  if (context.azure && context.database.name !== 'master') throw sqlErrors.masterOnly();
}

function withOptions(principal: ServerPrincipal, options: LoginOptions): void {
  principal.defaultDatabase = options.defaultDatabase ?? principal.defaultDatabase;
  principal.defaultLanguage = options.defaultLanguage ?? principal.defaultLanguage;
  principal.policyChecked = options.checkPolicy ?? principal.policyChecked;
  principal.expirationChecked = options.checkExpiration ?? principal.expirationChecked;
}

export function createLogin(context: Context, statement: Of<'create-login'>): Change {
  masterOnly(context);
  if (!mayOnServer(context, 'ALTER ANY LOGIN')) throw sqlErrors.permissionDenied();
  const { name, password, options } = statement;
  if (findLogin(context.state, name) ?? findServerRole(context.state, name)) throw sqlErrors.principalExists(name);
  const external = password === undefined;
  if (!external && options.checkPolicy !== false) checkPassword(password, name);
  const sid = options.sid ?? newSid();
  const stored = external ? undefined : storePassword(password);
  const id = newId();
  return (state) => {
    const about = { sid, type: external ? 'E' : 'S', ...(stored === undefined ? {} : { password: stored }) } as const;
    const login = newLogin(id, name, about);
    withOptions(login, options);
    state.principals.push(login);
    state.permissions.push({ class: 100, majorId: 0, minorId: 0, grantee: id, permission: 'CONNECT SQL', state: 'G' });
  };
}

/** A login may change its own password if it knows the old one; everything else wants ALTER ANY LOGIN. */
function mayAlter(context: Context, login: ServerPrincipal, change: LoginChange): boolean {
  if (mayOnServer(context, 'ALTER ANY LOGIN')) return login.id !== 1 || context.login?.id === 1;
  return change.kind === 'set' && change.oldPassword !== undefined && context.login?.id === login.id;
}

export function alterLogin(context: Context, statement: Of<'alter-login'>): Change {
  masterOnly(context);
  const { name, change } = statement;
  const login = findLogin(context.state, name);
  if (login === undefined || !mayAlter(context, login, change)) throw sqlErrors.cannotAlter('alter', 'login', name);
  const { id } = login;
  const altered =
    (alter: (one: ServerPrincipal) => void): Change =>
    (state) =>
      state.principals.filter((one) => one.id === id).forEach(alter);
  if (change.kind !== 'set') {
    return altered((one) => {
      one.disabled = change.kind === 'disable';
    });
  }
  const { password, oldPassword, options } = change;
  if (oldPassword !== undefined && !passwordMatches(login.password, oldPassword)) throw sqlErrors.oldPasswordWrong();
  if (password !== undefined && (options.checkPolicy ?? login.policyChecked)) checkPassword(password, name);
  const stored = password === undefined ? undefined : storePassword(password);
  return altered((one) => {
    if (stored !== undefined) one.password = stored;
    withOptions(one, options);
  });
}

export function dropLogin(context: Context, statement: Of<'drop-login'>): Change {
  masterOnly(context);
  const login = findLogin(context.state, statement.name);
  if (login === undefined || !mayOnServer(context, 'ALTER ANY LOGIN')) {
    throw sqlErrors.cannotAlter('drop', 'login', statement.name);
  }
  return (state) => {
    state.principals = state.principals.filter((one) => one.id !== login.id);
    state.members = state.members.filter((one) => one.member !== login.id);
    state.permissions = state.permissions.filter((one) => one.grantee !== login.id);
  };
}

export function createServerRole(context: Context, name: string): Change {
  if (!mayOnServer(context, 'ALTER ANY SERVER ROLE')) throw sqlErrors.permissionDenied();
  if (findServerRole(context.state, name) ?? findLogin(context.state, name)) throw sqlErrors.principalExists(name);
  const [id, sid] = [newId(), newSid()];
  return (state) => {
    state.principals.push(newLogin(id, name, { type: 'R', sid }));
  };
}

export function alterServerRole(context: Context, statement: Of<'alter-role'>): Change {
  const role = findServerRole(context.state, statement.role);
  if (role === undefined || !mayOnServer(context, 'ALTER ANY SERVER ROLE')) {
    throw sqlErrors.cannotAlter('alter', 'server role', statement.role);
  }
  const member = findLogin(context.state, statement.member);
  if (member === undefined) throw sqlErrors.cannotAlter('add', 'principal', statement.member);
  return (state) => {
    state.members = state.members.filter((one) => one.role !== role.id || one.member !== member.id);
    if (statement.action === 'add') state.members.push({ role: role.id, member: member.id });
  };
}
