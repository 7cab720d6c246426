/** The end of an old credential. */
import { type Credential, credentialName } from '../../shared/contract/credential.ts';
import type { RetireOutcome } from '../../shared/contract/rotator.ts';
import { failure, isFailure } from '../../shared/errors.ts';
import { accountsAtStart } from './accounts.ts';
import { type Call, failureOf, openAdmin, thatTake } from './connect.ts';
import { type Fault, fault } from './fault.ts';
import { freshPassword, nextLogin } from './next.ts';
import { passwordsOf } from './passwords-of.ts';
import type { Session } from './session.ts';
import { endingRight, endSessions } from './sessions.ts';

export async function retire(call: Call, previous: Credential): Promise<RetireOutcome> {
  const { step } = call;
  const session = await openAdmin(
    call,
    [step.current, previous],
    isOwn(step) ? {} : { users: [previous.username ?? ''] },
  );
  if (isFailure(session)) return session;
  try {
    if (step.strategy === 'alternating-users' && previous.username === session.account.user) {
      const at = { secret: step.secret, target: session.target, login: session.account.user };
      return failure('login-not-safe', { ...at, detail: 'it is the rotation admin itself' });
    }
    const met = await end(call, session, previous);
    if (met !== undefined) return failureOf(call, met);
    if (!step.emergency) return { kind: 'retired', sessionsEnded: 0 };
    return await cutSessions(call, session, previous);
  } finally {
    session.close();
  }
}

async function end(call: Call, session: Session, previous: Credential): Promise<Fault | undefined> {
  const { step } = call;
  // Replaced in place by the login itself: nothing is left of it, and the login may not look at its own account.
  if (isOwn(step)) return undefined;
  const read = await accountsAtStart(session, [previous.username ?? '']);
  if (read.kind === 'fault') return read;
  const taking = await thatTake(read.accounts, [previous.password]);
  if (taking.length > 0 && !isOurs(step, previous)) {
    const detail = `${previous.username ?? ''} is neither the login in use nor the other one of its pair`;
    return fault('unsafe', session.target, detail);
  }
  const passwords = passwordsOf(session);
  const newPassword = () => freshPassword(step, session.server.policy);
  if (step.strategy !== 'alternating-users') {
    const work = { session, states: taking, newPassword };
    return passwords.drop(work, previous.password, step.current.password, step.emergency);
  }
  const states = taking.filter(({ locked }) => !locked);
  return states.length === 0 ? undefined : passwords.lock({ session, states, newPassword });
}

function isOwn({ strategy, admin }: Call['step']): boolean {
  return strategy === 'single-user' && admin.kind === 'self';
}

/** An old version may name any login; a secret ends its own and the other one of its pair. */
function isOurs(step: Call['step'], previous: Credential): boolean {
  if (step.strategy !== 'alternating-users') return previous.username === step.current.username;
  // In an emergency the published login itself may have to make room for the new one, which is published next.
  if (previous.username === step.current.username) return step.emergency;
  const next = nextLogin(step, step.current);
  return next.kind === 'login' && next.login === previous.username;
}

// All sessions of the login go, also those on its new password: they cannot be told apart, and they log in again by themselves.
async function cutSessions(call: Call, session: Session, previous: Credential): Promise<RetireOutcome> {
  const { step } = call;
  const killer = await openAdmin(call, [step.current, previous], { manyStatements: true });
  if (isFailure(killer)) return killer;
  try {
    const ending = await endSessions(session, killer, previous.username ?? '', step.remainingMs);
    if (ending.kind === 'fault') return failureOf(call, ending);
    if (ending.kind === 'ended') return { kind: 'retired', sessionsEnded: ending.count };
    const { count: sessions, met } = ending;
    const fix = whatToDo(session, met);
    const login = credentialName(previous);
    return failure(
      'sessions-open',
      { secret: step.secret, target: session.target, detail: '', login, sessions, fix },
      met?.cause,
    );
  } finally {
    killer.close();
  }
}

function whatToDo(session: Session, met: Fault | undefined): string {
  if (met === undefined) return 'Wait a moment: they were told to end, and roll back what they were doing.';
  if (met.fault === 'forbidden') return `Grant ${endingRight(session)} to the rotation admin.`;
  return `Fix what the server reports (${met.detail}).`;
}
