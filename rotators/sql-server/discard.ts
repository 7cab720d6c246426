/** Removes the account of a rehearsal. */
import type { RotatorEnvironment } from '../../shared/contract/rotator.ts';
import type { Failure } from '../../shared/errors.ts';
import { twinLogin } from '../common/twin.ts';
import { bareName, identify } from './accounts.ts';
import { adminPlace, asAdmin, type SqlStep } from './connect.ts';
import { readPair } from './prepare.ts';
import { quoteName } from './quote.ts';
import type { Server } from './server.ts';
import { notSafe } from './work.ts';

type Discarded = { readonly kind: 'discarded' } | Failure;

/** Its users go first, and the login last: a crash in between leaves a login by which the next call finds the rest. */
export async function discard(step: SqlStep, environment: RotatorEnvironment): Promise<Discarded> {
  const name = twinLogin(step);
  const liveName = bareName(step.current.username ?? '', step.endpoint);
  const work = async (server: Server): Promise<Discarded> => {
    const { account, pair } = await identify(server, liveName, name, step.endpoint);
    const [live, twin] = pair;
    if (twin === undefined) return { kind: 'discarded' };
    if (live?.sid.equals(twin.sid) === true) return notSafe({ step, place: adminPlace(step) }, name, 'it is in use.');
    if (account.kind === 'contained-user') {
      await server.change(account.home, [`DROP USER ${quoteName(name)};`]);
      return { kind: 'discarded' };
    }
    const reading = await readPair(server, account, { live: live ?? twin, other: twin, name }, step.endpoint.database);
    for (const user of reading.other.users) await server.change(user.database, [`DROP USER ${quoteName(user.name)};`]);
    await server.change(account.home, [`DROP LOGIN ${quoteName(name)};`], { aboutLogins: true });
    return { kind: 'discarded' };
  };
  const place = { login: name, permission: 'ALTER ANY LOGIN or ALTER ANY USER' };
  return asAdmin(step, step.current, environment, [step.current.password], work, place);
}
