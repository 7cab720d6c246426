import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type SqlServerOptions, sqlServerOptions } from './options.ts';

/** SQL Server, Azure SQL Database and Azure SQL Managed Instance. */
export const sqlServer: RotatorEntry<SqlServerOptions> = {
  name: 'sql-server',
  strategies: ['alternating-users', 'single-user'],
  options: sqlServerOptions,
  load: async (environment) => {
    const { SqlServerRotator } = await import('./rotator.ts');
    return new SqlServerRotator(environment);
  },
};
