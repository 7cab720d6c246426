/** Views of the server: logins, databases, sessions. Each row is shown to whoever may see it. */
import { databasePermissions, databaseRights, serverPermissions, serverRights } from '../permissions.ts';
import type { Database, ServerPrincipal } from '../state.ts';
import { type Context, mayInDatabase, mayOnServer } from './context.ts';
import { sqlErrors } from './sql-error.ts';
import type { Value } from './syntax.ts';
import { bytes, permissionColumns, permissionRow, type View } from './view.ts';

function seesLogin(context: Context, principal: ServerPrincipal): boolean {
  const all = mayOnServer(context, 'ALTER ANY LOGIN') || mayOnServer(context, 'VIEW ANY DEFINITION');
  return all || principal.sid === context.session.sid || principal.type === 'R' || principal.id === 1;
}

/** In Azure SQL Database logins and what belongs to them are seen in master only. */
function masterOnly(context: Context, name: string): void {
  if (context.azure && context.database.name !== 'master') throw sqlErrors.unknownObject(name);
}

/** A row is shown to who may see any database, to its owner, and to who is in it; master and tempdb to everybody. */
function seesDatabase(context: Context, database: Database): boolean {
  const { id } = context.database;
  if (context.azure && context.database.name !== 'master' && database.id !== id) return false;
  return (
    database.id <= 2 ||
    database.id === id ||
    database.ownerSid === context.session.sid ||
    mayOnServer(context, 'VIEW ANY DATABASE') ||
    mayOnServer(context, 'ALTER ANY DATABASE')
  );
}

/** Replicas, by the server that holds each; seen with the right to see any definition. */
function replicas(context: Context): readonly { database: Database; partner: string }[] {
  if (!context.azure && !mayOnServer(context, 'VIEW ANY DEFINITION')) return [];
  return context.state.databases.flatMap((database) =>
    database.partner === undefined ? [] : [{ database, partner: database.partner }],
  );
}

function myPermissions(context: Context, args: readonly Value[]): Record<string, Value>[] {
  const onServer = String(args[1]).toUpperCase() === 'SERVER';
  const held = onServer
    ? context.login === undefined
      ? new Set<string>()
      : serverRights(context.state, context.login)
    : databaseRights(context.database, context.user);
  const order = onServer ? serverPermissions : databasePermissions;
  return order
    .filter((one) => held.has(one))
    .map((one) => ({
      entity_name: onServer ? 'server' : 'database',
      subentity_name: '',
      permission_name: one,
    }));
}

function sessionRows(context: Context): Record<string, Value>[] {
  const all =
    mayOnServer(context, 'VIEW SERVER STATE') || (context.azure && mayInDatabase(context, 'VIEW DATABASE STATE'));
  const seen = [...context.sessions.values()].filter((one) => all || one.id === context.session.id);
  const here = context.azure
    ? seen.filter((one) => one.database.toLowerCase() === context.database.name.toLowerCase())
    : seen;
  return here.map((one) => ({
    session_id: one.id,
    login_name: one.loginName,
    original_login_name: one.loginName,
    original_security_id: bytes(one.sid),
    host_name: one.hostName,
    program_name: one.programName,
    is_user_process: true,
    authenticating_database_id: one.authenticatingDatabase,
    login_time: one.loggedInAt,
  }));
}

