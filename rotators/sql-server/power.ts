/**
 * Logins that are as strong as an administrator, or can make themselves so. An ordinary secret must not lead to one: whoever may edit the
 * secret names the login, and with the admin's rights would be handed it. One table, for apply, retirement and roll-back alike.
 *
 * Sources: https://learn.microsoft.com/sql/relational-databases/security/authentication-access/server-level-roles ("securityadmin should be
 * treated as equal to sysadmin") and the permissions pages of GRANT (server permissions) and of TRUSTWORTHY.
 */
import { type Account, master, type Principal } from './accounts.ts';
import type { Subject } from './catalogue.ts';
import { type DatabaseReading, readDatabases } from './database-catalogue.ts';
import type { Right } from './grants.ts';
import type { Server } from './server.ts';
import { readServer, type ServerReading } from './server-catalogue.ts';

const serverRoles: ReadonlySet<string> = new Set(['sysadmin', 'securityadmin', '##ms_loginmanager##']);

const serverPermissions: ReadonlySet<string> = new Set([
  'CONTROL SERVER',
  'ALTER ANY LOGIN',
  'IMPERSONATE ANY LOGIN',
  'ALTER ANY SERVER ROLE',
  'UNSAFE ASSEMBLY',
  'EXTERNAL ACCESS ASSEMBLY',
]);

/** Rights on a single login that make its rights one's own. */
const overLogins = /^(IMPERSONATE|CONTROL|ALTER) ON (LOGIN|SERVER ROLE)::/;

/** In master, in msdb, and wherever the owner of the database vouches for its code (TRUSTWORTHY). */
const databaseRoles: ReadonlySet<string> = new Set(['db_owner', 'db_securityadmin', 'loginmanager']);
const databasePermissions: ReadonlySet<string> = new Set(['CONTROL', 'ALTER ANY ROLE', 'TAKE OWNERSHIP']);
const systemDatabases: ReadonlySet<string> = new Set([master, 'msdb']);

const given = ({ state }: Right): boolean => state === 'granted' || state === 'grantable';

/** Databases in which an owner is an administrator of the server. */
export function strongDatabases(reading: ServerReading): readonly string[] {
  const open = reading.databases.filter((one) => one.state === 0 && one.open !== 0);
  return open
    .filter(({ name, trustworthy }) => systemDatabases.has(name.toLowerCase()) || trustworthy === true)
    .map(({ name }) => name);
}

/** What makes the login powerful, as the end of a sentence; undefined when nothing is known to. */
export function powerOf(
  subject: Subject,
  onServer: ServerReading,
  readings: readonly DatabaseReading[],
): string | undefined {
  const { inherited, effective } = onServer.of(subject);
  const role = inherited.find((one) => serverRoles.has(one.toLowerCase()));
  if (role !== undefined) return `it has the server role ${role}`;
  const permission = effective.find(
    (one) => given(one) && (serverPermissions.has(one.text) || overLogins.test(one.text)),
  );
  if (permission !== undefined) return `it has ${permission.text} on the server`;
  const strong = new Set(strongDatabases(onServer));
  for (const reading of readings.filter(({ database }) => strong.has(database))) {
    const here = reading.of(subject);
    const found = here.inherited.find((one) => databaseRoles.has(one.toLowerCase()));
    if (found !== undefined) return `it has the role ${found} in ${reading.database}`;
    const right = here.rights.find((one) => given(one) && databasePermissions.has(one.text));
    if (right !== undefined) return `it has ${right.text} in ${reading.database}`;
  }
  return undefined;
}

/** Why an admin must not change the account; undefined when it may. Asks the server. */
export async function unsafeAccount(
  server: Server,
  account: Account,
  principal: Principal,
): Promise<string | undefined> {
  const own = unsafePrincipal(server, account, principal);
  if (own !== undefined || account.kind !== 'login') return own;
  const onServer = await readServer(server, [principal]);
  const readings = await readDatabases(server, strongDatabases(onServer), [principal]);
  return powerfulWords(powerOf(principal, onServer, readings));
}

/** Accounts that are never changed, which needs no look at their rights. */
export function unsafePrincipal(server: Server, account: Account, principal: Principal): string | undefined {
  if (server.ownSid?.equals(principal.sid)) return 'it is the admin itself.';
  return account.kind === 'login' && principal.id === 1 ? 'it is the administrator of the server.' : undefined;
}

export function powerfulWords(power: string | undefined): string | undefined {
  return power === undefined
    ? undefined
    : `${power}, which makes it as powerful as an administrator: let it change its own password (strategy "single-user", no tag "admin").`;
}
