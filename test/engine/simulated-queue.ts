/** The queues of the platform, with its own times: what a dead worker had is hidden for ten minutes, what failed for half a minute. */
import { z } from 'zod';
import type { Queues } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { type Failure, isFailure } from '../../shared/errors.ts';
import type { Random } from './random.ts';

const secondMs = 1_000;
/** For how long the platform hides the message of a worker that died. */
const lockMs = 600 * secondMs;
/** As in host.json: when a message that failed comes again, and after how many deliveries it is given up. */
const againMs = 30 * secondMs;
const mostDeliveries = 5;

const asked = z.object({ mode: z.string().optional(), rotationId: z.string().optional() });

export interface Message {
  readonly queue: string;
  readonly body: unknown;
  readonly mode: string | undefined;
  /** The id of the request, where somebody gave it one. */
  readonly rotationId: string | undefined;
  /** By the simulated clock, in ms. */
  visibleAtMs: number;
  deliveries: number;
}

/** What a worker does with the queues. One object, so that a dead worker can be kept from it. */
export interface QueuePort {
  put(
    queue: string,
    body: unknown,
    delayMs: number,
  ): Promise<{ readonly kind: 'put'; readonly message: Message } | Failure>;
  withdraw(message: Message): Promise<void>;
}

export class SimulatedQueue implements QueuePort {
  messages: Message[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async put(queue: string, body: unknown, delayMs: number) {
    return { kind: 'put' as const, message: this.add(queue, body, delayMs) };
  }

  add(queue: string, body: unknown, delayMs: number): Message {
    const { mode, rotationId } = asked.parse(body);
    const message = { queue, body, mode, rotationId, visibleAtMs: this.#nowMs() + delayMs, deliveries: 0 };
    if (queue !== queueNames.notifications) this.messages.push(message);
    return message;
  }

  async withdraw(message: Message): Promise<void> {
    this.messages = this.messages.filter((each) => each !== message);
  }

  /** One that is visible, in no order. */
  take(random: Random): Message | undefined {
    const visible = this.messages.filter(({ visibleAtMs }) => visibleAtMs <= this.#nowMs());
    const message = visible[random.below(visible.length)];
    if (message === undefined) return undefined;
    this.messages = this.messages.filter((each) => each !== message);
    message.deliveries++;
    return message;
  }

  /** The worker that had it failed, or died. Whether it comes again: one that came too often is given up. */
  comesAgain(message: Message, died: boolean): boolean {
    if (message.deliveries >= mostDeliveries) return false;
    message.visibleAtMs = this.#nowMs() + (died ? lockMs : againMs);
    this.messages.push(message);
    return true;
  }
}

/** The port of the app over one worker's hold on the queues. */
export function queuesOver(port: QueuePort): Queues {
  return {
    enqueue: async (queue, message, { delayMs = 0 }) => {
      const put = await port.put(queue.name, queue.schema.parse(message), delayMs);
      if (isFailure(put)) return put;
      return { kind: 'enqueued', withdraw: () => port.withdraw(put.message) };
    },
  };
}
