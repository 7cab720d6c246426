/** The end of requests that nobody approved: written down for people. They were never done, and are not from here either. */
import type { Approvals } from '../contract/approvals.ts';
import type { History } from '../contract/ports.ts';
import { type Failure, isFailure } from '../errors.ts';
import type { Log } from '../telemetry.ts';

interface Deps {
  readonly approvals: Approvals;
  readonly history: History;
  readonly now: () => Date;
  readonly log: Log;
}

/** How long what was decided can still be listed, in ms. The history keeps it. */
const keptMs = 30 * 24 * 60 * 60 * 1000;

/** May be called again. A failure: the next sweep does the rest. */
export async function expireApprovals({ approvals, history, now, log }: Deps): Promise<Failure | undefined> {
  for await (const one of approvals.all()) {
    if (isFailure(one)) return one;
    const { id, action, vault, secret, count, reason, requester, at, expiresAt, state } = one.approval;
    const overMs = now().getTime() - expiresAt.getTime();
    if (overMs < 0) continue;
    if (overMs > keptMs) {
      const forgotten = await approvals.forget(id);
      if (isFailure(forgotten)) return forgotten;
    }
    if (state !== 'waiting') continue;
    const decided = await approvals.decide(id, undefined);
    if (isFailure(decided)) return decided;
    if (decided.kind === 'unknown' || decided.before) continue;
    log.warn('approval-expired', { id, action, vault, secret, by: requester.name });
    if (count !== undefined) continue;
    const kept = await history.record({
      ...{ rotationId: id, vault, secret, activity: action === 'retire' ? 'retirement' : 'rotation', reason },
      ...{ requestedBy: requester.name, startedAt: at, endedAt: now(), steps: [], outcome: 'skipped' },
      detail: `nobody approved it until ${expiresAt.toISOString()}`,
    });
    if (isFailure(kept)) log.warn('history-not-kept', { secret, code: kept.code });
  }
  return undefined;
}
