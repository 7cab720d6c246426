/**
 * What one login may do that another may not.
 *
 * A login has rights of its own (attributes), through roles it is a member of, and as owner of things or by direct grants. Everything it
 * holds directly is found in pg_shdepend, which covers all databases of the server and is indexed by role, so the cost goes with what the
 * login holds and not with the size of the database.
 */
import * as z from 'zod';
import type { Session } from './session.ts';

/** More are not listed: the message is for a person. */
const most = 20;

/**
 * `reach` is every role whose rights the second login uses: by inheritance, or because each of its sessions starts as another role
 * (`ALTER ROLE … SET role`). A superuser reaches everything, so only attributes are left to compare for one.
 */
const withs = `
  WITH model AS (SELECT * FROM pg_roles WHERE rolname = $1::text::name),
  subject AS (SELECT * FROM pg_roles WHERE rolname = $2::text::name),
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
      ('BYPASSRLS', m.rolbypassrls, s.rolbypassrls), ('LOGIN', m.rolcanlogin, s.rolcanlogin)
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
    FROM model m, pg_roles r WHERE NOT m.rolsuper AND r.oid <> m.oid AND r.rolname <> $2::text::name
  )`;

/** What the first login holds directly; empty when the second reaches the first anyway. */
const direct = `
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
    WHERE (h.deptype IN ('o', 'r') OR (h.deptype = 'a' AND NOT (h.is_here AND h.classid IN (
        'pg_class'::regclass, 'pg_namespace'::regclass, 'pg_database'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass,
        'pg_language'::regclass, 'pg_foreign_server'::regclass, 'pg_tablespace'::regclass))))
    AND NOT EXISTS (
      SELECT FROM pg_shdepend e JOIN reach ON reach.oid = e.refobjid
      WHERE e.refclassid = 'pg_authid'::regclass AND e.dbid = h.dbid AND e.classid = h.classid AND e.objid = h.objid
        AND e.objsubid = h.objsubid AND (e.deptype = h.deptype OR (e.deptype = 'o' AND h.deptype = 'a')))
  ),
  grants AS (
    SELECT h.thing, x.privilege_type, x.is_grantable, l.acl FROM held h, LATERAL (
      SELECT relacl AS acl FROM pg_class WHERE h.classid = 'pg_class'::regclass AND h.objsubid = 0 AND oid = h.objid
      UNION ALL SELECT attacl FROM pg_attribute
        WHERE h.classid = 'pg_class'::regclass AND h.objsubid <> 0 AND attrelid = h.objid AND attnum = h.objsubid
      UNION ALL SELECT nspacl FROM pg_namespace WHERE h.classid = 'pg_namespace'::regclass AND oid = h.objid
      UNION ALL SELECT datacl FROM pg_database WHERE h.classid = 'pg_database'::regclass AND oid = h.objid
      UNION ALL SELECT proacl FROM pg_proc WHERE h.classid = 'pg_proc'::regclass AND oid = h.objid
      UNION ALL SELECT typacl FROM pg_type WHERE h.classid = 'pg_type'::regclass AND oid = h.objid
      UNION ALL SELECT lanacl FROM pg_language WHERE h.classid = 'pg_language'::regclass AND oid = h.objid
      UNION ALL SELECT srvacl FROM pg_foreign_server WHERE h.classid = 'pg_foreign_server'::regclass AND oid = h.objid
      UNION ALL SELECT spcacl FROM pg_tablespace WHERE h.classid = 'pg_tablespace'::regclass AND oid = h.objid
    ) AS l, aclexplode(l.acl) AS x, model m
    WHERE h.is_here AND h.deptype = 'a' AND x.grantee = m.oid
      AND NOT EXISTS (SELECT FROM pg_shdepend e JOIN reach ON reach.oid = e.refobjid
        WHERE e.refclassid = 'pg_authid'::regclass AND e.deptype = 'o' AND e.dbid = h.dbid AND e.classid = h.classid
          AND e.objid = h.objid)
  )`;

export const lackingQuery = `${withs},${direct}
  SELECT line FROM (
    SELECT name AS line FROM attributes
    UNION SELECT name FROM memberships WHERE name IS NOT NULL
    UNION SELECT CASE deptype WHEN 'o' THEN 'ownership of ' WHEN 'r' THEN 'the row policy of ' ELSE 'the grants on ' END || thing
      FROM others
    UNION SELECT g.privilege_type || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END || ' on ' || g.thing
      FROM grants g WHERE NOT EXISTS (
        SELECT FROM aclexplode(g.acl) AS y WHERE (y.grantee = 0 OR y.grantee IN (SELECT oid FROM reach))
          AND y.privilege_type = g.privilege_type AND (y.is_grantable OR NOT g.is_grantable))
  ) AS lines ORDER BY line LIMIT ${most}`;

const line = z.object({ line: z.string() });

/**
 * What `model` may do and `subject` may not, a phrase each, 20 at most; empty when nothing. Privilege by privilege for the session's
 * database and for what all databases share; for other databases, whether both hold something on the same object at all.
 */
export async function lackingRights(session: Session, model: string, subject: string): Promise<readonly string[]> {
  if (model === subject) return [];
  return (await session.rows(line, lackingQuery, [model, subject])).map((row) => row.line);
}
