/** Whether failed logins are punished, by the account or by the whole server. */
import type { AccountState } from './accounts.ts';
import type { Fault } from './fault.ts';
import type { Lockout } from './rules.ts';
import type { Session } from './session.ts';

export type LockoutOutcome =
  | { readonly kind: 'lockout'; readonly lockout: Lockout }
  /** A failed login stays without consequence. */
  | { readonly kind: 'free' }
  | Fault;

// MariaDB closes a login after so many; this is its way to say never.
const never = 4_294_967_295;

/**
 * MariaDB: https://mariadb.com/kb/en/server-system-variables/#max_password_errors, MySQL's connection control as a plugin and, since 9.2,
 * as a component: https://dev.mysql.com/doc/refman/9.2/en/connection-control.html
 */
const variables: Readonly<Record<string, string>> = {
  max_password_errors: 'FLUSH PRIVILEGES',
  connection_control_failed_connections_threshold: 'a login succeeds, each later answer being delayed',
  'component_connection_control.failed_connections_threshold': 'a login succeeds, each later answer being delayed',
};

/** The strictest rule for a login with these accounts. */
export async function lockoutOf(session: Session, states: readonly AccountState[]): Promise<LockoutOutcome> {
  const names = Object.keys(variables).map((name) => `'${name}'`);
  const answer = await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${names.join(', ')})`);
  if (answer.kind === 'fault') return answer;
  const ofServer = answer.rows.flatMap((row): Lockout[] => {
    const attempts = Number(row['Value']);
    if (!(attempts > 0 && attempts < never)) return [];
    return [{ attempts, until: variables[String(row['Variable_name'])] ?? '' }];
  });
  const ofAccounts = states.flatMap(({ rules }) => (rules.lockout === undefined ? [] : [rules.lockout]));
  const [lockout] = [...ofServer, ...ofAccounts].sort((one, other) => one.attempts - other.attempts);
  return lockout === undefined ? { kind: 'free' } : { kind: 'lockout', lockout };
}

/** The rule in words. */
export function lockoutText({ attempts, until }: Lockout): string {
  return `${attempts} failed ${attempts === 1 ? 'login closes' : 'logins in a row close'} it until ${until}`;
}
