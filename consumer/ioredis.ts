/** `@keyturn/consumer/ioredis`: the client for `ioredis`. Apart from the rest, so that its types need this driver alone. */
export { type RedisModule, type RotatingRedisOptions, rotatingRedis } from './pools/redis.ts';
export type { RedisClient, RotatingRedis } from './pools/redis-commands.ts';
