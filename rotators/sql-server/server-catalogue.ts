/** Reading what logins were given on the server, and which databases there are, in one batch. */
import * as z from 'zod';
import { master } from './accounts.ts';
import { inherited, membership, paramsOf, permissionColumns, permissionRow, type Subject } from './catalogue.ts';
import type { DatabaseReading } from './database-catalogue.ts';
import { SqlFault } from './fault.ts';
import { permissionRight, type Right, type Rights } from './grants.ts';
import type { Server } from './server.ts';

const databaseRow = z.object({
  name: z.string(),
  state: z.number(),
  open: z.number().nullable(),
  readOnly: z.boolean().nullable(),
  trustworthy: z.boolean().nullable(),
  replica: z.unknown(),
});

export type DatabaseRow = z.infer<typeof databaseRow>;

const principalRow = z.object({ id: z.number(), name: z.string() });
const fixedRow = z.object({
  sysadmin1: z.number().nullable(),
  sysadmin2: z.number().nullable(),
  security1: z.number().nullable(),
  security2: z.number().nullable(),
});
const seesRow = z.object({ all: z.number().nullable() });

const namedLogins = `SELECT principal_id AS id, name FROM sys.server_principals WHERE name IN (@name1, @name2);`;
const serverRoles = `SELECT m.member_principal_id AS member, r.principal_id AS roleId, r.name AS role FROM sys.server_role_members AS m
  JOIN sys.server_principals AS r ON r.principal_id = m.role_principal_id
  JOIN sys.server_principals AS u ON u.principal_id = m.member_principal_id WHERE u.type = N'R' OR u.name IN (@name1, @name2);`;
// Of the two, and of all roles, since a login has what its roles have.
const serverPermissions = `SELECT ${permissionColumns}, t.name AS name, NULL AS schemaName, NULL AS columnName, t.type AS principalType
  FROM sys.server_permissions AS p JOIN sys.server_principals AS u ON u.principal_id = p.grantee_principal_id
  LEFT JOIN sys.server_principals AS t ON p.class = 101 AND t.principal_id = p.major_id
  WHERE u.type = N'R' OR u.name IN (@name1, @name2);`;
const databases = `SELECT name, state, HAS_DBACCESS(name) AS [open], is_read_only AS readOnly, is_trustworthy_on AS trustworthy,
  replica_id AS replica FROM sys.databases;`;
const seesDatabases = `SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DATABASE') AS [all];`;
const fixedRoles = `SELECT IS_SRVROLEMEMBER(N'sysadmin', @name1) AS sysadmin1, IS_SRVROLEMEMBER(N'sysadmin', @name2) AS sysadmin2,
  IS_SRVROLEMEMBER(N'securityadmin', @name1) AS security1, IS_SRVROLEMEMBER(N'securityadmin', @name2) AS security2;`;

const serverBatch = [databases, seesDatabases, fixedRoles, namedLogins, serverRoles, serverPermissions];

/** What the accounts were given on the server, and which databases there are. */
export interface ServerReading {
  readonly databases: readonly DatabaseRow[];
  /** Whether whoever asks sees every database there is; undefined where the server does not say. */
  readonly seesAll: boolean | undefined;
  /** False where the views of server roles are missing: nobody compared those. */
  readonly complete: boolean;
  /** Rights of the login; `inherited`: all its roles; `effective`: its permissions and those of its roles. */
  of(subject: Subject): {
    readonly rights: readonly Right[];
    readonly inherited: readonly string[];
    readonly effective: readonly Right[];
  };
}

type Part = readonly unknown[] | undefined;

/** Reads the server for one or two logins. Parts that it lacks are left out, since older servers have not all of them. */
export async function readServer(server: Server, subjects: readonly Subject[]): Promise<ServerReading> {
  const params = paramsOf(subjects);
  const parts =
    (await tolerating(() => server.read(master, serverBatch.join('\n'), params))) ?? (await oneByOne(server, params));
  return serverReading(subjects, parts);
}

async function oneByOne(server: Server, params: Record<string, string | Buffer>): Promise<readonly Part[]> {
  const [listing = '', ...others] = serverBatch;
  // Which databases there are must be known: whatever is not listed would not be looked into.
  const parts: Part[] = [(await server.read(master, listing))[0]];
  for (const query of others) {
    parts.push((await tolerating(() => server.read(master, query, params)))?.[0]);
  }
  return parts;
}

async function tolerating<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SqlFault && (error.kind === 'rejected' || error.kind === 'forbidden')) return undefined;
    throw error;
  }
}

function serverReading(subjects: readonly Subject[], parts: readonly Part[]): ServerReading {
  const [rows, sees, fixed, logins, roles, permissions] = parts;
  const [seen] = z.array(seesRow).parse(sees ?? []);
  const [held] = z.array(fixedRow).parse(fixed ?? []);
  const principals = z.array(principalRow).parse(logins ?? []);
  const members = z.array(membership).parse(roles ?? []);
  const granted = z.array(permissionRow).parse(permissions ?? []);
  const onServer = (ids: readonly number[]): readonly Right[] =>
    granted.filter(({ grantee }) => ids.includes(grantee)).map((row) => permissionRight(row, undefined));
  return {
    databases: z.array(databaseRow).parse(rows ?? []),
    seesAll: seen?.all === undefined || seen.all === null ? undefined : seen.all === 1,
    complete: logins !== undefined && roles !== undefined && permissions !== undefined,
    of(subject) {
      const fromFixed = held === undefined ? [] : fixedOf(held, subjects.indexOf(subject));
      const id = principals.find((one) => one.name.toLowerCase() === subject.name.toLowerCase())?.id;
      if (id === undefined) return { rights: [], inherited: fromFixed, effective: [] };
      const direct = members
        .filter(({ member }) => member === id)
        .map(({ role }): Right => ({ kind: 'role', text: role, state: 'granted' }));
      const all = [...new Set([...inherited(members, id), ...fromFixed])];
      // Everybody is in public, which no view lists members of.
      const roleIds = members.filter(({ role }) => all.includes(role)).map(({ roleId }) => roleId);
      return {
        rights: [...direct, ...onServer([id])],
        inherited: all,
        effective: onServer([id, publicRole, ...roleIds]),
      };
    },
  };
}

const publicRole = 2;

function fixedOf(held: z.infer<typeof fixedRow>, index: number): readonly string[] {
  const [sysadmin, security] = index === 1 ? [held.sysadmin2, held.security2] : [held.sysadmin1, held.security1];
  return [...(sysadmin === 1 ? ['sysadmin'] : []), ...(security === 1 ? ['securityadmin'] : [])];
}

/** Rights of one account from several readings. */
export function gathered(
  subject: Subject,
  onServer: ServerReading | undefined,
  readings: readonly DatabaseReading[],
): Rights {
  const found = readings.map((reading) => reading.of(subject));
  const namesakes = readings.map((reading) => reading.namesake(subject));
  return {
    rights: [...(onServer?.of(subject).rights ?? []), ...found.flatMap(({ rights }) => rights)],
    users: found.flatMap(({ user }) => user ?? []),
    namesakes: namesakes.flatMap((one) => one ?? []),
  };
}
