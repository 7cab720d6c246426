/** What the server keeps about the accounts of a name. */
import * as z from 'zod';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { parseJson } from '../../shared/json.ts';
import { type Fault, fault } from './fault.ts';
import { compare, type Match, nativePlugin } from './hashes.ts';
import { type Account, accountName, accountText, literal } from './quote.ts';
import {
  mariadbRules,
  mysqlAttributes,
  mysqlRuleColumns,
  mysqlRules,
  type Rules,
  rulesOnMariadb,
  rulesOnMysql,
} from './rules.ts';
import type { Session } from './session.ts';

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
  /** Which of its passwords one is. The password is not sent anywhere; the answer is worked out once. */
  placeOf(password: SecretText): Promise<Place>;
}

/** On MariaDB no password comes before another, and each is a first one. */
export type Place = 'first' | 'second' | 'none' | 'unreadable';

export type Accounts = { readonly kind: 'accounts'; readonly accounts: readonly AccountState[] } | Fault;

/** All accounts of these names, by the hosts they may come from. Roles of MariaDB are none. */
export function readAccounts(session: Session, users: readonly string[]): Promise<Accounts> {
  const names = users.map(literal).join(', ');
  return session.server.flavour === 'MariaDB' ? readMariadb(session, names) : readMysql(session, names);
}

const method = z.object({ plugin: z.string().optional(), authentication_string: z.string().optional() });

/** The column Priv of mysql.global_priv: https://mariadb.com/kb/en/mysqlglobal_priv-table/ */
const privileges = method.extend({
  ...mariadbRules.shape,
  auth_or: z.array(method).optional(),
  account_locked: z.boolean().optional(),
});

const mariadbRow = z.object({
  user: z.string(),
  host: z.string(),
  priv: z.string().transform(parseJson).pipe(privileges),
});

async function readMariadb(session: Session, names: string): Promise<Accounts> {
  const answer = await session.query(
    `SELECT User AS user, Host AS host, CAST(Priv AS CHAR) AS priv FROM mysql.global_priv WHERE User IN (${names}) AND Host <> ''`,
  );
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.global_priv');
  const rows = z.array(mariadbRow).safeParse(answer.rows);
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

const mysqlRow = mysqlRules.extend({
  user: z.string(),
  host: z.string(),
  plugin: z.string(),
  first: z.string(),
  locked: z.string(),
  attributes: z
    .string()
    .nullable()
    .transform((text) => (text === null ? {} : parseJson(text)))
    .pipe(mysqlAttributes),
});

async function readMysql(session: Session, names: string): Promise<Accounts> {
  const answer = await session.query(
    `SELECT User AS user, Host AS host, plugin, HEX(authentication_string) AS first, account_locked AS locked, CAST(User_attributes AS CHAR) AS attributes, ${mysqlRuleColumns} FROM mysql.user WHERE User IN (${names})`,
  );
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.user');
  const rows = z.array(mysqlRow).safeParse(answer.rows);
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

/** Working an answer out takes a server's ten thousand rounds, so none is worked out twice. */
function looked(state: Omit<AccountState, 'placeOf'>): AccountState {
  const asked: { readonly password: SecretText; readonly place: Promise<Place> }[] = [];
  return {
    ...state,
    placeOf(password) {
      const before = asked.find((one) => one.password.equals(password));
      const place = before?.place ?? findPlace(state, password);
      if (before === undefined) asked.push({ password, place });
      return place;
    },
  };
}

async function findPlace(state: Omit<AccountState, 'placeOf'>, password: SecretText): Promise<Place> {
  const found = await Promise.all(state.methods.map(({ plugin, hash }) => compare(plugin, hash, password)));
  if (found.includes('same')) return 'first';
  const [{ plugin } = { plugin: '' }] = state.methods;
  const second: Match = state.second === undefined ? 'other' : await compare(plugin, state.second, password);
  if (second === 'same') return 'second';
  return [...found, second].includes('unreadable') ? 'unreadable' : 'none';
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
