import { type Failure, isFailure } from '../../errors.ts';
import type { Attempt } from './attempt.ts';
import type { WakeUps } from './dependencies.ts';

/**
 * Does what somebody is to come back to, should this worker die in it: a lease later, and not when the platform gives its message back. A
 * worker that comes back itself takes that back. Nothing is done where it cannot be arranged.
 */
export async function withWakeUp<Outcome>(
  attempt: Attempt,
  set: () => ReturnType<WakeUps['set']>,
  work: () => Promise<Outcome>,
): Promise<Outcome | Failure> {
  const wakeUp = await attempt.step('wake-up', set);
  if (isFailure(wakeUp)) return wakeUp;
  try {
    return await work();
  } finally {
    await wakeUp.withdraw();
  }
}
