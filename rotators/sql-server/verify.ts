/** Proving a credential by logging in with it, and that it may do what the one in use may. */
import * as z from 'zod';
import { type Credential, credentialName } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment, VerifyOutcome } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { bareName, identify } from './accounts.ts';
import { asAdmin, loginOf, openingAs, placeOf, type SqlStep } from './connect.ts';
import { settleRefusal } from './copies.ts';
import { adminFailure, SqlFault } from './fault.ts';
import { compareRights, describeRight } from './grants.ts';
import { readPair } from './prepare.ts';
import { logIn, type Server, type ServerOutcome, withServer } from './server.ts';

const permissionRow = z.object({ entity: z.string(), permission: z.string() });

const permissionsIn = (scope: string): string =>
  `SELECT entity_name AS entity, permission_name AS permission FROM sys.fn_my_permissions(NULL, N'${scope}');`;

/** What the login may do on the server and in the database, by its own account: it needs no right to ask that. */
async function effectiveRights(server: Server): Promise<readonly string[]> {
  const [onServer, inDatabase] = [permissionsIn('SERVER'), permissionsIn('DATABASE')];
  const results = await server.read(server.database, `${onServer}\n${inDatabase}`).catch((error: unknown) => {
    // Not every edition has a server to ask about.
    if (error instanceof SqlFault && error.kind === 'rejected') return server.read(server.database, inDatabase);
    throw error;
  });
  return z
    .array(permissionRow)
    .parse(results.flat())
    .map((row) => `${row.permission} (${row.entity})`);
}

/** What a fault at the login of the credential says. */
async function refusal(
  step: SqlStep,
  credential: Credential,
  fault: SqlFault,
  environment: RotatorEnvironment,
): Promise<VerifyOutcome> {
  const place = placeOf(step, credentialName(credential));
  switch (fault.kind) {
    case 'refused':
      switch (await settleRefusal(step, credential, environment)) {
        case 'accepted':
          return { kind: 'accepted' };
        case 'refused':
          return { kind: 'refused', detail: fault.message };
        case 'unsettled':
          return { kind: 'unreachable', detail: `${fault.message}: the database goes by an old copy of the login` };
      }
      break;
    case 'unreachable':
    case 'busy':
    case 'read-only':
    case 'late':
      return { kind: 'unreachable', detail: fault.message };
    case 'missing':
      return missing(step, credential, fault, environment);
    default:
      return adminFailure(fault, place);
  }
}

/** A database that cannot be opened: where it lets the login in use enter, the other one lacks its user there. */
async function missing(
  step: SqlStep,
  credential: Credential,
  fault: SqlFault,
  environment: RotatorEnvironment,
): Promise<VerifyOutcome> {
  const isOther = credential.username !== step.current.username;
  if (isOther && (await logIn(openingAs(step, step.current, environment))).kind === 'done') {
    return { kind: 'lesser-rights', missing: [fault.message] };
  }
  return adminFailure(fault, placeOf(step, credentialName(credential)));
}

/** Logs in anew; a second login of a pair must also be able to do what the first can. */
export async function verify(
  step: SqlStep,
  credential: Credential,
  environment: RotatorEnvironment,
): Promise<VerifyOutcome> {
  const login = loginOf(step, credential);
  if (isFailure(login)) return login;
  const second = step.strategy === 'alternating-users' && credential.username !== step.current.username;
  if (!second) {
    const entered = await logIn(openingAs(step, credential, environment));
    return entered.kind === 'fault' ? refusal(step, credential, entered.fault, environment) : { kind: 'accepted' };
  }
  const effective = (who: Credential): Promise<ServerOutcome<readonly string[]>> =>
    withServer(openingAs(step, who, environment), effectiveRights);
  // Three connections side by side: what takes longest is the way.
  const [theirs, live, missing] = await Promise.all([
    effective(credential),
    effective(step.current),
    missingByCatalogue(step, credential, environment),
  ]);
  if (theirs.kind === 'fault') return refusal(step, credential, theirs.fault, environment);
  if ('kind' in missing) return missing;
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
  const [liveName = '', name = ''] = [step.current, credential].map((one) =>
    bareName(one.username ?? '', step.endpoint),
  );
  return asAdmin(step, step.current, environment, [credential.password, step.current.password], async (server) => {
    const { account, pair } = await identify(server, name, liveName, step.endpoint);
    const [other, live] = pair;
    if (live === undefined || other === undefined) return [];
    const reading = await readPair(server, account, { live, other, name }, step.endpoint.database);
    return compareRights(reading.live.rights, reading.other.rights).lesser.map(describeRight);
  });
}
