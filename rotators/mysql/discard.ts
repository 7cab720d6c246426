/** Removes the login of a rehearsal. */
import { type Failure, isFailure } from '../../shared/errors.ts';
import { twinLogin } from '../common/twin.ts';
import { readAccounts } from './accounts.ts';
import { type Call, failureOf, openAdmin } from './connect.ts';
import { fault } from './fault.ts';
import { accountText } from './quote.ts';

/** At every host that it may come from. */
export async function discard(call: Call): Promise<{ readonly kind: 'discarded' } | Failure> {
  const login = twinLogin(call.step);
  const session = await openAdmin(call, [call.step.current]);
  if (isFailure(session)) return session;
  try {
    const unsafe = [call.step.current.username, session.account.user].includes(login);
    if (unsafe) return failureOf(call, fault('unsafe', session.target, `${login} is in use`));
    const read = await readAccounts(session, [login]);
    if (read.kind === 'fault') return failureOf(call, read);
    for (const { account } of read.accounts) {
      const met = await session.change(`DROP USER ${accountText(account)}`, 'CREATE USER on *.*');
      if (met !== undefined) return failureOf(call, met);
    }
    return { kind: 'discarded' };
  } finally {
    session.close();
  }
}
