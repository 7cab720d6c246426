/** What the timers start, and the checks that come of them. */

import type { Settings } from '../shared/config/settings.ts';
import { queueNames } from '../shared/contract/queue-names.ts';
import { isFailure } from '../shared/errors.ts';
import { checkRequest, enqueueChecks, performCheck } from '../shared/operations/check.ts';
import { sweepAll } from '../shared/operations/sweep-all.ts';
import type { Log } from '../shared/telemetry.ts';
import type { App } from './compose.ts';
import { readMessage } from './read-message.ts';

export interface Schedule {
  /** Throws where the timer is to run again soon. */
  readonly sweep: (log: Log) => Promise<void>;
  readonly drift: (log: Log) => Promise<void>;
  /** Throws where the message is to be delivered again. */
  readonly check: (message: unknown, log: Log) => Promise<void>;
}

/** Thrown after everything that could be done was done, so that the platform runs the timer or delivers the message again. */
class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

/** Ends a minute before the platform would: what is left is found by the next run. */
const runWithinMs = 9 * 60_000;

/** One login, with a second look under a lease where it was refused. */
const checkWithinMs = 60_000;

export function scheduleOf(app: App, { sweep: swept, drift: drifted }: Pick<Settings, 'sweep' | 'drift'>): Schedule {
  return {
    async sweep(log) {
      const deps = { ...app, jitterMs: swept.jitterMs, random: Math.random };
      const outcome = await sweepAll(deps, AbortSignal.timeout(runWithinMs));
      if (isFailure(outcome)) throw new TryAgain(`${outcome.code}: ${outcome.message}`);
      const { frozen, by, reason, since } = outcome.freeze;
      if (frozen)
        log.warn('frozen', { by, reason, since: since?.toISOString(), detail: 'nothing that is due is started' });
      const failed = outcome.vaults.flatMap(({ vault, quarantined, outcome: of }) => {
        if (!isFailure(of)) {
          const { kind, ...counts } = of;
          log.info(kind, { ...counts, quarantined, frozen });
          return [];
        }
        log.error('sweep-failed', { vault, code: of.code, detail: of.message, hint: of.hint, page: of.page });
        return [vault];
      });
      if (failed.length > 0) throw new TryAgain(`not swept: ${failed.join(', ')}`);
    },
    async drift(log) {
      const deps = { ...app, jitterMs: drifted.jitterMs, random: Math.random };
      const signal = AbortSignal.timeout(runWithinMs);
      const outcomes = await Promise.all(
        [...app.engine.vaults.values()].map((vault) => enqueueChecks(deps, vault, signal)),
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
      const { vault, secret } = request;
      const outcome = await performCheck({ ...app, log }, request, AbortSignal.timeout(checkWithinMs));
      if (!isFailure(outcome)) {
        log.info('checked', { vault, secret, outcome: outcome.kind });
        if (outcome.kind === 'busy') throw new TryAgain('another worker is at it');
        return;
      }
      const { code, message: detail, hint, page } = outcome;
      if (outcome.class === 'retry') throw new TryAgain(`${code}: ${detail}`);
      log.error(code === 'credential-drifted' ? 'drifted' : 'check-failed', {
        vault,
        secret,
        code,
        detail,
        hint,
        page,
      });
    },
  };
}
