/** What the admin needs for itself: to change the login, to see its sessions and, in an emergency, to end them. */
import type { RotatorCheck } from '../../shared/contract/rotator.ts';
import { adminName } from '../common/failures.ts';
import type { AccountState } from './accounts.ts';
import { failed, noted, passed } from './check-lines.ts';
import { type Call, failureOf } from './connect.ts';
import { type Grant, grantsOf } from './grants.ts';
import { accountName } from './quote.ts';
import { covers } from './rights.ts';
import type { Session } from './session.ts';

/** `own`: what the admin may do. */
export async function checkRights(
  call: Call,
  session: Session,
  own: readonly Grant[],
  states: readonly AccountState[],
): Promise<readonly RotatorCheck[]> {
  const admin = `the admin ${adminName(call.step)}`;
  const missing = own.length === 0 ? ['CREATE USER'] : await missingToChange(session, own, states);
  if ('kind' in missing) return [failed('permissions', failureOf(call, missing))];
  const permissions: RotatorCheck =
    missing.length === 0
      ? passed('permissions', 'the admin may change the login')
      : {
          name: 'permissions',
          state: 'failed',
          detail: `${admin} lacks ${missing.join(' and ')} to change the login`,
          fix: `GRANT ${missing.join(', ')} ON *.* TO the rotation admin.`,
        };
  return [permissions, ...sessionRights(session, own, admin)];
}

async function missingToChange(session: Session, own: readonly Grant[], states: readonly AccountState[]) {
  const missing = covers(own, 'CREATE USER ON *.*') ? [] : ['CREATE USER'];
  if (session.server.flavour === 'MariaDB' || covers(own, 'SYSTEM_USER ON *.*')) return missing;
  for (const { account } of states) {
    const held = await grantsOf(session, account);
    if (held.kind === 'fault') return held;
    // A login that holds it is changed only by one that holds it, too.
    if (covers(held.grants, 'SYSTEM_USER ON *.*')) return [...missing, `SYSTEM_USER (as ${accountName(account)} does)`];
  }
  return missing;
}

function sessionRights({ server }: Session, own: readonly Grant[], admin: string): readonly RotatorCheck[] {
  const kill = server.flavour === 'MariaDB' ? 'CONNECTION ADMIN' : 'CONNECTION_ADMIN';
  const lacks = (right: string) => !covers(own, `${right} ON *.*`);
  return [
    ...(lacks('PROCESS')
      ? [
          noted(
            'sessions',
            `${admin} lacks PROCESS, so nobody sees who is still on the old credential: GRANT PROCESS ON *.*`,
          ),
        ]
      : []),
    ...(lacks(kill) && lacks('SUPER')
      ? [
          noted(
            'emergency',
            `${admin} lacks ${kill}, with which an emergency ends sessions: GRANT it when there is one`,
          ),
        ]
      : []),
  ];
}
