/** What the queue triggers do with a message: read it, call the engine, and say how it went. */
import * as z from 'zod';
import { queueNames } from '../shared/contract/queue-names.ts';
import { type RotationRequest, rotationRequest } from '../shared/engine/policy/request.ts';
import { type RetirementRequest, retirementRequest } from '../shared/engine/retirement/request.ts';
import type { RetirementResult } from '../shared/engine/retirement/result.ts';
import type { RotationResult } from '../shared/engine/rotation/result.ts';
import type { Failed, Skipped } from '../shared/engine/running/result.ts';
import { isFailure } from '../shared/errors.ts';
import {
  type PerformDependencies,
  performGivenUp,
  performRetirement,
  performRotation,
} from '../shared/operations/perform.ts';
import { retirementsQueue, rotationsQueue } from '../shared/operations/queues.ts';
import type { Log } from '../shared/telemetry.ts';
import { DeliverAgain, readMessage } from './read-message.ts';

/** A message of a busy secret comes again after this: longer than a dead worker's lease lives on. */
const busyDelayMs = 65_000;

/**
 * A retirement meets the rotation itself while that tidies up: consumers may acknowledge within milliseconds of the publish. What it waits
 * for is seconds away, and a new message is never given up for having come too early.
 */
const busyRetirementDelayMs = 10_000;

/** What the workers need, but for the log of the invocation. */
export type WorkDependencies = Omit<PerformDependencies, 'log'>;

export interface Work {
  /** Throws where the message is to be delivered again. */
  readonly rotate: (message: unknown, log: Log) => Promise<void>;
  readonly retire: (message: unknown, log: Log) => Promise<void>;
  /** Names a message that could not be processed, with the next step, and tells people of it. */
  readonly namePoison: (queue: string, message: unknown, log: Log) => Promise<void>;
}

export function workOf(app: WorkDependencies): Work {
  return {
    async rotate(message, log) {
      const request = readMessage(queueNames.rotations, rotationRequest, message);
      const result = await performRotation({ ...app, log }, request);
      switch (result.kind) {
        case 'rotated':
          log.info('rotated', factsOf(result));
          return;
        case 'skipped':
          if (result.reason === 'busy') await again(app, request, log);
          else log.info('skipped', { ...about(result), reason: result.reason, detail: result.detail });
          return;
        case 'failed':
          report(result, log);
      }
    },
    async retire(message, log) {
      const request = readMessage(queueNames.retirements, retirementRequest, message);
      const result = await performRetirement({ ...app, log }, request);
      if (result.kind === 'skipped' && result.reason === 'busy') await retireAgain(app, request, log);
      else reportRetirement(result, log);
    },
    async namePoison(queue, message, log) {
      const named = poisonMessage.safeParse(message);
      const { vault, secret, rotationId, refused, channel, notice: news, ...told } = named.success ? named.data : {};
      // News of news that could not be told would go the same way.
      const isNews = queue === queueNames.notifications || queue === queueNames.deliveries;
      if (!isNews && refused === undefined && vault !== undefined && secret !== undefined) {
        await performGivenUp({ ...app, log }, { vault, secret, rotationId });
        return;
      }
      const detail = refused ?? 'it was delivered too often without success; the errors before say why';
      const hint =
        told.hint ??
        'Look at the event subscription, at KEYTURN_VAULTS and KEYTURN_CHANNELS, and at the errors before.';
      log.error('message-poisoned', { queue, secret: secret ?? news?.secret, channel, detail, hint });
    },
  };
}

const poisonMessage = z.object({
  vault: z.string().max(255).optional(),
  secret: z.string().max(127).optional(),
  rotationId: z.string().max(64).optional(),
  refused: z.string().optional(),
  hint: z.string().optional(),
  channel: z.string().max(64).optional(),
  notice: z.object({ secret: z.string().max(127) }).optional(),
});

function about({ rotationId, vault, secret }: { rotationId: string; vault: string; secret: string }) {
  return { rotationId, vault, secret };
}

function factsOf(result: Extract<RotationResult, { kind: 'rotated' }>) {
  const { strategy, login, from, to, reason, warnings } = result;
  const retireBy = result.retireBy?.toISOString();
  return { ...about(result), reason, strategy, login, from, to, retireBy, warnings: warnings.join('; ') || undefined };
}

async function again(app: WorkDependencies, request: RotationRequest, log: Log): Promise<void> {
  const enqueued = await app.queues.enqueue(rotationsQueue, request, { secret: request.secret, delayMs: busyDelayMs });
  if (isFailure(enqueued)) throw new DeliverAgain(enqueued.message);
  log.info('busy', { secret: request.secret, detail: 'another worker is at it; looked at again in a minute' });
}

async function retireAgain(app: WorkDependencies, request: RetirementRequest, log: Log): Promise<void> {
  const { secret } = request;
  const enqueued = await app.queues.enqueue(retirementsQueue, request, { secret, delayMs: busyRetirementDelayMs });
  if (isFailure(enqueued)) throw new DeliverAgain(enqueued.message);
  log.info('busy', {
    secret,
    detail: 'another worker is at it; the end of the old credential is looked at again soon',
  });
}

/** A failure that mends itself is delivered again; any other waits for a person, who is told the next step. */
function report({ failure, ...result }: Failed, log: Log): void {
  const { code, message, hint, page, class: failureClass } = failure;
  const facts = { ...about(result), code, detail: message, hint, page };
  switch (failureClass) {
    case 'retry':
      log.warn('rotation-delayed', facts);
      throw new DeliverAgain(`${code}: ${message}`);
    case 'superseded':
      log.info('superseded', facts);
      // The lease may have run out while nobody else waited for it; whoever comes next finishes what was begun.
      if (code === 'lease-lost') throw new DeliverAgain(`${code}: ${message}`);
      return;
    case 'blocked':
    case 'refused':
    case 'config':
      log.error('rotation-failed', facts);
  }
}

function reportRetirement(result: RetirementResult | Skipped, log: Log): void {
  switch (result.kind) {
    case 'retired': {
      const { evidence, logins, cut, sessionsEnded, sessionsGoOn } = result;
      const wereCut = [...cut.sessions, ...cut.consumers].join(', ') || undefined;
      const counts = { sessionsEnded, sessionsGoOn };
      log.info('retired', { ...about(result), evidence, logins: logins.join(', '), cut: wereCut, ...counts });
      return;
    }
    case 'waiting': {
      const waitingFor = [...result.holding.sessions, ...result.holding.consumers].join(', ');
      log.info('retirement-waits', { ...about(result), waitingFor, retireBy: result.retireBy.toISOString() });
      return;
    }
    case 'skipped':
      log.info('skipped', { ...about(result), reason: result.reason, detail: result.detail });
      return;
    case 'failed':
      report(result, log);
  }
}
