/**
 * What holds automatic work on a secret back: the freeze of all, a pause by a person, or failures that are not to be tried again yet. The
 * same answer for the sweep, for a worker and for a plan. Pure.
 */
import type { ActivityTrouble, FreezeState, Trouble } from '../../contract/state.ts';
import { isPaused, type Pause, type Requested } from './requested.ts';

export type Hold =
  /** `freeze` undefined: it could not be read, which counts as frozen. */
  | { readonly by: 'freeze'; readonly freeze: FreezeState | undefined }
  | { readonly by: 'person'; readonly pause: Pause }
  | { readonly by: 'failures'; readonly trouble: ActivityTrouble };

export interface HoldFacts {
  /** Undefined: it could not be read. */
  readonly freeze: FreezeState | undefined;
  readonly requested: Requested;
  readonly trouble: Trouble;
  readonly now: Date;
}

/** A message comes back at its time by the clock of the queue, which need not be that of the worker. */
const clocksDifferMs = 30_000;

/** Of what is scheduled. A person who asks has looked, and is not held back. */
export function holdOnScheduled({ freeze, requested, trouble, now }: HoldFacts): Hold | undefined {
  if (freeze === undefined || freeze.frozen) return { by: 'freeze', freeze };
  if (requested.paused !== undefined && isPaused(requested, now)) return { by: 'person', pause: requested.paused };
  return holdByFailures(trouble.rotation, now);
}

/**
 * Of what was begun and of what must end: a rotation that stopped half-way, an emergency that stands, the end of an old credential. To leave
 * those would break what a freeze and a pause are to protect, so only failures hold them back.
 */
export function holdByFailures(trouble: ActivityTrouble | undefined, now: Date): Hold | undefined {
  if (trouble === undefined) return undefined;
  const { nextTryAt } = trouble;
  const waits = nextTryAt === undefined || now.getTime() + clocksDifferMs < nextTryAt.getTime();
  return waits ? { by: 'failures', trouble } : undefined;
}

/** As a sentence without its full stop. */
export function holdText(hold: Hold): string {
  switch (hold.by) {
    case 'freeze': {
      if (hold.freeze === undefined) return 'whether the app is frozen cannot be read, which counts as frozen';
      const { by = 'somebody', reason = '' } = hold.freeze;
      return `frozen by ${by}${reason === '' ? '' : `: ${reason}`}`;
    }
    case 'person':
      return pauseText(hold.pause);
    case 'failures':
      return `${failuresText(hold.trouble)}: ${hold.trouble.last.message}`;
  }
}

export function pauseText({ by, at, until }: Pause): string {
  const who = by === '' ? 'somebody' : by;
  const end = until === undefined ? 'until somebody resumes it' : `until ${until.toISOString()}`;
  return `paused by ${who} at ${at.toISOString()}, ${end}`;
}

export function failuresText({ failures, retries, nextTryAt }: ActivityTrouble): string {
  const next = nextTryAt === undefined ? 'it waits for somebody to look' : `next try at ${nextTryAt.toISOString()}`;
  const count = failures > 0 ? failures : retries;
  return `${count === 1 ? '1 failure' : `${count} failures in a row`}; ${next}`;
}
