/** Whether each service of the storage account answers: what is wrong with one says nothing about the others. */
import type { StorageParts } from '../contract/ports.ts';
import { queueNames } from '../contract/queue-names.ts';
import type { Failure } from '../errors.ts';
import { leaseContainer } from './blob-leases.ts';
import type { StorageClients } from './connect.ts';
import { storageFailure, storageFault } from './fault.ts';
import { stateTable } from './state/records.ts';

export function storageParts({ blobs, queues, table, within }: StorageClients): StorageParts {
  return {
    blob: () => reached('blob', () => blobs.getContainerClient(leaseContainer).exists(within())),
    queue: () => reached('queue', () => queues.getQueueClient(queueNames.rotations).exists(within())),
    table: () => reached('table', () => table(stateTable).getEntity('reach', 'reach', within())),
  };
}

async function reached(
  service: 'blob' | 'queue' | 'table',
  call: () => Promise<unknown>,
): Promise<{ readonly kind: 'reached' } | Failure> {
  try {
    await call();
  } catch (error) {
    const fault = storageFault(error);
    // That there is no such table or row yet is an answer.
    if (fault.status !== 404) return storageFailure(fault, service, 'storage');
  }
  return { kind: 'reached' };
}
