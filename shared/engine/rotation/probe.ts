/**
 * What logs in right now? A lost answer of the attempt before is settled by asking the target, never by guessing. A network failure is
 * no evidence about a password: it ends the probing.
 */
import type { Credential } from '../../contract/credential.ts';
import { credentialName, sameCredential } from '../../contract/credential.ts';
import type { Vault } from '../../contract/ports.ts';
import { strategyTraits } from '../../contract/strategy.ts';
import { type Failure, failure, isFailure } from '../../errors.ts';
import type { Current } from '../policy/current.ts';
import type { RotationRequest } from '../policy/request.ts';
import { ask } from '../running/ask.ts';
import type { StepTime } from '../running/attempt.ts';
import {
  olderPending,
  type PendingOutcome,
  readPending,
  type StoredCandidate,
  wasPublished,
} from '../running/pending.ts';
import { credentialOf, readValue, type Target } from '../running/target.ts';
import { notItsCandidate, vouchesFor } from '../running/vouch.ts';

export interface Found {
  readonly kind: 'found';
  /** A candidate that is stored, or an earlier credential to go back to. The target may or may not have it already: apply looks. */
  readonly stored?: Credential;
  /** The version of the stored candidate, to be disabled once it is published. */
  readonly pendingVersion?: string;
  /**
   * The rotation that stored the candidate. Whoever finds it finishes that rotation and stamps the version as its own: its request may
   * still come again, and must find its work done.
   */
  readonly rotationId?: string;
  /** That rotation is an emergency: the id of whoever wants the credential before revoked. */
  readonly revoke?: string;
  /** The stored candidate was given up for somebody else's version, and the target may have taken it. */
  readonly overtaken?: boolean;
  /** A key that nobody will publish any more: to be revoked before anything else. */
  readonly orphan?: { readonly version: string; readonly credential: Credential };
  /** Another candidate must not take the place of this one. */
  readonly fixed?: boolean;
  /** It is published as it is, with no change at the target. */
  readonly asItIs?: boolean;
  /** A credential that logs in; the published one, where a forced or emergency rotation goes on without any. */
  readonly live: Credential;
}

/** What the target refused just now. */
export interface RefusedBefore {
  readonly credential: Credential;
  readonly host: string;
  readonly detail: string;
}

interface Asking {
  readonly current: Current;
  readonly target: Target;
  readonly time: StepTime;
  readonly mode: RotationRequest['mode'];
  /** Servers that lock accounts count failed logins, so none is made twice. */
  readonly refused: readonly RefusedBefore[];
}

/** Asks the target about pending, then current, then older candidates, then previous. Changes nothing. */
export async function probe(
  vault: Vault,
  current: Current,
  target: Target,
  { mode, refused }: Pick<Asking, 'mode' | 'refused'>,
  time: StepTime,
): Promise<Found | Failure> {
  const asking = { current, target, time, mode, refused };
  const keepsPending = strategyTraits[current.policy.strategy].pending !== 'never';
  const pending = keepsPending ? await readPending(vault, current, time.signal) : { kind: 'none' as const };
  if (isFailure(pending)) return pending;
  if (pending.kind === 'pending' && !vouchesFor(target, target.stepFor(time), pending.credential))
    return notItsCandidate(current, target, pending.credential);
  const known = knownOf(pending);
  if (pending.kind === 'pending') {
    const accepted = await logsIn(asking, pending.credential);
    if (isFailure(accepted)) return accepted;
    if (accepted.accepted) return { ...known, live: pending.credential };
  }
  const published = await logsIn(asking, target.credential);
  if (isFailure(published)) return published;
  if (published.accepted) return { ...known, live: target.credential };

  const older = keepsPending ? await firstAccepted(await olderPending(vault, current, time.signal), asking) : undefined;
  if (older !== undefined && isFailure(older)) return older;
  if (older?.kind === 'accepted') return adopt(vault, asking, older, known);
  const previous = await firstAccepted(await readPrevious(vault, current, time.signal), asking);
  if (isFailure(previous)) return previous;
  if (previous.kind === 'accepted') return { ...known, live: previous.credential };
  return withoutLive(asking, published.detail, known);
}

