/**
 * The storage queue trigger: polling with back-off, batches, renewal, retry and the poison queue.
 * Source: QueueListener and QueueProcessor of Microsoft.Azure.WebJobs.Extensions.Storage.Queues.
 */
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { TypedData } from './core-types.ts';
import type { HostJson } from './host-json.ts';
import type { Outcome, Trigger } from './invoke.ts';
import { decodeMessage, openQueue, sendOrCreate, statusOf } from './queue-storage.ts';

export interface QueueListenerOptions {
  readonly functionName: string;
  readonly connection: string;
  readonly queueName: string;
  readonly settings: HostJson['queues'];
  /** Seconds a message in work is invisible to others. */
  readonly lockSeconds: number;
  readonly retrySeconds: number;
  readonly run: (trigger: Trigger) => Promise<Outcome>;
  readonly log: (level: 'warning' | 'error', message: string) => void;
}

export interface Listener {
  /** Takes no more work; what runs is not waited for. */
  stop(): void;
}

const firstPauseMs = 100;

/** Starts polling. A queue that does not exist is looked for again and again, with a warning each time, as the host does. */
export async function listenToQueue(options: QueueListenerOptions): Promise<Listener> {
  const queue = await openQueue(options.connection, options.queueName);
  // A poison queue has none of its own: what fails there stays, invisible until its lock runs out, and is tried for ever.
  const poison = options.queueName.endsWith('-poison')
    ? undefined
    : await openQueue(options.connection, `${options.queueName}-poison`);
  const stopped = new AbortController();
  poll({ options, queue, poison }, stopped.signal).catch((error: unknown) =>
    options.log('error', `The listener for '${options.functionName}' ended: ${reason(error)}`),
  );
  return { stop: () => stopped.abort() };
}

interface Source {
  readonly options: QueueListenerOptions;
  readonly queue: QueueClient;
  readonly poison: QueueClient | undefined;
}

async function poll(source: Source, stopped: AbortSignal): Promise<void> {
  const { settings, log } = source.options;
  const running = new Set<Promise<void>>();
  let pauseMs = firstPauseMs;
  while (!stopped.aborted) {
    const messages = await receive(source, stopped);
    for (const message of messages) {
      const work = process(source, message)
        .catch((error: unknown) => log('error', `A message of '${source.options.queueName}': ${reason(error)}`))
        .finally(() => running.delete(work));
      running.add(work);
    }
    if (messages.length === 0) {
      await pause(pauseMs, stopped);
      pauseMs = Math.min(pauseMs * 2, settings.maxPollingMs);
      continue;
    }
    pauseMs = firstPauseMs;
    while (running.size > settings.newBatchThreshold) await Promise.race(running);
  }
}

async function receive({ queue, options }: Source, stopped: AbortSignal): Promise<DequeuedMessageItem[]> {
  try {
    const received = await queue.receiveMessages({
      numberOfMessages: options.settings.batchSize,
      visibilityTimeout: options.lockSeconds,
    });
    // Taken but not begun: they come back by themselves when their lock runs out.
    return stopped.aborted ? [] : received.receivedMessageItems;
  } catch (error) {
    // Azure.Core writes this with each poll at the real host, hundreds of times a minute where ten queues are missing.
    const why = statusOf(error) === 404 ? '404 The specified queue does not exist. (QueueNotFound)' : reason(error);
    options.log('warning', `Polling '${options.queueName}' failed: ${why}`);
    return [];
  }
}

async function process(source: Source, message: DequeuedMessageItem): Promise<void> {
  const { options } = source;
  const held = new HeldMessage(source.queue, message, options.lockSeconds, options.log);
  const text = decodeMessage(message.messageText, options.settings.messageEncoding);
  const { maxDequeueCount } = options.settings;
  // A message that was taken too often without an end, because instances died over it, is not run once more.
  if (source.poison !== undefined && message.dequeueCount > maxDequeueCount) {
    return toPoison(source.poison, source, held, message);
  }
  if (text === undefined) return undecodable(source, held, message);
  held.keep();
  const outcome = await options.run({
    data: { string: text },
    metadata: metadataOf(message, text),
    reason: `New queue message detected on '${options.queueName}'.`,
  });
  if (outcome.kind === 'succeeded') return held.remove();
  if (source.poison === undefined) return held.leave();
  if (message.dequeueCount >= maxDequeueCount) return toPoison(source.poison, source, held, message);
  return held.release(options.retrySeconds);
}

