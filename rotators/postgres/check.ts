/** The preflight: what a rotation would need, looked at without changing anything. */
import type { CheckName, RotatorCheck } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { otherLogin } from '../common/pair.ts';
import { type AdminAccess, adminAccess, adminTarget, loginOpening, loginTarget, type Work } from './connect.ts';
import { adminFailure, type PostgresFault } from './fault.ts';
import { objectionToEnd, objectionToName, objectionToPair, objectionToState, readPairRights } from './guard.ts';
import {
  type AdminRights,
  attributesOutOfReach,
  type LoginFacts,
  missingRight,
  readAdminRights,
  readLogins,
} from './logins.ts';
import { passwordObjection } from './password.ts';
import { passwordLines } from './password-rules.ts';
import { longestName, quoteName } from './quote.ts';
import { tookCredential, withSession } from './session.ts';
import { readSettings, settingsOutOfReach } from './settings.ts';
import type { Greeting, Session } from './talk.ts';
import { isEncrypted, type Opening } from './wire.ts';

export async function check(work: Work): Promise<readonly RotatorCheck[]> {
  const named = nameChecks(work);
  if (named.some((line) => line.state === 'failed')) return named;
  const server = work.step.admin.kind === 'self' ? [] : await adminChecks(work);
  return [...named, ...server, ...(await loginChecks(work))];
}

function passed(name: CheckName, detail: string): RotatorCheck {
  return { name, state: 'passed', detail };
}

function failed(name: CheckName, detail: string, fix: string): RotatorCheck {
  return { name, state: 'failed', detail, fix };
}

function names(work: Work): { readonly live: string; readonly idle: string | undefined; readonly fault?: string } {
  const live = work.step.current.username ?? '';
  if (work.step.strategy !== 'alternating-users') return { live, idle: undefined };
  const pair = otherLogin(live, { users: work.step.options.users, maxLength: longestName });
  return pair.kind === 'pair' ? { live, idle: pair.other } : { live, idle: undefined, fault: pair.detail };
}

function nameChecks(work: Work): readonly RotatorCheck[] {
  const { idle, fault } = names(work);
  const lines: RotatorCheck[] = [];
  const objection =
    objectionToName(work, work.step.current.username) ?? (idle === undefined ? undefined : objectionToName(work, idle));
  if (objection !== undefined) lines.push(failed('login', objection.message, objection.hint));
  if (fault !== undefined) {
    lines.push(failed('second login', fault, `Name both logins in the tag "users" of ${work.step.secret}.`));
  }
  if (lines.length === 0 && idle !== undefined) lines.push(passed('second login', `the other login is "${idle}"`));
  return lines;
}

async function adminChecks(work: Work): Promise<readonly RotatorCheck[]> {
  const access = await adminAccess(work);
  if (isFailure(access)) return [failed('admin', access.message, access.hint)];
  const outcome = await withSession(access.opening, (session) => lookAsAdmin(work, access, session));
  if (outcome.kind === 'done') return outcome.result;
  const failure = adminFailure(outcome.fault, { step: work.step, target: access.target, who: access.who });
  return [failed('admin', failure.message, failure.hint)];
}

async function lookAsAdmin(work: Work, access: AdminAccess, session: Session): Promise<readonly RotatorCheck[]> {
  const { live, idle } = names(work);
  const wanted = idle === undefined ? [live] : [live, idle];
  const { opening } = access;
  const [greeting, logins, rights, passwords] = await Promise.all([
    session.greeting(),
    readLogins(session, wanted),
    readAdminRights(session, wanted),
    passwordLines(work, session, opening.username),
  ]);
  return [
    passed('admin', `${adminTarget(work.step)} lets "${opening.username}" in`),
    transport(opening),
    encryption(session, greeting),
    ...passwords,
    ...writable(greeting),
    ...adminRights(session, rights, opening.username),
    ...state(work, logins.get(live), live),
    ...(await pair(work, { access, session, rights }, logins, { live, idle })),
  ];
}

function transport(opening: Opening): RotatorCheck {
  const detail = isEncrypted(opening.endpoint)
    ? 'the connection is encrypted and the certificate is trusted'
    : 'a plain connection that does not leave this machine';
  return passed('transport', detail);
}

function encryption(session: Session, greeting: Greeting): RotatorCheck {
  const objection = passwordObjection(session, greeting);
  const name = 'password storage';
  if (objection === undefined) return passed(name, `SCRAM-SHA-256, ${greeting.iterations ?? 4096} iterations`);
  return failed(name, objection, `Set password_encryption to 'scram-sha-256' on the server.`);
}

function writable({ inRecovery }: Greeting): readonly RotatorCheck[] {
  if (!inRecovery) return [];
  const detail = 'the server is a standby (in recovery), which takes no changes; a rotation waits until it does';
  return [failed('writable', detail, 'Name the primary, or all servers, in the admin connection.')];
}

