/** Whether the channels that a secret's policy names exist. Nothing waits for it: the secret is rotated, and the others are told. */
import type { Check } from '../../contract/rotator.ts';
import { type Failure, failure } from '../../errors.ts';
import type { Policy, PolicyDefaults } from './policy.ts';

/** Pure. Undefined where nothing is wrong, or where nobody can say which channels there are. */
export function unknownChannels(
  { channels }: PolicyDefaults,
  secret: string,
  { notify }: Pick<Policy, 'notify'>,
): Failure | undefined {
  if (notify === undefined || channels === undefined) return undefined;
  const unknown = notify.filter((name) => !channels.has(name.toLowerCase()));
  return unknown.length === 0 ? undefined : failure('channel-unknown', { secret, channel: unknown.join(', ') });
}

/** The same as a line of a plan, where the policy names channels. */
export function channelChecks(
  defaults: PolicyDefaults,
  secret: string,
  policy: Pick<Policy, 'notify'>,
): readonly Check[] {
  if (policy.notify === undefined || defaults.channels === undefined) return [];
  const unknown = unknownChannels(defaults, secret, policy);
  return unknown === undefined
    ? [{ name: 'notify', state: 'passed', detail: 'all channels of the tag exist' }]
    : [{ name: 'notify', state: 'failed', detail: unknown.message, fix: unknown.hint }];
}
