/** The app as the queue triggers see it, with every port of the worker's under the simulator's hand. Nothing else here knows the operations. */

import * as z from 'zod';
import { type Work, workOf } from '../../functions/work.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { calm } from '../../shared/contract/trouble.ts';
import { queuedFollowUps } from '../../shared/operations/follow-ups.ts';
import { queuedWakeUps } from '../../shared/operations/wake-ups.ts';
import type { Log, LogFields } from '../../shared/telemetry.ts';
import { type Message, type QueuePort, queuesOver, type SimulatedQueue } from './simulated-queue.ts';
import type { SimulatedWorker } from './simulated-worker.ts';
import type { World } from './world.ts';

/** What stands in the storage account. */
export interface Storage {
  readonly queue: SimulatedQueue;
  readonly marks: Set<string>;
  /** Gets what follow-ups tell consumers and people. */
  readonly hear: (text: string) => void;
}

/** What a worker would do with a message. */
export function simulatedApp(world: World, { queue, marks, hear }: Storage, worker: SimulatedWorker): Work {
  const told = { put: putAndHear(queue, hear), withdraw: (message: Message) => queue.withdraw(message) };
  const queues = queuesOver(worker.wrap('queues', told));
  const kept = worker.wrap('marks', {
    has: async (key: string) => ({ kind: 'known' as const, marked: marks.has(key) }),
    put: async (key: string) => {
      marks.add(key);
      return { kind: 'marked' as const };
    },
  });
  const ownPorts = new Set(['followUps', 'wakeUps']);
  const engine = world.deps((name, port) => (ownPorts.has(name) ? port : worker.wrap(name, port)));
  const followUps = queuedFollowUps(queues, kept);
  return workOf({
    engine: { ...engine, followUps, wakeUps: queuedWakeUps(queues) },
    history: {
      record: async () => ({ kind: 'recorded' }),
      of: async () => ({ kind: 'listed', records: [] }),
      rotation: async () => ({ kind: 'listed', records: [] }),
    },
    queues: queuesOver(queue),
    attention: {
      of: async () => calm,
      all: nobody,
      failed: async () => calm,
      waits: async () => ({ kind: 'kept' }),
      reminds: async () => ({ kind: 'kept' }),
      cleared: async () => ({ kind: 'cleared' }),
    },
    freeze: {
      read: async () => ({ kind: 'freeze', frozen: false }),
      set: async () => ({ kind: 'freeze', frozen: false }),
    },
    pauseAfter: 1_000_000,
    random: () => 0,
    now: () => world.vault.now,
  });
}

const warned = z.object({ warnings: z.array(z.string()).default([]) });

/** A notice in the queue reaches people, also where its worker dies right after. */
function putAndHear(queue: SimulatedQueue, hear: (text: string) => void): QueuePort['put'] {
  return async (name, body, delayMs) => {
    const put = await queue.put(name, body, delayMs);
    if (name === queueNames.notifications) hear(warned.parse(body).warnings.join('; '));
    return put;
  };
}

/** Hands on what people are told: warnings of results, and failures. */
export function tellingLog(tell: (text: string) => void): Log {
  const line = (_event: string, { warnings, code, detail }: LogFields = {}): void => {
    if (warnings !== undefined) tell(String(warnings));
    if (code !== undefined) tell(String(detail));
  };
  return { info: line, warn: line, error: line };
}

async function* nobody() {
  yield* [];
}