/**
 * A candidate that was published lies there enabled until its rotation is closed, and its worker may have died before that. It is what logs
 * in, and no more: adopted it would be published a second time for the same request, and in an emergency it may be what leaked.
 */
async function adopt(
  vault: Vault,
  { current, target, time }: Asking,
  { credential, rotationId, revoke }: StoredCandidate,
  known: Omit<Found, 'live'>,
): Promise<Found | Failure> {
  // A lost answer, or an old copy of the login: the published credential logs in after all.
  if (credential.password.equals(target.credential.password)) return { ...known, live: target.credential };
  const looked =
    rotationId === undefined
      ? { kind: 'looked' as const, published: false }
      : await wasPublished(vault, current, rotationId, time.signal);
  if (isFailure(looked)) return looked;
  if (looked.published) return { ...known, live: credential };
  const rotation = { ...(rotationId === undefined ? {} : { rotationId }), ...(revoke === undefined ? {} : { revoke }) };
  return { kind: 'found', ...rotation, stored: credential, live: credential };
}

function knownOf(pending: Exclude<PendingOutcome, Failure>): Omit<Found, 'live'> {
  switch (pending.kind) {
    case 'none':
      return { kind: 'found' };
    case 'stale':
      return { kind: 'found', pendingVersion: pending.version, ...(pending.overtaken ? { overtaken: true } : {}) };
    case 'orphan':
      return { kind: 'found', orphan: { version: pending.version, credential: pending.credential } };
    case 'pending': {
      const { kind: _pending, version, credential, ...rotation } = pending;
      return { kind: 'found', ...rotation, stored: credential, pendingVersion: version };
    }
  }
}

/**
 * In an emergency a target that lets nobody in is no obstacle where an admin can make room: whoever holds the leaked credential may hold
 * every connection there is. The credential then counts as one that does not log in.
 * Only where the emergency is what is asked for now: whoever may edit the secret can write one into its tags, beside a value that names
 * another login and a port where nobody answers.
 */
async function logsIn({ current, target, time, mode, refused }: Asking, credential: Credential) {
  const { host } = target.stepFor(time).endpoint;
  const before = refused.find((one) => one.host === host && sameCredential(one.credential, credential));
  if (before !== undefined) return { kind: 'answer' as const, accepted: false, detail: before.detail };
  const answer = await ask(current, target, credential, time);
  const isCrowded = isFailure(answer) && answer.code === 'target-unreachable';
  if (!isCrowded || mode !== 'emergency' || current.policy.admin.kind === 'self') return answer;
  return { kind: 'answer' as const, accepted: false, detail: answer.message };
}

/** The admin acts on a person's word, and never on a tag's. */
function withoutLive({ current, target, mode }: Asking, detail: string, known: Omit<Found, 'live'>): Found | Failure {
  const insists = mode === 'forced' || mode === 'repair' || mode === 'emergency';
  const adminReplaces = current.policy.admin.kind !== 'self' && insists;
  if (adminReplaces) return { ...known, live: target.credential };
  return failure('no-live-credential', {
    secret: current.secret.name,
    login: credentialName(target.credential),
    detail,
  });
}

async function firstAccepted(
  listed: { readonly kind: 'listed'; readonly candidates: readonly StoredCandidate[] } | Failure,
  asking: Asking,
): Promise<({ readonly kind: 'accepted' } & StoredCandidate) | { readonly kind: 'none' } | Failure> {
  if (isFailure(listed)) return listed;
  const { target, time } = asking;
  for (const candidate of listed.candidates) {
    if (!vouchesFor(target, target.stepFor(time), candidate.credential)) continue;
    const answer = await logsIn(asking, candidate.credential);
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
