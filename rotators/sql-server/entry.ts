import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type SqlServerTags, sqlServerTags } from './tags.ts';

/** SQL Server, Azure SQL Database and Azure SQL Managed Instance. */
export const sqlServer: RotatorEntry<SqlServerTags> = {
  name: 'sql-server',
  strategies: ['alternating-users', 'single-user'],
  options: sqlServerTags,
  load: async (environment) => (await import('./rotator.ts')).makeSqlServerRotator(environment),
};
