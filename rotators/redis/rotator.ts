/** Redis: one user with two passwords, or one password replaced in place, on every node. */
import type { Credential } from '../../shared/contract/credential.ts';
import type {
  ApplyOutcome,
  Check,
  RetireOutcome,
  Rotator,
  RotatorEnvironment,
  UseOutcome,
  VerifyOutcome,
} from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import { addPassword, type Changed, type Guard, removePassword, replacePassword, userOf } from './change.ts';
import { check } from './check.ts';
import { adminLogins, fleetOptions, type RedisStep } from './connect.ts';
import { adminFailure, type Fault, fault } from './fault.ts';
import { type Fleet, gather } from './fleet.ts';
import { endSessions, sessionsOf } from './sessions.ts';
import type { RedisTags } from './tags.ts';
import { hashOf } from './users.ts';
import { verify } from './verify.ts';

export function makeRedisRotator(environment: RotatorEnvironment): Rotator<RedisTags> {
  return {
    propose: (step, current) => ({ ...current, password: step.newPassword() }),
    apply: (step, candidate, live) => apply(step, environment, candidate, live),
    verify: (step, credential): Promise<VerifyOutcome> => verify(step, environment, credential),
    inUse: (step, previous) => inUse(step, environment, previous),
    retire: (step, previous) => retire(step, environment, previous),
    check: (step): Promise<readonly Check[]> => check(step, environment),
  };
}

async function apply(
  step: RedisStep,
  environment: RotatorEnvironment,
  candidate: Credential,
  live: Credential,
): Promise<ApplyOutcome> {
  // After a crash half-way some nodes know the candidate already, and in a replacement in place they know nothing else.
  const own = step.strategy === 'single-user' ? [candidate, live, step.current] : [live, step.current, candidate];
  const guard = guardOf(step, keptOf(candidate, [live, step.current, candidate]));
  const changed = await withFleet(step, environment, own, (fleet) =>
    step.strategy === 'single-user'
      ? replacePassword(fleet, candidate, guard)
      : addPassword(fleet, candidate, keptOf(candidate, [live, step.current]), guard),
  );
  if (isFailure(changed)) return changed;
  if (changed.kind === 'fault') return adminFailure(step, adminName(step), changed);
  const { warnings } = changed;
  return { kind: 'applied', credential: candidate, ...(warnings.length === 0 ? {} : { warnings }) };
}

/**
 * Whoever may edit one secret names a login in it. With the rights of the admin that login could be anybody's, so a powerful one is
 * changed only for somebody who knew its password.
 */
function guardOf(step: RedisStep, known: readonly SecretText[]): Guard {
  return async (node, user) => {
    if (step.admin.kind === 'self') return undefined;
    const name = userOf(step.current);
    if (name === userOf(node.login)) {
      return fault(
        'unsafe',
        node.name,
        `${name} is the rotation admin itself; a login changes itself without the tag "admin"`,
      );
    }
    if (!user.powerful || known.some((password) => user.hashes.has(hashOf(password)))) return undefined;
    return fault('unsafe', node.name, `${name} may change users, and no known password of it is one of its passwords`);
  };
}

/** Passwords of the same user that are known: another user's must not be taken for one of his. */
function keptOf(candidate: Credential, known: readonly Credential[]): readonly SecretText[] {
  return known.filter((one) => userOf(one) === userOf(candidate)).map((one) => one.password);
}

async function inUse(step: RedisStep, environment: RotatorEnvironment, previous: Credential): Promise<UseOutcome> {
  const user = userOf(previous);
  const seen = await withFleet(step, environment, [step.current, previous], (fleet) => sessionsOf(fleet, user));
  if (isFailure(seen)) return { kind: 'unknown', detail: seen.message };
  if (seen.kind === 'fault') return { kind: 'unknown', detail: `${seen.node}: ${seen.detail}` };
  if (seen.count === 0) return { kind: 'idle' };
  const who = `${seen.count} ${seen.count === 1 ? 'session' : 'sessions'} of ${user} (${seen.by.join(', ')})`;
  return { kind: 'unknown', detail: `${who}; Redis does not say which password a session came in with` };
}

async function retire(step: RedisStep, environment: RotatorEnvironment, previous: Credential): Promise<RetireOutcome> {
  let sessionsEnded = 0;
  const user = userOf(previous);
  const own = [step.current, previous];
  const removed = await withFleet(step, environment, own, async (fleet): Promise<Changed | Fault> => {
    const changed = await removePassword(fleet, previous);
    if (changed.kind === 'fault' || !step.emergency) return changed;
    // Sessions on the new password go too: they cannot be told apart, and they log in again by themselves.
    const ended = await endSessions(fleet, user);
    if (ended.kind === 'fault') return ended;
    sessionsEnded = ended.count;
    return changed;
  });
  if (isFailure(removed)) return removed;
  if (removed.kind === 'fault') return adminFailure(step, adminName(step), removed);
  return { kind: 'retired', sessionsEnded };
}

async function withFleet<Result>(
  step: RedisStep,
  environment: RotatorEnvironment,
  own: readonly Credential[],
  work: (fleet: Fleet) => Promise<Result | Fault>,
): Promise<Result | Fault | Failure> {
  const admin = await adminLogins(step, own);
  if (isFailure(admin)) return admin;
  const fleet = await gather(fleetOptions(step, environment, admin.logins));
  if (fleet.kind === 'fault') return ownFailure(step, own, fleet) ?? fleet;
  try {
    return await work(fleet);
  } finally {
    fleet.close();
  }
}

// A login that changes itself is nobody's admin: what is wrong then is the credential in the vault.
function ownFailure(step: RedisStep, own: readonly Credential[], met: Fault): Failure | undefined {
  const [first] = own;
  if (step.admin.kind !== 'self' || met.fault !== 'refused' || first === undefined) return undefined;
  const detail = `${met.node}: ${met.detail}`;
  return failure('no-live-credential', { secret: step.secret, login: userOf(first), detail }, met.cause);
}
