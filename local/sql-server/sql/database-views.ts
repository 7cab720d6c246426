/** Views of one database: users, roles, permissions and what they are on. */
import type { Database, Securable } from '../state.ts';
import { type Context, mayInDatabase } from './context.ts';
import type { Value } from './syntax.ts';
import { bytes, permissionColumns, permissionRow, type View } from './view.ts';

const seesUsers = (context: Context): boolean =>
  ['VIEW DEFINITION', 'ALTER ANY USER', 'ALTER ANY ROLE', 'CONTROL'].some((one) => mayInDatabase(context, one));

function securablesView(kind: Securable['kind'], id: string): View {
  const inSchema = kind === 'type';
  return {
    columns: { [id]: 'int', name: 'nvarchar', ...(inSchema ? { schema_id: 'int' } : {}) },
    rows: (context) =>
      context.database.securables
        .filter((one) => one.kind === kind)
        .map((one) => ({ [id]: one.id, name: one.name, ...(inSchema ? { schema_id: one.schemaId } : {}) })),
  };
}

function permissionRows(database: Database, context: Context): Record<string, Value>[] {
  const all = seesUsers(context);
  return database.permissions.filter((one) => all || one.grantee === context.user.id).map(permissionRow);
}

export const databaseViews: Readonly<Record<string, View>> = {
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
  'sys.types': securablesView('type', 'user_type_id'),
  'sys.assemblies': securablesView('assembly', 'assembly_id'),
  'sys.certificates': securablesView('certificate', 'certificate_id'),
  'sys.symmetric_keys': securablesView('symmetric key', 'symmetric_key_id'),
  'sys.asymmetric_keys': securablesView('asymmetric key', 'asymmetric_key_id'),
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
