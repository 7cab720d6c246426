/** What the queue triggers do with a message: read it, call the engine, and say how it went. */
import type { QueueOf } from '../shared/contract/ports.ts';
import { queueNames } from '../shared/contract/queue-names.ts';
import type { SeenVersions } from '../shared/contract/state.ts';
import { rotationRequest } from '../shared/engine/policy/request.ts';
import { retirementRequest } from '../shared/engine/retirement/request.ts';
import type { RetirementResult } from '../shared/engine/retirement/result.ts';
import type { RotationResult } from '../shared/engine/rotation/result.ts';
import type { Failed, Skipped } from '../shared/engine/running/result.ts';
import { isFailure } from '../shared/errors.ts';
import {
  type PerformDependencies,
  type Performed,
  performRetirement,
  performRotation,
} from '../shared/operations/perform.ts';
import { retirementsQueue, rotationsQueue } from '../shared/operations/queues.ts';
import { seenKey } from '../shared/operations/seen-versions.ts';
import type { Log } from '../shared/telemetry.ts';
import { DeliverAgain, readMessage } from './read-message.ts';

/** What the workers need, but for the log of the invocation. */
export type WorkDependencies = Omit<PerformDependencies, 'log'> & {
  /** Versions that need no other look; absent: each is looked at. */
  readonly seenVersions?: Pick<SeenVersions, 'add'>;
};

export interface Work {
  /** Throws where the message is to be delivered again. */
  readonly rotate: (message: unknown, log: Log) => Promise<void>;
  readonly retire: (message: unknown, log: Log) => Promise<void>;
}

export function workOf(app: WorkDependencies): Work {
  return {
    async rotate(message, log) {
      const request = readMessage(queueNames.rotations, rotationRequest, message);
      const result = await performRotation({ ...app, log }, request);
      await comeBack(app, rotationsQueue, request, result);
      // The event of this version needs no look: it is known whose it is.
      if (result.kind === 'rotated' && result.found === undefined)
        app.seenVersions?.add(seenKey(result.vault, result.secret, result.to));
      reportRotation(result, log);
    },
    async retire(message, log) {
      const request = readMessage(queueNames.retirements, retirementRequest, message);
      const result = await performRetirement({ ...app, log }, request);
      await comeBack(app, retirementsQueue, request, result);
      reportRetirement(result, log);
    },
  };
}

/**
 * A request that is not over is put into the queue again, to be delivered when it makes sense: the platform would deliver it five times in a
 * few minutes and then give it up. Should this worker die before that, the platform delivers the message that it holds.
 */
async function comeBack<Message extends { readonly secret: string }>(
  app: WorkDependencies,
  queue: QueueOf<Message>,
  request: Message,
  { tryAgainMs: delayMs }: Performed<object>,
): Promise<void> {
  if (delayMs === undefined) return;
  const enqueued = await app.queues.enqueue(queue, request, { secret: request.secret, delayMs });
  if (isFailure(enqueued)) throw new DeliverAgain(enqueued.message);
}

function about({ rotationId, vault, secret }: { rotationId: string; vault: string; secret: string }) {
  return { rotationId, vault, secret };
}

function factsOf(result: Extract<RotationResult, { kind: 'rotated' }>) {
  const { strategy, login, from, to, reason, warnings } = result;
  const retireBy = result.retireBy?.toISOString();
  return { ...about(result), reason, strategy, login, from, to, retireBy, warnings: warnings.join('; ') || undefined };
}

function reportRotation(result: Performed<RotationResult>, log: Log): void {
  switch (result.kind) {
    case 'rotated':
      log.info('rotated', factsOf(result));
      return;
    case 'skipped':
      reportSkipped(result, log);
      return;
    case 'failed':
      report('rotation', result, log);
  }
}

function reportSkipped({ reason, detail, ...result }: Performed<Skipped>, log: Log): void {
  const event = reason === 'busy' ? 'busy' : 'skipped';
  log.info(event, { ...about(result), reason, detail, ...nextTry(result) });
}

function reportRetirement(result: Performed<RetirementResult>, log: Log): void {
  switch (result.kind) {
    case 'retired': {
      const { evidence, logins, cut, sessionsEnded, sessionsGoOn, proofs } = result;
      const wereCut = [...cut.sessions, ...cut.consumers].join(', ') || undefined;
      const counts = { sessionsEnded, sessionsGoOn, proofs: proofs.join(', ') || undefined };
      log.info('retired', { ...about(result), evidence, logins: logins.join(', '), cut: wereCut, ...counts });
      return;
    }
    case 'waiting': {
      const waitingFor = [...result.holding.sessions, ...result.holding.consumers].join(', ');
      log.info('retirement-waits', { ...about(result), waitingFor, retireBy: result.retireBy.toISOString() });
      return;
    }
    case 'skipped':
      reportSkipped(result, log);
      return;
    case 'failed':
      report('retirement', result, log);
  }
}

/** What passes by itself is a warning; what somebody has to do something about is an error with the next step. */
function report(activity: 'rotation' | 'retirement', { failure, ...result }: Performed<Failed>, log: Log): void {
  const { code, message, hint, page, class: failureClass } = failure;
  const facts = { ...about(result), code, detail: message, hint, page, ...nextTry(result) };
  switch (failureClass) {
    case 'retry':
      log.warn(`${activity}-delayed`, facts);
      return;
    case 'superseded':
      log.warn('superseded', facts);
      return;
    case 'blocked':
    case 'refused':
    case 'config':
      log.error(`${activity}-failed`, facts);
  }
}

function nextTry({ tryAgainMs }: Performed<object>): { readonly tryAgainSeconds?: number } {
  return tryAgainMs === undefined ? {} : { tryAgainSeconds: Math.round(tryAgainMs / 1_000) };
}
