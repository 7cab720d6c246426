/** A world with everything around the engine that people see, in memory. */
import type { Notice } from '../../shared/contract/notice.ts';
import type { FreezeState } from '../../shared/contract/state.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { queuedFollowUps } from '../../shared/operations/follow-ups.ts';
import { type PerformDependencies, performRotation } from '../../shared/operations/perform.ts';
import { notificationsQueue } from '../../shared/operations/queues.ts';
import { MemoryAttention, MemoryHistory } from './kept.ts';
import { makeWorld, type World } from './world.ts';

export interface Message {
  readonly queue: string;
  readonly body: unknown;
  readonly delayMs: number | undefined;
}

export interface Around {
  readonly world: World;
  readonly deps: PerformDependencies;
  readonly history: MemoryHistory;
  readonly attention: MemoryAttention;
  readonly messages: Message[];
  readonly warnings: string[];
  readonly marks: Set<string>;
  freeze: FreezeState | Failure;
  storageDown: boolean;
}

export const down = failure('storage-unreachable', { secret: 'orders-db', detail: 'ECONNREFUSED' });

export function around(
  tags: Record<string, string> = {},
  strategy: Parameters<typeof makeWorld>[0] = 'alternating-users',
): Around {
  const world = makeWorld(strategy, tags);
  const [history, attention] = [new MemoryHistory(), new MemoryAttention()];
  const messages: Message[] = [];
  const warnings: string[] = [];
  const marks = new Set<string>();
  const queues: PerformDependencies['queues'] = {
    enqueue: async (queue, body, { delayMs }) => {
      if (it.storageDown) return down;
      messages.push({ queue: queue.name, body: queue.schema.parse(body), delayMs });
      return { kind: 'enqueued' };
    },
  };
  const followUps = queuedFollowUps(queues, {
    has: async (key) => ({ kind: 'known', marked: marks.has(key) }),
    put: async (key) => {
      marks.add(key);
      return { kind: 'marked' };
    },
  });
  // No two attempts begin at the same time, as on a real clock.
  let ticks = 0;
  const deps: PerformDependencies = {
    engine: { ...world.deps(), followUps },
    history: {
      record: async (record) => (it.storageDown ? down : history.record(record)),
      of: () => history.of(),
      rotation: (rotationId) => history.rotation(rotationId),
    },
    attention,
    freeze: { read: async () => it.freeze, set: async () => ({ kind: 'freeze', frozen: false }) },
    queues,
    log: { info: () => undefined, warn: (event) => warnings.push(event), error: (event) => warnings.push(event) },
    pauseAfter: 3,
    random: () => 0,
    now: () => new Date(world.vault.now.getTime() + ticks++),
  };
  const it: Around = {
    ...{ world, deps, history, messages, warnings, marks, attention, storageDown: false },
    freeze: { kind: 'freeze', frozen: false },
  };
  return it;
}

export const rotationId = '1'.repeat(32);

/** Somebody asks, or nobody: `scheduled` and `resume` have no id of their own. */
export function requested(
  it: Around,
  mode: RotationRequest['mode'] = 'scheduled',
  more: Partial<RotationRequest> = {},
) {
  const { vault, secret } = it.world;
  const asked = mode === 'scheduled' || mode === 'resume' ? {} : { rotationId };
  return performRotation(it.deps, { vault: vault.name, secret, mode, requestedBy: 'Anna', ...asked, ...more });
}

export function notices(it: Around): Notice[] {
  return it.messages
    .filter(({ queue }) => queue === notificationsQueue.name)
    .map(({ body }) => notificationsQueue.schema.parse(body));
}

/** The admin's secret is gone: a failure that only a person fixes. */
export function breakAdmin(it: Around): void {
  it.world.vault.secrets.delete('orders-admin');
}

export function pass(it: Around, ms: number): void {
  it.world.vault.now = new Date(it.world.vault.now.getTime() + ms);
}

/** What is kept of the secret's failures. */
export function troubleOf(it: Around) {
  return it.attention.trouble(it.world.secret);
}
