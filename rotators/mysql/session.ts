/** One session on a MySQL or MariaDB server. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { TargetRules } from '../../shared/contract/password-rules.ts';
import { type Fault, fault } from './fault.ts';
import { policyColumn, policyIn } from './password-policy.ts';
import { type Account, literal, parseAccount, sessionMode } from './quote.ts';
import { type OpenOptions, type Rows, Wire } from './wire.ts';

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
  /** What it asks of passwords, where it says. */
  readonly policy?: TargetRules;
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
  /** Sends one statement. Never throws. */
  query(statement: string): Promise<Rows>;
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
  /** What the server asks of passwords, where it says. */
  readonly policy: TargetRules | undefined;
  query(statement: string): Promise<Rows>;
  /** May be called again. */
  close(): void;
}

/** Logs in to see whether it works. */
export async function enter(options: OpenOptions): Promise<Entry | Fault> {
  const wire = new Wire(options);
  const entered = await wire.connect();
  if (entered !== undefined) return entered;
  // A password that has expired is found out by the first statement.
  const asked = await withPolicy(wire, 'SELECT CURRENT_USER() AS account');
  if (asked.kind === 'fault') {
    wire.close();
    return asked;
  }
  const [row] = asked.rows;
  const account = parseAccount(String(row?.['account']));
  const query = (statement: string) => wire.query(statement, 'statement');
  return { kind: 'entry', target: wire.target, account, policy: policyIn(row), query, close: () => wire.close() };
}

/** A server that cannot say what it asks of passwords is asked without. */
async function withPolicy(wire: Wire, select: string): Promise<Rows> {
  const asked = await wire.query(`${select} ${policyColumn}`, 'statement');
  const cannot = asked.kind === 'fault' && ['rejected', 'missing', 'forbidden', 'unsupported'].includes(asked.fault);
  return cannot ? wire.query(select, 'login') : asked;
}

/** Connects, logs in, and makes the session independent of the server's settings. */
export async function openSession(options: OpenOptions): Promise<Session | Fault> {
  const wire = new Wire(options);
  const entered = await wire.connect();
  if (entered !== undefined) return entered;
  const prepared = await prepare(wire);
  if (prepared.kind === 'fault') {
    wire.close();
    return prepared;
  }
  const { server, hello, offsetMs } = prepared;
  return {
    kind: 'session',
    target: wire.target,
    server,
    account: parseAccount(hello.account),
    as: options.credential,
    client: parseAccount(hello.client).host,
    id: hello.id,
    query: (statement) => wire.query(statement, 'statement'),
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

interface Prepared {
  readonly kind: 'prepared';
  readonly server: Server & Settings;
  readonly hello: z.infer<typeof greeting>;
  /** The server's clock less our own monotonic one. */
  readonly offsetMs: number;
}

async function prepare(wire: Wire): Promise<Prepared | Fault> {
  const asked = await withPolicy(
    wire,
    'SELECT VERSION() AS version, CURRENT_USER() AS account, USER() AS client, CONNECTION_ID() AS id, UNIX_TIMESTAMP(SYSDATE(6)) AS now, @@GLOBAL.read_only AS readOnly, @@GLOBAL.innodb_read_only AS innodbReadOnly, @@GLOBAL.default_password_lifetime AS lifetimeDays, @@SESSION.sql_mode AS mode, @@SESSION.sql_quote_show_create AS quotes',
  );
  if (asked.kind === 'fault') return asked;
  const hello = greeting.safeParse(asked.rows[0]);
  if (!hello.success) return fault('rejected', wire.target, 'it did not say which version it is');
  const set = await makeIndependent(wire, hello.data);
  if (set !== undefined) return set;
  const offsetMs = hello.data.now * 1000 - performance.now();
  const policy = policyIn(asked.rows[0]);
  const settings = { ...settingsOfServer(hello.data), ...(policy === undefined ? {} : { policy }) };
  const server = { ...serverOf(hello.data.version), ...settings };
  return { kind: 'prepared', server, hello: hello.data, offsetMs };
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
