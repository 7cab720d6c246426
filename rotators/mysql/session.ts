/** One session on a MySQL or MariaDB server. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { TargetRules } from '../../shared/contract/password-rules.ts';
import { withAccounts } from './account-rows.ts';
import { type Fault, fault } from './fault.ts';
import { type GlobalSettings, settingsColumn, settingsIn } from './global-settings.ts';
import { policyIn } from './password-policy.ts';
import { type Account, literal, parseAccount, parseShownAccount, sessionMode } from './quote.ts';
import { type OpenOptions, type Row, type Rows, type Sets, Wire } from './wire.ts';

export interface Server {
  readonly flavour: 'MariaDB' | 'MySQL';
  /** As the server writes it. */
  readonly text: string;
  /** Major, minor, patch as one number that can be compared: 10.11.6 is 101106. */
  readonly version: number;
}

/** How the server was set when the session began. */
export interface Settings {
  /** Why it takes no changes, in its own words: `read_only is ON`. Absent where it takes them. */
  readonly readOnly?: string;
  /** Days until a password has to be changed, where its account does not say; 0: never. */
  readonly lifetimeDays: number;
  /** Those of the whole server, where it says them. */
  readonly settings?: GlobalSettings;
  /** What they ask of passwords. */
  readonly policy?: TargetRules;
}

export interface SessionOptions extends OpenOptions {
  /** Logins whose accounts are read with the greeting, where the session may. */
  readonly users?: readonly string[];
}

export interface Session {
  readonly kind: 'session';
  readonly target: string;
  readonly server: Server & Settings;
  /** The account the server matched: which of several with one name it is depends on the host we come from. */
  readonly account: Account;
  /** What it logged in with. */
  readonly as: Credential;
  /** Where we come from, as the server sees it: an address, or a name where it resolves them. */
  readonly client: string;
  readonly id: number;
  /** Accounts that were read as it began. */
  readonly seen?: { readonly users: readonly string[]; readonly rows: readonly Row[] };
  /** Sends one statement. Never throws. */
  query(statement: string): Promise<Rows>;
  /** Sends statements that change nothing, in one round trip where the server can. Each gives its rows; the first that fails is the answer. */
  queries(statements: readonly string[]): Promise<Sets>;
  /** Sends a statement that changes something; `permission` is the right it needs. The server refuses it when it arrives too late. */
  change(statement: string, permission: string): Promise<Fault | undefined>;
  /** May be called again. */
  close(): void;
}

// MariaDB 12 writes OFF and MySQL 0.
const flag = z.coerce.string().transform((text) => text !== '0' && text !== 'OFF');

const greeting = z.object({
  version: z.string(),
  account: z.string(),
  client: z.string(),
  id: z.coerce.number(),
  now: z.coerce.number(),
  readOnly: flag,
  // Readers of Aurora are set so, and whatever may write elsewhere may not here.
  innodbReadOnly: flag,
  lifetimeDays: z.coerce.number(),
  mode: z.string(),
  quotes: flag,
});

/** A login that succeeded, and no more: nothing is changed by it, so it needs no settings. */
export interface Entry {
  readonly kind: 'entry';
  readonly target: string;
  readonly account: Account;
  /** What the server asks of passwords, where it was asked and says. */
  readonly policy?: TargetRules;
  /** The answer to SHOW GRANTS, where it was asked. */
  readonly shown?: readonly Row[];
  /** May be called again. */
  close(): void;
}

/** What a login is asked first, which also finds out a password that has expired. */
export type FirstQuestion = 'account and rules' | 'rights';

/** Logs in to see whether it works. */
export async function enter(options: OpenOptions, question: FirstQuestion): Promise<Entry | Fault> {
  const wire = new Wire(options);
  const entered = await wire.connect();
  if (entered !== undefined) return entered;
  const answer = question === 'rights' ? await askRights(wire) : await askAccount(wire);
  if (answer.kind === 'fault') {
    wire.close();
    return answer;
  }
  return { ...answer, kind: 'entry', target: wire.target, close: () => wire.close() };
}

type Answered = { readonly kind: 'answered' } & Pick<Entry, 'account' | 'policy' | 'shown'>;

async function askAccount(wire: Wire): Promise<Answered | Fault> {
  const asked = await withSettings(wire, 'SELECT CURRENT_USER() AS account');
  if (asked.kind === 'fault') return asked;
  const [row] = asked.rows;
  const policy = policyIn(settingsIn(row));
  const account = parseAccount(String(row?.['account']));
  return { kind: 'answered', account, ...(policy === undefined ? {} : { policy }) };
}

