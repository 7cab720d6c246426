import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { loginIdentity } from '../common/identity.ts';
import { type PostgresTags, postgresTags } from './tags.ts';

export const postgres: RotatorEntry<PostgresTags> = {
  name: 'postgres',
  strategies: ['alternating-users', 'single-user'],
  options: postgresTags,
  identity: (facts) => loginIdentity(facts, facts.options.users, { defaultPort: 5432, maxLength: 63 }),
  load: async (environment) => (await import('./rotator.ts')).makePostgresRotator(environment),
};
