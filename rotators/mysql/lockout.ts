/** Whether failed logins are punished, by the account or by the whole server. */
import type { AccountState } from './accounts.ts';
import type { Fault } from './fault.ts';
import { type GlobalSettings, lockoutNames, lockoutSettings } from './global-settings.ts';
import type { Lockout } from './rules.ts';
import type { Session } from './session.ts';

export type LockoutOutcome =
  | { readonly kind: 'lockout'; readonly lockout: Lockout }
  /** A failed login stays without consequence. */
  | { readonly kind: 'free' }
  | Fault;

// MariaDB closes a login after so many; this is its way to say never.
const never = 4_294_967_295;

/** The strictest rule for a login with these accounts. */
export async function lockoutOf(session: Session, states: readonly AccountState[]): Promise<LockoutOutcome> {
  const settings = session.server.settings ?? (await askedFor(session));
  if ('kind' in settings) return settings;
  const ofServer = Object.entries(lockoutSettings).flatMap(([name, until]): Lockout[] => {
    const attempts = Number(settings.get(name));
    return attempts > 0 && attempts < never ? [{ attempts, until }] : [];
  });
  const ofAccounts = states.flatMap(({ rules }) => (rules.lockout === undefined ? [] : [rules.lockout]));
  const [lockout] = [...ofServer, ...ofAccounts].sort((one, other) => one.attempts - other.attempts);
  return lockout === undefined ? { kind: 'free' } : { kind: 'lockout', lockout };
}

/** For a server that did not say as the session began. */
async function askedFor(session: Session): Promise<GlobalSettings | Fault> {
  const answer = await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${lockoutNames})`);
  if (answer.kind === 'fault') return answer;
  return new Map(answer.rows.map((row) => [String(row['Variable_name']).toLowerCase(), String(row['Value'])]));
}

/** The rule in words. */
export function lockoutText({ attempts, until }: Lockout): string {
  return `${attempts} failed ${attempts === 1 ? 'login closes' : 'logins in a row close'} it until ${until}`;
}
