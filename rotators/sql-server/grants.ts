/** What a login or user was given: roles and permissions on the server and in databases. Read as rows, compared as sets. */
import { quoteName } from './quote.ts';

export interface Right {
  /** Absent: on the server. */
  readonly database?: string;
  readonly kind: 'user' | 'role' | 'permission';
  /** `SELECT ON OBJECT::[dbo].[items]`, or the name of a role; empty for `user`. */
  readonly text: string;
  /** `revoked`: a column that is taken out of what its table grants. */
  readonly state: 'granted' | 'grantable' | 'denied' | 'revoked';
  /** Set on a permission on something that cannot be named in a GRANT of ours: it is compared, and never copied. */
  readonly nameless?: true;
}

export interface DatabaseUser {
  readonly database: string;
  readonly id: number;
  readonly name: string;
  readonly schema: string | null;
}

/** A user or role that has the name of an account and not its security id. */
export interface Namesake extends DatabaseUser {
  readonly sid: Buffer | null;
  /** Whether a login of the server stands behind it, or stood: one that was made anew, or came with a backup, has another id. */
  readonly ofLogin: boolean;
  readonly rights: readonly Right[];
}

export interface Rights {
  readonly rights: readonly Right[];
  readonly users: readonly DatabaseUser[];
  readonly namesakes: readonly Namesake[];
}

/** A row of sys.database_permissions or sys.server_permissions, with the names behind its numbers. */
export interface PermissionRow {
  readonly class: number;
  readonly classText: string;
  readonly majorId: number;
  readonly permission: string;
  readonly state: string;
  /** Of what the permission is on; null where it has no name that we know. */
  readonly name: string | null;
  readonly schemaName: string | null;
  readonly columnName: string | null;
  /** Of a principal: R for a role. */
  readonly principalType: string | null;
}

const states: Readonly<Record<string, Right['state']>> = { G: 'granted', W: 'grantable', D: 'denied', R: 'revoked' };

/** What stands before the name in a GRANT, by class: https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-database-permissions-transact-sql */
const prefixes: Readonly<Record<number, string>> = {
  1: 'OBJECT',
  3: 'SCHEMA',
  5: 'ASSEMBLY',
  6: 'TYPE',
  24: 'SYMMETRIC KEY',
  25: 'CERTIFICATE',
  26: 'ASYMMETRIC KEY',
};

const principalPrefixes: Readonly<Record<string, string>> = { R: 'ROLE', A: 'APPLICATION ROLE' };
const serverPrincipals = 101;
const databasePrincipals = 4;

function prefixOf(row: PermissionRow): string | undefined {
  const type = row.principalType?.trim() ?? '';
  if (row.class === databasePrincipals) return principalPrefixes[type] ?? 'USER';
  if (row.class === serverPrincipals) return type === 'R' ? 'SERVER ROLE' : 'LOGIN';
  return prefixes[row.class];
}

/** The end of a GRANT: what the permission is on. Undefined for what cannot be written again by name. */
function securable(row: PermissionRow): string | undefined {
  if (row.class === 0 || row.class === 100) return '';
  const prefix = prefixOf(row);
  const { name, schemaName, columnName } = row;
  if (prefix === undefined || name === null) return undefined;
  if (row.class !== 1 && row.class !== 6) return ` ON ${prefix}::${quoteName(name)}`;
  if (schemaName === null) return undefined;
  const column = columnName === null ? '' : ` (${quoteName(columnName)})`;
  return ` ON ${prefix}::${quoteName(schemaName)}.${quoteName(name)}${column}`;
}

export function permissionRight(row: PermissionRow, database: string | undefined): Right {
  const place = database === undefined ? {} : { database };
  const on = securable(row);
  const state = states[row.state.trim()] ?? 'granted';
  if (on !== undefined) return { ...place, kind: 'permission', text: `${row.permission}${on}`, state };
  // Class and id tell one nameless thing from another.
  const text = `${row.permission} ON ${row.classText} ${row.majorId}`;
  return { ...place, kind: 'permission', text, state, nameless: true };
}

/** A right as a person reads it. */
export function describeRight(right: Right): string {
  const place = right.database === undefined ? 'on the server' : `in ${right.database}`;
  if (right.kind === 'user') return `a user ${place}`;
  const without = { denied: 'the denial of ', revoked: 'the revocation of ', granted: '', grantable: '' }[right.state];
  const grantable = right.state === 'grantable' ? ' with grant option' : '';
  return `${without}${right.kind === 'role' ? 'role ' : ''}${right.text}${grantable} ${place}`;
}

const keyOf = (right: Right): string =>
  [right.database?.toLowerCase(), right.kind, right.text.toLowerCase(), right.state].join('\n');

/** Whether the right takes something away. */
export const lessens = ({ state }: Right): boolean => state === 'denied' || state === 'revoked';

export interface Difference {
  /** What the first has and the second lacks. */
  readonly missing: readonly Right[];
  /** What makes the second more powerful than the first: rights of its own, or a denial it does not share. */
  readonly extra: readonly Right[];
  /** What makes the second less powerful than the first: rights it lacks, or a denial of its own. */
  readonly lesser: readonly Right[];
}

/** Compares the rights of the login in use with those of another. */
export function compareRights(live: readonly Right[], other: readonly Right[]): Difference {
  const [mine, theirs] = [new Set(live.map(keyOf)), new Set(other.map(keyOf))];
  const missing = live.filter((right) => !theirs.has(keyOf(right)));
  const added = other.filter((right) => !mine.has(keyOf(right)));
  return {
    missing,
    extra: [...added.filter((right) => !lessens(right)), ...missing.filter(lessens)],
    lesser: [...missing.filter((right) => !lessens(right)), ...added.filter(lessens)],
  };
}

/** The statement that gives a right; undefined for what cannot be given by name, which verify then names as missing. */
export function grantStatement(right: Right, name: string): string | undefined {
  if (right.kind === 'user') return undefined;
  if (right.kind === 'role') {
    const what = right.database === undefined ? 'SERVER ROLE' : 'ROLE';
    return `ALTER ${what} ${quoteName(right.text)} ADD MEMBER ${quoteName(name)};`;
  }
  if (right.nameless) return undefined;
  if (right.state === 'revoked') return `REVOKE ${right.text} FROM ${quoteName(name)};`;
  const verb = right.state === 'denied' ? 'DENY' : 'GRANT';
  const option = right.state === 'grantable' ? ' WITH GRANT OPTION' : '';
  return `${verb} ${right.text} TO ${quoteName(name)}${option};`;
}

/** All statements, those that take a column out of a grant behind the grants. */
export function grantStatements(rights: readonly Right[], name: string): readonly string[] {
  const late = (right: Right): number => (right.state === 'revoked' ? 1 : 0);
  return [...rights].sort((a, b) => late(a) - late(b)).flatMap((right) => grantStatement(right, name) ?? []);
}
