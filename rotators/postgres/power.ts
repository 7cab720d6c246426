/** What makes a login powerful: whoever gets its password gets the server, or a good part of it. The one table of it. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { loginFailure, loginOpening, loginTarget, type Work } from './connect.ts';
import { nameValue, nameValues, type Question } from './question.ts';
import { tookCredential, withSession } from './session.ts';
import type { Session } from './talk.ts';

/** Attributes of a role, by their columns in pg_roles. They count for everybody who may become the role by `SET ROLE`. */
const attributes = {
  SUPERUSER: 'rolsuper',
  CREATEROLE: 'rolcreaterole',
  REPLICATION: 'rolreplication',
  BYPASSRLS: 'rolbypassrls',
} as const;

/**
 * Roles whose members reach what is not granted to them: https://www.postgresql.org/docs/current/predefined-roles.html, and the
 * administrators of managed services.
 */
const roles: readonly string[] = [
  'pg_execute_server_program',
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_read_all_data',
  'pg_write_all_data',
  'pg_maintain',
  'pg_create_subscription',
  'azure_pg_admin',
  'azuresu',
  'rds_superuser',
  'rds_replication',
  'cloudsqlsuperuser',
  'alloydbsuperuser',
];

const parameterRightVersion = 150_000;

const power = z.object({ power: z.string() });

export function powersOf(version: number, login: string): Question<z.infer<typeof power>> {
  const columns = Object.entries(attributes).map(([name, column]) => `('${name}', r.${column})`);
  const parameters =
    version < parameterRightVersion
      ? ''
      : `
    UNION SELECT 'ALTER SYSTEM on ' || p.parname FROM l, pg_parameter_acl p, aclexplode(p.paracl) AS x
      WHERE x.privilege_type = 'ALTER SYSTEM' AND x.grantee <> 0 AND pg_has_role(l.oid, x.grantee, 'MEMBER')`;
  const sql = `
  WITH l AS (SELECT oid, rolsuper FROM pg_roles WHERE rolname = ${nameValue(login)})
  SELECT power FROM (
    SELECT 'SUPERUSER' AS power FROM l WHERE rolsuper
    UNION SELECT a.name || CASE WHEN r.oid = l.oid THEN '' ELSE ' by the role ' || r.rolname END
      FROM l, pg_roles r, LATERAL (VALUES ${columns.join(', ')}) AS a(name, has)
      WHERE NOT l.rolsuper AND a.has AND pg_has_role(l.oid, r.oid, 'MEMBER')
    UNION SELECT 'the role ' || r.rolname FROM l, pg_roles r
      WHERE NOT l.rolsuper AND r.rolname = ANY (${nameValues(roles)}) AND pg_has_role(l.oid, r.oid, 'MEMBER')
    UNION SELECT 'ADMIN OPTION on ' || r.rolname FROM l, pg_auth_members m, pg_roles r
      WHERE NOT l.rolsuper AND m.admin_option AND r.oid = m.roleid AND pg_has_role(l.oid, m.member, 'MEMBER')${parameters}
  ) AS powers ORDER BY 1 LIMIT 10`;
  return { sql, row: power };
}

/** What makes the login powerful, a phrase each; empty for a login that may do what it was granted and no more. */
export async function powersIn(session: Session, login: string): Promise<readonly string[]> {
  return (await session.rows(powersOf(session.version, login))).map((row) => row.power);
}

/**
 * A powerful login is changed only for somebody who proves to hold its password: otherwise a value edited to name it would be turned into
 * a way in. `live` proves it by logging in as that very login; another login's password proves nothing. Others are not asked twice.
 */
export async function objectionToPower(
  work: Work,
  login: string,
  powers: readonly string[],
  live: Credential,
): Promise<Failure | undefined> {
  if (powers.length === 0) return undefined;
  const unsafe = (detail: string, cause?: Error) => {
    const at = { secret: work.step.secret, target: loginTarget(work.step), login };
    return failure('login-not-safe', { ...at, detail: `it is powerful (${powers.join(', ')}), and ${detail}` }, cause);
  };
  if (live.username !== login) return unsafe('no known password of this secret logs in as it');
  const proof = await withSession(loginOpening(work, live), async () => undefined);
  if (proof.kind === 'done' || tookCredential(proof)) return undefined;
  const { fault } = proof;
  if (fault.kind === 'refused' || fault.kind === 'forbidden' || fault.kind === 'missing') {
    return unsafe(`the password in the vault does not log in: ${fault.message}`, fault);
  }
  return loginFailure(work, fault);
}
