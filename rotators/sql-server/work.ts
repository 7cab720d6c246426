/** What the changes of an account have in common, and why one is not made. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import type { Account, Principal } from './accounts.ts';
import type { SqlStep } from './connect.ts';
import type { FaultPlace } from './fault.ts';
import { unsafeAccount } from './power.ts';
import { replicasOf, replicaWords } from './replicas.ts';
import type { Server } from './server.ts';
import type { ServerReading } from './server-catalogue.ts';

/** The right a change of this kind of account takes. */
export function changePermission(account: Account['kind']): string {
  return account === 'login' ? 'ALTER ANY LOGIN' : 'ALTER ANY USER';
}

export interface Work {
  readonly step: SqlStep;
  readonly live: Credential;
  readonly account: Account;
  readonly place: FaultPlace;
  readonly environment: RotatorEnvironment;
}

export function notSafe({ step, place }: Pick<Work, 'step' | 'place'>, login: string, detail: string): Failure {
  return failure('login-not-safe', { secret: step.secret, target: place.target, login, detail });
}

export function unknownAccount(
  { step, place, account }: Pick<Work, 'step' | 'place' | 'account'>,
  name: string,
): Failure {
  const detail =
    account.kind === 'login'
      ? `there is no login "${name}", or the admin may not see it`
      : `there is no user "${name}" with a password in ${account.home}, or the admin may not see it`;
  return failure('target-missing', { secret: step.secret, target: place.target, detail });
}

/** Refuses a login whose databases another server holds replicas of: the login there would keep the old password. */
export async function notReplicated(
  server: Server,
  { step, account }: Pick<Work, 'step' | 'account'>,
  databases: readonly string[],
  onServer?: ServerReading,
): Promise<Failure | undefined> {
  if (account.kind !== 'login') return undefined;
  const detail = replicaWords(account, await replicasOf(server, databases, onServer));
  return detail === undefined ? undefined : failure('strategy-unsupported', { secret: step.secret, detail });
}

/** Refuses accounts that an ordinary secret must not lead to. */
export async function unsafeLogin(
  server: Server,
  about: Pick<Work, 'step' | 'place' | 'account'>,
  principal: Principal,
): Promise<Failure | undefined> {
  if (about.step.admin.kind === 'self') return undefined;
  const unsafe = await unsafeAccount(server, about.account, principal);
  return unsafe === undefined ? undefined : notSafe(about, principal.name, unsafe);
}
