/** Redis: one user with two passwords, or one password replaced in place, on every node. */
import type { Credential } from '../../shared/contract/credential.ts';
import type {
  ApplyOutcome,
  RetireOutcome,
  Rotator,
  RotatorCheck,
  RotatorEnvironment,
  UseOutcome,
  VerifyOutcome,
} from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import { addPassword, type Guard, removePassword, userOf } from './change.ts';
import { check } from './check.ts';
import { adminLogins, fleetOptions, type RedisStep } from './connect.ts';
import { adminFailure, type Fault, fault } from './fault.ts';
import { type Fleet, gather } from './fleet.ts';
import { keepAll } from './keep.ts';
import { endSessions, sessionsOf } from './sessions.ts';
import type { Depth } from './state.ts';
import type { RedisTags } from './tags.ts';
import { hashOf } from './users.ts';
import { type SeenNodes, verify } from './verify.ts';

export function makeRedisRotator(environment: RotatorEnvironment): Rotator<RedisTags> {
  const seen: SeenNodes = new WeakMap();
  return {
    propose: (step, current) => ({ ...current, password: step.newPassword() }),
    apply: (step, candidate, live) => apply(step, environment, candidate, live),
    verify: (step, credential): Promise<VerifyOutcome> => verify(step, environment, credential, seen),
    inUse: (step, previous) => inUse(step, environment, previous),
    retire: (step, previous) => retire(step, environment, previous),
    check: (step): Promise<readonly RotatorCheck[]> => check(step, environment),
    rehearsal: {
      twinStep: () => ({
        kind: 'no-twin',
        detail:
          'Redis keeps both passwords on the one login in use, which a rehearsal leaves alone: it was proven, and the rights of the admin were looked at on every node.',
      }),
      discard: async () => ({ kind: 'discarded' }),
    },
  };
}

async function apply(
  step: RedisStep,
  environment: RotatorEnvironment,
  candidate: Credential,
  live: Credential,
): Promise<ApplyOutcome> {
  const replaces = step.strategy === 'single-user';
  // After a crash half-way some nodes know the candidate already, and in a replacement in place they may know nothing else.
  const own = replaces ? [candidate, live, step.current] : [live, step.current, candidate];
  const change = {
    candidate,
    kept: replaces ? [] : keptOf(candidate, [live, step.current]),
    guard: guardOf(step, keptOf(candidate, [live, step.current, candidate])),
  };
  const changed = await withFleet(step, environment, { own, user: userOf(candidate) }, (fleet) =>
    addPassword(fleet, change),
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
  return (node, user) => {
    if (step.admin.kind === 'self') return undefined;
    const name = userOf(step.current);
    if (name === userOf(node.login)) {
      return fault(
        'unsafe',
        node.name,
        `${name} is the rotation admin itself; a login changes itself without the tag "admin"`,
      );
    }
    if (user.powers.length === 0 || known.some((password) => user.hashes.has(hashOf(password)))) return undefined;
    const detail = `${name} is powerful (${user.powers.join(', ')}), and no known password of it is one of its passwords`;
    return fault('unsafe', node.name, detail);
  };
}

/** Passwords of the same user that are known: another user's must not be taken for one of his. */
function keptOf(candidate: Credential, known: readonly Credential[]): readonly SecretText[] {
  return known.filter((one) => userOf(one) === userOf(candidate)).map((one) => one.password);
}

async function inUse(step: RedisStep, environment: RotatorEnvironment, previous: Credential): Promise<UseOutcome> {
  const user = userOf(previous);
  const asked = { own: [step.current, previous], user, depth: 'nodes' } as const;
  const seen = await withFleet(step, environment, asked, (fleet) => sessionsOf(fleet, user));
  if (isFailure(seen)) return { kind: 'unknown', detail: seen.message };
  if (seen.kind === 'fault') return { kind: 'unknown', detail: `${seen.node}: ${seen.detail}` };
  if (seen.count === 0) return { kind: 'idle' };
  const who = `${seen.count} ${seen.count === 1 ? 'session' : 'sessions'} of ${user} (${seen.by.join(', ')})`;
  return { kind: 'unknown', detail: `${who}; Redis does not say which password a session came in with` };
}

async function retire(step: RedisStep, environment: RotatorEnvironment, previous: Credential): Promise<RetireOutcome> {
  const asked = { own: [step.current, previous], user: userOf(previous) };
  const retired = await withFleet(step, environment, asked, (fleet) => retireOn(step, fleet, previous));
  if (isFailure(retired)) return retired;
  return retired.kind === 'fault' ? adminFailure(step, adminName(step), retired) : retired;
}

async function retireOn(step: RedisStep, fleet: Fleet, previous: Credential): Promise<RetireOutcome | Fault> {
  const user = userOf(previous);
  const objection = objectionToRetire(step, fleet, previous);
  if (objection !== undefined) return objection;
  const isPublished = previous.password.equals(step.current.password);
  const removed = await removePassword(fleet, previous, isPublished ? undefined : step.current.password);
  if (removed.kind === 'fault') return removed;
  // Refused first, then cut: a pool that is cut comes back at once. Sessions on the new password go too: they cannot be told apart, and
  // they log in again by themselves.
  const ended = step.emergency ? await endSessions(step, fleet, user) : { kind: 'ended' as const, count: 0 };
  if (ended.kind === 'fault') return ended;
  const kept = await keepAll(fleet, removed.settings);
  if (kept.kind === 'fault') return kept;
  return isFailure(ended) ? ended : { kind: 'retired', sessionsEnded: ended.count };
}

/**
 * The credential to end comes from a version of the secret: it must be a password of the login in use. The published one is ended in an
 * emergency only, where its sessions hold the room that its successor needs, and never where it is the only one.
 */
function objectionToRetire(step: RedisStep, fleet: Fleet, previous: Credential): Fault | undefined {
  const [user, live] = [userOf(previous), userOf(step.current)];
  const having = fleet.nodes().filter(({ state }) => state?.user.kind === 'user');
  const [node] = having;
  if (node === undefined) return undefined;
  if (user !== live) return fault('unsafe', node.name, `${user} is not the login in use, which is ${live}`);
  if (!previous.password.equals(step.current.password)) return undefined;
  const hash = hashOf(previous.password);
  const isOnly = having.some(
    ({ state }) => state?.user.kind === 'user' && state.user.hashes.size === 1 && state.user.hashes.has(hash),
  );
  if (step.emergency && !isOnly) return undefined;
  return fault('rejected', node.name, `it is the password of ${user} that the vault publishes`);
}

interface Asked {
  /** The login's own credentials, for a self-rotation, tried in this order. */
  readonly own: readonly Credential[];
  readonly user: string;
  readonly depth?: Depth;
}

async function withFleet<Result>(
  step: RedisStep,
  environment: RotatorEnvironment,
  { own, user, depth = 'everything' }: Asked,
  work: (fleet: Fleet) => Promise<Result | Fault>,
): Promise<Result | Fault | Failure> {
  const admin = await adminLogins(step, own);
  if (isFailure(admin)) return admin;
  const fleet = await gather(fleetOptions(step, environment, admin.logins, { user, depth }));
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
