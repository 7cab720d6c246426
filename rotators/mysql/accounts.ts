/** What the server keeps about the accounts of a name. */
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { mariadbAccounts, mariadbRows, mysqlAccounts, mysqlRows } from './account-rows.ts';
import { type Fault, fault } from './fault.ts';
import { comparing, nativePlugin } from './hashes.ts';
import { type Account, accountName, accountText, literal } from './quote.ts';
import { type Rules, rulesOnMariadb, rulesOnMysql } from './rules.ts';
import type { Session } from './session.ts';
import type { Row } from './wire.ts';

/** One of the ways in: a plugin with what it compares a password to. */
export interface Method {
  readonly plugin: string;
  readonly hash: Buffer;
}

export interface AccountState {
  readonly kind: 'account';
  readonly account: Account;
  readonly locked: boolean;
  /** MariaDB may know several, MySQL one. */
  readonly methods: readonly Method[];
  /** MySQL keeps a second password beside the first. */
  readonly second?: Buffer;
  readonly rules: Rules;
  /** Which of its passwords one is. The password is not sent anywhere. May be asked again: the answer is worked out once. */
  placeOf(password: SecretText): Promise<Place>;
}

/** On MariaDB no password comes before another, and each is a first one. */
export type Place = 'first' | 'second' | 'none' | 'unreadable';

export type Accounts = { readonly kind: 'accounts'; readonly accounts: readonly AccountState[] } | Fault;

/** All accounts of these names, by the hosts they may come from, as they are now. Roles of MariaDB are none. */
export async function readAccounts(session: Session, users: readonly string[]): Promise<Accounts> {
  const isMariadb = session.server.flavour === 'MariaDB';
  const names = users.map(literal).join(', ');
  const answer = await session.query(isMariadb ? mariadbAccounts(names) : mysqlAccounts(names));
  if (answer.kind === 'rows') return accountsIn(session, answer.rows);
  return withPermission(answer, `SELECT on ${isMariadb ? 'mysql.global_priv' : 'mysql.user'}`);
}

/** The same, as they were when the session began, where it was opened to see them. */
export async function accountsAtStart(session: Session, users: readonly string[]): Promise<Accounts> {
  const { seen } = session;
  const isSeen = seen !== undefined && users.every((user) => seen.users.includes(user));
  return isSeen ? accountsIn(session, seen.rows) : readAccounts(session, users);
}

function accountsIn(session: Session, rows: readonly Row[]): Accounts {
  return session.server.flavour === 'MariaDB' ? inMariadb(session, rows) : inMysql(session, rows);
}

function inMariadb(session: Session, given: readonly Row[]): Accounts {
  const rows = mariadbRows.safeParse(given);
  if (!rows.success) return unreadable(session, 'mysql.global_priv');
  const accounts = rows.data.map(({ user, host, priv }): AccountState => {
    const { auth_or: more = [], account_locked: locked = false, ...outer } = priv;
    // An empty entry of the list stands for the fields outside it.
    const all = more.length === 0 ? [outer] : more.map((one) => (one.plugin === undefined ? outer : one));
    const methods = all.map(({ plugin = nativePlugin, authentication_string: hash = '' }) => ({
      plugin,
      hash: Buffer.from(hash),
    }));
    return looked({ kind: 'account', account: { user, host }, locked, methods, rules: rulesOnMariadb(outer) });
  });
  return { kind: 'accounts', accounts };
}

function inMysql(session: Session, given: readonly Row[]): Accounts {
  const rows = mysqlRows.safeParse(given);
  if (!rows.success) return unreadable(session, 'mysql.user');
  const accounts = rows.data.map(({ user, host, plugin, first, locked, attributes, ...rules }): AccountState => {
    const { additional_password: second } = attributes;
    return looked({
      kind: 'account',
      account: { user, host },
      locked: locked === 'Y',
      methods: [{ plugin, hash: Buffer.from(first, 'hex') }],
      // Each of its characters is one byte.
      ...(second === undefined ? {} : { second: Buffer.from(second, 'latin1') }),
      rules: rulesOnMysql(rules, attributes, session.server.version),
    });
  });
  return { kind: 'accounts', accounts };
}

function looked(state: Omit<AccountState, 'placeOf'>): AccountState {
  const [{ plugin } = { plugin: '' }] = state.methods;
  const firsts = state.methods.map((method) => comparing(method.plugin, method.hash));
  const second = state.second === undefined ? undefined : comparing(plugin, state.second);
  return {
    ...state,
    async placeOf(password) {
      const found = await Promise.all(firsts.map((compare) => compare(password)));
      if (found.includes('same')) return 'first';
      const other = (await second?.(password)) ?? 'other';
      if (other === 'same') return 'second';
      return [...found, other].includes('unreadable') ? 'unreadable' : 'none';
    },
  };
}

/** The refusal to leave an account without any password that is known. */
export function onlyOne(session: Session, state: AccountState): Fault {
  const detail = `the old password of ${accountName(state.account)} is the only one it has, and the published one is not there`;
  return fault('rejected', session.target, detail);
}

/** Makes an account with the rules of another one, locked: nobody gets in before it is complete. */
export function createLike(
  session: Session,
  model: AccountState,
  account: Account,
  identified: string,
): Promise<Fault | undefined> {
  const { text, attributes } = model.rules;
  return session.change(
    `CREATE USER ${accountText(account)} ${identified} ${text} ACCOUNT LOCK${attributes}`,
    'CREATE USER on *.*',
  );
}

function unreadable(session: Session, table: string): Fault {
  return fault('rejected', session.target, `what it says in ${table} could not be read`);
}

/** Says which right is missing where a look was forbidden. */
export function withPermission(met: Fault, permission: string): Fault {
  return met.fault === 'forbidden' ? { ...met, permission: met.permission ?? permission } : met;
}
