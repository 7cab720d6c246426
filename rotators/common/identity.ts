/** Which logins a rotation of a secret changes, and where: for targets with logins. */
import { hostNames } from '../../shared/contract/hosts.ts';
import type { IdentityFacts } from '../../shared/contract/rotator.ts';
import { otherLogin } from './pair.ts';

interface LoginRules {
  readonly defaultPort: number;
  readonly maxLength: number;
  /** The one way to write a login. Default: as it is. */
  readonly loginName?: (name: string) => string;
  /** The database, where logins of one name are different ones in each. */
  readonly databaseOf?: (facts: IdentityFacts) => string | undefined;
}

/**
 * The login of the value and, with `alternating-users`, the other of its pair, at each host. Empty where the value names no login: that is
 * refused elsewhere. Pure.
 */
export function loginIdentity(
  facts: IdentityFacts,
  users: readonly [string, string] | undefined,
  { defaultPort, maxLength, loginName = (name) => name, databaseOf = () => undefined }: LoginRules,
): readonly string[] {
  const { username, strategy, endpoints } = facts;
  if (username === undefined || username === '') return [];
  const pair = strategy === 'alternating-users' ? otherLogin(username, { users, maxLength }) : undefined;
  const logins = [username, ...(pair?.kind === 'pair' ? [pair.other] : [])].map(loginName);
  const database = databaseOf(facts);
  const place = database === undefined ? '' : `/${database}`;
  return hostNames(endpoints, defaultPort).flatMap((host) => logins.map((login) => `${host}${place} ${login}`));
}
