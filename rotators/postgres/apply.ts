import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome } from '../../shared/contract/rotator.ts';
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
import { adminFailure, type PostgresFault } from './fault.ts';
import { objectionToEnd, objectionToName, objectionToPair, objectionToState, readPairRights } from './guard.ts';
import { type LoginFacts, readLogins } from './logins.ts';
import { creation, refresh } from './pair.ts';
import { storedFormOf } from './password.ts';
import { objectionToPassword } from './password-rules.ts';
import { objectionToPower, powersIn } from './power.ts';
import { quoteName, quoteText } from './quote.ts';
import { withSession } from './session.ts';
import { readSettings, type Setting } from './settings.ts';
import type { Session } from './talk.ts';

/** Makes the server accept the candidate, a new one or an earlier one on its way back: the password it has is the one it gets. */
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
    change({ work, access, session }, { ...candidate, username: name }, live),
  );
  if (outcome.kind === 'done') return outcomeOf(outcome.result, candidate);
  if (!outcome.entered && outcome.fault.kind === 'forbidden') {
    return failure('admin-refused', { ...placeOf(work, outcome.fault.message), admin: access.who }, outcome.fault);
  }
  const permission = deniedSetting(outcome.fault) ?? 'CREATEROLE or ADMIN OPTION on the login';
  return adminFailure(outcome.fault, { step: work.step, target: access.target, who: access.who, permission });
}

/** The change was made. The facts are those of the login whose end the credential shares. */
interface Made {
  readonly kind: 'made';
  readonly facts: LoginFacts | undefined;
}

function outcomeOf(result: Made | Failure, credential: Credential): ApplyOutcome {
  if (result.kind === 'failed') return result;
  const lastsMs = result.facts?.expiresInMs ?? undefined;
  return { kind: 'applied', credential, ...(lastsMs === undefined ? {} : { lastsMs }) };
}

type Named = Credential & { readonly username: string };

/** Inside the admin's session. */
interface Inside {
  readonly work: Work;
  readonly access: AdminAccess;
  readonly session: Session;
}

// A setting of the login in use that only some may set: the other login could not be given it.
function deniedSetting(fault: PostgresFault): string | undefined {
  const name = /permission denied to set parameter ("[^"]+")/.exec(fault.message)?.[1];
  return name === undefined ? undefined : `SET ON PARAMETER ${name}`;
}

function placeOf(work: Work, detail: string) {
  return { secret: work.step.secret, target: adminTarget(work.step), detail };
}

/** `single-user` with an admin. */
async function changePassword({ work, session }: Inside, candidate: Named, live: Credential): Promise<Made | Failure> {
  const login = candidate.username;
  const storedForm = storedFormOf(candidate.password);
  const [logins, powers, unkept] = await Promise.all([
    readLogins(session, [login]),
    powersIn(session, login),
    objectionToPassword(work, session, candidate),
  ]);
  const facts = logins.get(login);
  if (facts === undefined) return missing(work, login);
  const objection = objectionToState(work, facts) ?? unkept ?? (await objectionToPower(work, login, powers, live));
  if (objection !== undefined) return objection;
  await session.change([passwordChange(login, await storedForm(session))]);
  return { kind: 'made', facts };
}

/** `single-user` without an admin: the login may always change its own password. */
async function changeOwnPassword(work: Work, candidate: Named, live: Credential): Promise<ApplyOutcome> {
  const { step } = work;
  const login = candidate.username;
  if (live.username !== login) {
    const detail = `what logs in is "${live.username ?? ''}", and a login without an admin changes no password but its own`;
    return failure('login-not-safe', { secret: step.secret, target: loginTarget(step), login, detail });
  }
  const outcome = await withSession(loginOpening(work, live), async (session): Promise<Made | Failure> => {
    const storedForm = storedFormOf(candidate.password);
    const [logins, unkept] = await Promise.all([
      readLogins(session, [login]),
      objectionToPassword(work, session, candidate),
    ]);
    const [facts] = logins.values();
    const objection = (facts === undefined ? undefined : objectionToEnd(work, facts)) ?? unkept;
    if (objection !== undefined) return objection;
    await session.change([passwordChange(login, await storedForm(session))]);
    return { kind: 'made', facts };
  });
  if (outcome.kind === 'done') return outcomeOf(outcome.result, candidate);
  const { fault } = outcome;
  if (fault.kind === 'refused' || (fault.kind === 'forbidden' && !outcome.entered)) {
    return failure('no-live-credential', { secret: step.secret, login, detail: fault.message }, fault);
  }
  return loginFailure(work, fault);
}

/** `alternating-users`: the login that is not in use gets the new password, and is made first when it does not exist. */
async function changeIdle(inside: Inside, candidate: Named, live: Credential): Promise<Made | Failure> {
  const { work, session } = inside;
  const inUse = work.step.current.username ?? '';
  const idle = candidate.username;
  if (idle === inUse) {
    const detail = 'it is the login in use, which alternating-users never touches';
    return failure('login-not-safe', { ...placeOf(work, detail), login: idle });
  }
  const pair = { live: inUse, idle };
  const storedForm = storedFormOf(candidate.password);
  const [logins, powers, rights, settings, unkept] = await Promise.all([
    readLogins(session, [inUse, idle]),
    powersIn(session, inUse),
    readPairRights(session, pair),
    readSettings(session, [inUse, idle]),
    objectionToPassword(work, session, candidate),
  ]);
  const facts = logins.get(inUse);
  if (facts === undefined) return missing(work, inUse);
  const objection =
    objectionToEnd(work, facts) ??
    unkept ??
    (await objectionToPower(work, inUse, powers, live)) ??
    (logins.has(idle) ? await objectionToPair(work, inside.access, pair, rights) : undefined);
  if (objection !== undefined) return objection;
  const verifier = await storedForm(session);
  await writeIdle(session, { live: facts, idle: logins.get(idle), settings }, { name: idle, verifier });
  return { kind: 'made', facts };
}

async function writeIdle(
  session: Session,
  {
    live,
    idle,
    settings,
  }: { readonly live: LoginFacts; readonly idle: LoginFacts | undefined; readonly settings: readonly Setting[] },
  { name, verifier }: { readonly name: string; readonly verifier: string },
): Promise<void> {
  await session.change(
    idle === undefined
      ? creation(session, { live, settings, name, verifier })
      : [...refresh({ live, idle, settings }), passwordChange(name, verifier)],
  );
}

/** The stored form of a password in place of the password: see scram.ts. */
function passwordChange(login: string, verifier: string): string {
  return `ALTER ROLE ${quoteName(login)} PASSWORD ${quoteText(verifier)}`;
}

function missing(work: Work, login: string): Failure {
  return failure('target-missing', placeOf(work, `there is no login "${login}"`));
}
