/** Who connects where for a step: the admin, or the login itself. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { ownToken } from '../common/token.ts';
import { targetName } from '../common/transport.ts';
import { master } from './accounts.ts';
import { adminFailure, type FaultPlace, SqlFault } from './fault.ts';
import { defaultPort, type Identity, type Opening } from './pool.ts';
import { nameFault } from './quote.ts';
import { type Server, withServer } from './server.ts';
import type { SqlServerTags } from './tags.ts';

export type SqlStep = Step<SqlServerTags>;

/** Azure SQL Database and its kin take tokens for this. */
const tokenScope = 'https://database.windows.net/.default';

type Asking = Pick<RotatorEnvironment, 'trustedCertificates' | 'connectTimeoutMs'>;

export function placeOf(step: SqlStep, who: string): FaultPlace {
  return { step, target: targetName(step.endpoint, defaultPort), who };
}

export function adminPlace(step: SqlStep): FaultPlace {
  const { admin } = step;
  const target = targetName(step.adminEndpoint, defaultPort);
  switch (admin.kind) {
    case 'self':
      return { step, target, who: step.current.username ?? 'the login' };
    case 'connection':
      return { step, target, who: admin.secret };
    case 'identity':
      return { step, target, who: 'managed-identity' };
  }
}

/** Opens a connection at the endpoint as the credential, in the database a consumer enters. */
export function openingAs(step: SqlStep, credential: Credential, environment: Asking): Opening {
  return opening(step, step.endpoint, step.endpoint.database, identityOf(credential), environment, []);
}

function identityOf(credential: Credential): Identity {
  return { kind: 'password', username: credential.username ?? '', password: credential.password };
}

function opening(
  step: SqlStep,
  endpoint: Endpoint,
  database: string | undefined,
  identity: Identity,
  environment: Asking,
  secrets: readonly SecretText[],
): Opening {
  const { signal, remainingMs } = step;
  const inDatabase = database === undefined ? {} : { database };
  return { endpoint, ...inDatabase, identity, signal, remainingMs, secrets, environment };
}

/**
 * Does work with the admin's rights, or as the login itself when there is no admin. A login is changed from master; an admin that
 * looks after contained users only may be unknown there, so the tag `account` sends it to their database at once.
 */
export async function asAdmin<Result>(
  step: SqlStep,
  self: Credential,
  environment: Asking,
  secrets: readonly SecretText[],
  work: (server: Server) => Promise<Result | Failure>,
  place: Partial<FaultPlace> = {},
): Promise<Result | Failure> {
  const { admin, adminEndpoint, endpoint } = step;
  const home = step.options.account === 'contained-user' ? endpoint.database : master;
  const who = { ...adminPlace(step), ...place };
  let at: Opening;
  if (admin.kind === 'self')
    at = opening(step, adminEndpoint, endpoint.database, identityOf(self), environment, secrets);
  else if (admin.kind === 'connection') {
    at = opening(step, adminEndpoint, home, identityOf(admin.credential), environment, secrets);
  } else {
    const given = await ownToken(step, admin.getToken, tokenScope);
    if (given.kind === 'no-token') {
      const { unreachable, detail, cause } = given;
      return adminFailure(new SqlFault(unreachable ? 'unreachable' : 'refused', detail, { cause }), who);
    }
    const { token } = given;
    at = opening(step, adminEndpoint, home, { kind: 'token', token }, environment, secrets);
  }
  const outcome = await withServer(at, work);
  return outcome.kind === 'done' ? outcome.result : adminFailure(outcome.fault, who);
}

/** The name of a credential's login, or why it cannot be one. */
export function loginOf(step: SqlStep, credential: Credential): { kind: 'name'; name: string } | Failure {
  const name = credential.username;
  const fault = name === undefined ? 'is missing' : nameFault(name);
  if (name !== undefined && fault === undefined) return { kind: 'name', name };
  const detail = `the name of the login ${fault ?? 'is missing'}`;
  return failure('value-unreadable', { secret: step.secret, detail });
}
