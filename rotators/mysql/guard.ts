/**
 * Whoever may edit one secret names a login in it. With the rights of the admin that login could be anybody's, so a powerful one is
 * changed only for somebody who knew its password.
 */
import type { AccountState } from './accounts.ts';
import type { Call } from './connect.ts';
import { type Fault, fault } from './fault.ts';
import { grantsOf } from './grants.ts';
import { accountName, sameAccount } from './quote.ts';
import type { Session } from './session.ts';

// Rights with which a login can give itself all others: https://dev.mysql.com/doc/refman/8.0/en/privileges-provided.html
const powerful =
  /^(ALL PRIVILEGES|SUPER|CREATE USER|FILE|SHUTDOWN|SYSTEM_USER|ROLE_ADMIN|SET_USER_ID|SET USER|INSERT|UPDATE|DELETE)( ON \*\.\*| ON `mysql`\.)|GRANT OPTION$|ADMIN OPTION$/;

/** Why accounts must not be changed; undefined when they may. `proven`: whether a known password is theirs. */
export async function whyNotOurs(
  call: Call,
  session: Session,
  states: readonly AccountState[],
  proven: boolean,
): Promise<Fault | undefined> {
  if (call.step.admin.kind === 'self') return undefined;
  for (const { account } of states) {
    const name = accountName(account);
    if (sameAccount(account, session.account)) {
      const detail = `${name} is the rotation admin itself; a login changes itself without the tag "admin"`;
      return fault('unsafe', session.target, detail);
    }
    if (proven) continue;
    const held = await grantsOf(session, account);
    if (held.kind === 'fault') return held;
    const right = held.grants.flatMap((grant) => grant.rights).find((one) => powerful.test(one));
    if (right !== undefined)
      return fault('unsafe', session.target, `${name} holds ${right}, and no known password of it logs in`);
  }
  return undefined;
}
