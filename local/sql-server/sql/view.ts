/** What the catalogue views have in common. */
import type { Permission } from '../state.ts';
import type { Context } from './context.ts';
import type { ColumnType } from './functions.ts';
import type { Value } from './syntax.ts';

export interface View {
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly rows: (context: Context, args: readonly Value[]) => readonly Readonly<Record<string, Value>>[];
}

export const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

const permissionClasses: Readonly<Record<number, string>> = {
  0: 'DATABASE',
  1: 'OBJECT_OR_COLUMN',
  3: 'SCHEMA',
  4: 'DATABASE_PRINCIPAL',
  5: 'ASSEMBLY',
  6: 'TYPE',
  24: 'SYMMETRIC_KEYS',
  25: 'CERTIFICATE',
  26: 'ASYMMETRIC_KEY',
  100: 'SERVER',
  101: 'SERVER_PRINCIPAL',
};

export const permissionColumns = {
  class: 'int',
  class_desc: 'nvarchar',
  major_id: 'int',
  minor_id: 'int',
  grantee_principal_id: 'int',
  permission_name: 'nvarchar',
  state: 'nvarchar',
} as const;

export function permissionRow(one: Permission): Record<string, Value> {
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
