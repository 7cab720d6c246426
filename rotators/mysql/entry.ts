import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { loginIdentity } from '../common/identity.ts';
import { type MysqlTags, mysqlTags } from './tags.ts';

/** MySQL 8 and MariaDB 10.4, and later; which one it is, the server says itself. */
export const mysql: RotatorEntry<MysqlTags> = {
  name: 'mysql',
  strategies: ['dual-password', 'alternating-users', 'single-user'],
  options: mysqlTags,
  identity: (facts) => loginIdentity(facts, facts.options.users, { defaultPort: 3306, maxLength: 128 }),
  load: async (environment) => (await import('./rotator.ts')).makeMysqlRotator(environment),
};
