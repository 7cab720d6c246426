/**
 * What one login may do that another may not.
 *
 * A login has rights of its own (attributes), through roles it is a member of, and as owner of things or by direct grants. Everything it
 * holds directly is found in pg_shdepend, which covers all databases of the server and is indexed by role, so the cost goes with what the
 * login holds and not with the size of the database.
 */
import * as z from 'zod';
import { nameValue, type Question } from './question.ts';
import type { Session } from './talk.ts';

/** More are not listed: the message is for a person. */
const most = 20;

/**
 * `reach` is every role whose rights the second login uses: by inheritance, or because each of its sessions starts as another role
 * (`ALTER ROLE … SET role`). A superuser reaches everything, so only attributes are left to compare for one.
 */
const withs = (model: string, subject: string) => `
  WITH model AS (SELECT * FROM pg_roles WHERE rolname = ${nameValue(model)}),
  subject AS (SELECT * FROM pg_roles WHERE rolname = ${nameValue(subject)}),
  acting AS (
    SELECT r.oid FROM pg_roles r, subject s, pg_db_role_setting g, unnest(g.setconfig) AS c
    WHERE g.setrole = s.oid AND g.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND c LIKE 'role=%' AND r.rolname = substr(c, 6)::name AND pg_has_role(s.oid, r.oid, 'MEMBER')
  ),
  subjects AS (SELECT oid FROM subject UNION SELECT oid FROM acting),
  reach AS (
    SELECT r.oid FROM pg_roles r WHERE EXISTS (SELECT FROM subjects s WHERE pg_has_role(s.oid, r.oid, 'USAGE'))
  ),
  attributes AS (
    SELECT a.name FROM model m, subject s, LATERAL (VALUES
      ('SUPERUSER', m.rolsuper, s.rolsuper), ('CREATEROLE', m.rolcreaterole, s.rolcreaterole),
      ('CREATEDB', m.rolcreatedb, s.rolcreatedb), ('REPLICATION', m.rolreplication, s.rolreplication),
      ('BYPASSRLS', m.rolbypassrls, s.rolbypassrls)
    ) AS a(name, has, also) WHERE a.has AND NOT a.also
  ),
  memberships AS (
    SELECT CASE WHEN pg_has_role(m.oid, r.oid, 'USAGE') AND NOT EXISTS (SELECT FROM reach WHERE oid = r.oid)
             THEN 'the rights of role ' || r.rolname
           WHEN pg_has_role(m.oid, r.oid, 'MEMBER') AND NOT EXISTS
             (SELECT FROM subjects s WHERE pg_has_role(s.oid, r.oid, 'MEMBER')) THEN 'membership in role ' || r.rolname
           WHEN pg_has_role(m.oid, r.oid, 'MEMBER WITH ADMIN OPTION') AND NOT EXISTS
             (SELECT FROM subjects s WHERE pg_has_role(s.oid, r.oid, 'MEMBER WITH ADMIN OPTION'))
             THEN 'ADMIN OPTION on role ' || r.rolname END AS name
    FROM model m, pg_roles r WHERE NOT m.rolsuper AND r.oid <> m.oid AND r.rolname <> ${nameValue(subject)}
  )`;

/** The catalogues whose entries carry a list of privileges: the class of the object, its column with the list, and how it is found. */
const lists: readonly (readonly [catalogue: string, list: string, options?: { from?: string; since?: number }])[] = [
  ['pg_namespace', 'nspacl'],
  ['pg_database', 'datacl'],
  ['pg_proc', 'proacl'],
  ['pg_type', 'typacl'],
  ['pg_language', 'lanacl'],
  ['pg_foreign_data_wrapper', 'fdwacl'],
  ['pg_foreign_server', 'srvacl'],
  ['pg_tablespace', 'spcacl'],
  ['pg_default_acl', 'defaclacl'],
  ['pg_largeobject', 'lomacl', { from: 'pg_largeobject_metadata' }],
  ['pg_parameter_acl', 'paracl', { since: 150_000 }],
];

