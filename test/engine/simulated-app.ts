/** The app as the queue triggers see it, with every port of the worker's under the simulator's hand. Nothing else here knows the operations. */

import * as z from 'zod';
import { checkOf } from '../../functions/check.ts';
import { type Work, workOf } from '../../functions/work.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { Attention, Irregularities, SeenVersions, ToldBefore } from '../../shared/contract/state.ts';
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
  /** Gets each notice as it is put into the queue: from there it reaches people also where its worker dies right after. */
  readonly hear: (notice: unknown) => void;
}

/** What is kept of secrets beside the vault. */
export interface Records {
  readonly attention: Attention;
  readonly irregularities: Irregularities;
  readonly toldBefore: ToldBefore;
  /** Of the process that the worker runs in. */
  readonly seenVersions: SeenVersions;
}

/** What a worker would do with a message. */
export function simulatedApp(world: World, storage: Storage, worker: SimulatedWorker): Work {
  return workOf(partsOf(world, storage, worker));
}

/** The same with what checks credentials and looks at new versions, and with the records of failures. */
export function simulatedAppWithChecks(world: World, storage: Storage, records: Records, worker: SimulatedWorker) {
  const { attention, irregularities, toldBefore, seenVersions } = records;
  const parts = { ...partsOf(world, storage, worker), attention: worker.wrap('attention', attention) };
  const queues = queuesOver(worker.wrap('queues', portOf(storage)));
  const kept = {
    irregularities: worker.wrap('irregularities', irregularities),
    toldBefore: worker.wrap('toldBefore', toldBefore),
    seenVersions,
  };
  return { ...workOf({ ...parts, queues }), check: checkOf({ ...parts, ...kept, queues }) };
}

function portOf({ queue, hear }: Storage): QueuePort {
  return { put: putAndHear(queue, hear), withdraw: (message: Message) => queue.withdraw(message) };
}

function partsOf(world: World, storage: Storage, worker: SimulatedWorker): Parameters<typeof workOf>[0] {
  const { queue, marks } = storage;
  const queues = queuesOver(worker.wrap('queues', portOf(storage)));
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
  return {
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
  };
}

function putAndHear(queue: SimulatedQueue, hear: Storage['hear']): QueuePort['put'] {
  return async (name, body, delayMs) => {
    const put = await queue.put(name, body, delayMs);
    if (name === queueNames.notifications) hear(body);
    return put;
  };
}

const warned = z.object({ warnings: z.array(z.string()).default([]) });

/** What a notice warns of. */
export function warningsIn(notice: unknown): string {
  return warned.parse(notice).warnings.join('; ');
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
