/** Which versions hold what is to end. */
import type { Vault } from '../../contract/ports.ts';
import { type Failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { isRetirementOpen, readStamp, type Stamp } from '../policy/stamp.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import { type Earlier, readEarlier } from '../running/previous.ts';
import type { Target } from '../running/target.ts';
import { vouchesFor } from '../running/vouch.ts';
import { type Ending, notOurs } from './end.ts';

/** How many generations back an unfinished retirement is looked for: emergencies and roll-backs do not wait for each other's overlap. */
const mostGenerations = 20;

/** A version whose credential is to end. */
export interface Old extends Ending {
  /** The rotation that replaced it. */
  readonly replacedBy: string;
}

/**
 * The version that was replaced and, where a retirement before was never finished, those before it. A version that was repaired holds nothing
 * to end, and what was to end before it is found behind it.
 */
export async function readOld(
  vault: Vault,
  current: Current,
  target: Target,
  stamp: Stamp,
  time: StepTime,
): Promise<{ readonly kind: 'old'; readonly versions: readonly Old[] } | Failure> {
  const versions: Old[] = [];
  let next: Stamp | undefined = stamp;
  for (let looked = 0; isRetirementOpen(next) && looked < mostGenerations; looked++) {
    const earlier = await readEarlier(vault, current, next.from, time.signal);
    if (!isFailure(earlier) && earlier.kind === 'missing') break;
    const isUsable = !isFailure(earlier) && vouchesFor(target, target.stepFor(time), earlier.credential);
    if (isUsable) {
      // A rotation after an emergency that was not finished does not make peace of it.
      versions.push({ ...earlier, revoke: stamp.revoke ?? next.revoke, replacedBy: next.rotationId });
      next = readStamp(earlier.secret.tags);
      continue;
    }
    const behind = await behindRepaired(vault, current, target, { version: next.from, earlier }, time);
    if (isFailure(behind)) return behind;
    next = behind.stamp;
  }
  return { kind: 'old', versions };
}

/**
 * The open stamp of a version without a credential of this secret, as somebody's mistake leaves one: what was unfinished went on there, and so
 * an earlier version bears the same one. A version that logs in is of somebody else, and any other stamp was forged: both are for a person.
 */
async function behindRepaired(
  vault: Vault,
  current: Current,
  target: Target,
  { version, earlier }: { readonly version: string; readonly earlier: Earlier | Failure },
  time: StepTime,
): Promise<{ readonly kind: 'behind'; readonly stamp: Stamp } | Failure> {
  if (isFailure(earlier) && earlier.code !== 'value-unreadable') return earlier;
  const refusal = isFailure(earlier) ? earlier : notOurs(current, target, version, earlier, time);
  const listed = await vault.versions(current.secret.name, { signal: time.signal });
  if (isFailure(listed)) return listed;
  const at = listed.versions.findIndex((each) => each.version === version);
  const stamp = readStamp(listed.versions[at]?.tags ?? {});
  const older = listed.versions.slice(at + 1);
  const isCarried = older.some(({ tags }) => readStamp(tags)?.rotationId === stamp?.rotationId);
  if (!isCarried || !isRetirementOpen(stamp)) return refusal;
  if (isFailure(earlier)) return { kind: 'behind', stamp };
  const answer = await ask(current, target, earlier.credential, time);
  if (isFailure(answer)) return answer;
  return answer.accepted ? refusal : { kind: 'behind', stamp };
}
