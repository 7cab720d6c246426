/** Whether the channels that a secret's tag names exist. Nothing waits for it: the secret is rotated, and the others are told. */
import type { Tags } from '../../contract/ports.ts';
import type { Check } from '../../contract/rotator.ts';
import { type Failure, failure } from '../../errors.ts';
import type { PolicyDefaults } from './policy.ts';

/** Pure. Undefined where nothing is wrong, or where nobody can say which channels there are. */
export function unknownChannels({ channels }: PolicyDefaults, secret: string, tags: Tags): Failure | undefined {
  const tag = tags['notify'];
  if (tag === undefined || channels === undefined) return undefined;
  const unknown = tag.split(/[\s,]+/).filter((name) => name !== '' && !channels.has(name.toLowerCase()));
  return unknown.length === 0 ? undefined : failure('channel-unknown', { secret, channel: unknown.join(', ') });
}

/** The same as a line of a plan, where the tag is set. */
export function channelChecks(defaults: PolicyDefaults, secret: string, tags: Tags): readonly Check[] {
  if (tags['notify'] === undefined || defaults.channels === undefined) return [];
  const unknown = unknownChannels(defaults, secret, tags);
  return unknown === undefined
    ? [{ name: 'notify', state: 'passed', detail: 'all channels of the tag exist' }]
    : [{ name: 'notify', state: 'failed', detail: unknown.message, fix: unknown.hint }];
}
