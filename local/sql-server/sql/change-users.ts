/** The statements about users, database roles and permissions. */
import { databaseRights } from '../permissions.ts';
import {
  type Database,
  type DatabasePrincipal,
  findLogin,
  findPrincipal,
  findServerRole,
  findUser,
  newId,
  newSid,
  type Permission,
  passwordMatches,
  sameName,
  securableClasses,
  storePassword,
} from '../state.ts';
import { type Change, checkPassword } from './change-logins.ts';
import { type Context, mayInDatabase, mayOnServer } from './context.ts';
import { SqlError, sqlErrors } from './sql-error.ts';
import type { PermissionStatement, Statement } from './syntax.ts';

type Of<Kind extends Statement['kind']> = Extract<Statement, { kind: Kind }>;

function inDatabase(context: Context, change: (database: Database) => void): Change {
  const { id } = context.database;
  return (state) => {
    for (const database of state.databases) if (database.id === id) change(database);
  };
}

function userSource(
  context: Context,
  { name, source }: Of<'create-user'>,
): Partial<DatabasePrincipal> & { sid: string } {
  switch (source.kind) {
    case 'login': {
      const login = findLogin(context.state, source.login);
      if (login === undefined) throw sqlErrors.notALogin(source.login);
      if (context.database.principals.some((one) => one.sid === login.sid)) throw sqlErrors.loginHasUser();
      return { sid: login.sid, authenticationType: 1, type: login.type === 'E' ? 'E' : 'S' };
    }
    case 'password':
      if (!context.database.contained) throw sqlErrors.notContained();
      checkPassword(source.password, name);
      return { sid: newSid(), authenticationType: 2, password: storePassword(source.password) };
    case 'external':
      return { sid: newSid(), authenticationType: 4, type: 'E' };
    case 'without-login':
      return { sid: newSid(), authenticationType: 0 };
  }
}

export function createUser(context: Context, statement: Of<'create-user'>): Change {
  const { name, options } = statement;
  if (!mayInDatabase(context, 'ALTER ANY USER')) throw sqlErrors.permissionDenied();
  if (findPrincipal(context.database, name)) throw sqlErrors.userExists(name);
  const source = userSource(context, statement);
  const id = newId();
  return inDatabase(context, (database) => {
    database.principals.push({
      id,
      name,
      type: 'S',
      authenticationType: 0,
      defaultSchema: options.defaultSchema ?? 'dbo',
      defaultLanguage: options.defaultLanguage ?? null,
      ...source,
    });
    database.permissions.push({ class: 0, majorId: 0, minorId: 0, grantee: id, permission: 'CONNECT', state: 'G' });
  });
}

export function alterUser(context: Context, statement: Of<'alter-user'>): Change {
  const { name, password, oldPassword, login, newName, options } = statement;
  const user = findUser(context.database, name);
  const own = user !== undefined && context.user.id === user.id && oldPassword !== undefined;
  if (user === undefined || !(own || mayInDatabase(context, 'ALTER ANY USER'))) {
    throw sqlErrors.cannotAlter('alter', 'user', name);
  }
  if (password !== undefined) {
    if (user.authenticationType !== 2) throw sqlErrors.cannotAlter('alter', 'user', name);
    if (oldPassword !== undefined && !passwordMatches(user.password, oldPassword)) throw sqlErrors.oldPasswordWrong();
    checkPassword(password, name);
  }
  const owner = login === undefined ? undefined : remapped(context, login);
  if (newName !== undefined && findPrincipal(context.database, newName)) throw sqlErrors.userExists(newName);
  const stored = password === undefined ? undefined : storePassword(password);
  return inDatabase(context, (database) => {
    for (const one of database.principals.filter((each) => each.id === user.id)) {
      if (stored !== undefined) one.password = stored;
      one.sid = owner ?? one.sid;
      one.name = newName ?? one.name;
      one.defaultSchema = options.defaultSchema ?? one.defaultSchema;
      one.defaultLanguage = options.defaultLanguage ?? one.defaultLanguage;
    }
  });
}

