/** The Postgres that Debian has, an older major version than the one from npm. Debian package: postgresql. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ServerNotStarted } from './guarded-child.ts';
import { type PostgresOptions, type PostgresServer, startPostgres } from './postgres.ts';
import { isInstalled } from './programs.ts';

const versions = '/usr/lib/postgresql';

/**
 * Folder of its programs; undefined where it is not installed, or where the PATH hides what comes with it. Several versions: the oldest,
 * which differs most from the one from npm.
 */
export function debianPostgres(): string | undefined {
  if (!isInstalled('pg_lsclusters')) return undefined;
  const found = existsSync(versions) ? readdirSync(versions) : [];
  const [oldest] = found
    .filter((version) => existsSync(join(versions, version, 'bin', 'postgres')))
    .sort((one, other) => Number(one) - Number(other));
  return oldest === undefined ? undefined : join(versions, oldest, 'bin');
}

/** Starts a server of its own, which has nothing to do with a cluster that the package may have made. */
export async function startDebianPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = debianPostgres();
  if (programs === undefined) {
    throw new ServerNotStarted('Postgres of Debian was not found. Install it: apt-get install postgresql', '');
  }
  return startPostgres({ ...options, programs });
}