// What is not in the queue's encoding can never be run, so it is not tried at all. The poison queue's listener cannot decode it either; this
// one warning is all that the real host says.
async function undecodable(source: Source, held: HeldMessage, message: DequeuedMessageItem): Promise<void> {
  const { queueName, settings } = source.options;
  const moved = source.poison === undefined ? '' : ` Moving message to queue '${queueName}-poison'.`;
  source.options.log(
    'warning',
    `Message ${message.messageId} of '${queueName}' is not ${settings.messageEncoding}.${moved}`,
  );
  if (source.poison !== undefined) await copyTo(source.poison, held, message);
}

async function toPoison(
  poison: QueueClient,
  { options }: Source,
  held: HeldMessage,
  message: DequeuedMessageItem,
): Promise<void> {
  options.log(
    'error',
    `Message has reached MaxDequeueCount of ${options.settings.maxDequeueCount}. Moving message to queue '${options.queueName}-poison'.`,
  );
  await copyTo(poison, held, message);
}

async function copyTo(poison: QueueClient, held: HeldMessage, message: DequeuedMessageItem): Promise<void> {
  // Copy before delete: a crash between the two leaves the message twice, never nowhere.
  await sendOrCreate(poison, message.messageText);
  await held.remove();
}

function metadataOf(message: DequeuedMessageItem, text: string): Record<string, TypedData> {
  return {
    QueueTrigger: { string: text },
    Id: { string: message.messageId },
    DequeueCount: { string: String(message.dequeueCount) },
    PopReceipt: { string: message.popReceipt },
    ExpirationTime: { json: JSON.stringify(message.expiresOn) },
    InsertionTime: { json: JSON.stringify(message.insertedOn) },
    NextVisibleTime: { json: JSON.stringify(message.nextVisibleOn) },
  };
}

/** A message this instance has taken. Its calls go one after another, since each renewal makes a new receipt. */
class HeldMessage {
  readonly #queue: QueueClient;
  readonly #message: DequeuedMessageItem;
  readonly #lockSeconds: number;
  readonly #log: QueueListenerOptions['log'];
  #receipt: string;
  #renewal: NodeJS.Timeout | undefined;
  #renewing: Promise<void> = Promise.resolve();

  constructor(queue: QueueClient, message: DequeuedMessageItem, lockSeconds: number, log: QueueListenerOptions['log']) {
    this.#queue = queue;
    this.#message = message;
    this.#lockSeconds = lockSeconds;
    this.#log = log;
    this.#receipt = message.popReceipt;
  }

  /** Renews at half of the lock until the message is removed or released. */
  keep(): void {
    this.#renewal = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.#update(this.#lockSeconds));
    }, this.#lockSeconds * 500);
  }

  /** Lets the lock run out by itself. */
  leave(): Promise<void> {
    return this.#end();
  }

  async release(afterSeconds: number): Promise<void> {
    await this.#end();
    await this.#update(afterSeconds);
  }

  async remove(): Promise<void> {
    await this.#end();
    await this.#guarded(async () => {
      await this.#queue.deleteMessage(this.#message.messageId, this.#receipt);
    });
  }

  async #end(): Promise<void> {
    clearInterval(this.#renewal);
    await this.#renewing;
  }

  #update(visibleAfterSeconds: number): Promise<void> {
    return this.#guarded(async () => {
      const { messageId, messageText } = this.#message;
      const updated = await this.#queue.updateMessage(messageId, this.#receipt, messageText, visibleAfterSeconds);
      this.#receipt = updated.popReceipt ?? this.#receipt;
    });
  }

  // 404 and 400 mean that the lock ran out and somebody else has the message: it is theirs to finish.
  async #guarded(call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.#log('warning', `Message ${this.#message.messageId} is not held any more: ${reason(error)}`);
    }
  }
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stopped.addEventListener('abort', end);
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
