/** Reading what accounts were given in one database, in one batch, as far as whoever is connected may see it. */
import * as z from 'zod';
import { inherited, membership, paramsOf, permissionColumns, permissionRow, type Subject } from './catalogue.ts';
import { SqlFault } from './fault.ts';
import { type DatabaseUser, type Namesake, permissionRight, type Right } from './grants.ts';
import type { Results } from './link.ts';
import { quoteName } from './quote.ts';
import type { Server } from './server.ts';

const userRow = z.object({
  id: z.number(),
  name: z.string(),
  sid: z.instanceof(Buffer).nullable(),
  schema: z.string().nullable(),
  authentication: z.number(),
});

const ownedRow = z.object({ owner: z.number(), name: z.string() });

const ours = 'u.sid IN (@sid1, @sid2) OR u.name IN (@name1, @name2)';

const usersQuery = `SELECT u.principal_id AS id, u.name AS name, u.sid AS sid, u.default_schema_name AS [schema],
  u.authentication_type AS authentication FROM sys.database_principals AS u WHERE ${ours};`;

// Roles that are in roles too, so that what is inherited is known.
const rolesQuery = `SELECT m.member_principal_id AS member, r.principal_id AS roleId, r.name AS role FROM sys.database_role_members AS m
  JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id
  JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.type = N'R' OR ${ours};`;

const schemasQuery = `SELECT s.principal_id AS owner, s.name AS name FROM sys.schemas AS s
  JOIN sys.database_principals AS u ON u.principal_id = s.principal_id WHERE ${ours};`;

/** Permissions on one kind of thing. The numbers of two kinds may be the same, so each is looked for by its class. */
function permissionsOn(joins: string, columns: string, classes: string): string {
  return `SELECT ${permissionColumns}, ${columns} FROM sys.database_permissions AS p
  JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id ${joins} WHERE p.class ${classes} AND (${ours});`;
}

const nothing = 'NULL AS columnName, NULL AS principalType';
const named = (view: string, id: string, number: number): string =>
  permissionsOn(
    `LEFT JOIN ${view} AS t ON t.${id} = p.major_id`,
    `t.name AS name, NULL AS schemaName, ${nothing}`,
    `= ${number}`,
  );

const permissionQueries = [
  permissionsOn(
    `LEFT JOIN sys.all_objects AS t ON t.object_id = p.major_id LEFT JOIN sys.schemas AS s ON s.schema_id = t.schema_id
     LEFT JOIN sys.all_columns AS c ON c.object_id = p.major_id AND c.column_id = p.minor_id`,
    't.name AS name, s.name AS schemaName, c.name AS columnName, NULL AS principalType',
    '= 1',
  ),
  named('sys.schemas', 'schema_id', 3),
  permissionsOn(
    'LEFT JOIN sys.database_principals AS t ON t.principal_id = p.major_id',
    't.name AS name, NULL AS schemaName, NULL AS columnName, t.type AS principalType',
    '= 4',
  ),
  named('sys.assemblies', 'assembly_id', 5),
  permissionsOn(
    'LEFT JOIN sys.types AS t ON t.user_type_id = p.major_id LEFT JOIN sys.schemas AS s ON s.schema_id = t.schema_id',
    `t.name AS name, s.name AS schemaName, ${nothing}`,
    '= 6',
  ),
  named('sys.symmetric_keys', 'symmetric_key_id', 24),
  named('sys.certificates', 'certificate_id', 25),
  named('sys.asymmetric_keys', 'asymmetric_key_id', 26),
  permissionsOn('', `NULL AS name, NULL AS schemaName, ${nothing}`, 'NOT IN (1, 3, 4, 5, 6, 24, 25, 26)'),
];

const databaseQueries = [usersQuery, rolesQuery, schemasQuery, ...permissionQueries];
const databaseBatch = databaseQueries.join('\n');
const resultsOfOne = databaseQueries.length;

/** What the accounts were given in one database. */
export interface DatabaseReading {
  readonly database: string;
  /** Rights and user of an account; `inherited`: all its roles, those by way of other roles included. */
  of(subject: Subject): {
    readonly rights: readonly Right[];
    readonly user?: DatabaseUser;
    readonly inherited: readonly string[];
  };
  /** A user that has the account's name and is another's, or nobody's. */
  namesake(subject: Subject): Namesake | undefined;
}

