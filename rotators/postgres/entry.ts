import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type PostgresTags, postgresTags } from './tags.ts';

export const postgres: RotatorEntry<PostgresTags> = {
  name: 'postgres',
  strategies: ['alternating-users', 'single-user'],
  options: postgresTags,
  load: async (environment) => (await import('./rotator.ts')).makePostgresRotator(environment),
};
