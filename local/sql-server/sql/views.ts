/** The catalogue views, each with the rows a session may see (metadata visibility). */
import { databasePermissions, databaseRights, serverPermissions, serverRights } from '../permissions.ts';
import type { Database, Permission, ServerPrincipal } from '../state.ts';
import { type Context, mayInDatabase, mayOnServer } from './context.ts';
import type { ColumnType } from './functions.ts';
import { sqlErrors } from './sql-error.ts';
import type { Value } from './syntax.ts';

export interface View {
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly rows: (context: Context, args: readonly Value[]) => readonly Readonly<Record<string, Value>>[];
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

function seesLogin(context: Context, principal: ServerPrincipal): boolean {
  const all = mayOnServer(context, 'ALTER ANY LOGIN') || mayOnServer(context, 'VIEW ANY DEFINITION');
  return all || principal.sid === context.session.sid || principal.type === 'R' || principal.id === 1;
}

const seesUsers = (context: Context): boolean =>
  ['VIEW DEFINITION', 'ALTER ANY USER', 'ALTER ANY ROLE', 'CONTROL'].some((one) => mayInDatabase(context, one));

/** In Azure SQL Database logins and what belongs to them are seen in master only. */
function masterOnly(context: Context, name: string): void {
  if (context.azure && context.database.name !== 'master') throw sqlErrors.unknownObject(name);
}

const permissionClasses: Readonly<Record<number, string>> = {
  0: 'DATABASE',
  1: 'OBJECT_OR_COLUMN',
  3: 'SCHEMA',
  4: 'DATABASE_PRINCIPAL',
  100: 'SERVER',
};

const permissionColumns = {
  class: 'int',
  class_desc: 'nvarchar',
  major_id: 'int',
  minor_id: 'int',
  grantee_principal_id: 'int',
  permission_name: 'nvarchar',
  state: 'nvarchar',
} as const;

function permissionRow(one: Permission): Record<string, Value> {
  return {
    class: one.class,
    class_desc: permissionClasses[one.class] ?? '',
    major_id: one.majorId,
    minor_id: one.minorId,
    grantee_principal_id: one.grantee,
    permission_name: one.permission,
    state: one.state,
  };
}

function permissionRows(database: Database, context: Context): Record<string, Value>[] {
  const all = seesUsers(context);
  return database.permissions.filter((one) => all || one.grantee === context.user.id).map(permissionRow);
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

const serverViews: Readonly<Record<string, View>> = {
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
    columns: { database_id: 'int', name: 'nvarchar', state: 'int', owner_sid: 'varbinary', containment: 'int' },
    rows: (context) =>
      context.state.databases
        .filter((one) => !context.azure || context.database.name === 'master' || one.id === context.database.id)
        .map((one) => ({
          database_id: one.id,
          name: one.name,
          state: one.state,
          owner_sid: bytes(one.ownerSid),
          containment: one.contained ? 1 : 0,
        })),
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

const databaseViews: Readonly<Record<string, View>> = {
  'sys.database_principals': {
    columns: {
      principal_id: 'int',
      name: 'nvarchar',
      type: 'nvarchar',
      sid: 'varbinary',
      default_schema_name: 'nvarchar',
      default_language_name: 'nvarchar',
      authentication_type: 'int',
    },
    rows: (context) => {
      const all = seesUsers(context);
      return context.database.principals
        .filter((one) => all || one.type === 'R' || one.id === 1 || one.id === context.user.id)
        .map((one) => ({
          principal_id: one.id,
          name: one.name,
          type: one.type,
          sid: bytes(one.sid),
          default_schema_name: one.defaultSchema,
          default_language_name: one.defaultLanguage,
          authentication_type: one.authenticationType,
        }));
    },
  },
  'sys.database_role_members': {
    columns: { role_principal_id: 'int', member_principal_id: 'int' },
    rows: (context) => {
      const all = seesUsers(context);
      return context.database.members
        .filter((one) => all || one.member === context.user.id)
        .map((one) => ({ role_principal_id: one.role, member_principal_id: one.member }));
    },
  },
  'sys.database_permissions': {
    columns: permissionColumns,
    rows: (context) => permissionRows(context.database, context),
  },
  'sys.schemas': {
    columns: { schema_id: 'int', name: 'nvarchar', principal_id: 'int' },
    rows: (context) =>
      context.database.schemas.map((one) => ({ schema_id: one.id, name: one.name, principal_id: one.principalId })),
  },
  'sys.all_objects': {
    columns: { object_id: 'int', name: 'nvarchar', schema_id: 'int' },
    rows: (context) =>
      context.database.objects.map((one) => ({ object_id: one.id, name: one.name, schema_id: one.schemaId })),
  },
  'sys.all_columns': {
    columns: { object_id: 'int', name: 'nvarchar', column_id: 'int' },
    rows: (context) =>
      context.database.objects.flatMap((one) =>
        one.columns.map((name, index) => ({ object_id: one.id, name, column_id: index + 1 })),
      ),
  },
};

const views: Readonly<Record<string, View>> = { ...serverViews, ...databaseViews };

/** A table of the database: no rows, but its columns, and only for who may select from it. */
function table(context: Context, parts: readonly string[]): View | undefined {
  const [schemaName = 'dbo', objectName] = parts.length === 1 ? ['dbo', parts[0]] : parts;
  const same = (left: string, right: string | undefined): boolean => left.toLowerCase() === right?.toLowerCase();
  const schema = context.database.schemas.find((one) => same(one.name, schemaName));
  const found = context.database.objects.find((one) => one.schemaId === schema?.id && same(one.name, objectName));
  if (found === undefined) return undefined;
  if (!databaseRights(context.database, context.user, found.id).has('SELECT')) {
    throw sqlErrors.objectDenied('SELECT', found.name, context.database.name, schemaName);
  }
  return { columns: Object.fromEntries(found.columns.map((one) => [one.toLowerCase(), 'int'])), rows: () => [] };
}

export function viewOf(context: Context, parts: readonly string[]): View {
  const name = parts.join('.').toLowerCase();
  const found = context.without.has(name) ? undefined : (views[name] ?? table(context, parts));
  if (found === undefined) throw sqlErrors.unknownObject(parts.join('.'));
  return found;
}
