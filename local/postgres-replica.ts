/** A hot standby of a real Postgres: it answers every query, and refuses every change. */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { asUnprivileged, own } from './unprivileged.ts';

const run = promisify(execFile);

/** Starts a standby that follows `primary`. Without TLS on either side. */
export function startPostgresReplica(primary: PostgresServer): Promise<PostgresServer> {
  const { host, port, adminUser, adminPassword } = primary;
  return startPostgres({
    settings: {
      primary_conninfo: `host=${host} port=${port} user=${adminUser} password=${adminPassword}`,
      // The standby must not be smaller than its primary in any of these, or it does not start.
      max_connections: '100',
    },
    makeData: (data) => copyFromRunning(primary, data),
  });
}

/**
 * A base backup by hand, since the binaries from npm do not include `pg_basebackup`:
 * https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 */
async function copyFromRunning(primary: PostgresServer, data: string): Promise<void> {
  const client = new Client({ connectionString: primary.adminUrl });
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('replica', true)");
    const { command, args } = asUnprivileged('cp', ['-R', primary.data, data]);
    await run(command, args, { cwd: '/' });
    const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
    await writeFile(join(data, 'backup_label'), String(rows[0]?.labelfile ?? ''));
  } finally {
    await client.end();
  }
  await rm(join(data, 'postmaster.pid'), { force: true });
  const signal = join(data, 'standby.signal');
  await writeFile(signal, '');
  await own(signal, join(data, 'backup_label'));
}
