/** Timer statuses in the app's storage account, in the container and under the names the real host uses. */

import { statusOf } from './queue-storage.ts';
import { timerStatusSchema } from './schedule.ts';
import type { TimerStore } from './timer.ts';

const containerName = 'azure-webjobs-hosts';

/** `hostId` keeps the apps of one storage account apart. */
export async function openTimerStore(connectionString: string, hostId: string): Promise<TimerStore> {
  const { BlobServiceClient } = await import('@azure/storage-blob');
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(containerName);
  const blob = (functionName: string) =>
    container.getBlockBlobClient(`timers/${hostId}/Host.Functions.${functionName}/status`);
  return {
    read: async (functionName) => {
      try {
        const content = await blob(functionName).downloadToBuffer();
        return timerStatusSchema.parse(JSON.parse(content.toString('utf8')));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    write: async (functionName, status) => {
      const content = JSON.stringify(status);
      await container.createIfNotExists();
      await blob(functionName).upload(content, Buffer.byteLength(content));
    },
  };
}
