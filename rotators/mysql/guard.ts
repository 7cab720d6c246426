/**
 * Whoever may edit one secret names a login in it. With the rights of the admin that login could be anybody's, so a powerful one is
 * changed only for somebody who knew its password.
 */
import type { Credential } from '../../shared/contract/credential.ts';
import type { AccountState } from './accounts.ts';
import { type Call, openAs } from './connect.ts';
import { type Fault, fault } from './fault.ts';
import { grantsOf } from './grants.ts';
import { accountName, sameAccount } from './quote.ts';
import type { Session } from './session.ts';

// Rights with which a login can give itself all others: https://dev.mysql.com/doc/refman/8.0/en/privileges-provided.html
const powerful =
  /^(ALL PRIVILEGES|SUPER|CREATE USER|FILE|SHUTDOWN|SYSTEM_USER|ROLE_ADMIN|SET_USER_ID|SET USER|INSERT|UPDATE|DELETE)( ON \*\.\*| ON `mysql`\.)|GRANT OPTION$|ADMIN OPTION$/;

/** Why the login must not be changed; undefined when it may. */
export async function whyNotOurs(
  call: Call,
  session: Session,
  state: AccountState,
  known: readonly Credential[],
): Promise<Fault | undefined> {
  if (call.step.admin.kind === 'self') return undefined;
  const name = accountName(state.account);
  if (sameAccount(state.account, session.account)) {
    return fault(
      'unsafe',
      session.target,
      `${name} is the rotation admin itself; a login changes itself without the tag "admin"`,
    );
  }
  const held = await grantsOf(session, state.account);
  if (held.kind === 'fault') return held;
  const right = held.grants.flatMap((grant) => grant.rights).find((one) => powerful.test(one));
  if (right === undefined) return undefined;
  for (const credential of known) {
    if (credential.username !== state.account.user) continue;
    const own = await openAs(call, credential, call.step.adminEndpoint);
    if (own.kind === 'session') {
      own.close();
      return undefined;
    }
    if (own.fault !== 'refused') return own;
  }
  return fault('unsafe', session.target, `${name} holds ${right}, and no known password of it logs in`);
}
