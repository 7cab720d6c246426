/** Going back to an earlier version: its credential takes the place of a proposed one, and the steps are those of any rotation. */
import { type Credential, credentialName, sameCredential } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { RotationRequest } from '../policy/request.ts';
import type { Revocation } from '../policy/revocation.ts';
import { revokedOf } from '../policy/stamp.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import { readPending } from '../running/pending.ts';
import { type Earlier, readEarlier } from '../running/previous.ts';
import type { Target } from '../running/target.ts';
import { vouchesFor } from '../running/vouch.ts';
import type { Found } from './probe.ts';

/** How many versions that were revoked are compared with the one to go back to, newest first. */
const mostCompared = 10;

/** The version to go back to. */
export interface WayBack {
  readonly kind: 'way-back';
  readonly version: string;
  readonly credential: Credential;
  /** Its name: login, slot or key id. */
  readonly login: string;
  /** Who revoked it, and when. */
  readonly revoked: Revocation | undefined;
}

/**
 * Finds the version that a roll-back goes back to, without asking the target. Never a login that the secret does not vouch for. Changes
 * nothing but the `enabled` of old versions; `looking`: not even that, and what only a disabled version would tell is not known.
 */
export async function findWayBack(
  vault: Vault,
  current: Current,
  target: Target,
  to: string | undefined,
  time: StepTime,
  looking = false,
): Promise<WayBack | Failure> {
  const { secret, stamp } = current;
  const version = to ?? stamp?.from;
  const impossible = (detail: string): Failure => failure('roll-back-impossible', { secret: secret.name, detail });
  if (version === undefined) return impossible('there is no version before the current one that Keyturn knows of');
  if (version === secret.version) return impossible(`version ${version} is the current one`);
  const earlier = await readEarlier(vault, current, version, time.signal, looking);
  if (isFailure(earlier)) return earlier;
  if (earlier.kind === 'missing' && looking) return unseen(vault, secret.name, version, time.signal);
  if (earlier.kind === 'missing') return impossible(`there is no version ${version}`);
  const { credential } = earlier;
  if (!vouchesFor(target, target.stepFor(time), credential)) {
    const names = `${credentialName(credential)}, and the current one is ${credentialName(target.credential)}`;
    return impossible(`version ${version} is of another login: ${names}`);
  }
  if (sameCredential(credential, target.credential))
    return impossible(`version ${version} holds the credential that is current`);
  if (strategyTraits[current.policy.strategy].perLogin && credential.username === target.credential.username) {
    // The login is in use, and its password would be replaced under whoever is on it, with no candidate stored for a crash.
    const login = credentialName(credential);
    return impossible(`version ${version} is of ${login}, which is the login in use and has another password by now`);
  }
  const revoked = looking
    ? { revoked: revokedOf(earlier.secret.tags) }
    : await revokedAs(vault, current, earlier, time.signal);
  if ('kind' in revoked) return revoked;
  return { kind: 'way-back', version, credential, login: credentialName(credential), ...revoked };
}

/** What can be said of a version whose value cannot be read without a change. */
async function unseen(vault: Vault, secret: string, version: string, signal: AbortSignal): Promise<Failure> {
  const listed = await vault.versions(secret, { signal });
  if (isFailure(listed)) return listed;
  const found = listed.versions.find((each) => each.version === version);
  if (found === undefined) return failure('roll-back-impossible', { secret, detail: `there is no version ${version}` });
  const revoked = revokedOf(found.tags);
  if (revoked !== undefined)
    return failure('credential-revoked', { secret, detail: `version ${version}, ${saying(revoked)}` });
  const detail = `version ${version} is disabled; a roll-back enables it, and only then sees which login it is of`;
  return failure('roll-back-impossible', { secret, detail });
}

/** Who revoked the credential of a version. Another version may hold the same one, and only one of them bears the mark. */
export async function revokedAs(
  vault: Vault,
  current: Current,
  { secret, credential }: Earlier,
  signal: AbortSignal,
): Promise<{ readonly revoked: Revocation | undefined } | Failure> {
  const own = revokedOf(secret.tags);
  if (own !== undefined) return { revoked: own };
  const listed = await vault.versions(secret.name, { signal });
  if (isFailure(listed)) return listed;
  const marked = listed.versions.filter(({ tags }) => revokedOf(tags) !== undefined).slice(0, mostCompared);
  for (const { version, enabled, tags } of marked) {
    const other = await readEarlier(vault, current, version, signal);
    if (isFailure(other)) return other;
    const closed = enabled ? undefined : await vault.change(secret.name, version, { enabled: false }, { signal });
    if (closed !== undefined && isFailure(closed)) return closed;
    if (other.kind === 'earlier' && sameCredential(other.credential, credential)) return { revoked: revokedOf(tags) };
  }
  return { revoked: undefined };
}

/**
 * Finds the credential to go back to, as a candidate. It goes through apply like any other, also where it logs in still: what the target
 * had first must become what is retired. It is never published unproven, and one that was revoked in an emergency is brought back only by
 * somebody who may and who insists. Changes nothing at the target.
 */
export async function probeEarlier(
  vault: Vault,
  current: Current,
  target: Target,
  { to, force }: Pick<RotationRequest, 'to' | 'force'>,
  time: StepTime,
): Promise<Found | Failure> {
  const back = await findWayBack(vault, current, target, to, time);
  if (isFailure(back)) return back;
  const { version, credential, revoked } = back;
  const { name } = current.secret;
  if (revoked !== undefined && force !== true) {
    return failure('credential-revoked', { secret: name, detail: `version ${version}, ${saying(revoked)}` });
  }
  const answer = await ask(current, target, credential, time);
  if (isFailure(answer)) return answer;
  if (!answer.accepted && !strategyTraits[current.policy.strategy].chosen) {
    const detail = `the credential of version ${version} is dead, and the provider does not take one that we choose`;
    return failure('roll-back-impossible', { secret: name, detail });
  }
  const pending = await storedAlready(vault, current, credential, time.signal);
  if (isFailure(pending)) return pending;
  const live = answer.accepted ? credential : target.credential;
  return { ...pending, kind: 'found', fixed: true, stored: credential, live };
}

/** Who and when. Why stands in the history, where free text is not read by everybody who may list. */
function saying({ by, at }: Revocation): string {
  const who = by === '' ? '' : ` by ${by}`;
  return at.getTime() === 0 ? `revoked${who}` : `revoked${who} at ${at.toISOString()}`;
}

/** An attempt before may have stored it as a candidate. */
async function storedAlready(
  vault: Vault,
  current: Current,
  credential: Credential,
  signal: AbortSignal,
): Promise<{ readonly kind: 'looked'; readonly pendingVersion?: string } | Failure> {
  if (strategyTraits[current.policy.strategy].pending !== 'before-apply') return { kind: 'looked' };
  const pending = await readPending(vault, current, signal);
  if (isFailure(pending)) return pending;
  const isStored = pending.kind === 'pending' && sameCredential(pending.credential, credential);
  return isStored ? { kind: 'looked', pendingVersion: pending.version } : { kind: 'looked' };
}
