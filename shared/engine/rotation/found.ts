/** A version as its stamp tells of it: known to whoever made it and to whoever finds it made. */
import { type Credential, credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { RotationRequest } from '../policy/request.ts';
import { answers, readStamp } from '../policy/stamp.ts';
import type { Attempt } from '../running/attempt.ts';
import type { Published } from '../running/dependencies.ts';
import { warningsOf } from './overtaken.ts';
import type { Rotated } from './result.ts';

/** What is known once a version was read back. */
interface Made {
  readonly rotationId: string;
  readonly credential: Credential;
  readonly to: string;
  readonly retireBy: Date | undefined;
  readonly expiresAt: Date | undefined;
  readonly now: Date;
  readonly warnings: readonly string[];
}

/** What this attempt published. */
export function publishedNow(current: Current, attempt: Attempt, made: Made): Published {
  const { rotationId, credential, to, retireBy, expiresAt, now, warnings } = made;
  const { vault, secret } = attempt.about;
  const { notify, consumers } = current.policy;
  const from = current.secret.version;
  const about = { rotationId, vault, secret, from, to, retireBy, expiresAt, notify, consumers, now, warnings };
  return { ...about, login: credentialName(credential) };
}

/** What the current version says of itself. */
export function publishedAs(current: Current, attempt: Attempt, warnings: readonly string[]): Published {
  const { secret, stamp, policy } = current;
  return {
    rotationId: stamp?.rotationId ?? attempt.about.rotationId,
    ...{ vault: attempt.about.vault, secret: attempt.about.secret },
    ...{ from: stamp?.from ?? '', to: secret.version },
    ...{ retireBy: stamp?.retireBy, expiresAt: secret.expiresAt, now: secret.readAt },
    ...{ notify: policy.notify, consumers: policy.consumers, warnings },
  };
}

/** The result of a request that finds its version made. */
export function rotatedBefore(
  current: Current,
  attempt: Attempt,
  { from, to, retireBy, expiresAt, warnings }: Published,
  found: 'finished' | 'seen',
): Rotated {
  return {
    ...attempt.about,
    ...{ kind: 'rotated', reason: 'found', strategy: current.policy.strategy, from, to, warnings, found },
    ...(retireBy === undefined ? {} : { retireBy }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    steps: attempt.steps,
  };
}

/**
 * A person's request that names no version may come again after a later rotation, when the current version does not tell of it any more:
 * its worker died between the publish and the end of its message. Then an older version does. Undefined where none answers it.
 */
export async function madeBefore(
  vault: Vault,
  request: RotationRequest,
  attempt: Attempt,
  current: Current,
): Promise<Rotated | Failure | undefined> {
  const { rotationId, version } = request;
  if (rotationId === undefined || version !== undefined) return undefined;
  const { name } = current.secret;
  const listed = await attempt.step('look back', ({ signal }) => vault.versions(name, { signal }));
  if (isFailure(listed)) return listed;
  const made = listed.versions.find(({ tags }) => answers(readStamp(tags), rotationId));
  if (made === undefined) return undefined;
  const stamp = readStamp(made.tags);
  const read = listed.versions.find((each) => each.version === stamp?.from);
  const warnings = read === undefined ? [] : warningsOf(made, read, listed.versions);
  const about = publishedAs({ ...current, stamp, secret: { ...current.secret, ...made } }, attempt, warnings);
  return rotatedBefore(current, attempt, about, 'finished');
}
