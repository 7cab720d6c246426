import type { RotationTarget } from '../target.ts';

/** What `--target` takes. A driver is loaded with its target. */
export const targets: Readonly<Record<string, () => Promise<RotationTarget>>> = {
  postgres: async () => (await import('./postgres.ts')).startPostgresTarget(),
  mysql: async () => (await import('./mysql-family.ts')).startMysqlTarget(),
  mariadb: async () => (await import('./mysql-family.ts')).startMariadbTarget(),
  redis: async () => (await import('./redis.ts')).startRedisTarget(),
  'sql-server': async () => (await import('./sql-server.ts')).startSqlServerTarget(),
};