/** The SID of the login that a user is to belong to from now on, as one whose login was made anew is given back to it. */
function remapped(context: Context, name: string): string {
  const login = findLogin(context.state, name);
  if (login === undefined) throw sqlErrors.notALogin(name);
  if (context.database.principals.some((one) => one.sid === login.sid)) throw sqlErrors.loginHasUser();
  return login.sid;
}

export function dropUser(context: Context, statement: Of<'drop-user'>): Change {
  const user = findUser(context.database, statement.name);
  if (user === undefined || !mayInDatabase(context, 'ALTER ANY USER')) {
    throw sqlErrors.cannotAlter('drop', 'user', statement.name);
  }
  return inDatabase(context, (database) => {
    database.principals = database.principals.filter((one) => one.id !== user.id);
    database.members = database.members.filter((one) => one.member !== user.id);
    database.permissions = database.permissions.filter((one) => one.grantee !== user.id);
  });
}

export function createRole(context: Context, name: string): Change {
  if (!mayInDatabase(context, 'ALTER ANY ROLE')) throw sqlErrors.permissionDenied();
  if (findPrincipal(context.database, name)) throw sqlErrors.userExists(name);
  const [id, sid] = [newId(), newSid()];
  return inDatabase(context, (database) => {
    const role = {
      id,
      name,
      type: 'R',
      sid,
      authenticationType: 0,
      defaultSchema: null,
      defaultLanguage: null,
    } as const;
    database.principals.push(role);
  });
}

export function alterRole(context: Context, statement: Of<'alter-role'>): Change {
  const role = context.database.principals.find(
    (one) => one.type === 'R' && one.name.toLowerCase() === statement.role.toLowerCase(),
  );
  // Members of the fixed roles are changed by db_owner only.
  const permission = role !== undefined && role.id >= 16383 && role.id < 16400 ? 'CONTROL' : 'ALTER ANY ROLE';
  if (role === undefined || !mayInDatabase(context, permission))
    throw sqlErrors.cannotAlter('alter', 'role', statement.role);
  const member = findPrincipal(context.database, statement.member);
  if (member === undefined) {
    throw new SqlError(15410, `User or role '${statement.member}' does not exist in this database.`);
  }
  return inDatabase(context, (database) => {
    database.members = database.members.filter((one) => one.role !== role.id || one.member !== member.id);
    if (statement.action === 'add') database.members.push({ role: role.id, member: member.id });
  });
}

interface Securable {
  readonly class: number;
  readonly majorId: number;
  readonly minorIds: readonly number[];
}

function object(context: Context, parts: readonly string[], columns: readonly string[]): Securable {
  const [schemaName = 'dbo', name = ''] = parts.length === 1 ? ['dbo', parts[0] ?? ''] : parts;
  const schema = context.database.schemas.find((one) => one.name.toLowerCase() === schemaName.toLowerCase());
  const found = context.database.objects.find(
    (one) => one.schemaId === schema?.id && one.name.toLowerCase() === name.toLowerCase(),
  );
  if (found === undefined) throw sqlErrors.notFound('object', name);
  const minorIds = columns.map((column) => {
    const index = found.columns.findIndex((one) => one.toLowerCase() === column.toLowerCase());
    if (index < 0) throw sqlErrors.unknownColumn(column);
    return index + 1;
  });
  return { class: 1, majorId: found.id, minorIds: minorIds.length === 0 ? [0] : minorIds };
}

