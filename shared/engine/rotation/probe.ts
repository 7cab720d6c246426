/**
 * What logs in right now? A lost answer of the attempt before is settled by asking the target, never by guessing. A network failure is
 * no evidence about a password: it ends the probing.
 */
import type { Credential } from '../../contract/credential.ts';
import { credentialName } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { RotationRequest } from '../policy/request.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import { credentialOf, readValue, type Target } from '../running/target.ts';
import { olderPending, readPending, type StoredCandidate } from './pending.ts';

export interface Found {
  readonly kind: 'found';
  /** A stored candidate that the target accepts already: the attempt before got as far as apply. */
  readonly applied?: Credential;
  /** A stored candidate that the target does not know yet. */
  readonly stored?: Credential;
  /** The version of the stored candidate, to be disabled once it is published. */
  readonly pendingVersion?: string;
  /**
   * The rotation that stored the candidate. Whoever finds it finishes that rotation and stamps the version as its own: its request may
   * still come again, and must find its work done.
   */
  readonly rotationId?: string;
  /** Another candidate must not take the place of this one. */
  readonly fixed?: boolean;
  /** A credential that logs in; the published one, where a forced or emergency rotation goes on without any. */
  readonly live: Credential;
}

/** Asks the target about pending, then current, then older candidates, then previous. Changes nothing. */
export async function probe(
  vault: Vault,
  current: Current,
  target: Target,
  mode: RotationRequest['mode'],
  time: StepTime,
): Promise<Found | Failure> {
  const keepsPending = strategyTraits[current.policy.strategy].pending !== 'never';
  const pending = keepsPending ? await readPending(vault, current, time.signal) : { kind: 'none' as const };
  if (isFailure(pending)) return pending;
  const known = {
    kind: 'found' as const,
    ...(pending.kind === 'pending' ? { stored: pending.credential, rotationId: pending.rotationId } : {}),
    ...(pending.kind === 'none' ? {} : { pendingVersion: pending.version }),
  };
  if (pending.kind === 'pending') {
    const answer = await ask(current, target, pending.credential, time);
    if (isFailure(answer)) return answer;
    if (answer.accepted) return { ...known, applied: pending.credential, live: pending.credential };
  }
  const published = await ask(current, target, target.credential, time);
  if (isFailure(published)) return published;
  if (published.accepted) return { ...known, live: target.credential };

  if (keepsPending) {
    const older = await firstAccepted(await olderPending(vault, current, time.signal), current, target, time);
    if (isFailure(older)) return older;
    if (older.kind === 'accepted') {
      const { credential, rotationId } = older;
      return {
        kind: 'found',
        applied: credential,
        live: credential,
        ...(rotationId === undefined ? {} : { rotationId }),
      };
    }
  }
  const previous = await firstAccepted(await readPrevious(vault, current, time.signal), current, target, time);
  if (isFailure(previous)) return previous;
  if (previous.kind === 'accepted') return { ...known, live: previous.credential };
  return withoutLive(current, target, mode, published.detail, known, time);
}

function withoutLive(
  current: Current,
  target: Target,
  mode: RotationRequest['mode'],
  detail: string,
  known: Omit<Found, 'live'>,
  time: StepTime,
): Found | Failure {
  const adminReplaces = target.stepFor(time).admin.kind !== 'self' && (mode === 'forced' || mode === 'emergency');
  if (adminReplaces) return { ...known, live: target.credential };
  return failure('no-live-credential', {
    secret: current.secret.name,
    login: credentialName(target.credential),
    detail,
  });
}

async function firstAccepted(
  listed: { readonly kind: 'listed'; readonly candidates: readonly StoredCandidate[] } | Failure,
  current: Current,
  target: Target,
  time: StepTime,
): Promise<({ readonly kind: 'accepted' } & StoredCandidate) | { readonly kind: 'none' } | Failure> {
  if (isFailure(listed)) return listed;
  for (const candidate of listed.candidates) {
    const answer = await ask(current, target, candidate.credential, time);
    if (isFailure(answer)) return answer;
    if (answer.accepted) return { kind: 'accepted', ...candidate };
  }
  return { kind: 'none' };
}

/** The credential of the version that the current one replaced. */
async function readPrevious(
  vault: Vault,
  current: Current,
  signal: AbortSignal,
): Promise<{ readonly kind: 'listed'; readonly candidates: readonly StoredCandidate[] } | Failure> {
  if (current.stamp === undefined) return { kind: 'listed', candidates: [] };
  const read = await vault.read(current.secret.name, { version: current.stamp.from, signal });
  if (isFailure(read)) return read;
  if (read.kind !== 'found') return { kind: 'listed', candidates: [] };
  const parsed = readValue(read.secret, current.policy);
  if (isFailure(parsed)) return { kind: 'listed', candidates: [] };
  return { kind: 'listed', candidates: [{ credential: credentialOf(read.secret, parsed.value, current.policy) }] };
}
