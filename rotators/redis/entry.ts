import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { loginIdentity } from '../common/identity.ts';
import { type RedisTags, redisTags } from './tags.ts';

/** Redis and Valkey: standalone, with replicas, behind Sentinels, or a cluster. */
export const redis: RotatorEntry<RedisTags> = {
  name: 'redis',
  strategies: ['dual-password', 'single-user'],
  options: redisTags,
  // A value without a login is of the user `default`.
  identity: (facts) =>
    loginIdentity({ ...facts, username: facts.username ?? 'default' }, undefined, {
      defaultPort: 6379,
      maxLength: 256,
    }),
  load: async (environment) => (await import('./rotator.ts')).makeRedisRotator(environment),
};
