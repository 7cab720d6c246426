import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { type RedisTags, redisTags } from './tags.ts';

/** Redis and Valkey: standalone, with replicas, behind Sentinels, or a cluster. */
export const redis: RotatorEntry<RedisTags> = {
  name: 'redis',
  strategies: ['dual-password', 'single-user'],
  options: redisTags,
  load: async (environment) => (await import('./rotator.ts')).makeRedisRotator(environment),
};
