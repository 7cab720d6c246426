/** Making the second login of a pair: first as one nobody can use, then with the rights of the first. */
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Account, master, type Principal, schemaOption } from './accounts.ts';
import { rightNamed } from './fault.ts';
import {
  compareRights,
  type DatabaseUser,
  describeRight,
  grantStatements,
  lessens,
  type Namesake,
  type Right,
  type Rights,
} from './grants.ts';
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
  const unwanted = ours ? extra.filter((right) => !lessens(right)) : extra;
  if (unwanted.length === 0) return { ours, lesser };
  const words = unwanted.map((right) => (lessens(right) ? `no ${describeRight(right)}` : describeRight(right)));
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
  if (account.kind === 'contained-user') {
    return server.change(account.home, [`CREATE USER ${quoteName(name)} WITH ${options};`]);
  }
  const statements = [`CREATE LOGIN ${quoteName(name)} WITH ${options};`, `ALTER LOGIN ${quoteName(name)} DISABLE;`];
  return server.change(master, statements, { aboutLogins: true });
}

/** What a login has that was only just created. */
export const bareRights: readonly Right[] = [{ kind: 'permission', text: 'CONNECT SQL', state: 'granted' }];

/** The rights of an account that is to get back the users of its name that its logins before left behind. */
export function withOrphans(other: Rights, orphans: readonly Namesake[]): Rights {
  return {
    rights: [...other.rights, ...orphans.flatMap(({ rights }) => rights)],
    users: [...other.users, ...orphans],
    namesakes: other.namesakes.filter((one) => !orphans.includes(one)),
  };
}

/**
 * Gives the account what the live one has and it lacks: one batch on the server, one transaction in each database. May be called again.
 * `orphans`: users of its name that are given back to it.
 */
export async function copyRights(
  server: Server,
  name: string,
  live: Rights,
  other: Rights,
  orphans: readonly Namesake[],
): Promise<void> {
  const { missing } = compareRights(live.rights, other.rights);
  const general = missing.filter((one) => one.database === undefined);
  const statements = grantStatements(general, name);
  if (statements.length > 0) {
    const needed = `the right to give ${general.map(describeRight).join(', ')}`;
    await rightNamed(needed, () => server.change(master, statements));
  }
  for (const user of live.users) {
    const wanted = missing.filter((right) => right.database === user.database);
    const orphan = orphans.find(({ database }) => database === user.database);
    if (wanted.length === 0 && orphan === undefined) continue;
    const existing = other.users.find((one) => one.database === user.database);
    const batch = databaseBatch(user, { existing: existing?.name, orphaned: orphan !== undefined }, name, wanted);
    const needed = `the rights to give ${wanted.map(describeRight).join(', ')} (db_owner has them)`;
    await rightNamed(needed, () => server.change(user.database, batch));
  }
}

function databaseBatch(
  user: DatabaseUser,
  { existing, orphaned }: { readonly existing: string | undefined; readonly orphaned: boolean },
  login: string,
  wanted: readonly Right[],
): readonly string[] {
  const options = user.id === 1 ? [] : schemaOption(user.schema);
  const settings = options.length === 0 ? '' : ` WITH ${options.join(', ')}`;
  const creation = `CREATE USER ${quoteName(login)} FOR LOGIN ${quoteName(login)}${settings};`;
  const mapping = `ALTER USER ${quoteName(existing ?? login)} WITH LOGIN = ${quoteName(login)};`;
  return [
    'BEGIN TRANSACTION;',
    ...(existing === undefined ? [creation] : []),
    ...(orphaned ? [mapping] : []),
    ...grantStatements(wanted, existing ?? login),
    'COMMIT TRANSACTION;',
  ];
}