/** Its rights say whose they are, so the account is asked for only where they are not readable. */
async function askRights(wire: Wire): Promise<Answered | Fault> {
  const asked = await wire.query('SHOW GRANTS', 'statement');
  if (isUnable(asked)) return askAccount(wire);
  if (asked.kind === 'fault') return asked;
  const account = granteeIn(asked.rows);
  if (account === undefined) return askAccount(wire);
  return { kind: 'answered', account, shown: asked.rows };
}

// Roles that are in force are listed too, on MariaDB under their own names, which have no host.
function granteeIn(rows: readonly Row[]): Account | undefined {
  const named = rows.flatMap(
    (row) => / TO (`(?:[^`]|``)*`@`(?:[^`]|``)*`)/.exec(String(Object.values(row)[0]))?.[1] ?? [],
  );
  const [first, ...others] = new Set(named);
  return first === undefined || others.length > 0 ? undefined : parseShownAccount(first);
}

/** A server that cannot say its settings is asked without. */
async function withSettings(wire: Wire, select: string): Promise<Rows> {
  const asked = await wire.query(`${select} ${settingsColumn}`, 'statement');
  return isUnable(asked) ? wire.query(select, 'login') : asked;
}

function isUnable(asked: Rows): boolean {
  return asked.kind === 'fault' && ['rejected', 'missing', 'forbidden', 'unsupported'].includes(asked.fault);
}

/** Connects, logs in, and makes the session independent of the server's settings. */
export async function openSession(options: SessionOptions): Promise<Session | Fault> {
  const wire = new Wire(options);
  const entered = await wire.connect();
  if (entered !== undefined) return entered;
  const prepared = await prepare(wire, options.users ?? []);
  if (prepared.kind === 'fault') {
    wire.close();
    return prepared;
  }
  const { server, hello, offsetMs, seen } = prepared;
  return {
    kind: 'session',
    target: wire.target,
    server,
    account: parseAccount(hello.account),
    as: options.credential,
    client: parseAccount(hello.client).host,
    id: hello.id,
    ...(seen === undefined ? {} : { seen }),
    query: (statement) => wire.query(statement, 'statement'),
    queries: (statements) => (server.flavour === 'MariaDB' ? inOneBlock(wire, statements) : oneByOne(wire, statements)),
    change: async (statement, permission) => {
      // An admin with CONNECTION_ADMIN or SUPER is let past read_only: what it wrote would exist on this server alone.
      if (server.readOnly !== undefined) return fault('read-only', wire.target, server.readOnly);
      const text = server.flavour === 'MariaDB' ? fenced(statement, offsetMs, options.remainingMs()) : statement;
      const answer = await wire.query(text, 'statement');
      if (answer.kind === 'rows') return undefined;
      return answer.fault === 'forbidden' ? { ...answer, permission: answer.permission ?? permission } : answer;
    },
    close: () => wire.close(),
  };
}

/**
 * MariaDB takes several statements in a block, on a connection that takes one at a time. A text that got out of its quotes could begin
 * another statement in it, as it could in the block of a change: nothing but names quoted by quote.ts may stand in one.
 */
function inOneBlock(wire: Wire, statements: readonly string[]): Promise<Sets> {
  return wire.querySets(`BEGIN NOT ATOMIC ${statements.map((one) => `${one}; `).join('')}END`, 'statement');
}

async function oneByOne(wire: Wire, statements: readonly string[]): Promise<Sets> {
  const sets: (readonly Row[])[] = [];
  for (const statement of statements) {
    const answer = await wire.query(statement, 'statement');
    if (answer.kind === 'fault') return answer;
    sets.push(answer.rows);
  }
  return { kind: 'sets', sets };
}

interface Prepared {
  readonly kind: 'prepared';
  readonly server: Server & Settings;
  readonly hello: z.infer<typeof greeting>;
  /** The server's clock less our own monotonic one. */
  readonly offsetMs: number;
  readonly seen?: Session['seen'];
}

