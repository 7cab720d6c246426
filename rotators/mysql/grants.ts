/** What an account may do, read from SHOW GRANTS: compared between two accounts, and given to the second one. */
import * as z from 'zod';
import { withPermission } from './accounts.ts';
import { type Fault, fault } from './fault.ts';
import { type Account, accountText, literal, sameAccount, shownAccount } from './quote.ts';
import type { Session } from './session.ts';
import type { Row } from './wire.ts';

/** One line of SHOW GRANTS. */
export interface Grant {
  /** Each right of the line by itself, without the account: `SELECT ON \`orders\`.*`. */
  readonly rights: readonly string[];
  /** The statement that gives the same to another account. */
  readonly statementFor: (account: Account) => string;
  /** Whether only the account itself may say so: its default role, on MariaDB, unless one may write to the tables of all passwords. */
  readonly ownAffair?: boolean;
}

export type Grants = { readonly kind: 'grants'; readonly grants: readonly Grant[] } | Fault;

type AllGrants = { readonly kind: 'all-grants'; readonly grants: readonly (readonly Grant[])[] } | Fault;

/** All rights of an account: privileges, roles, default roles. */
export async function grantsOf(session: Session, account: Account): Promise<Grants> {
  const all = await grantsOfAll(session, [account]);
  return all.kind === 'fault' ? all : { kind: 'grants', grants: all.grants[0] ?? [] };
}

/** The same of several accounts, in their order. */
export async function grantsOfAll(session: Session, accounts: readonly Account[]): Promise<AllGrants> {
  const shown = await shownGrants(session, accounts);
  if (shown.kind === 'fault' || session.server.flavour === 'MariaDB' || accounts.length === 0) return shown;
  const roles = await defaultRoles(session, accounts);
  if (roles.kind === 'fault') return roles;
  return { kind: 'all-grants', grants: shown.grants.map((grants, at) => [...grants, ...(roles.grants[at] ?? [])]) };
}

async function shownGrants(session: Session, accounts: readonly Account[]): Promise<AllGrants> {
  const answer = await session.queries(accounts.map((account) => `SHOW GRANTS FOR ${accountText(account)}`));
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.*');
  const all: (readonly Grant[])[] = [];
  for (const [at, account] of accounts.entries()) {
    const grants = grantsIn(answer.sets[at], account);
    if (grants === undefined) return fault('rejected', session.target, 'an answer to SHOW GRANTS could not be read');
    all.push(grants);
  }
  return { kind: 'all-grants', grants: all };
}

function grantsIn(rows: readonly Row[] | undefined, account: Account): readonly Grant[] | undefined {
  const lines = (rows ?? []).map((row) => Object.values(row)[0]).filter((line) => typeof line === 'string');
  // Of a role MariaDB lists the rights of its own roles as well, under their names.
  const own = lines.filter((line) => account.host !== '' || grantee(line)?.user === account.user);
  const grants = own.map((line) => parseGrant(line, account));
  const read = grants.filter((grant) => grant !== undefined);
  return rows === undefined || lines.length < rows.length || read.length < own.length ? undefined : read;
}

/** What the session itself may do. */
export async function ownGrants(session: Pick<Session, 'query' | 'account'>): Promise<Grants> {
  const answer = await session.query('SHOW GRANTS');
  return answer.kind === 'fault' ? answer : { kind: 'grants', grants: ownGrantsIn(answer.rows, session.account) };
}

/** The same from the answer to SHOW GRANTS. */
export function ownGrantsIn(rows: readonly Row[], account: Account): readonly Grant[] {
  const lines = rows.flatMap((row) => Object.values(row)).filter((line) => typeof line === 'string');
  // A role that is in force lists its rights too: MySQL under our own name, MariaDB under that of the role.
  const grants = lines.map((line) => parseGrant(line, grantee(line) ?? account));
  return grants.filter((grant) => grant !== undefined);
}

/** Whose line it is, where that is a role: MariaDB gives its roles no host. */
function grantee(line: string): Account | undefined {
  const [, after = ''] = splitOutside(line, ' TO ');
  const [, name] = /^`((?:[^`]|``)+)`(?!@)/.exec(after) ?? [];
  return name === undefined ? undefined : { user: name.replaceAll('``', '`'), host: '' };
}

const roleRow = z.object({ ofUser: z.string(), ofHost: z.string(), user: z.string(), host: z.string() });

