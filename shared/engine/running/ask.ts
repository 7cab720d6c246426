/** Asks the target about one credential. */
import type { Credential } from '../../contract/credential.ts';
import type { VerifyOutcome } from '../../contract/rotator.ts';
import { type Failure, failure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { StepTime } from './attempt.ts';
import type { Target } from './target.ts';

interface Answer {
  readonly kind: 'answer';
  readonly accepted: boolean;
  readonly detail: string;
  /** The target's catalogue says so; no login was tried. */
  readonly unasked?: true;
}

/** Whether the target lets a credential in. A network failure is no answer. Changes nothing. */
export async function ask(
  current: Current,
  target: Target,
  credential: Credential,
  time: StepTime,
): Promise<Answer | Failure> {
  const outcome: VerifyOutcome = await target.rotator.verify(target.stepFor(time), credential);
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'answer', accepted: true, detail: '' };
    // Whether it may do enough is judged after apply; that it logs in is settled.
    case 'lesser-rights':
      return { kind: 'answer', accepted: true, detail: '' };
    case 'refused':
      return {
        kind: 'answer',
        accepted: false,
        detail: outcome.detail,
        ...(outcome.unasked === undefined ? {} : { unasked: outcome.unasked }),
      };
    case 'unreachable':
      return unreachable(current, target, outcome.detail, time);
    case 'failed':
      return outcome;
  }
}

/** The failure of a verification that got no answer. */
export function unreachable(current: Current, target: Target, detail: string, time: StepTime): Failure {
  const host = target.stepFor(time).endpoint.host;
  return failure('target-unreachable', {
    secret: current.secret.name,
    target: host === '' ? current.policy.rotator.name : host,
    detail,
  });
}
