/** What a login or user was given: roles and permissions on the server and in databases. Read as rows, compared as sets. */
import * as z from 'zod';
import { type Account, master, type Principal } from './accounts.ts';
import { SqlFault } from './fault.ts';
import { quoteName } from './quote.ts';
import type { Params, Server } from './server.ts';

export interface Right {
  /** Absent: on the server. */
  readonly database?: string;
  readonly kind: 'user' | 'role' | 'permission';
  /** `SELECT ON OBJECT::[dbo].[items]`, or the name of a role; empty for `user`. */
  readonly text: string;
  readonly state: 'granted' | 'grantable' | 'denied';
  /** Set on a permission on something that cannot be named in a GRANT of ours: it is compared, and never copied. */
  readonly nameless?: true;
}

export interface DatabaseUser {
  readonly database: string;
  readonly id: number;
  readonly name: string;
  readonly schema: string | null;
  readonly language: string | null;
}

export interface Rights {
  readonly rights: readonly Right[];
  readonly users: readonly DatabaseUser[];
  /** Databases the one who asks may not enter, and `the server roles` where those cannot be read. */
  readonly unseen: readonly string[];
}

const nameRow = z.object({ name: z.string() });

const permissionRow = z.object({
  class: z.number(),
  classText: z.string(),
  permission: z.string(),
  state: z.string(),
  objectName: z.string().nullable(),
  objectSchema: z.string().nullable(),
  columnName: z.string().nullable(),
  schemaName: z.string().nullable(),
  principalName: z.string().nullable(),
  principalType: z.string().nullable(),
});

const stateByLetter: Readonly<Record<string, Right['state']>> = { G: 'granted', W: 'grantable', D: 'denied' };

/** The end of a GRANT: what the permission is on. Undefined for what cannot be written again by name. */
function securable(row: z.infer<typeof permissionRow>): string | undefined {
  const { objectName, objectSchema, columnName, schemaName, principalName } = row;
  if (row.class === 0 || row.class === 100) return '';
  if (row.class === 1 && objectName !== null && objectSchema !== null) {
    const column = columnName === null ? '' : ` (${quoteName(columnName)})`;
    return ` ON OBJECT::${quoteName(objectSchema)}.${quoteName(objectName)}${column}`;
  }
  if (row.class === 3 && schemaName !== null) return ` ON SCHEMA::${quoteName(schemaName)}`;
  if (row.class !== 4 || principalName === null) return undefined;
  return ` ON ${row.principalType?.trim() === 'R' ? 'ROLE' : 'USER'}::${quoteName(principalName)}`;
}

function permissionRight(row: z.infer<typeof permissionRow>, database: string | undefined): Right {
  const place = database === undefined ? {} : { database };
  const on = securable(row);
  const state = stateByLetter[row.state.trim()] ?? 'granted';
  if (on !== undefined) return { ...place, kind: 'permission', text: `${row.permission}${on}`, state };
  return { ...place, kind: 'permission', text: `${row.permission} ON ${row.classText}`, state, nameless: true };
}

// The objects, columns, schemas and users behind the numbers; a class that is none of these keeps only its name.
const permissionQuery = `SELECT p.class AS class, p.class_desc AS classText, p.permission_name AS permission, p.state AS state,
  o.name AS objectName, os.name AS objectSchema, c.name AS columnName, s.name AS schemaName, d.name AS principalName, d.type AS principalType
  FROM sys.database_permissions AS p
  LEFT JOIN sys.all_objects AS o ON p.class = 1 AND o.object_id = p.major_id
  LEFT JOIN sys.schemas AS os ON os.schema_id = o.schema_id
  LEFT JOIN sys.all_columns AS c ON p.class = 1 AND c.object_id = p.major_id AND c.column_id = p.minor_id
  LEFT JOIN sys.schemas AS s ON p.class = 3 AND s.schema_id = p.major_id
  LEFT JOIN sys.database_principals AS d ON p.class = 4 AND d.principal_id = p.major_id
  WHERE p.grantee_principal_id = @id`;

const databaseRoleQuery = `SELECT r.name AS name FROM sys.database_role_members AS m
  JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id WHERE m.member_principal_id = @id`;

const serverRoleQuery = `SELECT r.name AS name FROM sys.server_role_members AS m
  JOIN sys.server_principals AS r ON r.principal_id = m.role_principal_id WHERE m.member_principal_id = @id`;

const serverPermissionQuery = `SELECT class, class_desc AS classText, permission_name AS permission, state,
  NULL AS objectName, NULL AS objectSchema, NULL AS columnName, NULL AS schemaName, NULL AS principalName,
  NULL AS principalType
  FROM sys.server_permissions WHERE grantee_principal_id = @id`;

