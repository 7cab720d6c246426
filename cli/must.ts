import type { Answered } from './api/client.ts';
import { Stop } from './trouble.ts';

/** The answer, or the end of the command with what stood in the way. */
export function must<Value>(answered: Answered<Value>): Value {
  if (answered.kind === 'trouble') throw new Stop(answered);
  return answered.value;
}
