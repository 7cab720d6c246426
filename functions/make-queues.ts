import type { Settings } from '../shared/config/settings.ts';
import { queueNames } from '../shared/contract/queue-names.ts';
import { isFailure } from '../shared/errors.ts';
import { connectStorage } from '../shared/storage/connect.ts';
import { StorageQueues } from '../shared/storage/storage-queues.ts';
import type { Log } from '../shared/telemetry.ts';
import { credentialOf } from './credential.ts';

/**
 * Makes the queues that are missing: the platform polls one that does not exist again and again, and logs each time that it does not. May be
 * called again. Where it fails, each queue is made with its first message.
 */
export async function makeQueues(settings: Settings, log: Log): Promise<void> {
  const queues = new StorageQueues(connectStorage(settings.storage, await credentialOf(settings)));
  const outcomes = await Promise.all(Object.values(queueNames).map((name) => queues.make(name)));
  const failed = outcomes.find(isFailure);
  if (failed !== undefined)
    log.warn('queues-not-made', { code: failed.code, detail: failed.message, hint: failed.hint });
}
