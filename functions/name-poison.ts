/** Names a message that could not be processed, with the next step, and tells people of it. */
import { queueNames } from '../shared/contract/queue-names.ts';
import type { Activity } from '../shared/contract/state.ts';
import { performGivenUp } from '../shared/operations/perform.ts';
import type { Log } from '../shared/telemetry.ts';
import { readPoison } from './poison.ts';
import { readSecretEvent } from './secret-event.ts';
import type { WorkDependencies } from './work.ts';

/** `queue`: where it was delivered too often. Never throws, whatever the message is. May be called again: people are told again. */
export async function namePoison(app: WorkDependencies, queue: string, message: unknown, log: Log): Promise<void> {
  const asked = queue === queueNames.secretEvents ? askedByEvent(app, message) : undefined;
  const { vault, secret, channel, refused, hint: told, about: named } = readPoison(asked?.message ?? message);
  // News of news that could not be told would go the same way.
  const activity = asked?.activity ?? activityOf(queue);
  if (activity !== undefined && refused === undefined && named !== undefined) {
    await performGivenUp({ ...app, log }, named, activity);
    return;
  }
  const detail = refused ?? 'it was delivered too often without success; the errors before say why';
  const hint =
    told ?? 'Look at the event subscription, at KEYTURN_VAULTS and KEYTURN_CHANNELS, and at the errors before.';
  log.error('message-poisoned', { queue, vault, secret, channel, detail, hint });
}

/** An event names its secret in Event Grid's own words. */
function askedByEvent({ engine }: WorkDependencies, event: unknown) {
  const outcome = readSecretEvent(event, new Set(engine.vaults.keys()));
  if (outcome.kind !== 'request' && outcome.kind !== 'new-version') return undefined;
  const { vault, secret } = outcome.request;
  const activity: Activity = outcome.kind === 'request' ? 'rotation' : 'check';
  return { message: { vault, secret }, activity };
}

/** What a message of the queue asks for; undefined: to tell somebody. */
function activityOf(queue: string): Activity | undefined {
  switch (queue) {
    case queueNames.rotations:
      return 'rotation';
    case queueNames.retirements:
      return 'retirement';
    case queueNames.checks:
      return 'check';
    default:
      return undefined;
  }
}
