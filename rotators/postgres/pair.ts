/**
 * The second login of a pair.
 *
 * It is a member of the first, and each of its sessions starts as the first (`ALTER ROLE second SET role TO first`). So whatever either
 * creates belongs to the first and is at hand for both, default privileges and row policies of the first hold for both, and a right granted
 * to the first later is there for both at once. Two equal logins side by side were rejected: a table that one creates could not be altered
 * by the other, and Postgres lets no two roles be members of each other. Handing all objects to a third role was rejected too: it would
 * change the live login's property behind its back.
 */
import type { LoginFacts } from './logins.ts';
import { quoteName, quoteText } from './quote.ts';
import { type Setting, settingChanges, startAs, startingRole } from './settings.ts';
import type { Session } from './talk.ts';

/** From version 16 on a membership says for itself whether it inherits and may be assumed. */
const grantOptionsVersion = 160_000;

/** The statements that make the second login, with the password already in its stored form. */
export function creation(
  session: Session,
  plan: {
    readonly live: LoginFacts;
    readonly settings: readonly Setting[];
    readonly name: string;
    readonly verifier: string;
  },
): readonly string[] {
  const { live, settings, name, verifier } = plan;
  const options = session.version >= grantOptionsVersion ? ' WITH INHERIT TRUE, SET TRUE' : '';
  return [
    `CREATE ROLE ${quoteName(name)} WITH LOGIN INHERIT ${attributes(live).join(' ')} PASSWORD ${quoteText(verifier)}`,
    `GRANT ${quoteName(live.name)} TO ${quoteName(name)}${options}`,
    startAs(name, startingRole(settings, live.name) ?? live.name),
    ...settingChanges(settings, live.name, name),
  ];
}

/**
 * The statements that bring the other login's limits and settings in line with the one in use; none when they are. Rights are not touched.
 * A login that a person closed with NOLOGIN is opened: it gets another password in the same breath.
 */
export function refresh(plan: {
  readonly live: LoginFacts;
  readonly idle: LoginFacts;
  readonly settings: readonly Setting[];
}): readonly string[] {
  const { live, idle, settings } = plan;
  const changed = [
    ...(idle.mayLogIn ? [] : ['LOGIN']),
    ...(live.connectionLimit === idle.connectionLimit ? [] : [connectionLimit(live)]),
    ...(live.validUntil === idle.validUntil ? [] : [validUntil(live)]),
  ];
  const limits = changed.length === 0 ? [] : [`ALTER ROLE ${quoteName(idle.name)} WITH ${changed.join(' ')}`];
  return [...limits, ...settingChanges(settings, live.name, idle.name)];
}

// Only what the first has is named: even to say NOSUPERUSER a superuser is needed on some versions.
function attributes(live: LoginFacts): readonly string[] {
  return [
    ...(live.isSuperuser ? ['SUPERUSER'] : []),
    ...(live.mayCreateRoles ? ['CREATEROLE'] : []),
    ...(live.mayCreateDatabases ? ['CREATEDB'] : []),
    ...(live.mayReplicate ? ['REPLICATION'] : []),
    ...(live.bypassesRowSecurity ? ['BYPASSRLS'] : []),
    connectionLimit(live),
    ...(live.validUntil === null ? [] : [validUntil(live)]),
  ];
}

function connectionLimit(login: LoginFacts): string {
  return `CONNECTION LIMIT ${login.connectionLimit}`;
}

function validUntil(login: LoginFacts): string {
  return `VALID UNTIL ${quoteText(login.validUntil ?? 'infinity')}`;
}
