/** Making the second login of a pair: first as one nobody can use, then with the rights of the first. */
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Account, master, type Principal, userOptions } from './accounts.ts';
import { rightNamed } from './fault.ts';
import { compareRights, type DatabaseUser, describeRight, type Right, type Rights } from './grants.ts';
import { quoteName, quoteText } from './quote.ts';
import type { Server } from './server.ts';

/** What is to be thought of an idle account beside the one in use. */
export interface Judgement {
  /** Whether it may be given what it lacks: it is disabled, or may do nothing but log in, as one of ours that is not finished. */
  readonly ours: boolean;
  /** What makes it too powerful to be handed out, as a sentence; absent when nothing does. */
  readonly excess?: string;
  readonly lesser: readonly Right[];
}

/** Compares an idle account with the one in use. An enabled one that lacks rights may be somebody's: a person decides about it. */
export function judge(live: Rights, other: Rights, disabled: boolean): Judgement {
  const { extra, lesser } = compareRights(live.rights, other.rights);
  const ours = disabled || other.rights.every((right) => right.kind === 'user' || /^CONNECT( SQL)?$/.test(right.text));
  // A denial that an account of ours lacks is copied like everything else, before the account can be used.
  const unwanted = ours ? extra.filter((right) => right.state !== 'denied') : extra;
  if (unwanted.length === 0) return { ours, lesser };
  const words = unwanted.map((right) =>
    right.state === 'denied' ? `no ${describeRight(right)}` : describeRight(right),
  );
  return { ours, lesser, excess: `it has what the login in use has not: ${words.join(', ')}.` };
}

/**
 * Creates the account with a password nobody keeps. A login is disabled at once, and enabled only with the candidate's password at the
 * end, so a crash on the way leaves nothing that works; a login that may do nothing or is disabled is completed by the next attempt.
 */
export async function createSecond(
  server: Server,
  account: Account,
  live: Principal,
  name: string,
  unknown: SecretText,
): Promise<void> {
  const options = [`PASSWORD = ${quoteText(unknown.reveal())}`, ...live.creation].join(', ');
  if (account.kind === 'login') {
    await server.change(master, `CREATE LOGIN ${quoteName(name)} WITH ${options};`);
    await server.change(master, `ALTER LOGIN ${quoteName(name)} DISABLE;`);
  } else await server.change(account.home, `CREATE USER ${quoteName(name)} WITH ${options};`);
}

/**
 * Gives the account what the live one has and it lacks: on the server one by one, in each database in one transaction.
 * May be called again.
 */
export async function copyRights(server: Server, name: string, live: Rights, other: Rights): Promise<void> {
  const { missing } = compareRights(live.rights, other.rights);
  for (const right of missing.filter((one) => one.database === undefined)) {
    const statement = grantStatement(right, name);
    if (statement === undefined) continue;
    await rightNamed(`the right to give ${describeRight(right)}`, () => server.change(master, statement));
  }
  for (const user of live.users) {
    const wanted = missing.filter((right) => right.database === user.database);
    if (wanted.length === 0) continue;
    const existing = other.users.find((one) => one.database === user.database);
    const batch = databaseBatch(user, existing?.name, name, wanted);
    const needed = `the rights to give ${wanted.map(describeRight).join(', ')} (db_owner has them)`;
    await rightNamed(needed, () => server.change(user.database, batch));
  }
}

function databaseBatch(
  user: DatabaseUser,
  existing: string | undefined,
  login: string,
  wanted: readonly Right[],
): string {
  const options = user.id === 1 ? [] : userOptions(user.schema, user.language);
  const settings = options.length === 0 ? '' : ` WITH ${options.join(', ')}`;
  const creation = `CREATE USER ${quoteName(login)} FOR LOGIN ${quoteName(login)}${settings};`;
  const grants = wanted.flatMap((right) => grantStatement(right, existing ?? login) ?? []);
  return ['BEGIN TRANSACTION;', ...(existing === undefined ? [creation] : []), ...grants, 'COMMIT TRANSACTION;'].join(
    '\n',
  );
}

/** The statement that gives a right; undefined for what cannot be given by name, which verify then names as missing. */
export function grantStatement(right: Right, name: string): string | undefined {
  if (right.kind === 'user') return undefined;
  if (right.kind === 'role') {
    const what = right.database === undefined ? 'SERVER ROLE' : 'ROLE';
    return `ALTER ${what} ${quoteName(right.text)} ADD MEMBER ${quoteName(name)};`;
  }
  if (right.nameless) return undefined;
  const verb = right.state === 'denied' ? 'DENY' : 'GRANT';
  const option = right.state === 'grantable' ? ' WITH GRANT OPTION' : '';
  return `${verb} ${right.text} TO ${quoteName(name)}${option};`;
}