export const serverViews: Readonly<Record<string, View>> = {
  'sys.sql_logins': {
    columns: {
      principal_id: 'int',
      name: 'nvarchar',
      sid: 'varbinary',
      is_disabled: 'bit',
      is_policy_checked: 'bit',
      is_expiration_checked: 'bit',
      default_database_name: 'nvarchar',
      default_language_name: 'nvarchar',
      modify_date: 'datetime2',
    },
    rows: (context) => {
      masterOnly(context, 'sys.sql_logins');
      return context.state.principals
        .filter((one) => one.type === 'S' && seesLogin(context, one))
        .map((one) => ({
          principal_id: one.id,
          name: one.name,
          sid: bytes(one.sid),
          is_disabled: one.disabled,
          is_policy_checked: one.policyChecked,
          is_expiration_checked: one.expirationChecked,
          default_database_name: one.defaultDatabase,
          default_language_name: one.defaultLanguage,
          modify_date: new Date(one.modifiedAt),
        }));
    },
  },
  'sys.server_principals': {
    columns: { principal_id: 'int', name: 'nvarchar', sid: 'varbinary', type: 'nvarchar', is_disabled: 'bit' },
    rows: (context) => {
      masterOnly(context, 'sys.server_principals');
      return context.state.principals
        .filter((one) => seesLogin(context, one))
        .map((one) => ({
          principal_id: one.id,
          name: one.name,
          sid: bytes(one.sid),
          type: one.type,
          is_disabled: one.disabled,
        }));
    },
  },
  'sys.server_role_members': {
    columns: { role_principal_id: 'int', member_principal_id: 'int' },
    rows: (context) => {
      masterOnly(context, 'sys.server_role_members');
      const all = mayOnServer(context, 'VIEW ANY DEFINITION') || mayOnServer(context, 'ALTER ANY SERVER ROLE');
      return context.state.members
        .filter((one) => all || one.member === context.login?.id)
        .map((one) => ({ role_principal_id: one.role, member_principal_id: one.member }));
    },
  },
  'sys.server_permissions': {
    columns: permissionColumns,
    rows: (context) => {
      masterOnly(context, 'sys.server_permissions');
      const all = mayOnServer(context, 'VIEW ANY DEFINITION') || mayOnServer(context, 'ALTER ANY LOGIN');
      return context.state.permissions.filter((one) => all || one.grantee === context.login?.id).map(permissionRow);
    },
  },
  'sys.databases': {
    columns: {
      database_id: 'int',
      name: 'nvarchar',
      state: 'int',
      owner_sid: 'varbinary',
      containment: 'int',
      is_read_only: 'bit',
      is_trustworthy_on: 'bit',
      replica_id: 'nvarchar',
    },
    rows: (context) =>
      context.state.databases
        .filter((one) => seesDatabase(context, one))
        .map((one) => ({
          database_id: one.id,
          name: one.name,
          state: one.state,
          owner_sid: bytes(one.ownerSid),
          containment: one.contained ? 1 : 0,
          is_read_only: one.readOnly,
          is_trustworthy_on: one.trustworthy,
          replica_id: context.azure || one.partner === undefined ? null : `replica of ${one.id}`,
        })),
  },
  'sys.dm_geo_replication_link_status': {
    columns: { partner_server: 'nvarchar', partner_database: 'nvarchar', role: 'int' },
    rows: (context) => {
      if (!context.azure) throw sqlErrors.unknownObject('sys.dm_geo_replication_link_status');
      if (!mayInDatabase(context, 'VIEW DATABASE STATE')) throw sqlErrors.databaseStateDenied(context.database.name);
      const here = replicas(context).filter(({ database }) => database.id === context.database.id);
      return here.map(({ database, partner }) => ({
        partner_server: partner,
        partner_database: database.name,
        role: 0,
      }));
    },
  },
  'sys.geo_replication_links': {
    columns: { database_id: 'int', partner_server: 'nvarchar', partner_database: 'nvarchar', role: 'int' },
    rows: (context) => {
      masterOnly(context, 'sys.geo_replication_links');
      if (!context.azure) throw sqlErrors.unknownObject('sys.geo_replication_links');
      return replicas(context).map(({ database, partner }) => ({
        database_id: database.id,
        partner_server: partner,
        partner_database: database.name,
        role: 0,
      }));
    },
  },
  'sys.dm_exec_sessions': {
    columns: {
      session_id: 'int',
      login_name: 'nvarchar',
      original_login_name: 'nvarchar',
      original_security_id: 'varbinary',
      host_name: 'nvarchar',
      program_name: 'nvarchar',
      is_user_process: 'bit',
      authenticating_database_id: 'int',
      login_time: 'datetime2',
    },
    rows: sessionRows,
  },
  'sys.fn_my_permissions': {
    columns: { entity_name: 'nvarchar', subentity_name: 'nvarchar', permission_name: 'nvarchar' },
    rows: myPermissions,
  },
};
