/** What the queue of checks leads to: a version that was made just now, or the current one, is tried with a login. */
import { queueNames } from '../shared/contract/queue-names.ts';
import { checkRequest } from '../shared/engine/policy/check-request.ts';
import { type Failure, isFailure } from '../shared/errors.ts';
import { type ArrivalDependencies, performArrival } from '../shared/operations/arrival.ts';
import { checksQueue, performCheck } from '../shared/operations/check.ts';
import { performWriterLook } from '../shared/operations/writer.ts';
import type { Log } from '../shared/telemetry.ts';
import { readMessage } from './read-message.ts';

/** Thrown after everything that could be done was done, so that the platform runs the timer or delivers the message again. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

/** One login, with a second look under a lease where it was refused. */
const checkWithinMs = 60_000;

/** Throws where the message is to be delivered again. */
export function checkOf(app: Omit<ArrivalDependencies, 'log'>): (message: unknown, log: Log) => Promise<void> {
  return async (message, log) => {
    const request = readMessage(queueNames.checks, checkRequest, message);
    const { vault, secret, version } = request;
    const signal = AbortSignal.timeout(checkWithinMs);
    const deps = { ...app, log };
    // A version of somebody else whose event was lost may be what its copies have to follow.
    const daily = async () => {
      const seen = await performCheck(deps, request, signal);
      if (seen.kind !== 'healthy' || seen.source === undefined) return seen;
      return performArrival(deps, { ...request, version: seen.source }, signal);
    };
    if (version !== undefined && request.writer !== undefined) {
      const { kind: outcome } = await performWriterLook(deps, { ...request, version }, signal);
      log.info('writer-looked-for', { vault, secret, outcome });
      return;
    }
    const outcome = version === undefined ? await daily() : await performArrival(deps, { ...request, version }, signal);
    const { tryAgainMs: delayMs } = outcome;
    if (delayMs !== undefined) {
      const enqueued = await app.queues.enqueue(checksQueue, request, { secret, delayMs });
      if (isFailure(enqueued)) throw new TryAgain(`${enqueued.code}: ${enqueued.message}`);
    }
    if (!isFailure(outcome)) log.info('checked', { vault, secret, outcome: outcome.kind });
    else if (outcome.code === 'credential-drifted') logFailure('drifted', vault, outcome, log, secret);
    else logFailure('check-failed', vault, outcome, log, secret);
  };
}

export function logFailure(event: string, vault: string, failure: Failure, log: Log, secret?: string): void {
  const { code, message: detail, hint, page } = failure;
  const facts = { vault, ...(secret === undefined ? {} : { secret }), code, detail, hint, page };
  // What passes by itself is tried again, and told when it goes on for long.
  if (failure.class === 'retry' && event === 'check-failed') log.warn('check-delayed', facts);
  else log.error(event, facts);
}
