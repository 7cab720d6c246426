import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type PostgresOptions, postgresOptions } from './options.ts';

export const postgres: RotatorEntry<PostgresOptions> = {
  name: 'postgres',
  strategies: ['alternating-users', 'single-user'],
  options: postgresOptions,
  load: async (environment) => (await import('./rotator.ts')).makePostgresRotator(environment),
};