function adminRights(session: Session, found: AdminRights | undefined, admin: string): readonly RotatorCheck[] {
  if (found === undefined)
    return [{ name: 'permissions', state: 'unknown', detail: 'the admin is no role of pg_roles' }];
  const lacks = missingRight(session, found);
  const change =
    lacks === undefined
      ? passed('permissions', 'the admin may change the logins')
      : failed('permissions', `the admin lacks ${lacks}`, `Grant ${lacks} to the rotation admin.`);
  if (found.maySignal) return [change, passed('emergency', 'the admin may end sessions')];
  const detail = 'the admin may not end sessions of other logins, which only an emergency rotation does';
  return [
    change,
    { name: 'emergency', state: 'unknown', detail, fix: `Run GRANT pg_signal_backend TO ${quoteName(admin)};` },
  ];
}

function state(work: Work, login: LoginFacts | undefined, name: string): readonly RotatorCheck[] {
  if (login === undefined) {
    const fix = `Create it, or correct the login in the value of ${work.step.secret}.`;
    return [failed('login', `there is no login "${name}"`, fix)];
  }
  const objection = objectionToState(work, login);
  if (objection !== undefined) return [failed('login', objection.message, objection.hint)];
  return [passed('login', `"${name}" may log in`)];
}

interface Inside {
  readonly access: AdminAccess;
  readonly session: Session;
  readonly rights: AdminRights | undefined;
}

async function pair(
  work: Work,
  inside: Inside,
  logins: ReadonlyMap<string, LoginFacts>,
  { live, idle }: { readonly live: string; readonly idle: string | undefined },
): Promise<readonly RotatorCheck[]> {
  const model = logins.get(live);
  if (idle === undefined || model === undefined) return [];
  if (!logins.has(idle)) return [await creatable(inside, model, idle)];
  const both = { live, idle };
  const objection = await objectionToPair(work, inside.access, both, await readPairRights(inside.session, both));
  if (objection !== undefined) return [failed('second login', objection.message, objection.hint)];
  return [passed('second login', `"${idle}" may do what "${live}" may, and no more`)];
}

async function creatable({ session, rights }: Inside, live: LoginFacts, idle: string): Promise<RotatorCheck> {
  const name = 'second login';
  const attributes = rights === undefined ? [] : attributesOutOfReach(session, rights, live);
  const settings = await settingsOutOfReach(session, await readSettings(session, [live.name]), live.name);
  if (attributes.length + settings.length === 0)
    return passed(name, `"${idle}" does not exist yet and will be created`);
  const lacking = [...attributes, ...settings.map((setting) => `SET ON PARAMETER "${setting}"`)].join(', ');
  const detail = `"${live.name}" has what the admin may not give to "${idle}": ${lacking}`;
  return failed(name, detail, `Give the rotation admin ${lacking}, or create "${idle}" by hand.`);
}

/** The login in use, as its consumers come in. A self-rotation has only this connection, so it asks it about the server too. */
async function loginChecks(work: Work): Promise<readonly RotatorCheck[]> {
  const { step } = work;
  const opening = loginOpening(work, step.current);
  if (opening.password.isEmpty) return [failed('current credential', 'the password is empty', 'Set a value with one.')];
  const outcome = await withSession(opening, async (session) =>
    step.admin.kind === 'self' ? lookAsItself(work, opening, session) : [],
  );
  if (outcome.kind === 'done') {
    const where = opening.otherwise === undefined ? `into the database "${opening.database}"` : 'in';
    const detail = `${loginTarget(step)} lets "${opening.username}" ${where}`;
    return [passed('current credential', detail), ...outcome.result];
  }
  if (tookCredential(outcome)) {
    const detail = `${loginTarget(step)} takes the password of "${opening.username}", and had no room for a session: ${outcome.fault.message}`;
    return [passed('current credential', detail)];
  }
  return [failed('current credential', outcome.fault.message, loginFix(work, outcome.fault))];
}

async function lookAsItself(work: Work, opening: Opening, session: Session): Promise<readonly RotatorCheck[]> {
  const [greeting, logins, passwords] = await Promise.all([
    session.greeting(),
    readLogins(session, [opening.username]),
    passwordLines(work, session, opening.username),
  ]);
  const own = logins.get(opening.username);
  const end = own === undefined ? undefined : objectionToEnd(work, own);
  return [
    transport(opening),
    encryption(session, greeting),
    ...passwords,
    ...writable(greeting),
    ...(end === undefined ? [] : [failed('login', end.message, end.hint)]),
  ];
}

function loginFix(work: Work, fault: PostgresFault): string {
  const { secret } = work.step;
  switch (fault.kind) {
    case 'unreachable':
      return `Check that ${loginTarget(work.step)} is up and that its firewall lets the function app in.`;
    case 'untrusted':
      return 'Add the certificate authority of the server to KEYTURN_TRUSTED_CERTIFICATES.';
    case 'missing':
      return `Correct the database in the value of ${secret}.`;
    case 'busy':
    case 'read-only':
    case 'late':
      return 'Try again; when it stays, raise max_connections or the connection limit of the login.';
    case 'refused':
    case 'forbidden':
    case 'rejected':
      return `Set the vault's current version of ${secret} to a credential that works, or run "keyturn rotate ${secret} --force".`;
  }
}
