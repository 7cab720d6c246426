/** Who may do what: roles, grants and denials, as far as the statements of the stand-in ask for them. */
import type { Database, DatabasePrincipal, Membership, Permission, ServerPrincipal, ServerState } from './state.ts';

/** Server permissions in the order `fn_my_permissions` would give them. */
export const serverPermissions = [
  'CONNECT SQL',
  'ALTER ANY LOGIN',
  'ALTER ANY SERVER ROLE',
  'ALTER ANY CONNECTION',
  'CONTROL SERVER',
  'VIEW ANY DEFINITION',
  'VIEW SERVER STATE',
  'VIEW SERVER PERFORMANCE STATE',
  'VIEW ANY DATABASE',
  'CONNECT ANY DATABASE',
  'CREATE ANY DATABASE',
  'ALTER ANY DATABASE',
  'IMPERSONATE ANY LOGIN',
  'UNSAFE ASSEMBLY',
  'EXTERNAL ACCESS ASSEMBLY',
];

export const databasePermissions = [
  'CONNECT',
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'EXECUTE',
  'ALTER ANY USER',
  'ALTER ANY ROLE',
  'CONTROL',
  'VIEW DEFINITION',
  'VIEW DATABASE STATE',
  'KILL DATABASE CONNECTION',
];

const byServerRole: Readonly<Record<string, readonly string[]>> = {
  sysadmin: serverPermissions,
  securityadmin: ['ALTER ANY LOGIN', 'VIEW ANY DEFINITION'],
  processadmin: ['ALTER ANY CONNECTION', 'VIEW SERVER STATE'],
  dbcreator: ['CREATE ANY DATABASE'],
  '##ms_loginmanager##': ['ALTER ANY LOGIN', 'VIEW ANY DEFINITION'],
  '##ms_serverstatereader##': ['VIEW SERVER STATE', 'VIEW SERVER PERFORMANCE STATE'],
  public: ['CONNECT SQL', 'VIEW ANY DATABASE'],
};

const byDatabaseRole: Readonly<Record<string, readonly string[]>> = {
  db_owner: databasePermissions,
  db_accessadmin: ['ALTER ANY USER', 'CONNECT'],
  db_securityadmin: ['ALTER ANY ROLE', 'VIEW DEFINITION'],
  db_datareader: ['SELECT'],
  db_datawriter: ['INSERT', 'UPDATE', 'DELETE'],
  loginmanager: [],
};

/** What a permission brings with it. */
const implied: Readonly<Record<string, readonly string[]>> = {
  'CONTROL SERVER': serverPermissions,
  CONTROL: databasePermissions,
  'VIEW SERVER STATE': ['VIEW SERVER PERFORMANCE STATE'],
  'ALTER ANY LOGIN': [],
};

function rolesOf(members: readonly Membership[], principal: number, everyone: number): Set<number> {
  const found = new Set([everyone]);
  const open = [principal];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { role, member } of members) {
      if (member !== next || found.has(role)) continue;
      found.add(role);
      open.push(role);
    }
  }
  return found;
}

function spread(held: Set<string>): Set<string> {
  return new Set([...held].flatMap((permission) => [permission, ...(implied[permission] ?? [])]));
}

function without(granted: Set<string>, denied: Set<string>): Set<string> {
  return new Set([...granted].filter((permission) => !denied.has(permission)));
}

function stated(permissions: readonly Permission[], holders: Set<number>, states: string): Set<string> {
  return new Set(
    permissions.filter((one) => holders.has(one.grantee) && states.includes(one.state)).map((one) => one.permission),
  );
}

/** The effective server permissions of a login. */
export function serverRights(state: ServerState, login: ServerPrincipal): Set<string> {
  const everyone = state.principals.find((one) => one.name === 'public')?.id ?? 2;
  const roles = rolesOf(state.members, login.id, everyone);
  const names = state.principals.filter((one) => roles.has(one.id)).map((one) => one.name.toLowerCase());
  if (names.includes('sysadmin')) return new Set(serverPermissions);
  const holders = new Set([...roles, login.id]);
  const byRole = new Set(names.flatMap((name) => byServerRole[name] ?? []));
  const granted = new Set([...byRole, ...spread(stated(state.permissions, holders, 'GW'))]);
  return without(granted, stated(state.permissions, holders, 'D'));
}

export function isSysadmin(state: ServerState, login: ServerPrincipal): boolean {
  const sysadmin = state.principals.find((one) => one.name === 'sysadmin')?.id;
  return state.members.some((one) => one.role === sysadmin && one.member === login.id);
}

/** Logins to be changed by whoever has CONTROL SERVER alone. */
export function isProtected(state: ServerState, login: ServerPrincipal): boolean {
  return (
    isSysadmin(state, login) ||
    state.permissions.some(
      (one) => one.grantee === login.id && one.permission === 'CONTROL SERVER' && one.state !== 'D',
    )
  );
}

/** Whether a permission on a whole database, a schema or one object reaches the object asked about. */
function reaches(one: Permission, database: Database, objectId: number | undefined): boolean {
  if (one.class === 0) return true;
  if (objectId === undefined) return false;
  if (one.class === 1) return one.majorId === objectId && one.minorId === 0;
  return (
    one.class === 3 && database.objects.some((object) => object.id === objectId && object.schemaId === one.majorId)
  );
}

/** The effective permissions of a user in a database, or on one object of it. */
export function databaseRights(database: Database, user: DatabasePrincipal, objectId?: number): Set<string> {
  const roles = rolesOf(database.members, user.id, 0);
  const names = database.principals.filter((one) => roles.has(one.id)).map((one) => one.name.toLowerCase());
  if (user.id === 1 || names.includes('db_owner')) return new Set(databasePermissions);
  const holders = new Set([...roles, user.id]);
  const reaching = database.permissions.filter((one) => reaches(one, database, objectId));
  const byRole = new Set(names.flatMap((name) => byDatabaseRole[name] ?? []));
  const granted = new Set([...byRole, ...spread(stated(reaching, holders, 'GW'))]);
  return without(granted, stated(reaching, holders, 'D'));
}

/** Whether the user is a member of the database role, also by way of other roles. */
export function isRoleMember(database: Database, user: DatabasePrincipal, role: string): boolean {
  const roles = rolesOf(database.members, user.id, 0);
  return database.principals.some((one) => roles.has(one.id) && one.name.toLowerCase() === role.toLowerCase());
}

export function isServerRoleMember(state: ServerState, login: ServerPrincipal, role: string): boolean {
  const roles = rolesOf(state.members, login.id, 2);
  return state.principals.some((one) => roles.has(one.id) && one.name.toLowerCase() === role.toLowerCase());
}
