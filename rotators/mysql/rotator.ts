/** MySQL and MariaDB: one login with two passwords, two logins in turn, or one password replaced in place. */
import type { Credential } from '../../shared/contract/credential.ts';
import type {
  ApplyOutcome,
  RetireOutcome,
  Rotator,
  RotatorEnvironment,
  Step,
  UseOutcome,
} from '../../shared/contract/rotator.ts';
import { type Failure, isFailure } from '../../shared/errors.ts';
import { drawPassword } from '../common/password-rules.ts';
import { twinOfPair } from '../common/twin.ts';
import type { AccountState } from './accounts.ts';
import { check } from './check.ts';
import { type Call, choose, failureOf, type Memory, openAdmin } from './connect.ts';
import { discard } from './discard.ts';
import { type Fault, fault } from './fault.ts';
import { whyNotOurs } from './guard.ts';
import { freshPassword, nextLogin, ownRules } from './next.ts';
import { readOwnRules } from './own-rules.ts';
import { applyPair, type Done } from './pair.ts';
import { passwordsOf } from './passwords-of.ts';
import { retire } from './retire.ts';
import type { Session } from './session.ts';
import { sessionsOf } from './sessions.ts';
import type { MysqlTags } from './tags.ts';
import { verify } from './verify.ts';

export function makeMysqlRotator(environment: RotatorEnvironment): Rotator<MysqlTags> {
  const memory: Memory = { mayFail: new WeakSet(), given: new WeakMap(), policy: new WeakMap() };
  const call = (step: Step<MysqlTags>, ...credentials: readonly Credential[]): Call => ({
    step,
    environment,
    credentials,
    memory,
  });
  return {
    propose: (step, current) => propose(step, current, memory),
    apply: (step, candidate, live) => apply(call(step, candidate, live), candidate, live),
    verify: (step, credential) => verify(call(step, credential), credential),
    inUse: (step, previous) => inUse(call(step, previous), previous),
    retire: (step, previous): Promise<RetireOutcome> => retire(call(step, previous), previous),
    check: (step) => check(call(step)),
    rehearsal: {
      twinStep: (step) => twinOfPair(step, step.current.username),
      discard: (step) => discard(call(step)),
    },
  };
}

function propose(step: Step<MysqlTags>, current: Credential, { policy }: Memory): Credential | Failure {
  const next = nextLogin(step, current);
  if (isFailure(next)) return next;
  const drawn = drawPassword(step, policy.get(step.current), ownRules);
  return isFailure(drawn) ? drawn : { ...current, username: next.login, password: drawn.password };
}

async function apply(call: Call, candidate: Credential, live: Credential): Promise<ApplyOutcome> {
  const { step } = call;
  if (step.strategy === 'alternating-users' && step.admin.kind === 'self') {
    const next = nextLogin(step, step.current);
    if (isFailure(next)) return next;
  }
  const session = await openAdmin(call, [live, candidate], { users: usersOf(step, candidate) });
  if (isFailure(session)) return session;
  const { policy } = session.server;
  // A candidate that was stored before may break a rule that is new; the one after it keeps it.
  if (policy !== undefined) call.memory.policy.set(step.current, policy);
  try {
    const done =
      step.strategy === 'alternating-users'
        ? await applyPair(call, session, candidate, live)
        : await applyInPlace(call, session, candidate, live);
    return isFailure(done) ? done : { kind: 'applied', credential: candidate, ...lastsOf(session, done.rules) };
  } finally {
    session.close();
  }
}

/** A login that replaces its own password may not look at its account. */
function usersOf({ strategy, admin, current }: Step<MysqlTags>, candidate: Credential): readonly string[] {
  const isOwn = strategy === 'single-user' && admin.kind === 'self';
  return isOwn ? [] : [...new Set([current.username ?? '', candidate.username ?? ''])];
}

/** How long the server lets a password live, by the strictest account. */
function lastsOf({ server }: Session, rules: Done['rules']): { readonly lastsMs?: number } {
  const days = rules.map(({ lifetimeDays = server.lifetimeDays }) => lifetimeDays).filter((each) => each > 0);
  return days.length === 0 ? {} : { lastsMs: Math.min(...days) * 86_400_000 };
}

async function applyInPlace(
  call: Call,
  session: Session,
  candidate: Credential,
  live: Credential,
): Promise<Done | Failure> {
  const { step } = call;
  if (step.strategy === 'single-user' && step.admin.kind === 'self') {
    // The attempt before may have got this far.
    const isDone = session.as.password.equals(candidate.password);
    const met = isDone ? undefined : await passwordsOf(session).replaceOwn(session, candidate.password);
    return met === undefined ? { kind: 'done', rules: [await readOwnRules(session)] } : failureOf(call, met);
  }
  const user = candidate.username ?? '';
  const chosen = await choose(session, user, [live, step.current, candidate]);
  if (chosen.kind === 'fault') return failureOf(call, chosen);
  if (chosen.kind === 'missing')
    return failureOf(call, fault('missing', session.target, `there is no account ${user}`));
  const unsafe = await whyNotOurs(call, session, chosen.states, chosen.proven);
  if (unsafe !== undefined) return failureOf(call, unsafe);
  const met = await changeInPlace(call, session, chosen.states, candidate, live);
  return met === undefined ? { kind: 'done', rules: chosen.states.map(({ rules }) => rules) } : failureOf(call, met);
}

function changeInPlace(
  call: Call,
  session: Session,
  states: readonly AccountState[],
  candidate: Credential,
  live: Credential,
): Promise<Fault | undefined> | Fault {
  const { step } = call;
  const passwords = passwordsOf(session);
  const isTwo = step.strategy === 'dual-password';
  for (const state of states) {
    const why = isTwo ? passwords.whyNotTwo(session, state) : passwords.whyNotOne(state);
    if (why !== undefined) return fault('unsupported', session.target, why);
  }
  const work = { session, states, newPassword: () => freshPassword(step, session.server.policy) };
  if (!isTwo) return passwords.replace(work, candidate.password, '');
  const known = [live, step.current].filter(({ username }) => username === candidate.username);
  const kept = known.map(({ password }) => password).filter((password) => !password.equals(candidate.password));
  return passwords.add(work, candidate.password, kept);
}

async function inUse(call: Call, previous: Credential): Promise<UseOutcome> {
  const { step } = call;
  const session = await openAdmin(call, [step.current, previous]);
  if (isFailure(session)) return { kind: 'unknown', detail: session.message };
  try {
    const user = previous.username ?? '';
    const seen = await sessionsOf(session, user);
    if (seen.kind === 'fault') return { kind: 'unknown', detail: `${seen.target}: ${seen.detail}` };
    if (seen.ids.length === 0) {
      if (seen.seesAll) return { kind: 'idle' };
      return { kind: 'unknown', detail: `the admin may not see other sessions; grant it PROCESS on *.*` };
    }
    if (step.strategy === 'alternating-users') return { kind: 'in-use', sessions: seen.ids.length, by: seen.by };
    const who = `${seen.ids.length} ${seen.ids.length === 1 ? 'session' : 'sessions'} of ${user} (${seen.by.join(', ')})`;
    return { kind: 'unknown', detail: `${who}; the server does not say which password a session came in with` };
  } finally {
    session.close();
  }
}