/** What the first login holds directly; empty when the second reaches the first anyway. */
function direct(version: number): string {
  const known = lists.filter(([, , options]) => version >= (options?.since ?? 0));
  const classes = ['pg_class', ...known.map(([catalogue]) => catalogue)]
    .map((name) => `'${name}'::regclass`)
    .join(', ');
  const acls = known.map(
    ([catalogue, list, options]) => `
      UNION ALL SELECT ${list} FROM ${options?.from ?? catalogue} WHERE h.classid = '${catalogue}'::regclass AND oid = h.objid`,
  );
  return `
  held AS (
    SELECT d.*, CASE WHEN d.dbid IN (0, here.oid) THEN pg_describe_object(d.classid, d.objid, d.objsubid)
                     ELSE 'something in database ' || (SELECT datname FROM pg_database WHERE oid = d.dbid) END AS thing,
           d.dbid IN (0, here.oid) AS is_here
    FROM pg_shdepend d, model m, (SELECT oid FROM pg_database WHERE datname = current_database()) AS here
    WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = m.oid AND d.classid <> 'pg_auth_members'::regclass
      AND NOT m.rolsuper AND NOT EXISTS (SELECT FROM reach WHERE oid = m.oid)
  ),
  others AS (
    SELECT h.thing, h.deptype FROM held h
    WHERE (h.deptype IN ('o', 'r') OR (h.deptype = 'a' AND NOT (h.is_here AND h.classid IN (${classes}))))
    AND NOT EXISTS (
      SELECT FROM pg_shdepend e JOIN reach ON reach.oid = e.refobjid
      WHERE e.refclassid = 'pg_authid'::regclass AND e.dbid = h.dbid AND e.classid = h.classid AND e.objid = h.objid
        AND e.objsubid = h.objsubid AND (e.deptype = h.deptype OR (e.deptype = 'o' AND h.deptype = 'a')))
  ),
  grants AS (
    SELECT h.thing, x.privilege_type, x.is_grantable, l.acl FROM held h, LATERAL (
      SELECT relacl AS acl FROM pg_class WHERE h.classid = 'pg_class'::regclass AND h.objsubid = 0 AND oid = h.objid
      UNION ALL SELECT attacl FROM pg_attribute
        WHERE h.classid = 'pg_class'::regclass AND h.objsubid <> 0 AND attrelid = h.objid AND attnum = h.objsubid${acls.join('')}
    ) AS l, aclexplode(l.acl) AS x, model m
    WHERE h.is_here AND h.deptype = 'a' AND x.grantee = m.oid
      AND NOT EXISTS (SELECT FROM pg_shdepend e JOIN reach ON reach.oid = e.refobjid
        WHERE e.refclassid = 'pg_authid'::regclass AND e.deptype = 'o' AND e.dbid = h.dbid AND e.classid = h.classid
          AND e.objid = h.objid)
  ),
  elsewhere AS (
    SELECT DISTINCT d.datname FROM held h JOIN pg_database d ON d.oid = h.dbid, model m
    WHERE h.deptype = 'a' AND NOT h.is_here AND d.datallowconn AND has_database_privilege(m.oid, d.oid, 'CONNECT')
  )`;
}

const finding = z.object({ kind: z.enum(['right', 'database']), name: z.string() });

/** What `model` may do and `subject` may not, and the databases where only a look inside tells. */
export function differences(version: number, model: string, subject: string): Question<z.infer<typeof finding>> {
  const sql = `${withs(model, subject)},${direct(version)}
  (SELECT 'right' AS kind, line AS name FROM (
    SELECT name AS line FROM attributes
    UNION SELECT name FROM memberships WHERE name IS NOT NULL
    UNION SELECT CASE deptype WHEN 'o' THEN 'ownership of ' WHEN 'r' THEN 'the row policy of ' ELSE 'the grants on ' END || thing
      FROM others
    UNION SELECT g.privilege_type || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END || ' on ' || g.thing
      FROM grants g WHERE NOT EXISTS (
        SELECT FROM aclexplode(g.acl) AS y WHERE (y.grantee = 0 OR y.grantee IN (SELECT oid FROM reach))
          AND y.privilege_type = g.privilege_type AND (y.is_grantable OR NOT g.is_grantable))
  ) AS lines ORDER BY line LIMIT ${most})
  UNION ALL SELECT 'database', datname::text FROM elsewhere`;
  return { sql, row: finding };
}

export interface Comparison {
  /** A phrase each, 20 at most; empty when nothing. */
  readonly lacking: readonly string[];
  /** Databases in which both hold something on one object: whether it is the same is seen only there. */
  readonly elsewhere: readonly string[];
}

/**
 * What `model` may do and `subject` may not, privilege by privilege for the session's database and for what all databases share. Whether a
 * login may log in at all is not among it.
 */
export async function compareRights(session: Session, model: string, subject: string): Promise<Comparison> {
  if (model === subject) return { lacking: [], elsewhere: [] };
  const found = await session.rows(differences(session.version, model, subject));
  const named = (kind: 'right' | 'database') => found.filter((one) => one.kind === kind).map((one) => one.name);
  return { lacking: named('right'), elsewhere: named('database') };
}
