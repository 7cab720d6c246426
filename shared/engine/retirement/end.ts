/** The end of old credentials at the target and in the vault: made to be refused, proven refused, and their versions disabled. */
import { type Credential, credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import { withRevoked } from '../policy/stamp.ts';
import { ask } from '../running/ask.ts';
import type { Attempt, StepTime } from '../running/attempt.ts';
import { readPending } from '../running/pending.ts';
import type { Earlier } from '../running/previous.ts';
import type { Target } from '../running/target.ts';
import { vouchesFor } from '../running/vouch.ts';
import { dropCandidate } from './leaked-candidate.ts';
import type { Retired } from './result.ts';

/** A version whose credential is to end; `revoke`: in an emergency, for whom. */
export interface Ending extends Earlier {
  readonly revoke: string | undefined;
}

/** What ending works with. */
export interface EndingWork {
  readonly vault: Vault;
  readonly attempt: Attempt;
  /** The current credential was seen to log in by this very attempt. */
  readonly proven?: boolean;
}

/** Ends every one of them. May be called again: what is dead stays dead. */
export async function endAll(
  work: EndingWork,
  current: Current,
  target: Target,
  versions: readonly Ending[],
): Promise<Ended | Failure> {
  const { hasTarget, perLogin } = strategyTraits[current.policy.strategy];
  const changes = hasTarget && versions.some(({ credential }) => !isPublished(credential, target));
  const standing = changes && work.proven !== true ? await proveCurrent(work, current, target) : undefined;
  if (standing !== undefined && isFailure(standing)) return standing;
  const leaked = versions.filter(({ revoke, credential }) => revoke !== undefined && !isPublished(credential, target));
  const dropped = await dropCandidate(work, current, target, leaked);
  if (isFailure(dropped)) return dropped;
  let sessionsEnded = 0;
  let sessionsGoOn = 0;
  const proofs: string[] = [];
  for (const { secret, credential, revoke } of versions) {
    const revoked = revoke === undefined ? undefined : { by: revoke, at: current.secret.readAt };
    // Somebody may have published the same credential by hand: what is current is never made unusable.
    const isSame = isPublished(credential, target);
    const isSameLogin = perLogin && credential.username === target.credential.username;
    // A login that is current again refuses its old password already. Sessions that began with it live on, which an emergency is there to end.
    if (hasTarget && !isSame && (!isSameLogin || revoke !== undefined)) {
      const ended = await work.attempt.step('retire', (time) =>
        target.rotator.retire({ ...target.stepFor(time), emergency: revoke !== undefined }, credential),
      );
      if (isFailure(ended)) return ended;
      sessionsEnded += ended.sessionsEnded;
      sessionsGoOn += ended.sessionsGoOn ?? 0;
    }
    if (hasTarget && !isSame) {
      const proven = await proveRefused(work, current, target, credential);
      if (isFailure(proven)) return proven;
      proofs.push(...proven.proofs);
    }
    const tags = revoked === undefined || isSame ? {} : { tags: withRevoked(secret.tags, revoked) };
    const disabled = await work.attempt.step('disable', ({ signal }) =>
      work.vault.change(current.secret.name, secret.version, { enabled: false, ...tags }, { signal }),
    );
    if (isFailure(disabled)) return disabled;
  }
  return { kind: 'ended', sessionsEnded, sessionsGoOn, proofs };
}

/**
 * Nothing is ended for a version that does not log in itself: tags and a value can name any login, and where the current version is of no
 * use the old credential is all that its consumers have left. In place, a candidate that is stored may be what logs in meanwhile.
 */
async function proveCurrent(
  work: EndingWork,
  current: Current,
  target: Target,
): Promise<{ readonly kind: 'proven' } | Failure> {
  const proven = { kind: 'proven' as const };
  return work.attempt.step('prove current', async (time) => {
    const answer = await ask(current, target, target.credential, time);
    if (isFailure(answer)) return answer;
    if (answer.accepted) return proven;
    const { name: secret, version } = current.secret;
    const refused = failure('credential-drifted', { secret, version, detail: answer.detail });
    if (strategyTraits[current.policy.strategy].pending !== 'before-apply') return refused;
    const stored = await readPending(work.vault, current, time.signal);
    if (isFailure(stored)) return stored;
    if (stored.kind !== 'pending' || !vouchesFor(target, target.stepFor(time), stored.credential)) return refused;
    const other = await ask(current, target, stored.credential, time);
    if (isFailure(other)) return other;
    return other.accepted ? proven : refused;
  });
}

/** Whether it is the current one. */
export function isPublished({ password }: Credential, target: Target): boolean {
  return password.equals(target.credential.password);
}

export interface Ended extends Pick<Retired, 'sessionsEnded' | 'sessionsGoOn' | 'proofs'> {
  readonly kind: 'ended';
}

async function proveRefused(
  work: EndingWork,
  current: Current,
  target: Target,
  credential: Credential,
): Promise<{ readonly kind: 'refused'; readonly proofs: readonly string[] } | Failure> {
  return work.attempt.step('prove refused', async (time) => {
    const answer = await ask(current, target, credential, time);
    if (isFailure(answer)) return answer;
    if (!answer.accepted) return { kind: 'refused', proofs: answer.unasked === true ? [answer.detail] : [] };
    const { host } = target.stepFor(time).endpoint;
    const login = credentialName(credential);
    return failure('retire-refused', {
      secret: current.secret.name,
      target: host,
      login,
      detail: 'it was accepted once more',
    });
  });
}

/** A stamp can be forged, and leads to any version: what the secret does not vouch for is not ended for it. */
export function notOurs(
  current: Current,
  target: Target,
  version: string,
  { credential }: Earlier,
  time: StepTime,
): Failure {
  const published = credentialName(target.credential);
  return failure('retire-refused', {
    secret: current.secret.name,
    target: target.stepFor(time).endpoint.host,
    login: credentialName(credential),
    detail: `version ${version} is of another login than the current one (${published}), and this secret does not vouch for it`,
  });
}
