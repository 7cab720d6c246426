/** Who connects where for a step: the admin, or the login itself. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Endpoint, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { isLoopback } from '../../shared/loopback.ts';
import { ownToken } from '../common/token.ts';
import { targetName } from '../common/transport.ts';
import { master } from './accounts.ts';
import { adminFailure, type FaultPlace, SqlFault } from './fault.ts';
import { defaultPort, type Identity, type Opening } from './link.ts';
import { nameFault } from './quote.ts';
import { isAzureHost, type Server, type ServerOutcome, withServer } from './server.ts';
import type { SqlServerTags } from './tags.ts';

export type SqlStep = Step<SqlServerTags>;

/** Azure SQL Database and its kin take tokens for this. */
const tokenScope = 'https://database.windows.net/.default';

/** Azure SQL Database by its name, or a loopback address, which may be a tunnel to it. */
export const mayBeAzure = (endpoint: Endpoint): boolean => isAzureHost(endpoint) || isLoopback(endpoint.host);

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
 * looks after contained users only may be unknown there. A connection of such an admin names their database, as it must for any client.
 * The app's own identity is asked for in master, and where it is unknown there in the consumer's database: a token locks nobody out.
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
  const who = { ...adminPlace(step), ...place };
  const also = endpoint.database === undefined ? {} : { also: endpoint.database };
  const as = async (identity: Identity, database: string | undefined) =>
    withServer({ ...opening(step, adminEndpoint, database, identity, environment, secrets), ...also }, work);
  let outcome: ServerOutcome<Result | Failure>;
  if (admin.kind === 'self') outcome = await as(identityOf(self), endpoint.database);
  else if (admin.kind === 'connection') {
    outcome = await as(identityOf(admin.credential), adminEndpoint.database ?? master);
  } else {
    const given = await ownToken(step, admin.getToken, tokenScope);
    if (given.kind === 'no-token') {
      const { unreachable, detail, cause } = given;
      return adminFailure(new SqlFault(unreachable ? 'unreachable' : 'refused', detail, { cause }), who);
    }
    const identity: Identity = { kind: 'token', token: given.token };
    outcome = await as(identity, master);
    const unknown = outcome.kind === 'fault' && outcome.fault.kind === 'refused';
    if (unknown && endpoint.database !== undefined) outcome = await as(identity, endpoint.database);
  }
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
