/** The accounts of the stand-in, with the rules of MySQL 8.0.14 and later for two passwords on one account. */
import { doubleSha256, type ServerError } from './wire.ts';

export interface Grant {
  readonly privileges: readonly string[];
  /** As SHOW GRANTS writes it: `*.*`, `` `orders`.* ``. */
  readonly object: string;
  readonly option: boolean;
}

export interface StandInAccount {
  readonly user: string;
  readonly host: string;
  readonly plugin: string;
  primary: Buffer;
  secondary: Buffer | undefined;
  locked: boolean;
  requirements: string;
  grants: Grant[];
  roles: { readonly name: string; readonly admin: boolean }[];
  defaultRoles: string[];
}

export function failed(errno: number, state: string, message: string): ServerError {
  return { kind: 'error', errno, state, message };
}

export class Accounts {
  readonly #all = new Map<string, StandInAccount>();

  create(user: string, host: string, plugin: string, password: string, requirements: string): StandInAccount {
    const account: StandInAccount = {
      user,
      host,
      plugin,
      primary: doubleSha256(password),
      secondary: undefined,
      locked: false,
      requirements,
      grants: [],
      roles: [],
      defaultRoles: [],
    };
    this.#all.set(key(user, host), account);
    return account;
  }

  find(user: string, host: string): StandInAccount | undefined {
    return this.#all.get(key(user, host));
  }

  drop(user: string, host: string): void {
    this.#all.delete(key(user, host));
  }

  named(user: string): readonly StandInAccount[] {
    return [...this.#all.values()].filter((account) => account.user === user);
  }

  /** The account that a client from loopback is taken for: the one with the longest host part that fits. */
  matching(user: string): StandInAccount | undefined {
    const fits = this.named(user).filter(({ host }) => '127.0.0.1'.startsWith(host.replace('%', '')));
    return fits.sort((one, other) => other.host.length - one.host.length)[0];
  }

  snapshot(): unknown {
    return [...this.#all.values()].map((account) => ({
      ...account,
      primary: account.primary.toString('hex'),
      secondary: account.secondary?.toString('hex'),
    }));
  }
}

function key(user: string, host: string): string {
  return JSON.stringify([user, host]);
}

export type PasswordChange = 'plain' | 'retain';

/** ALTER USER … IDENTIFIED WITH … BY …: without RETAIN the second password stays as it is; with it, it is overwritten. */
export function setPassword(
  account: StandInAccount,
  plugin: string,
  password: string,
  change: PasswordChange,
): ServerError | undefined {
  if (password.length < 8)
    return failed(1819, 'HY000', 'Your password does not satisfy the current policy requirements');
  if (plugin !== account.plugin) {
    return failed(3894, 'HY000', `Current password can not be retained for user '${account.user}'@'${account.host}'`);
  }
  if (change === 'retain') account.secondary = account.primary;
  account.primary = doubleSha256(password);
  return undefined;
}

export function may(account: StandInAccount, privilege: string, object: string): boolean {
  const everywhere = object.replace(/^`[^`]*`/, '*');
  return account.grants.some(
    (grant) =>
      (grant.object === object || grant.object === '*.*' || grant.object === everywhere) &&
      (grant.privileges.includes(privilege) || grant.privileges.includes('ALL PRIVILEGES')),
  );
}

export function mayPassOn(account: StandInAccount, privilege: string, object: string): boolean {
  const passable = { ...account, grants: account.grants.filter((grant) => grant.option) };
  return may(passable, privilege, object);
}
