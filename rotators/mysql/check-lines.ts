import type { CheckName, RotatorCheck } from '../../shared/contract/rotator.ts';
import type { Failure } from '../../shared/errors.ts';

export function passed(name: CheckName, detail: string): RotatorCheck {
  return { name, state: 'passed', detail };
}

/** Worth knowing, and no obstacle. */
export function noted(name: CheckName, detail: string): RotatorCheck {
  return { name, state: 'unknown', detail };
}

export function failed(name: CheckName, why: Failure): RotatorCheck {
  return { name, state: 'failed', detail: why.message, fix: why.hint };
}
