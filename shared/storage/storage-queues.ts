import type { QueueClient } from '@azure/storage-queue';
import type { Enqueued, LeftMessage, LeftMessages, QueueOf, Queues } from '../contract/ports.ts';
import { Bug, type Failure } from '../errors.ts';
import type { StorageClients } from './connect.ts';
import { storageFailure, storageFault } from './fault.ts';

/** The longest a message can be hidden, in ms. */
export const longestDelayMs = 7 * 24 * 60 * 60 * 1000;
// 64 KB on the wire, of which base64 leaves three quarters.
const longestMessageBytes = 48 * 1024;
// Never runs out by itself: work that waits for a broken app must still be there when the app is mended.
const forever = -1;

// Longer than naming 32 messages takes, and well before the next sweep.
const takenSeconds = 5 * 60;

export class StorageQueues implements Queues, LeftMessages {
  readonly #clients: Pick<StorageClients, 'queues' | 'within'>;

  constructor(clients: Pick<StorageClients, 'queues' | 'within'>) {
    this.#clients = clients;
  }

  /** Makes a queue that is missing. May be called again. */
  async make(name: string): Promise<{ readonly kind: 'made' } | Failure> {
    try {
      await this.#clients.queues.getQueueClient(name).createIfNotExists(this.#clients.within());
      return { kind: 'made' };
    } catch (error) {
      return storageFailure(storageFault(error), 'queue', name);
    }
  }

  async take(name: string): Promise<{ readonly kind: 'taken'; readonly messages: readonly LeftMessage[] } | Failure> {
    const { queues, within } = this.#clients;
    const client = queues.getQueueClient(name);
    try {
      const options = { numberOfMessages: 32, visibilityTimeout: takenSeconds, ...within() };
      const { receivedMessageItems } = await client.receiveMessages(options);
      const messages = receivedMessageItems.map(({ messageId, popReceipt, messageText: text }) => ({
        text,
        remove: async () => {
          await client.deleteMessage(messageId, popReceipt, within()).catch(storageFault);
        },
      }));
      return { kind: 'taken', messages };
    } catch (error) {
      const fault = storageFault(error);
      return fault.status === 404 ? { kind: 'taken', messages: [] } : storageFailure(fault, 'queue', name);
    }
  }

  async enqueue<Message>(
    queue: QueueOf<Message>,
    message: Message,
    { secret, delayMs = 0 }: { readonly secret: string; readonly delayMs?: number },
  ): Promise<Enqueued | Failure> {
    if (delayMs > longestDelayMs) throw new Bug(`${queue.name}: a message cannot be hidden for ${delayMs} ms`);
    const json = Buffer.from(JSON.stringify(queue.schema.parse(message)));
    if (json.length > longestMessageBytes)
      throw new Bug(`${queue.name}: a message of ${json.length} bytes is too long`);
    const { queues, within } = this.#clients;
    const client = queues.getQueueClient(queue.name);
    const options = { visibilityTimeout: Math.ceil(Math.max(0, delayMs) / 1000), messageTimeToLive: forever };
    // The service takes XML, which some characters of JSON are not allowed in.
    const text = json.toString('base64');
    try {
      const { messageId, popReceipt } = await sendCreating(client, within, () =>
        client.sendMessage(text, { ...options, ...within() }),
      );
      const withdraw = async () => {
        // Delivered in the meantime, or unreachable: whoever gets it finds its work done.
        await client.deleteMessage(messageId, popReceipt, within()).catch(storageFault);
      };
      return { kind: 'enqueued', withdraw };
    } catch (error) {
      return storageFailure(storageFault(error), 'queue', secret);
    }
  }
}

/** The queue is made when it is missing, rather than asked for each time. */
async function sendCreating<Sent>(
  client: QueueClient,
  within: StorageClients['within'],
  send: () => Promise<Sent>,
): Promise<Sent> {
  try {
    return await send();
  } catch (error) {
    if (storageFault(error).status !== 404) throw error;
    await client.createIfNotExists(within());
    return await send();
  }
}
