import type { Rotator, Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import type { ManualTags } from './tags.ts';

/** Refuses whatever would make or end a credential. */
export const manualRotator: Rotator<ManualTags> = {
  propose: byHand,
  apply: async (step) => byHand(step),
  // Nobody can be asked, so nothing speaks against it.
  verify: async () => ({ kind: 'accepted' }),
  inUse: async () => ({ kind: 'unknown', detail: 'only a person knows who uses it' }),
  retire: async (step) => byHand(step),
  rehearsal: {
    twinStep: (step) => ({ kind: 'no-twin', detail: byHand(step).message }),
    discard: async () => ({ kind: 'discarded' }),
  },
  check: async (step) => [{ name: 'rotation', state: 'failed', detail: byHand(step).message, fix: byHand(step).hint }],
};

function byHand({ secret, options }: Step<ManualTags>): Failure {
  const { link = 'the provider' } = options;
  return failure('manual-rotation', { secret, target: link, link, detail: 'its tag "rotator" is "manual"' });
}
