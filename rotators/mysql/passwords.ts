/** How accounts are given a password, keep a second one, and lose it. The two servers differ in nothing else. */
import type { SecretText } from '../../shared/contract/secret-text.ts';
import type { AccountState } from './accounts.ts';
import type { Fault } from './fault.ts';
import type { Session } from './session.ts';

export interface Work {
  readonly session: Session;
  /** The accounts of one login, all of which change together. */
  readonly states: readonly AccountState[];
  readonly newPassword: () => SecretText;
}

export interface Passwords {
  /** Puts the candidate before the `known` passwords of the accounts and drops all others. */
  add(work: Work, candidate: SecretText, known: readonly SecretText[]): Promise<Fault | undefined>;
  /** Makes the candidate the only password. `ending`: what else the statement does (`ACCOUNT UNLOCK`). */
  replace(work: Work, candidate: SecretText, ending: string): Promise<Fault | undefined>;
  /**
   * Takes one password away. One that an account does not have is fine. Where it is the only one and `published` is not there either, the
   * account keeps it, unless it has to go `anyway`.
   */
  drop(work: Work, previous: SecretText, published: SecretText, anyway: boolean): Promise<Fault | undefined>;
  /** Locks the accounts behind a password that nobody knows. */
  lock(work: Work): Promise<Fault | undefined>;
  /** IDENTIFIED …, for a new account like this one, with a password that nobody knows. */
  identified(state: AccountState, password: SecretText): string;
  /** Changes the password of the session's own account, which needs no right. */
  replaceOwn(session: Session, candidate: SecretText): Promise<Fault | undefined>;
  /** Why the account cannot hold two passwords; undefined when it can. */
  whyNotTwo(session: Session, state: AccountState): string | undefined;
  /** Why its password cannot be replaced; undefined when it can. */
  whyNotOne(state: AccountState): string | undefined;
}
