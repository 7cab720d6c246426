import type { Credential } from '../../shared/contract/credential.ts';
import type { RetireOutcome } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import {
  type AdminAccess,
  adminAccess,
  adminTarget,
  loginFailure,
  loginOpening,
  loginTarget,
  type Work,
} from './connect.ts';
import { adminFailure } from './fault.ts';
import { objectionToName, objectionToPair, type Pair, type PairRights, readPairRights } from './guard.ts';
import { readLogins } from './logins.ts';
import { objectionToPower, powersIn } from './power.ts';
import { nameFault, quoteName } from './quote.ts';
import { type SessionOutcome, tookCredential, withSession } from './session.ts';
import { type Ended, endSessions, type LoginState, type Retired } from './sessions.ts';
import type { Session } from './talk.ts';
import type { Opening } from './wire.ts';

/** Makes the server refuse the old credential, and proves it with a login. */
export async function retire(work: Work, previous: Credential): Promise<RetireOutcome> {
  const login = previous.username;
  // A name that no server can have was never let in anywhere.
  if (login === undefined || nameFault(login) !== undefined) return { kind: 'retired', sessionsEnded: 0 };
  const { step } = work;
  const isPublished = login === step.current.username && previous.password.equals(step.current.password);
  // In an emergency the published one may be the leaked one, whose sessions hold the room that its successor needs.
  const closes =
    step.strategy === 'alternating-users' && (login !== step.current.username || (isPublished && step.emergency));
  const closing = closes ? await closeLogin(work, login) : await endOwn(work, login);
  if (closing.kind === 'failed' && closing.code !== 'sessions-open') return closing;
  const objection = await proveRefused(work, { ...previous, username: login });
  if (objection !== undefined) return objection;
  if (closing.kind === 'failed') return closing;
  const { began, ...retired } = closing;
  return began === undefined ? retired : endLate(work, login, closes ? 'closed' : 'in use', { ...retired, began });
}

/**
 * Whoever began to log in before the password went is let in by the old one, and is seen only once he is through. From the proof on nobody
 * begins with it, so one more look finds who was under way meanwhile. A login that a client holds up on purpose (authentication_timeout, a
 * minute) may outlast it.
 */
async function endLate(
  work: Work,
  login: string,
  state: LoginState,
  { sessionsEnded, began }: Retired & { readonly began: string },
): Promise<RetireOutcome> {
  const access = await endingAccess(work, login);
  if (access.kind === 'failed') return access;
  const outcome = await withSession(access.opening, (session) =>
    endSessions(work, session, login, state, state === 'in use' ? began : undefined),
  );
  const late = outcomeOf(work, access, outcome);
  return late.kind === 'failed' ? late : { kind: 'retired', sessionsEnded: sessionsEnded + late.sessionsEnded };
}

/** Who ends sessions: the admin, or the login itself. */
async function endingAccess(work: Work, login: string): Promise<AdminAccess | Failure> {
  const { step } = work;
  if (step.admin.kind !== 'self') return adminAccess(work);
  return { kind: 'access', opening: loginOpening(work, step.current), target: loginTarget(step), who: `"${login}"` };
}

/** `alternating-users`: the login loses its password. It stays, with its rights, for the next rotation. */
async function closeLogin(work: Work, login: string): Promise<Ended> {
  const objection = objectionToName(work, login);
  if (objection !== undefined) return objection;
  const access = await adminAccess(work);
  if (access.kind === 'failed') return access;
  const outcome = await withSession(access.opening, (session) => takePassword(work, access, session, login));
  return outcomeOf(work, access, outcome);
}

async function takePassword(work: Work, access: AdminAccess, session: Session, login: string): Promise<Ended> {
  const pair = { live: work.step.current.username ?? '', idle: login };
  const [logins, powers, rights] = await Promise.all([
    readLogins(session, [login]),
    powersIn(session, login),
    readPairRights(session, pair),
  ]);
  if (!logins.has(login)) return { kind: 'retired', sessionsEnded: 0 };
  const objection = await objectionToStranger(work, access, pair, { rights, powers });
  if (objection !== undefined) return objection;
  // Refused first: a pool that is cut comes back at once, and must not get in with it.
  await session.change([`ALTER ROLE ${quoteName(login)} PASSWORD NULL`]);
  return work.step.emergency ? endSessions(work, session, login, 'closed') : { kind: 'retired', sessionsEnded: 0 };
}

// The name of the login to close comes from a version of the secret, so it is looked at as closely as one to be opened. That it may do
// less than the login in use, or that a database cannot be looked into, is no reason to leave it open.
async function objectionToStranger(
  work: Work,
  access: AdminAccess,
  pair: Pair,
  { rights, powers }: { readonly rights: PairRights; readonly powers: readonly string[] },
): Promise<Failure | undefined> {
  const objection = await objectionToPair(work, access, pair, rights);
  if (objection !== undefined && objection.code !== 'lesser-rights' && objection.code !== 'permission-missing') {
    return objection;
  }
  // It may do no more than the login in use, so whoever logs in as that one could do it all himself.
  return objectionToPower(work, pair.live, powers, work.step.current);
}

/** The login is still the one in use: its old password went when the new one came. In an emergency its sessions go too: no session says on which password it came in, and whoever holds the new one comes back at once. */
async function endOwn(work: Work, login: string): Promise<Ended> {
  const { step } = work;
  const isQuiet = !step.emergency && step.admin.kind === 'self';
  if (login !== step.current.username || isQuiet) return { kind: 'retired', sessionsEnded: 0 };
  const access = await endingAccess(work, login);
  if (access.kind === 'failed') return access;
  const outcome = await withSession(access.opening, (session) =>
    step.emergency
      ? endSessions(work, session, login, 'in use')
      : Promise.resolve<Ended>({ kind: 'retired', sessionsEnded: 0 }),
  );
  return outcomeOf(work, access, outcome);
}

function outcomeOf(
  work: Work,
  access: { readonly opening: Opening; readonly who: string },
  outcome: SessionOutcome<Ended>,
): Ended {
  if (outcome.kind === 'done') return outcome.result;
  const permission = 'CREATEROLE and ADMIN OPTION on the logins of the pair';
  return adminFailure(outcome.fault, { step: work.step, target: adminTarget(work.step), who: access.who, permission });
}

/** Undefined when the server refused the old credential. */
async function proveRefused(
  work: Work,
  previous: Credential & { readonly username: string },
): Promise<Failure | undefined> {
  // An empty password never logs in, and the driver would not even ask.
  if (previous.password.isEmpty) return undefined;
  const proof = await withSession(loginOpening(work, previous), async () => undefined);
  if (proof.kind === 'fault' && !tookCredential(proof)) return objectionTo(work, proof);
  const detail =
    'the server accepted it again; look for "trust" in pg_hba.conf, and whether the login still has its old password';
  const at = { secret: work.step.secret, target: loginTarget(work.step), login: previous.username };
  return failure('retire-refused', { ...at, detail });
}

function objectionTo(work: Work, { fault, entered }: Extract<SessionOutcome<unknown>, { kind: 'fault' }>) {
  // Without a password of its own a login is refused; so is one that may not enter the database, or that does not exist.
  if (!entered && (fault.kind === 'refused' || fault.kind === 'forbidden')) return undefined;
  return loginFailure(work, fault);
}
