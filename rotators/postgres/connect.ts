/** Who connects where: as the admin, or as a login of the secret. */

import type { Credential } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { wireFailure } from '../common/failures.ts';
import type { SeenRules } from '../common/password-rules.ts';
import { ownToken } from '../common/token.ts';
import { targetName } from '../common/transport.ts';
import type { PostgresFault } from './fault.ts';
import type { PostgresTags } from './tags.ts';
import { defaultPort, type Opening } from './wire.ts';

/** What every method of the rotator works with. */
export interface Work {
  readonly step: Step<PostgresTags>;
  readonly environment: RotatorEnvironment;
  readonly memory: Memory;
}

/** What the calls of one attempt have learned. */
export interface Memory {
  /** What was drawn here, and not read from the vault: another one may take its place. */
  readonly drawn: WeakSet<SecretText>;
  readonly rules: SeenRules;
}

/** A connection to be made with the rights that change logins. */
export interface AdminAccess {
  readonly kind: 'access';
  readonly opening: Opening;
  readonly target: string;
  /** How the admin is named in messages. */
  readonly who: string;
}

// Entra tokens for Azure Database for PostgreSQL:
// https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-configure-sign-in-azure-ad-authentication
const tokenScope = 'https://ossrdbms-aad.database.windows.net/.default';

/** Where there is always a database to connect to when nobody names one. */
const maintenanceDatabase = 'postgres';

/** Host and port of the admin's endpoint. */
export function adminTarget(step: Step): string {
  return targetName(step.adminEndpoint, defaultPort);
}

/** Host and port of the consumers' endpoint. */
export function loginTarget(step: Step): string {
  return targetName(step.endpoint, defaultPort);
}

/** How to connect as the admin. Gets a token when the admin is the app's identity. Must not be called for a self-rotation. */
export async function adminAccess(work: Work): Promise<AdminAccess | Failure> {
  const { step } = work;
  const target = adminTarget(step);
  const database = step.adminEndpoint.database ?? maintenanceDatabase;
  const common = { ...limits(work), endpoint: step.adminEndpoint, database, secrets: secretsOf(step) };
  switch (step.admin.kind) {
    case 'self':
      return failure('strategy-unsupported', {
        secret: step.secret,
        detail: `"${step.strategy}" changes another login than the one that logs in, so the tag "admin" must name an admin connection`,
      });
    case 'connection': {
      const { username = '', password } = step.admin.credential;
      const who = `"${username}" of the secret ${step.admin.secret}`;
      return { kind: 'access', target, who, opening: { ...common, username, password, proof: 'password' } };
    }
    case 'identity': {
      const { username } = step.admin;
      const who = `"${username}" (the app's own identity)`;
      const given = await ownToken(step, step.admin.getToken, tokenScope);
      if (given.kind === 'token') {
        return { kind: 'access', target, who, opening: { ...common, username, password: given.token, proof: 'token' } };
      }
      const at = { secret: step.secret, target, detail: given.detail };
      if (given.unreachable) return failure('target-unreachable', at, given.cause);
      return failure('admin-refused', { ...at, admin: who }, given.cause);
    }
  }
}

/** How a consumer with the credential connects. */
export function loginOpening(work: Work, credential: Credential): Opening {
  const { step } = work;
  const { username = '', password } = credential;
  return {
    ...limits(work),
    ...databaseOf(step, username),
    endpoint: step.endpoint,
    username,
    password,
    proof: 'password',
    secrets: secretsOf(step),
  };
}

/**
 * Where a value names no database, the drivers that read it take the name of the login, and a connection string (one with a scheme) leaves
 * no other choice. Fields of a document may leave it to their consumers, and so does a value without an address, whose endpoint is the
 * admin's: then the admin's database is as good as any to log in to.
 */
function databaseOf(
  { endpoint, adminEndpoint, admin }: Step,
  username: string,
): Pick<Opening, 'database' | 'otherwise'> {
  if (endpoint.database !== undefined) return { database: endpoint.database };
  const otherwise = adminEndpoint.database ?? maintenanceDatabase;
  const isAdmins =
    admin.kind !== 'self' &&
    adminEndpoint.database === undefined &&
    targetName(endpoint, defaultPort) === targetName(adminEndpoint, defaultPort);
  const isText = endpoint.options['scheme'] !== undefined && !isAdmins;
  return isText ? { database: username } : { database: username, otherwise };
}

/** The failure of a fault that says nothing of a password or a right, met on a login's way in. */
export function loginFailure(work: Work, fault: PostgresFault): Failure {
  const place = { step: work.step, target: loginTarget(work.step) };
  switch (fault.kind) {
    case 'refused':
    case 'forbidden':
      return wireFailure(fault, 'rejected', place);
    case 'unreachable':
    case 'untrusted':
    case 'missing':
    case 'busy':
    case 'read-only':
    case 'late':
    case 'rejected':
      return wireFailure(fault, fault.kind, place);
  }
}

/** The name by which the admin is known to the server, so that it is never taken for a login to change. */
export function adminLogin(step: Step): string | undefined {
  switch (step.admin.kind) {
    case 'self':
      return undefined;
    case 'connection':
      return step.admin.credential.username;
    case 'identity':
      return step.admin.username;
  }
}

function limits({ step, environment }: Work): Pick<Opening, 'signal' | 'remainingMs' | 'environment'> {
  return { signal: step.signal, remainingMs: step.remainingMs, environment };
}

function secretsOf(step: Step): readonly SecretText[] {
  const admin = step.admin.kind === 'connection' ? [step.admin.credential.password] : [];
  return [step.current.password, ...admin];
}