async function prepare(wire: Wire, users: readonly string[]): Promise<Prepared | Fault> {
  const asked = await greet(wire, users);
  if (asked.kind === 'fault') return asked;
  const [first] = asked.rows;
  const hello = greeting.safeParse(first);
  if (!hello.success) return fault('rejected', wire.target, 'it did not say which version it is');
  const set = await makeIndependent(wire, hello.data);
  if (set !== undefined) return set;
  const offsetMs = hello.data.now * 1000 - performance.now();
  const settings = settingsIn(first);
  const policy = policyIn(settings);
  const server = {
    ...serverOf(hello.data.version),
    ...settingsOfServer(hello.data),
    ...(settings === undefined ? {} : { settings }),
    ...(policy === undefined ? {} : { policy }),
  };
  // Where there are no such accounts, the one row has none of one.
  const rows = asked.rows.filter((row) => row['user'] !== null);
  const seen = users.length > 0 && first !== undefined && 'user' in first ? { seen: { users, rows } } : {};
  return { kind: 'prepared', server, hello: hello.data, offsetMs, ...seen };
}

const greetingColumns =
  'SELECT VERSION() AS version, CURRENT_USER() AS account, USER() AS client, CONNECTION_ID() AS id, UNIX_TIMESTAMP(SYSDATE(6)) AS now, @@GLOBAL.read_only AS readOnly, @@GLOBAL.innodb_read_only AS innodbReadOnly, @@GLOBAL.default_password_lifetime AS lifetimeDays, @@SESSION.sql_mode AS mode, @@SESSION.sql_quote_show_create AS quotes';

/** Accounts that may not be read now are asked for later, by a statement that says which right is missing. */
async function greet(wire: Wire, users: readonly string[]): Promise<Rows> {
  if (users.length > 0) {
    const asked = await wire.query(`${greetingColumns} ${settingsColumn} ${withAccounts(users)}`, 'statement');
    if (!isUnable(asked)) return asked;
  }
  return withSettings(wire, greetingColumns);
}

// Modes that change neither what a statement means nor how it has to be quoted.
const harmless = new Set([
  'STRICT_TRANS_TABLES',
  'STRICT_ALL_TABLES',
  'NO_ENGINE_SUBSTITUTION',
  'ERROR_FOR_DIVISION_BY_ZERO',
  'NO_AUTO_CREATE_USER',
  'NO_ZERO_DATE',
  'NO_ZERO_IN_DATE',
  'ONLY_FULL_GROUP_BY',
  // The driver asks for this one.
  'IGNORE_SPACE',
]);

/** Most servers are set as we need it, and it costs a round trip. */
async function makeIndependent(wire: Wire, { mode, quotes }: z.infer<typeof greeting>): Promise<Fault | undefined> {
  const modes = mode.split(',');
  if (quotes && modes.includes('STRICT_TRANS_TABLES') && modes.every((one) => harmless.has(one))) return undefined;
  const statement = `SET SESSION sql_mode = ${literal(sessionMode)}, SESSION sql_quote_show_create = 1`;
  const set = await wire.query(statement, 'login');
  return set.kind === 'fault' ? set : undefined;
}

function settingsOfServer({ readOnly, innodbReadOnly, lifetimeDays }: z.infer<typeof greeting>): Settings {
  const on = [...(readOnly ? ['read_only'] : []), ...(innodbReadOnly ? ['innodb_read_only'] : [])];
  if (on.length === 0) return { lifetimeDays };
  return { lifetimeDays, readOnly: on.map((name) => `${name} is ON`).join(', ') };
}

/**
 * MariaDB compares the time itself before it changes anything, and looks whether it takes changes still. MySQL cannot: a statement that
 * changes a login may not be made conditional there without putting its password into a variable and so into logs.
 */
function fenced(statement: string, offsetMs: number, remainingMs: number): string {
  const deadline = ((offsetMs + performance.now() + remainingMs) / 1000).toFixed(6);
  return `BEGIN NOT ATOMIC IF UNIX_TIMESTAMP(SYSDATE(6)) > ${deadline} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the change came too late'; END IF; ${onlyIfWritable} ${statement}; END`;
}

const onlyIfWritable =
  "IF CAST(@@GLOBAL.read_only AS CHAR) NOT IN ('0', 'OFF') THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = 'read_only is ON'; END IF;";

export function serverOf(text: string): Server {
  // Replication with old clients made MariaDB put "5.5.5-" in front of its version.
  const [, major = '0', minor = '0', patch = '0'] = /(\d+)\.(\d+)\.(\d+)/.exec(text.replace(/^5\.5\.5-/, '')) ?? [];
  const version = Number(major) * 10_000 + Number(minor) * 100 + Number(patch);
  return { flavour: /mariadb/i.test(text) ? 'MariaDB' : 'MySQL', text, version };
}
