/** What the server keeps about an account, and how an account like another one is made. */
import * as z from 'zod';
import { parseJson } from '../../shared/json.ts';
import { type Fault, fault } from './fault.ts';
import { type Account, accountText, literal, sameAccount } from './quote.ts';
import type { Session } from './session.ts';

/** One of the ways in: a plugin with what it compares a password to. */
export interface Method {
  readonly plugin: string;
  readonly hash: string;
}

export interface AccountState {
  readonly kind: 'account';
  readonly account: Account;
  readonly locked: boolean;
  /** MariaDB may know several, MySQL one. */
  readonly methods: readonly Method[];
  /** MySQL keeps a second password beside the first. Which one it is cannot be seen. */
  readonly hasSecond: boolean;
  /** REQUIRE and WITH, as a statement takes them. */
  readonly requirements: string;
}

export type Found = AccountState | { readonly kind: 'missing' } | Fault;

const hostRow = z.object({ host: z.string() });

/** All accounts of one name, by the hosts they may come from. Roles are none. */
export async function accountsNamed(
  session: Session,
  user: string,
): Promise<{ readonly kind: 'accounts'; readonly accounts: readonly Account[] } | Fault> {
  const answer = await session.query(
    `SELECT Host AS host FROM mysql.user WHERE User = ${literal(user)} AND Host <> ''`,
  );
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.user');
  const hosts = z.array(hostRow).safeParse(answer.rows);
  if (!hosts.success) return unreadable(session, 'mysql.user');
  return { kind: 'accounts', accounts: hosts.data.map(({ host }) => ({ user, host })) };
}

/** Reads one account. */
export async function readAccount(session: Session, account: Account): Promise<Found> {
  const named = await accountsNamed(session, account.user);
  if (named.kind === 'fault') return named;
  const exact = named.accounts.find((one) => sameAccount(one, account));
  if (exact === undefined) return { kind: 'missing' };
  const requirements = await readRequirements(session, exact);
  if (requirements.kind === 'fault') return requirements;
  const ways =
    session.server.flavour === 'MariaDB' ? await mariadbWays(session, exact) : await mysqlWays(session, exact);
  return ways.kind === 'fault' ? ways : { ...ways, kind: 'account', account: exact, requirements: requirements.text };
}

interface Ways {
  readonly kind: 'ways';
  readonly locked: boolean;
  readonly methods: readonly Method[];
  readonly hasSecond: boolean;
}

const method = z.object({ plugin: z.string().optional(), authentication_string: z.string().optional() });

/** The column Priv of mysql.global_priv: https://mariadb.com/kb/en/mysqlglobal_priv-table/ */
const privilegeDocument = method.extend({
  auth_or: z.array(method).optional(),
  account_locked: z.boolean().optional(),
});

async function mariadbWays(session: Session, account: Account): Promise<Ways | Fault> {
  const answer = await session.query(
    `SELECT CAST(Priv AS CHAR) AS priv FROM mysql.global_priv WHERE ${whereAccount(account)}`,
  );
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.global_priv');
  const document = privilegeDocument.safeParse(parseJson(answer.rows[0]?.['priv']));
  if (!document.success) return unreadable(session, 'mysql.global_priv');
  const { auth_or: more = [], account_locked: locked = false, ...outer } = document.data;
  // An empty entry of the list stands for the fields outside it.
  const all = more.length === 0 ? [outer] : more.map((one) => (one.plugin === undefined ? outer : one));
  const methods = all.map((one) => ({ plugin: one.plugin ?? nativePlugin, hash: one.authentication_string ?? '' }));
  return { kind: 'ways', locked, methods, hasSecond: false };
}

/** The plugin whose hashes a client can compute by itself. An account without a plugin uses it too. */
export const nativePlugin = 'mysql_native_password';

const mysqlRow = z.object({ plugin: z.string(), locked: z.string(), second: z.coerce.number().nullable() });

async function mysqlWays(session: Session, account: Account): Promise<Ways | Fault> {
  const answer = await session.query(
    `SELECT plugin, account_locked AS locked, JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password') AS second FROM mysql.user WHERE ${whereAccount(account)}`,
  );
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.user');
  const row = mysqlRow.safeParse(answer.rows[0]);
  if (!row.success) return unreadable(session, 'mysql.user');
  const { plugin, locked, second } = row.data;
  return { kind: 'ways', locked: locked === 'Y', methods: [{ plugin, hash: '' }], hasSecond: second === 1 };
}

const requirementRow = z.object({
  type: z.string(),
  cipher: z.string(),
  issuer: z.string(),
  subject: z.string(),
  queries: z.coerce.number(),
  updates: z.coerce.number(),
  connections: z.coerce.number(),
  sessions: z.coerce.number(),
});

async function readRequirements(
  session: Session,
  account: Account,
): Promise<{ readonly kind: 'requirements'; readonly text: string } | Fault> {
  const answer = await session.query(
    `SELECT ssl_type AS type, CAST(ssl_cipher AS CHAR) AS cipher, CAST(x509_issuer AS CHAR) AS issuer, CAST(x509_subject AS CHAR) AS subject, max_questions AS queries, max_updates AS updates, max_connections AS connections, max_user_connections AS sessions FROM mysql.user WHERE ${whereAccount(account)}`,
  );
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.user');
  const row = requirementRow.safeParse(answer.rows[0]);
  return row.success ? { kind: 'requirements', text: requirementsOf(row.data) } : unreadable(session, 'mysql.user');
}

function requirementsOf(row: z.infer<typeof requirementRow>): string {
  const limits = `WITH MAX_QUERIES_PER_HOUR ${row.queries} MAX_UPDATES_PER_HOUR ${row.updates} MAX_CONNECTIONS_PER_HOUR ${row.connections} MAX_USER_CONNECTIONS ${row.sessions}`;
  return `REQUIRE ${transportOf(row)} ${limits}`;
}

function transportOf(row: z.infer<typeof requirementRow>): string {
  switch (row.type) {
    case '':
      return 'NONE';
    case 'ANY':
      return 'SSL';
    case 'X509':
      return 'X509';
    default: {
      const parts = [
        ['CIPHER', row.cipher],
        ['ISSUER', row.issuer],
        ['SUBJECT', row.subject],
      ] as const;
      return parts
        .filter(([, value]) => value !== '')
        .map(([name, value]) => `${name} ${literal(value)}`)
        .join(' AND ');
    }
  }
}

/** Makes an account with the requirements of another one, locked: nobody gets in before it is complete. */
export async function createLike(
  session: Session,
  model: AccountState,
  account: Account,
  identified: string,
): Promise<Fault | undefined> {
  return session.change(
    `CREATE USER ${accountText(account)} ${identified} ${model.requirements} ACCOUNT LOCK`,
    'CREATE USER on *.*',
  );
}

function whereAccount(account: Account): string {
  return `User = ${literal(account.user)} AND Host = ${literal(account.host)}`;
}

function unreadable(session: Session, table: string): Fault {
  return fault('rejected', session.target, `what it says in ${table} could not be read`);
}

/** Says which right is missing where a look was forbidden. */
export function withPermission(met: Fault, permission: string): Fault {
  return met.fault === 'forbidden' ? { ...met, permission } : met;
}
