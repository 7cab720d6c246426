import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { wireFailure } from '../common/failures.ts';
import { adminAccess, adminTarget, loginOpening, loginTarget, type Work } from './connect.ts';
import { adminFailure, type PostgresFault } from './fault.ts';
import { runFenced } from './fenced.ts';
import { objectionToName, objectionToPair, objectionToPrivilege, objectionToState } from './guard.ts';
import { type LoginFacts, readLogins } from './logins.ts';
import { creation, refresh } from './pair.ts';
import { verifierFor } from './password.ts';
import { quoteName, quoteText } from './quote.ts';
import { type Session, withSession } from './session.ts';
import { readSettings } from './settings.ts';

/** Makes the server accept the candidate. */
export async function apply(work: Work, candidate: Credential, live: Credential): Promise<ApplyOutcome> {
  const objection = objectionToName(work, candidate.username);
  if (objection !== undefined) return objection;
  const name = candidate.username ?? '';
  if (work.step.strategy === 'single-user' && work.step.admin.kind === 'self') {
    return changeOwnPassword(work, { ...candidate, username: name }, live);
  }
  const access = await adminAccess(work);
  if (access.kind === 'failed') return access;
  const change = work.step.strategy === 'single-user' ? changePassword : changeIdle;
  const outcome = await withSession(access.opening, (session) =>
    change(work, session, { ...candidate, username: name }, live),
  );
  if (outcome.kind === 'done') return outcome.result ?? { kind: 'applied', credential: candidate };
  if (!outcome.entered && outcome.fault.kind === 'forbidden') {
    return failure('admin-refused', placeOf(work, access.who, outcome.fault.message), outcome.fault);
  }
  const permission = deniedSetting(outcome.fault) ?? 'CREATEROLE or ADMIN OPTION on the login';
  return adminFailure(outcome.fault, { step: work.step, target: access.target, who: access.who, permission });
}

type Named = Credential & { readonly username: string };

// A setting of the login in use that only some may set: the other login could not be given it.
function deniedSetting(fault: PostgresFault): string | undefined {
  const name = /permission denied to set parameter ("[^"]+")/.exec(fault.message)?.[1];
  return name === undefined ? undefined : `SET ON PARAMETER ${name}`;
}

function placeOf(work: Work, admin: string, detail: string) {
  return { secret: work.step.secret, target: adminTarget(work.step), admin, detail };
}

/** `single-user` with an admin. */
async function changePassword(
  work: Work,
  session: Session,
  candidate: Named,
  live: Credential,
): Promise<Failure | undefined> {
  const facts = (await readLogins(session, [candidate.username])).get(candidate.username);
  if (facts === undefined) return missing(work, candidate.username);
  const objection = objectionToState(work, facts) ?? (await objectionToPrivilege(work, facts, live));
  if (objection !== undefined) return objection;
  await runFenced(session, [passwordChange(candidate.username, await verifierFor(session, candidate.password))]);
  return undefined;
}

/** `single-user` without an admin: the login may always change its own password. */
async function changeOwnPassword(work: Work, candidate: Named, live: Credential): Promise<ApplyOutcome> {
  const { step } = work;
  const target = loginTarget(step);
  const outcome = await withSession(loginOpening(work, live), async (session) =>
    runFenced(session, [passwordChange(candidate.username, await verifierFor(session, candidate.password))]),
  );
  if (outcome.kind === 'done') return { kind: 'applied', credential: candidate };
  const { fault } = outcome;
  if (fault.kind === 'refused' || (fault.kind === 'forbidden' && !outcome.entered)) {
    return failure(
      'no-live-credential',
      { secret: step.secret, login: candidate.username, detail: fault.message },
      fault,
    );
  }
  if (fault.kind === 'forbidden') {
    return failure('target-refused', { secret: step.secret, target, detail: fault.message }, fault);
  }
  return wireFailure(fault, fault.kind, { step, target });
}

/** `alternating-users`: the login that is not in use gets the new password, and is made first when it does not exist. */
async function changeIdle(
  work: Work,
  session: Session,
  candidate: Named,
  live: Credential,
): Promise<Failure | undefined> {
  const { step } = work;
  const inUse = step.current.username ?? '';
  const idle = candidate.username;
  if (idle === inUse) {
    const detail = 'it is the login in use, which alternating-users never touches';
    return failure('login-not-safe', { secret: step.secret, target: adminTarget(step), login: idle, detail });
  }
  const logins = await readLogins(session, [inUse, idle]);
  const liveFacts = logins.get(inUse);
  if (liveFacts === undefined) return missing(work, inUse);
  const objection = objectionToState(work, liveFacts) ?? (await objectionToPrivilege(work, liveFacts, live));
  if (objection !== undefined) return objection;
  return writeIdle(work, session, { live: liveFacts, idle, idleFacts: logins.get(idle) }, candidate);
}

async function writeIdle(
  work: Work,
  session: Session,
  pair: { readonly live: LoginFacts; readonly idle: string; readonly idleFacts: LoginFacts | undefined },
  candidate: Named,
): Promise<Failure | undefined> {
  const { live, idle, idleFacts } = pair;
  if (idleFacts !== undefined) {
    const objection = await objectionToPair(work, session, { live: live.name, idle });
    if (objection !== undefined) return objection;
  }
  const settings = await readSettings(session, [live.name, idle]);
  const verifier = await verifierFor(session, candidate.password);
  const statements =
    idleFacts === undefined
      ? creation(session, { live, settings, name: idle, verifier })
      : [...refresh({ live, idle: idleFacts, settings }), passwordChange(idle, verifier)];
  await runFenced(session, statements);
  return undefined;
}

/** The stored form of a password in place of the password: see scram.ts. */
function passwordChange(login: string, verifier: string): string {
  return `ALTER ROLE ${quoteName(login)} PASSWORD ${quoteText(verifier)}`;
}

function missing(work: Work, login: string): Failure {
  return failure('target-missing', {
    secret: work.step.secret,
    target: adminTarget(work.step),
    detail: `there is no login "${login}"`,
  });
}