async function inOneDatabase(server: Server, user: DatabaseUser): Promise<readonly Right[]> {
  const { database, id } = user;
  const here: Right = { database, kind: 'user', text: '', state: 'granted' };
  // dbo is whoever owns the database; what it may do is what the role db_owner may.
  if (id === 1) return [here, { database, kind: 'role', text: 'db_owner', state: 'granted' }];
  const roles = await server.rows(nameRow, database, databaseRoleQuery, { id });
  const permissions = await server.rows(permissionRow, database, permissionQuery, { id });
  const owned = await server.rows(nameRow, database, 'SELECT name FROM sys.schemas WHERE principal_id = @id', { id });
  return [
    here,
    ...roles.map((role): Right => ({ database, kind: 'role', text: role.name, state: 'granted' })),
    ...permissions.map((row) => permissionRight(row, database)),
    // A schema has one owner; for a second login the nearest right is CONTROL.
    ...owned.map(({ name }): Right => {
      return { database, kind: 'permission', text: `CONTROL ON SCHEMA::${quoteName(name)}`, state: 'granted' };
    }),
  ];
}

async function onServer(server: Server, id: number): Promise<readonly Right[]> {
  const roles = await server.rows(nameRow, master, serverRoleQuery, { id });
  const permissions = await server.rows(permissionRow, master, serverPermissionQuery, { id });
  return [
    ...roles.map((role): Right => ({ kind: 'role', text: role.name, state: 'granted' })),
    ...permissions.map((row) => permissionRight(row, undefined)),
  ];
}

const databaseRow = z.object({ name: z.string(), open: z.number().nullable() });

const userRow = z.object({
  id: z.number(),
  name: z.string(),
  schema: z.string().nullable(),
  language: z.string().nullable(),
});

async function usersBy(
  server: Server,
  database: string,
  where: string,
  params: Params,
): Promise<readonly DatabaseUser[]> {
  const query = `SELECT principal_id AS id, name, default_schema_name AS [schema], default_language_name AS [language]
    FROM sys.database_principals WHERE ${where}`;
  const rows = await server.rows(userRow, database, query, params);
  return rows.map((row) => ({ database, ...row }));
}

async function tolerating<Result>(
  work: () => Promise<Result>,
  kinds: readonly SqlFault['kind'][],
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SqlFault && kinds.includes(error.kind)) return undefined;
    throw error;
  }
}

/** Undefined when the database cannot be entered. */
async function rightsInDatabase(
  server: Server,
  { name, open }: z.infer<typeof databaseRow>,
  principal: Principal,
): Promise<Omit<Rights, 'unseen'> | undefined> {
  if (open !== 1 && !server.azure) return undefined;
  const enter = (): Promise<readonly DatabaseUser[]> => usersBy(server, name, 'sid = @sid', { sid: principal.sid });
  const users = await tolerating(enter, ['missing', 'refused']);
  if (users === undefined) return undefined;
  const rights: Right[] = [];
  for (const user of users) rights.push(...(await inOneDatabase(server, user)));
  return { rights, users };
}

async function rightsOfLogin(server: Server, principal: Principal): Promise<Rights> {
  // Azure SQL Database has had these views only since it has server roles; older servers say that there is no such object.
  const general = await tolerating(() => onServer(server, principal.id), ['rejected', 'forbidden']);
  const unseen = general === undefined ? ['the server roles'] : [];
  const rights: Right[] = [...(general ?? [])];
  const users: DatabaseUser[] = [];
  // HAS_DBACCESS knows only the database it is asked in on Azure SQL Database; there, entering it tells.
  const query = 'SELECT name, HAS_DBACCESS(name) AS [open] FROM sys.databases WHERE state = 0';
  const databases = (await server.rows(databaseRow, master, query)).filter(
    (row) => row.name.toLowerCase() !== 'tempdb',
  );
  // Each database of Azure SQL Database is a connection of its own, so several are asked at a time.
  const atOnce = server.azure ? 8 : 1;
  for (let start = 0; start < databases.length; start += atOnce) {
    const some = databases.slice(start, start + atOnce);
    const found = await Promise.all(some.map((row) => rightsInDatabase(server, row, principal)));
    for (const [index, row] of some.entries()) {
      const here = found[index];
      if (here === undefined) unseen.push(row.name);
      users.push(...(here?.users ?? []));
      rights.push(...(here?.rights ?? []));
    }
  }
  return { rights, users, unseen };
}

/** Everything an account was given, as far as whoever is connected may see it. */
export async function readRights(server: Server, account: Account, principal: Principal): Promise<Rights> {
  if (account.kind === 'login') return rightsOfLogin(server, principal);
  const users = await usersBy(server, account.home, 'principal_id = @id', { id: principal.id });
  const rights: Right[] = [];
  for (const user of users) rights.push(...(await inOneDatabase(server, user)));
  return { rights, users, unseen: [] };
}

/** A right as a person reads it. */
export function describeRight(right: Right): string {
  const place = right.database === undefined ? 'on the server' : `in ${right.database}`;
  if (right.kind === 'user') return `a user ${place}`;
  const denied = right.state === 'denied' ? 'the denial of ' : '';
  const grantable = right.state === 'grantable' ? ' with grant option' : '';
  return `${denied}${right.kind === 'role' ? 'role ' : ''}${right.text}${grantable} ${place}`;
}

const keyOf = (right: Right): string =>
  [right.database?.toLowerCase(), right.kind, right.text.toLowerCase(), right.state].join('\n');

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
  const denied = (right: Right): boolean => right.state === 'denied';
  return {
    missing,
    extra: [...added.filter((right) => !denied(right)), ...missing.filter(denied)],
    lesser: [...missing.filter((right) => !denied(right)), ...added.filter(denied)],
  };
}
