/**
 * `keyturn/consumer`: for applications that use a secret Keyturn rotates. Keeps the secret fresh, swaps connection pools without failing
 * a query, and tells Keyturn when the old credential is not used any more. How to use it: README.md beside this file.
 */
export {
  type Acknowledged,
  type AcknowledgeOptions,
  acknowledgementPath,
  type SecretVersion,
} from './acknowledge.ts';
export { ConsumerError, type ConsumerErrorCode, type OnError } from './errors.ts';
export type { Opened } from './pools/generation.ts';
export {
  type MysqlExecuteValues,
  type MysqlModule,
  type MysqlQueryValues,
  type RotatingMysqlPool,
  type RotatingMysqlPoolOptions,
  rotatingMysqlPool,
} from './pools/mysql.ts';
export type { PoolDriver, RotatingPoolOptions } from './pools/pool-driver.ts';
export { type PgModule, type RotatingPgPool, type RotatingPgPoolOptions, rotatingPgPool } from './pools/postgres.ts';
export { type RedisModule, type RotatingRedisOptions, rotatingRedis } from './pools/redis.ts';
export type { RedisClient, RotatingRedis } from './pools/redis-commands.ts';
export { type PoolState, RotatingPool, type Work } from './pools/rotating-pool.ts';
export {
  type MssqlModule,
  type MssqlTransaction,
  type RotatingMssqlPool,
  type RotatingMssqlPoolOptions,
  rotatingMssqlPool,
} from './pools/sql-server.ts';
export type { MssqlRequest } from './pools/sql-server-request.ts';
export { type EventGridOptions, eventGridReceiver } from './push/event-grid.ts';
export type { PushAnswer, PushRequest } from './push/request.ts';
export { type NewsReader, secretRotated } from './push/rotation-event.ts';
export { type PushReceiver, type SigningSecret, type WebhookOptions, webhookReceiver } from './push/webhook.ts';
export type { Change, ChangeListener } from './secret-change.ts';
export { SecretText } from './secret-text.ts';
export type { User } from './users.ts';
export type { SecretReader } from './vault.ts';
export {
  type CurrentSecret,
  type Refreshed,
  type VersionNews,
  type WatchedSecret,
  type WatchOptions,
  watchSecret,
} from './watch-secret.ts';