const byInstance = 1;
const dbo = 1;

/** Reads one database for one or two accounts. Throws a `SqlFault` where it cannot be entered. */
export async function readDatabase(
  server: Server,
  database: string,
  subjects: readonly Subject[],
): Promise<DatabaseReading> {
  return databaseReading(database, await server.read(database, databaseBatch, paramsOf(subjects)));
}

/** Databases of one batch: what few there are takes one answer, and no answer grows without end. */
const inOneBatch = 10;

/**
 * Reads many databases. Where one connection enters all of them, several share a batch; on Azure SQL Database each is a connection of its
 * own, and as many are asked at a time. What cannot be entered is left out.
 */
export async function readDatabases(
  server: Server,
  databases: readonly string[],
  subjects: readonly Subject[],
): Promise<readonly DatabaseReading[]> {
  const readings: DatabaseReading[] = [];
  const each = async (names: readonly string[]): Promise<readonly DatabaseReading[]> =>
    (await Promise.all(names.map((name) => enterable(() => readDatabase(server, name, subjects))))).flatMap(
      (one) => one ?? [],
    );
  for (let start = 0; start < databases.length; start += inOneBatch) {
    const some = databases.slice(start, start + inOneBatch);
    const together = server.azure ? undefined : await enterable(() => readTogether(server, some, subjects));
    readings.push(...(together ?? (await each(some))));
  }
  return readings;
}

async function readTogether(
  server: Server,
  databases: readonly string[],
  subjects: readonly Subject[],
): Promise<readonly DatabaseReading[]> {
  const [first = '', ...others] = databases;
  const batch = [databaseBatch, ...others.map((name) => `USE ${quoteName(name)};\n${databaseBatch}`)].join('\n');
  const results = await server.read(first, batch, paramsOf(subjects));
  return databases.map((name, index) =>
    databaseReading(name, results.slice(index * resultsOfOne, (index + 1) * resultsOfOne)),
  );
}

/** Undefined where the database cannot be entered. */
export async function enterable<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SqlFault && (error.kind === 'missing' || error.kind === 'refused')) return undefined;
    throw error;
  }
}

function databaseReading(database: string, results: Results): DatabaseReading {
  const [users = [], roles = [], schemas = [], ...permissions] = results;
  const principals = z.array(userRow).parse(users);
  const members = z.array(membership).parse(roles);
  const owned = z.array(ownedRow).parse(schemas);
  const granted = z.array(permissionRow).parse(permissions.flat());
  const rightsOf = (id: number): readonly Right[] => {
    const here: Right = { database, kind: 'user', text: '', state: 'granted' };
    // dbo is whoever owns the database; what it may do is what the role db_owner may.
    if (id === dbo) return [here, { database, kind: 'role', text: 'db_owner', state: 'granted' }];
    return [
      here,
      ...members
        .filter(({ member }) => member === id)
        .map(({ role }): Right => ({ database, kind: 'role', text: role, state: 'granted' })),
      ...granted.filter(({ grantee }) => grantee === id).map((row) => permissionRight(row, database)),
      // A schema has one owner; for a second login the nearest right is CONTROL.
      ...owned.filter(({ owner }) => owner === id).map(({ name }) => controlOf(name, database)),
    ];
  };
  return {
    database,
    of({ sid }) {
      const user = principals.find((one) => sid !== undefined && one.sid?.equals(sid) === true);
      if (user === undefined) return { rights: [], inherited: [] };
      const all = user.id === dbo ? ['db_owner'] : inherited(members, user.id);
      return { rights: rightsOf(user.id), user: { database, ...user }, inherited: all };
    },
    namesake({ name, sid }) {
      const same = principals.find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (same === undefined || (sid !== undefined && same.sid?.equals(sid) === true)) return undefined;
      const ofLogin = same.authentication === byInstance;
      return { database, ...same, rights: rightsOf(same.id), ofLogin };
    },
  };
}

function controlOf(schema: string, database: string): Right {
  return { database, kind: 'permission', text: `CONTROL ON SCHEMA::${quoteName(schema)}`, state: 'granted' };
}