function securable(context: Context, on: NonNullable<PermissionStatement['securable']>): Securable {
  const [name = ''] = on.parts;
  switch (on.class) {
    case 'object':
      return object(context, on.parts, on.columns);
    case 'schema': {
      const schema = context.database.schemas.find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (schema === undefined) throw sqlErrors.notFound('schema', name);
      return { class: 3, majorId: schema.id, minorIds: [0] };
    }
    case 'principal': {
      const principal = findPrincipal(context.database, name);
      if (principal === undefined) throw sqlErrors.notFound('user', name);
      return { class: 4, majorId: principal.id, minorIds: [0] };
    }
    case 'database':
    case 'server':
      return { class: 0, majorId: 0, minorIds: [0] };
    case 'server-principal': {
      const principal = findLogin(context.state, name) ?? findServerRole(context.state, name);
      if (principal === undefined) throw sqlErrors.notFound('login', name);
      return { class: 101, majorId: principal.id, minorIds: [0] };
    }
    default: {
      const wanted = on.parts.at(-1) ?? '';
      const found = context.database.securables.find((one) => one.kind === on.class && sameName(one.name, wanted));
      if (found === undefined) throw sqlErrors.notFound(on.class, wanted);
      return { class: securableClasses[on.class], majorId: found.id, minorIds: [0] };
    }
  }
}

const serverWide =
  /^(CONNECT SQL|CONTROL SERVER|.* ANY (LOGIN|SERVER ROLE|CONNECTION|DATABASE)|VIEW SERVER .*|VIEW ANY .*|IMPERSONATE ANY LOGIN|UNSAFE ASSEMBLY|EXTERNAL ACCESS ASSEMBLY)$/;

function changed(
  permissions: Permission[],
  statement: PermissionStatement,
  grantee: number,
  on: Securable,
): Permission[] {
  const { action, withGrantOption } = statement;
  const touched = statement.permissions.flatMap((permission) =>
    on.minorIds.map((minorId) => ({ class: on.class, majorId: on.majorId, minorId, grantee, permission })),
  );
  const same = (one: Permission, other: Omit<Permission, 'state'>): boolean =>
    one.class === other.class &&
    one.majorId === other.majorId &&
    one.minorId === other.minorId &&
    one.grantee === other.grantee &&
    one.permission === other.permission;
  const kept = permissions.filter((one) => !touched.some((other) => same(one, other)));
  if (action === 'revoke') {
    // A column of a table that is granted as a whole cannot lose the grant, so its revocation stands beside it.
    const revoked = touched.filter(
      (one) => one.minorId !== 0 && kept.some((other) => other.state !== 'D' && same(other, { ...one, minorId: 0 })),
    );
    return [...kept, ...revoked.map((one): Permission => ({ ...one, state: 'R' }))];
  }
  const state = action === 'deny' ? 'D' : withGrantOption ? 'W' : 'G';
  return [...kept, ...touched.map((one): Permission => ({ ...one, state }))];
}

function serverPermission(context: Context, statement: PermissionStatement): Change {
  if (!mayOnServer(context, 'CONTROL SERVER')) throw new SqlError(4613, 'Grantor does not have GRANT permission.');
  const grantee = findLogin(context.state, statement.principal) ?? findServerRole(context.state, statement.principal);
  if (grantee === undefined) throw sqlErrors.notFound('login', statement.principal);
  const on: Securable =
    statement.securable === undefined
      ? { class: 100, majorId: 0, minorIds: [0] }
      : securable(context, statement.securable);
  return (state) => {
    state.permissions = changed(state.permissions, statement, grantee.id, on);
  };
}

/** Whether the statement is about what somebody may do on the server. */
export function isServerPermission(statement: Statement): boolean {
  if (statement.kind !== 'permission') return false;
  const { securable: on, permissions } = statement;
  return on?.class === 'server-principal' || (on === undefined && permissions.every((one) => serverWide.test(one)));
}

export function changePermission(context: Context, statement: PermissionStatement): Change {
  if (isServerPermission(statement)) return serverPermission(context, statement);
  const on =
    statement.securable === undefined
      ? { class: 0, majorId: 0, minorIds: [0] }
      : securable(context, statement.securable);
  const rights = databaseRights(context.database, context.user);
  if (!rights.has('CONTROL'))
    throw new SqlError(15151, 'Cannot find the object, because it does not exist or you do not have permission.');
  const grantee = findPrincipal(context.database, statement.principal);
  if (grantee === undefined) throw sqlErrors.notFound('user', statement.principal);
  return inDatabase(context, (database) => {
    database.permissions = changed(database.permissions, statement, grantee.id, on);
  });
}
