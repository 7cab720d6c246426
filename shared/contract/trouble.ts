/** How the trouble of a secret changes. Pure. */
import type { Activity, ActivityTrouble, Attention, Trouble } from './state.ts';

/** What is kept is read by people, and what a target says may be long. */
const longestText = 2_000;

/** More are read by nobody, and a record has to hold them. */
const mostReminders = 5;

/** Nothing goes wrong. */
export const calm: Trouble = { kind: 'trouble' };

/** The trouble of one activity after one more failed try. */
export function oneMoreFailure(
  before: ActivityTrouble | undefined,
  { counts, unpublished, ...failed }: Parameters<Attention['failed']>[3],
  next: Parameters<Attention['failed']>[4],
): ActivityTrouble {
  const { failures = 0, retries = 0, since = failed.at } = before ?? {};
  const now = counts ? { failures: failures + 1, retries: 0 } : { failures, retries: retries + 1 };
  const { at, paused } = next(now);
  const { message, hint } = failed;
  return {
    ...now,
    since,
    last: { ...failed, message: message.slice(0, longestText), hint: hint.slice(0, longestText) },
    paused,
    // A credential that no version holds stays alive until a try has dealt with it.
    unpublished: unpublished || (before?.unpublished ?? false),
    ...(at === undefined ? {} : { nextTryAt: at }),
  };
}

/** The trouble without one activity; the end of the old credential ends the waiting for it, too. */
export function withoutActivity(trouble: Trouble, activity: Activity): Trouble {
  const { rotation, retirement, check, waitsFor, reminders, kind } = trouble;
  return {
    kind,
    ...(rotation === undefined || activity === 'rotation' ? {} : { rotation }),
    ...(retirement === undefined || activity === 'retirement' ? {} : { retirement }),
    ...(check === undefined || activity === 'check' ? {} : { check }),
    ...(waitsFor === undefined || activity === 'retirement' ? {} : { waitsFor }),
    ...(reminders === undefined ? {} : { reminders }),
  };
}

/** The trouble with those who are seen on the old credential; nobody: none is. */
export function withWaiting({ waitsFor: _before, ...rest }: Trouble, waitsFor: readonly string[]): Trouble {
  return waitsFor.length === 0 ? rest : { ...rest, waitsFor };
}

/** The trouble with what a rotation warned of; nothing: it is over. */
export function withReminders({ reminders: _before, ...rest }: Trouble, reminders: readonly string[]): Trouble {
  const kept = reminders.slice(0, mostReminders).map((one) => one.slice(0, longestText));
  return kept.length === 0 ? rest : { ...rest, reminders: kept };
}

export function isCalm({ rotation, retirement, check }: Trouble): boolean {
  return rotation === undefined && retirement === undefined && check === undefined;
}
