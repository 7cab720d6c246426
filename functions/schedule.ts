/** What the timers start, and the checks that come of them. */

import type { Settings } from '../shared/config/settings.ts';
import { queueNames } from '../shared/contract/queue-names.ts';
import type { FreezeState } from '../shared/contract/state.ts';
import { type CheckRequest, checkRequest } from '../shared/engine/policy/check-request.ts';
import { type Failure, isFailure } from '../shared/errors.ts';
import { atOnce, mostVaultsAtOnce } from '../shared/operations/at-once.ts';
import { checksQueue, enqueueChecks } from '../shared/operations/check.ts';
import { expireApprovals } from '../shared/operations/expire-approvals.ts';
import { finishRehearsals, performRehearsal } from '../shared/operations/rehearse.ts';
import { sweepAll } from '../shared/operations/sweep-all.ts';
import type { Log } from '../shared/telemetry.ts';
import { checkOf, logFailure, TryAgain } from './check.ts';
import type { App } from './compose.ts';
import { readLeftMessages } from './left-messages.ts';
import { readMessage } from './read-message.ts';

export interface Schedule {
  /** Throws where the timer is to run again soon. */
  readonly sweep: (log: Log) => Promise<void>;
  readonly drift: (log: Log) => Promise<void>;
  /** Throws where the message is to be delivered again. */
  readonly check: (message: unknown, log: Log) => Promise<void>;
}

/** Ends a minute before the platform would: what is left is found by the next run. */
const runWithinMs = 9 * 60_000;

export function scheduleOf(app: App, { sweep: swept, drift: drifted }: Pick<Settings, 'sweep' | 'drift'>): Schedule {
  const check = checkOf(app);
  return {
    async sweep(log) {
      const deps = { ...app, index: app, jitterMs: swept.jitterMs, random: Math.random };
      const { freeze, vaults } = await sweepAll(deps, AbortSignal.timeout(runWithinMs));
      await readLeftMessages(app, log);
      const notExpired = await expireApprovals({ ...app, log });
      if (notExpired !== undefined) log.warn('approvals-not-expired', { code: notExpired.code });
      const finished = await finishRehearsals(app, checksQueue, app.now());
      if (isFailure(finished)) log.warn('rehearsals-not-finished', { code: finished.code });
      const frozen = isFailure(freeze) || freeze.frozen;
      logFreeze(freeze, log);
      const failed = vaults.flatMap(({ vault, outcome }) => {
        if (isFailure(outcome)) {
          logFailure('sweep-failed', vault, outcome, log);
          return [vault];
        }
        const { kind, unread, states, ...counts } = outcome;
        log.info(kind, { ...states, ...counts, frozen });
        if (unread !== undefined) logFailure('sweep-without-records', vault, unread, log);
        return [];
      });
      await keepTimes(app, vaults, log);
      if (failed.length > 0) throw new TryAgain(`not swept: ${failed.join(', ')}`);
    },
    async drift(log) {
      const deps = { ...app, jitterMs: drifted.jitterMs, random: Math.random };
      const signal = AbortSignal.timeout(runWithinMs);
      const vaults = [...app.engine.vaults.values()];
      const outcomes = await atOnce(
        vaults,
        mostVaultsAtOnce,
        (vault) => enqueueChecks(deps, vault, signal),
        Math.random(),
      );
      for (const outcome of outcomes) {
        if (isFailure(outcome))
          log.error('checks-failed', { code: outcome.code, detail: outcome.message, hint: outcome.hint });
        else log.info('checks-enqueued', { vault: outcome.vault, checks: outcome.checks });
      }
      if (outcomes.some(isFailure)) throw new TryAgain('not every vault could be listed');
    },
    async check(message, log) {
      const request = readMessage(queueNames.checks, checkRequest, message);
      return request.rehearse === undefined ? check(message, log) : rehearseUnasked(app, request, log);
    },
  };
}

/** A freeze and a pause hold back what only looks ahead, and not what has to be removed. */
async function rehearseUnasked(app: App, { vault, secret, rehearse }: CheckRequest, log: Log): Promise<void> {
  const freeze = await app.freeze.read();
  if (rehearse === 'schedule' && (isFailure(freeze) || freeze.frozen)) {
    log.info('skipped', { vault, secret, reason: 'frozen' });
    return;
  }
  const asked = { vault, secret, requestedBy: 'schedule', reason: `rehearsal: ${rehearse ?? ''}`, automatic: true };
  const result = await performRehearsal({ ...app, log }, asked);
  switch (result.kind) {
    case 'rehearsed':
      log.info('rehearsed', { vault, secret, how: result.how });
      return;
    case 'skipped':
      log.info('skipped', { vault, secret, reason: result.reason, detail: result.detail });
      return;
    case 'failed':
      logFailure('rehearsal-failed', vault, result.failure, log, secret);
  }
}

/** For people, who see by it that the sweep goes on. */
async function keepTimes(
  { sweepTimes, now }: Pick<App, 'sweepTimes' | 'now'>,
  vaults: Awaited<ReturnType<typeof sweepAll>>['vaults'],
  log: Log,
): Promise<void> {
  for (const { vault, outcome } of vaults) {
    if (isFailure(outcome)) continue;
    const kept = await sweepTimes.keep(vault, now());
    if (isFailure(kept)) log.warn('sweep-time-not-kept', { vault, code: kept.code });
  }
}

function logFreeze(freeze: FreezeState | Failure, log: Log): void {
  if (isFailure(freeze)) {
    const { code, message, hint, page } = freeze;
    const detail = `whether the app is frozen cannot be read, so nothing that is due is started: ${message}`;
    log.error('freeze-unreadable', { code, detail, hint, page });
  } else if (freeze.frozen) {
    const { by, reason, since } = freeze;
    log.warn('frozen', { by, reason, since: since?.toISOString(), detail: 'nothing that is due is started' });
  }
}
