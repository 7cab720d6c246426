/** The whole app in memory: the engine on a world of its own, and storage that remembers nothing for longer than one input. */

import { type Tell, tellWith } from '../../functions/tell.ts';
import { type Work, workOf } from '../../functions/work.ts';
import type { ApiDependencies } from '../../shared/api/dependencies.ts';
import type { ChannelSwitches, Deliveries } from '../../shared/contract/deliveries.ts';
import { makeNotifier } from '../../shared/notify/notifier.ts';
import { MemoryAttention, MemoryIrregularities } from '../engine/kept.ts';
import { makeWorld, type World } from '../engine/world.ts';

export interface Enqueued {
  readonly queue: string;
  readonly message: unknown;
}

export interface InMemory {
  readonly app: ApiDependencies;
  readonly work: Work;
  readonly tell: Tell;
  readonly world: World;
  /** What was put into queues, each as its schema takes it: what does not fit throws. */
  readonly enqueued: readonly Enqueued[];
}

const reached = async () => ({ kind: 'reached' as const });
const kept = async () => ({ kind: 'kept' as const });

const deliveries: Deliveries = {
  keep: kept,
  one: async () => ({ kind: 'known', delivery: undefined }),
  of: async () => ({ kind: 'listed', deliveries: [] }),
};

const switches: ChannelSwitches = {
  off: kept,
  on: kept,
  all: async () => ({ kind: 'listed', switches: [] }),
  one: async () => ({ kind: 'known', off: undefined }),
};

type Storage = Omit<ApiDependencies, 'engine' | 'queues' | 'now' | 'pauseAfter' | 'version' | 'deliveries'>;

const storage: Storage = {
  history: {
    record: async () => ({ kind: 'recorded' }),
    of: async () => ({ kind: 'listed', records: [] }),
    rotation: async () => ({ kind: 'listed', records: [] }),
  },
  rehearsals: {
    async *all() {
      // Nothing was ever rehearsed.
    },
    keep: kept,
  },
  attention: new MemoryAttention(),
  random: () => 0,
  leasesHeld: { held: async () => ({ kind: 'held', secrets: new Set() }) },
  storageParts: { blob: reached, queue: reached, table: reached },
  queueDepths: { all: async () => ({ kind: 'counted', queues: [] }) },
  sweepTimes: { of: async () => ({ kind: 'known', at: undefined }), keep: kept },
  freeze: {
    read: async () => ({ kind: 'freeze', frozen: false }),
    set: async ({ frozen, by, reason, at }) => ({ kind: 'freeze', frozen, by, reason, since: at }),
  },
  marks: { has: async () => ({ kind: 'known', marked: false }), put: async () => ({ kind: 'marked' }) },
  acknowledgements: {
    add: async () => ({ kind: 'added' }),
    of: async () => ({ kind: 'acknowledged', consumers: new Map() }),
  },
  approvals: {
    add: async (approval) => ({ kind: 'waiting', approval }),
    get: async () => ({ kind: 'got', approval: undefined }),
    async *all() {
      yield* [];
    },
    forget: async () => ({ kind: 'forgotten' }),
    decide: async () => ({ kind: 'unknown' }),
  },
  fourEyes: { kinds: [], withinMs: 3_600_000 },
  irregularities: new MemoryIrregularities(),
  idempotencyKeys: { claim: async () => ({ kind: 'claimed' }) },
};

export function inMemory(): InMemory {
  const world = makeWorld('alternating-users');
  const enqueued: Enqueued[] = [];
  const queues: ApiDependencies['queues'] = {
    enqueue: async (queue, message) => {
      enqueued.push({ queue: queue.name, message: queue.schema.parse(message) });
      return { kind: 'enqueued' };
    },
  };
  const now = () => world.vault.now;
  const app: ApiDependencies = {
    ...storage,
    ...{ queues, now, deliveries, pauseAfter: 5, version: '0.0.0' },
    engine: world.deps(),
  };
  const notifier = makeNotifier({
    channels: new Map(),
    standard: [],
    senderOf: () => {
      throw new Error('no channel is configured');
    },
    ...{ queues, deliveries, switches, now },
    random: () => 0,
    attemptMs: () => 1_000,
  });
  return { app, world, enqueued, work: workOf(app), tell: tellWith(notifier) };
}
