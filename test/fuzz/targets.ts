/** Everything that comes from outside, each with a target of its own. */
import type { Target } from './target.ts';
import { descriptions } from './targets/descriptions.ts';
import { events } from './targets/events.ts';
import { messages } from './targets/messages.ts';
import { principals } from './targets/principals.ts';
import { push } from './targets/push.ts';
import { alerts, requests } from './targets/requests.ts';
import { settings } from './targets/settings.ts';
import { tags } from './targets/tags.ts';
import { values, valueTexts } from './targets/values.ts';

export const targets: readonly Target[] = [
  ...[events, messages, requests, alerts, tags, values, valueTexts, descriptions, principals, push, settings],
];

const whole = targets.reduce((sum, { share }) => sum + share, 0);

/** How many of so many inputs a target gets: its share, and one at least. */
export function inputsOf({ share }: Target, runs: number): number {
  return Math.max(1, Math.round((runs * share) / whole));
}
