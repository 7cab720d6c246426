/** The statements about logins and server roles. Each looks and decides first and gives back the change to make, so that it can be made again at commit. */
import { isProtected } from '../permissions.ts';
import {
  findLogin,
  findServerRole,
  newAzureSid,
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

/** Azure SQL Database takes a password, the one before it, a name, and the SID of a new login; nothing else. */
function azureOptions({ azure }: Context, options: LoginOptions, unlock: boolean): void {
  if (!azure) return;
  const { sid: _sid, mustChange, ...others } = options;
  const [first] = Object.keys(others);
  if (first !== undefined || mustChange === true || unlock) throw sqlErrors.notOnAzure(first ?? 'MUST_CHANGE');
}

function withOptions(principal: ServerPrincipal, options: LoginOptions): void {
  principal.defaultDatabase = options.defaultDatabase ?? principal.defaultDatabase;
  principal.defaultLanguage = options.defaultLanguage ?? principal.defaultLanguage;
  principal.policyChecked = options.checkPolicy ?? principal.policyChecked;
  principal.expirationChecked = options.checkExpiration ?? principal.expirationChecked;
  principal.mustChange = options.mustChange ?? principal.mustChange;
}

export function createLogin(context: Context, statement: Of<'create-login'>): Change {
  masterOnly(context);
  if (!mayOnServer(context, 'ALTER ANY LOGIN')) throw sqlErrors.permissionDenied();
  const { name, password, options } = statement;
  azureOptions(context, options, false);
  if (findLogin(context.state, name) ?? findServerRole(context.state, name)) throw sqlErrors.principalExists(name);
  const external = password === undefined;
  if (!external && options.checkPolicy !== false) checkPassword(password, name);
  if (options.mustChange === true && options.checkExpiration !== true) throw sqlErrors.mustChangeUnchecked();
  const sid = options.sid ?? (context.azure ? newAzureSid() : newSid());
  const now = context.now.getTime();
  const stored = external ? undefined : storePassword(password);
  const id = newId();
  return (state) => {
    const times = { modifiedAt: now, passwordSetAt: now };
    const kept = stored === undefined ? {} : { password: stored };
    const about = { sid, type: external ? 'E' : 'S', ...times, ...kept } as const;
    const login = newLogin(id, name, about);
    withOptions(login, options);
    state.principals.push(login);
    state.permissions.push({ class: 100, majorId: 0, minorId: 0, grantee: id, permission: 'CONNECT SQL', state: 'G' });
  };
}

/** A login may change its own password if it knows the old one; everything else wants ALTER ANY LOGIN. */
function mayAlter(context: Context, login: ServerPrincipal, change: LoginChange): boolean {
  if (mayOnServer(context, 'ALTER ANY LOGIN')) {
    return !isProtected(context.state, login) || mayOnServer(context, 'CONTROL SERVER');
  }
  return change.kind === 'set' && change.oldPassword !== undefined && context.login?.id === login.id;
}

export function alterLogin(context: Context, statement: Of<'alter-login'>): Change {
  masterOnly(context);
  const { name, change } = statement;
  const login = findLogin(context.state, name);
  if (login === undefined || !mayAlter(context, login, change)) throw sqlErrors.cannotAlter('alter', 'login', name);
  const { id } = login;
  const now = context.now.getTime();
  const altered =
    (alter: (one: ServerPrincipal) => void): Change =>
    (state) => {
      for (const one of state.principals.filter((each) => each.id === id)) {
        alter(one);
        one.modifiedAt = now;
      }
    };
  if (change.kind !== 'set') {
    return altered((one) => {
      one.disabled = change.kind === 'disable';
    });
  }
  const { password, oldPassword, options, newName, unlock } = change;
  azureOptions(context, options, unlock);
  if (newName !== undefined && findLogin(context.state, newName)) throw sqlErrors.principalExists(newName);
  if (oldPassword !== undefined && !passwordMatches(login.password, oldPassword)) throw sqlErrors.oldPasswordWrong();
  if (password !== undefined && (options.checkPolicy ?? login.policyChecked)) checkPassword(password, name);
  const expires = options.checkExpiration ?? login.expirationChecked;
  if (options.mustChange === true && !expires) throw sqlErrors.mustChangeUnchecked();
  const stored = password === undefined ? undefined : storePassword(password);
  return altered((one) => {
    if (stored !== undefined) {
      one.password = stored;
      one.passwordSetAt = now;
      one.mustChange = false;
    }
    one.name = newName ?? one.name;
    withOptions(one, options);
    if (unlock) context.memory.forget(id);
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
