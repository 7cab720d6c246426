/** What a server knows of logins. pg_roles is open to everybody; the password column of it is not. */
import * as z from 'zod';
import { nameValues, type Question } from './question.ts';
import type { Session } from './talk.ts';

const loginFacts = z.object({
  name: z.string(),
  isSuperuser: z.boolean(),
  mayCreateRoles: z.boolean(),
  mayCreateDatabases: z.boolean(),
  mayReplicate: z.boolean(),
  bypassesRowSecurity: z.boolean(),
  mayLogIn: z.boolean(),
  connectionLimit: z.number().int(),
  /** As the server writes it; null: for ever. */
  validUntil: z.string().nullable(),
  isExpired: z.boolean(),
  /** Time until it expires, in ms, by the server's clock; null: it does not. */
  expiresInMs: z.coerce.number().nullable(),
});

export type LoginFacts = z.infer<typeof loginFacts>;

export function factsOf(names: readonly string[]): Question<LoginFacts> {
  const sql = `
  SELECT rolname::text AS name, rolsuper AS "isSuperuser", rolcreaterole AS "mayCreateRoles",
         rolcreatedb AS "mayCreateDatabases", rolreplication AS "mayReplicate", rolbypassrls AS "bypassesRowSecurity",
         rolcanlogin AS "mayLogIn", rolconnlimit AS "connectionLimit", rolvaliduntil::text AS "validUntil",
         coalesce(rolvaliduntil <= clock_timestamp(), false) AS "isExpired",
         CASE WHEN isfinite(rolvaliduntil) THEN extract(epoch FROM rolvaliduntil - clock_timestamp()) * 1000 END AS "expiresInMs"
  FROM pg_roles WHERE rolname = ANY (${nameValues(names)})`;
  return { sql, row: loginFacts };
}

/** Facts of the logins that exist, by name. */
export async function readLogins(session: Session, names: readonly string[]): Promise<ReadonlyMap<string, LoginFacts>> {
  const rows = await session.rows(factsOf(names));
  return new Map(rows.map((row) => [row.name, row]));
}

const adminRights = z.object({
  isSuperuser: z.boolean(),
  mayCreateRoles: z.boolean(),
  mayCreateDatabases: z.boolean(),
  mayReplicate: z.boolean(),
  bypassesRowSecurity: z.boolean(),
  lacksAdminOption: z.array(z.string()),
  maySignal: z.boolean(),
});

export type AdminRights = z.infer<typeof adminRights>;

function rightsOver(names: readonly string[]): Question<AdminRights> {
  const sql = `
  SELECT r.rolsuper AS "isSuperuser", r.rolcreaterole AS "mayCreateRoles", r.rolcreatedb AS "mayCreateDatabases",
         r.rolreplication AS "mayReplicate", r.rolbypassrls AS "bypassesRowSecurity",
         ARRAY(SELECT l.rolname::text FROM pg_roles l
               WHERE l.rolname = ANY (${nameValues(names)})
                 AND NOT pg_has_role(r.oid, l.oid, 'MEMBER WITH ADMIN OPTION')) AS "lacksAdminOption",
         pg_has_role(r.oid, 'pg_signal_backend', 'USAGE') AS "maySignal"
  FROM pg_roles r WHERE r.rolname = session_user`;
  return { sql, row: adminRights };
}

/** What the login of the session may do to the logins named. */
export async function readAdminRights(session: Session, names: readonly string[]): Promise<AdminRights | undefined> {
  return (await session.rows(rightsOver(names)))[0];
}

/** From version 16 on CREATEROLE reaches only roles one is an administrator of. */
export const adminOptionVersion = 160_000;

/** The right that changing the logins needs and the admin lacks; undefined when it lacks none. */
export function missingRight(session: Session, rights: AdminRights): string | undefined {
  if (rights.isSuperuser) return undefined;
  if (!rights.mayCreateRoles) return 'CREATEROLE';
  const [first] = rights.lacksAdminOption;
  if (session.version < adminOptionVersion || first === undefined) return undefined;
  return `ADMIN OPTION on ${rights.lacksAdminOption.map((name) => `"${name}"`).join(' and ')}`;
}

/** The attributes of a login that the admin could not give to another one; none for a superuser. */
export function attributesOutOfReach(session: Session, rights: AdminRights, login: LoginFacts): readonly string[] {
  if (rights.isSuperuser) return [];
  // Before version 16 only a superuser gave these two away, and every CREATEROLE could give CREATEDB.
  const ownCount = session.version >= adminOptionVersion;
  return [
    ...(login.isSuperuser ? ['SUPERUSER'] : []),
    ...(login.mayReplicate && !(ownCount && rights.mayReplicate) ? ['REPLICATION'] : []),
    ...(login.bypassesRowSecurity && !(ownCount && rights.bypassesRowSecurity) ? ['BYPASSRLS'] : []),
    ...(login.mayCreateDatabases && ownCount && !rights.mayCreateDatabases ? ['CREATEDB'] : []),
  ];
}