// MariaDB lists the default role among the grants, MySQL in a table of its own.
async function defaultRoles(session: Session, accounts: readonly Account[]): Promise<AllGrants> {
  const names = accounts.map(({ user }) => literal(user)).join(', ');
  const answer = await session.query(
    `SELECT USER AS ofUser, HOST AS ofHost, DEFAULT_ROLE_USER AS user, DEFAULT_ROLE_HOST AS host FROM mysql.default_roles WHERE USER IN (${names})`,
  );
  if (answer.kind === 'fault') return withPermission(answer, 'SELECT on mysql.default_roles');
  const rows = z.array(roleRow).safeParse(answer.rows);
  if (!rows.success) return fault('rejected', session.target, 'mysql.default_roles could not be read');
  const grants = accounts.map((account): readonly Grant[] => {
    const theirs = rows.data.filter(({ ofUser, ofHost }) => sameAccount(account, { user: ofUser, host: ofHost }));
    const roles = theirs.map((role) => accountText(role));
    if (roles.length === 0) return [];
    const statementFor = (other: Account) => `ALTER USER ${accountText(other)} DEFAULT ROLE ${roles.join(', ')}`;
    return [{ rights: roles.map((role) => `DEFAULT ROLE ${role}`), statementFor }];
  });
  return { kind: 'all-grants', grants };
}

/** Reads one line. Undefined when it is not about the account. */
export function parseGrant(line: string, account: Account): Grant | undefined {
  // The server doubles backticks inside names, so this text cannot be part of a longer name.
  const shown = shownAccount(account);
  const role = cutAround(line, ` FOR ${shown}`);
  if (role !== undefined && line.startsWith('SET DEFAULT ROLE ')) {
    const name = role.before.slice('SET DEFAULT ROLE '.length);
    return { rights: [`DEFAULT ROLE ${name}`], statementFor: () => role.before, ownAffair: true };
  }
  const revoked = cutAround(line, ` FROM ${shown}`);
  if (revoked !== undefined && line.startsWith('REVOKE ')) {
    const rights = rightsOf(revoked.before.slice('REVOKE '.length)).map((right) => `NOT ${right}`);
    return { rights, statementFor: (other) => `${revoked.before} FROM ${accountText(other)}` };
  }
  const granted = cutAround(line, ` TO ${shown}`);
  if (granted === undefined || !line.startsWith('GRANT ')) return undefined;
  // What follows the account may be its password and its limits; only whether it may pass the rights on belongs here.
  const option = /\b(GRANT|ADMIN) OPTION\b/.exec(granted.after.replace(/'(?:[^'\\]|\\.|'')*'/gs, "''"))?.[1];
  const ending = option === undefined ? '' : ` WITH ${option} OPTION`;
  const plain = rightsOf(granted.before.slice('GRANT '.length));
  const passedOn = option === undefined ? [] : rightsOf(granted.before.slice('GRANT '.length), 'with USAGE');
  return {
    rights: [...plain, ...passedOn.map((right) => `${right}${ending}`)],
    statementFor: (other) => `${granted.before} TO ${accountText(other)}${ending}`,
  };
}

function cutAround(line: string, middle: string): { readonly before: string; readonly after: string } | undefined {
  const at = line.indexOf(middle);
  return at < 0 ? undefined : { before: line.slice(0, at), after: line.slice(at + middle.length) };
}

/** `SELECT, INSERT (a, b) ON x.y` as two rights; roles as one each. USAGE is no right, although it may come with the one to pass others on. */
function rightsOf(text: string, usage: 'with USAGE' | 'without' = 'without'): string[] {
  const pieces = splitOutside(text, ' ON ');
  const [names = '', ...rest] = pieces;
  const object = rest.length === 0 ? '' : ` ON ${rest.join(' ON ')}`;
  return splitOutside(names, ',')
    .map((name) => name.trim())
    .filter((name) => name !== 'USAGE' || usage === 'with USAGE')
    .map((name) => (object === '' ? `ROLE ${name}` : `${name}${object}`));
}

/** Splits where the separator stands outside of names and parentheses. */
export function splitOutside(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '`') quoted = !quoted;
    if (quoted) continue;
    if (letter === '(') depth++;
    if (letter === ')') depth--;
    if (depth > 0 || !text.startsWith(separator, at)) continue;
    pieces.push(text.slice(from, at));
    from = at + separator.length;
  }
  return [...pieces, text.slice(from)];
}

/** Rights of `wanted` that `held` lacks. ALL PRIVILEGES on an object holds all its others. */
export function lacking(wanted: readonly Grant[], held: readonly Grant[]): readonly string[] {
  const has = new Set(held.flatMap((grant) => grant.rights));
  return wanted.flatMap((grant) => grant.rights).filter((right) => !has.has(right) && !has.has(allOf(right)));
}

function allOf(right: string): string {
  const [, ...object] = splitOutside(right, ' ON ');
  return `ALL PRIVILEGES ON ${object.join(' ON ')}`;
}

/** Gives the account every right of `wanted` that it lacks; `by` says whether the session is the admin's or the account's own. */
export async function giveLacking(
  session: Session,
  account: Account,
  wanted: readonly Grant[],
  held: readonly Grant[],
  by: 'admin' | 'itself',
): Promise<Fault | undefined> {
  for (const grant of wanted) {
    if ((grant.ownAffair === true) !== (by === 'itself') || lacking([grant], held).length === 0) continue;
    const permission = `${grant.rights.join(', ')} with the right to grant it`;
    const met = await session.change(grant.statementFor(account), permission);
    if (met !== undefined) return met;
  }
  return undefined;
}
