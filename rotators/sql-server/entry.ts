import { hostName } from '../../shared/contract/hosts.ts';
import type { IdentityFacts, RotatorEntry } from '../../shared/contract/rotator.ts';
import { loginIdentity } from '../common/identity.ts';
import { type SqlServerTags, sqlServerTags } from './tags.ts';

/** Names are compared without regard to case, and older clients end them with the name of the server. */
function loginName(name: string): string {
  return name.toLowerCase().replace(/@[^@]*$/, '');
}

/**
 * Azure SQL Database: users are contained in a database there, so one name in two databases is two users. Elsewhere a name is a login of
 * the server, whatever database a value names.
 */
function databaseOf({ endpoints }: IdentityFacts): string | undefined {
  const [own] = endpoints;
  const isAzure =
    own !== undefined && /\.database\.(windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)$/.test(hostName(own.host));
  return isAzure ? own.database?.toLowerCase() : undefined;
}

/** SQL Server, Azure SQL Database and Azure SQL Managed Instance. */
export const sqlServer: RotatorEntry<SqlServerTags> = {
  name: 'sql-server',
  strategies: ['alternating-users', 'single-user'],
  options: sqlServerTags,
  identity: (facts) =>
    loginIdentity(facts, facts.options.users, { defaultPort: 1433, maxLength: 128, loginName, databaseOf }),
  load: async (environment) => (await import('./rotator.ts')).makeSqlServerRotator(environment),
};
