/** What follows a new version: consumers are told, and the retirement of the old credential is scheduled. */

import { noticeId } from '../contract/notice.ts';
import type { Queues } from '../contract/ports.ts';
import type { Marks } from '../contract/state.ts';
import { shortHash } from '../engine/policy/identifiers.ts';
import type { FollowUps, Published } from '../engine/running/dependencies.ts';
import { type Failure, isFailure } from '../errors.ts';
import { longestDelayMs, notificationsQueue, retirementsQueue } from './queues.ts';

/** What is done stays done, so a duplicate that this process has seen done is answered from memory. More than this begin anew. */
const mostRemembered = 10_000;

/**
 * Puts the follow-ups into their queues. A crash in between means that the next delivery does both again: the retirement finds its work
 * done, and receivers drop the second notice by its id. The mark keeps mere duplicates of a request quiet.
 */
export function queuedFollowUps(queues: Queues, marks: Marks): FollowUps {
  const markOf = (rotationId: string): string => `followed-up ${rotationId}`;
  /** Told, and to be looked at again. */
  const toldMark = (rotationId: string): string => `told ${rotationId}`;
  const remembered = new Set<string>();
  const remember = (rotationId: string): void => {
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.add(rotationId);
  };
  const done: FollowUps['done'] = async (rotationId) => {
    if (remembered.has(rotationId)) return { kind: 'known', done: true };
    const known = await marks.has(markOf(rotationId));
    if (isFailure(known)) return known;
    if (known.marked) remember(rotationId);
    return { kind: 'known', done: known.marked };
  };
  const finish = async (id: string) => {
    const marked = await marks.put(markOf(id));
    if (isFailure(marked)) return marked;
    remember(id);
    return { kind: 'followed-up' as const, before: false };
  };
  return {
    done,
    async published(published, again) {
      const { secret, unfinished } = published;
      const id = followedAs(published);
      if (again) {
        const before = await done(id);
        if (isFailure(before)) return before;
        if (before.done) return { kind: 'followed-up', before: true };
        const told = await marks.has(toldMark(id));
        if (isFailure(told)) return told;
        if (told.marked) return unfinished === true ? { kind: 'followed-up', before: false } : finish(id);
      }
      const told = await queues.enqueue(notificationsQueue, rotatedNotice(published), { secret });
      if (isFailure(told)) return told;
      const scheduled = await scheduleRetirement(queues, published);
      if (scheduled !== undefined) return scheduled;
      if (unfinished !== true) return finish(id);
      const marked = await marks.put(toldMark(id));
      return isFailure(marked) ? marked : { kind: 'followed-up', before: false };
    },
  };
}

/** A copy has news of its own under the rotation of its source. */
function followedAs({ rotationId, vault, secret, isCopy }: Published): string {
  return isCopy === true ? `${rotationId} ${vault}/${secret}`.toLowerCase() : rotationId;
}

/** A message of a queue holds 48 KB. */
const mostWarnings = 20;
const longestWarning = 500;

function rotatedNotice(published: Published) {
  const warnings = published.warnings.slice(0, mostWarnings).map((one) => one.slice(0, longestWarning));
  const { vault, secret, rotationId, from, to, now, expiresAt, retireBy, notify, consumers, login, isCopy } = published;
  return {
    id: isCopy === true ? noticeIdOfCopy(published) : noticeId('rotated', rotationId),
    type: 'rotated' as const,
    vault,
    secret,
    rotationId,
    ...(from === '' ? {} : { from }),
    version: to,
    at: now.toISOString(),
    ...(login === undefined ? {} : { login }),
    ...(consumers.length === 0 ? {} : { consumers: [...consumers] }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(retireBy === undefined ? {} : { retireBy: retireBy.toISOString() }),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(notify === undefined ? {} : { channels: [...notify] }),
  };
}

/** Receivers drop what they have seen before by its id, and one of them may follow both the source and a copy. */
function noticeIdOfCopy({ rotationId, vault, secret }: Published): string {
  return `${rotationId}-copy-${shortHash(vault.toLowerCase(), secret.toLowerCase()).slice(0, 16)}`;
}

/** Longer than a queue can wait: the sweep finds it by its stamp. */
async function scheduleRetirement(queues: Queues, published: Published): Promise<Failure | undefined> {
  const { vault, secret, rotationId, retireBy, consumers, now } = published;
  if (retireBy === undefined) return undefined;
  const overlapMs = Math.max(0, retireBy.getTime() - now.getTime());
  // Who lags is named while there is time left to do something about it; without consumers to ask there is nothing to decide before
  // the deadline. The vault tells time in whole seconds, so a second more is needed to be certainly past it.
  const delayMs = consumers.length > 0 ? overlapMs / 2 : overlapMs + 1_000;
  if (delayMs > longestDelayMs) return undefined;
  const message = { vault, secret, rotationId, mode: 'scheduled' as const, requestedBy: 'overlap' };
  const enqueued = await queues.enqueue(retirementsQueue, message, { secret, delayMs });
  return isFailure(enqueued) ? enqueued : undefined;
}
