/**
 * Databases that another server holds a replica of. Their users travel with them, the logins of the server do not: after a failover the
 * password that a login has here is refused there.
 *
 * https://learn.microsoft.com/sql/database-engine/availability-groups/windows/logins-and-jobs-for-availability-group-databases,
 * https://learn.microsoft.com/azure/azure-sql/database/active-geo-replication-security-configure
 */
import * as z from 'zod';
import type { Account } from './accounts.ts';
import { SqlFault } from './fault.ts';
import type { Server } from './server.ts';
import type { ServerReading } from './server-catalogue.ts';

export interface Replicated {
  readonly database: string;
  /** The server that holds the replica, where it is named. */
  readonly partner?: string;
}

const partnerRow = z.object({ partner: z.string() });
const replicaRow = z.object({ replica: z.unknown() });

/** Those of the databases that have a replica elsewhere. What the server does not say is taken as none. `onServer`: what was read already. */
export async function replicasOf(
  server: Server,
  databases: readonly string[],
  onServer?: ServerReading,
): Promise<readonly Replicated[]> {
  if (onServer !== undefined && !server.azure && !server.managed) {
    const wanted = new Set(databases.map((name) => name.toLowerCase()));
    const here = onServer.databases.filter(({ name, replica }) => wanted.has(name.toLowerCase()) && replica !== null);
    return here.map(({ name }) => ({ database: name }));
  }
  const found = await Promise.all([...new Set(databases)].map((database) => replicaOf(server, database)));
  return found.flatMap((one) => one ?? []);
}

async function replicaOf(server: Server, database: string): Promise<Replicated | undefined> {
  try {
    if (server.azure || server.managed) {
      const query = 'SELECT partner_server AS partner FROM sys.dm_geo_replication_link_status';
      const [row] = await server.rows(partnerRow, database, query);
      return row === undefined ? undefined : { database, partner: row.partner };
    }
    const query = 'SELECT replica_id AS replica FROM sys.databases WHERE database_id = DB_ID()';
    const [row] = await server.rows(replicaRow, database, query);
    return row?.replica === null || row === undefined ? undefined : { database };
  } catch (error) {
    if (error instanceof SqlFault && ['forbidden', 'rejected', 'missing', 'refused'].includes(error.kind))
      return undefined;
    throw error;
  }
}

/** Why the account cannot be rotated, as a sentence; undefined when no replica is in the way. */
export function replicaWords(account: Account, replicated: readonly Replicated[]): string | undefined {
  if (account.kind !== 'login' || replicated.length === 0) return undefined;
  const where = replicated
    .map(({ database, partner }) => `${database}${partner === undefined ? '' : ` (on ${partner})`}`)
    .join(', ');
  return `another server holds a replica of ${where}, and logins are not copied to it: after a failover the new password would be refused there. Use a contained user (CREATE USER … WITH PASSWORD), whose password travels with the database.`;
}
