import type { Check } from '../../shared/contract/rotator.ts';
import type { Failure } from '../../shared/errors.ts';

export function passed(name: string, detail: string): Check {
  return { name, state: 'passed', detail };
}

/** Worth knowing, and no obstacle. */
export function noted(name: string, detail: string): Check {
  return { name, state: 'unknown', detail };
}

export function failed(name: string, why: Failure): Check {
  return { name, state: 'failed', detail: why.message, fix: why.hint };
}
