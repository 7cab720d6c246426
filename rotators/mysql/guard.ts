/**
 * Whoever may edit one secret names a login in it. With the rights of the admin that login could be anybody's, so a powerful one is
 * changed only for somebody who knew its password.
 */
import type { AccountState } from './accounts.ts';
import type { Call } from './connect.ts';
import { type Fault, fault } from './fault.ts';
import { powersOf } from './power.ts';
import { accountName, sameAccount } from './quote.ts';
import type { Session } from './session.ts';

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
    const held = await powersOf(session, account);
    if (held.kind === 'fault') return held;
    if (held.powers.length === 0) continue;
    const detail = `${name} is powerful (${held.powers.slice(0, 5).join(', ')}), and has none of the known passwords`;
    return fault('unsafe', session.target, detail);
  }
  return undefined;
}
