/** Proving a credential by logging in with it, and that it may do what the one in use may. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import { credentialName } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment, VerifyOutcome } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { bareName, findAccount, findPrincipal } from './accounts.ts';
import { asAdmin, loginOf, openingAs, placeOf, type SqlStep } from './connect.ts';
import { adminFailure, SqlFault } from './fault.ts';
import { compareRights, describeRight, readRights } from './grants.ts';
import { type Server, type ServerOutcome, withServer } from './server.ts';

const permissionRow = z.object({ entity: z.string(), permission: z.string() });

/** What the login may do on the server and in the database, by its own account: it needs no right to ask that. */
async function effectiveRights(server: Server): Promise<readonly string[]> {
  const query = (scope: string): string =>
    `SELECT entity_name AS entity, permission_name AS permission FROM sys.fn_my_permissions(NULL, N'${scope}')`;
  const onServer = await server.rows(permissionRow, server.database, query('SERVER')).catch((error: unknown) => {
    // Not every edition has a server to ask about.
    if (error instanceof SqlFault && error.kind === 'rejected') return [];
    throw error;
  });
  const inDatabase = await server.rows(permissionRow, server.database, query('DATABASE'));
  return [...onServer, ...inDatabase].map((row) => `${row.permission} (${row.entity})`);
}

function refusal(step: SqlStep, credential: Credential, fault: SqlFault): VerifyOutcome {
  const place = placeOf(step, credentialName(credential));
  switch (fault.kind) {
    case 'refused':
      return { kind: 'refused', detail: fault.message };
    case 'unreachable':
    case 'busy':
    case 'late':
      return { kind: 'unreachable', detail: fault.message };
    case 'missing':
      // The database lets the login in use enter, so the other one lacks its user there.
      if (credential.username !== step.current.username) return { kind: 'lesser-rights', missing: [fault.message] };
      return adminFailure(fault, place);
    default:
      return adminFailure(fault, place);
  }
}

/** Logs in anew; a second login of a pair must also be able to do what the first can. */
export async function verify(
  step: SqlStep,
  credential: Credential,
  environment: RotatorEnvironment,
): Promise<VerifyOutcome> {
  const login = loginOf(step, credential);
  if (isFailure(login)) return login;
  const effective = (who: Credential): Promise<ServerOutcome<readonly string[]>> =>
    withServer(openingAs(step, who, environment), effectiveRights);
  const second = step.strategy === 'alternating-users' && credential.username !== step.current.username;
  if (!second) {
    const entered = await withServer(openingAs(step, credential, environment), async () => undefined);
    return entered.kind === 'fault' ? refusal(step, credential, entered.fault) : { kind: 'accepted' };
  }
  const theirs = await effective(credential);
  if (theirs.kind === 'fault') return refusal(step, credential, theirs.fault);
  const missing = await missingByCatalogue(step, credential, environment);
  if ('kind' in missing) return missing;
  const live = await effective(step.current);
  // A credential in use that no longer logs in has nothing to compare with; what the catalogue says stands alone then.
  const lacking = live.kind === 'fault' ? [] : live.result.filter((right) => !theirs.result.includes(right));
  const all = [...new Set([...missing, ...lacking])];
  return all.length === 0 ? { kind: 'accepted' } : { kind: 'lesser-rights', missing: all };
}

/** What the admin sees the one in use have and the other lack, in every database the admin may enter. */
async function missingByCatalogue(
  step: SqlStep,
  credential: Credential,
  environment: RotatorEnvironment,
): Promise<readonly string[] | Exclude<VerifyOutcome, { kind: 'accepted' }>> {
  if (step.admin.kind === 'self') return [];
  const [liveName, name] = [step.current, credential].map((one) => bareName(one.username ?? '', step.endpoint));
  return asAdmin(step, step.current, environment, [credential.password, step.current.password], async (server) => {
    const account = await findAccount(server, name ?? '', step.endpoint);
    const live = await findPrincipal(server, account, liveName ?? '');
    const other = await findPrincipal(server, account, name ?? '');
    if (live === undefined || other === undefined) return [];
    const [liveRights, otherRights] = [
      await readRights(server, account, live),
      await readRights(server, account, other),
    ];
    return compareRights(liveRights.rights, otherRights.rights).lesser.map(describeRight);
  });
}
