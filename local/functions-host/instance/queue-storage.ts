/** The storage queue calls of the host, with its message encoding. */
import type { QueueClient } from '@azure/storage-queue';

export type MessageEncoding = 'base64' | 'none';

// Loaded only for apps that use queues, since it is the largest part of an instance's start.
export async function openQueue(connectionString: string, name: string): Promise<QueueClient> {
  const { QueueServiceClient } = await import('@azure/storage-queue');
  return QueueServiceClient.fromConnectionString(connectionString).getQueueClient(name);
}

export function encodeMessage(text: string | Uint8Array, encoding: MessageEncoding): string {
  const bytes = Buffer.from(text);
  return encoding === 'base64' ? bytes.toString('base64') : bytes.toString('utf8');
}

/** Undefined when the text is not in that encoding: such a message can never be run. */
export function decodeMessage(text: string, encoding: MessageEncoding): string | undefined {
  if (encoding === 'none') return text;
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('utf8');
}

/** Sends, and makes the queue first when it is not there. */
export async function sendOrCreate(queue: QueueClient, text: string): Promise<void> {
  try {
    await queue.sendMessage(text);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    await queue.createIfNotExists();
    await queue.sendMessage(text);
  }
}

/** HTTP status of a refused storage call. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
