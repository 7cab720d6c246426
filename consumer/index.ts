/**
 * `@keyturn/consumer`: for applications that use a secret Keyturn rotates. Keeps the secret fresh, swaps connection pools without failing
 * a query, and tells Keyturn when the old credential is not used any more. How to use it: README.md beside this file. The
 * pools are in files of their own: `@keyturn/consumer/pg`, `/mysql2`, `/mssql` and `/ioredis`.
 */
export {
  type Acknowledged,
  type AcknowledgeOptions,
  acknowledgementPath,
  type SecretVersion,
} from './acknowledge.ts';
export { ConsumerError, type ConsumerErrorCode, type OnError } from './errors.ts';
export type { Opened } from './pools/generation.ts';
export type { PoolDriver, RotatingPoolOptions } from './pools/pool-driver.ts';
export { type PoolState, RotatingPool, type Work } from './pools/rotating-pool.ts';
export { type EventGridOptions, eventGridReceiver } from './push/event-grid.ts';
export { type NewsReader, secretRotated } from './push/news-reader.ts';
export type { PushAnswer, PushRequest } from './push/request.ts';
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
