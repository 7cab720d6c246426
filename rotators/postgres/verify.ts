import type { Credential } from '../../shared/contract/credential.ts';
import type { VerifyOutcome } from '../../shared/contract/rotator.ts';
import { adminAccess, loginFailure, loginOpening, type Work } from './connect.ts';
import { adminFailure, type PostgresFault } from './fault.ts';
import { compareRights } from './grants.ts';
import { readLogins } from './logins.ts';
import { nameFault } from './quote.ts';
import { tookCredential, withSession } from './session.ts';

/** Logs in with the credential, and compares what it may do with what the login in use may. */
export async function verify(work: Work, credential: Credential): Promise<VerifyOutcome> {
  const { username = '' } = credential;
  const fault = nameFault(username);
  if (fault !== undefined) return { kind: 'refused', detail: `the name of the login ${fault}` };
  // The driver takes an empty password for a mistake of its caller and never asks the server.
  if (credential.password.isEmpty) return { kind: 'refused', detail: 'the password is empty' };
  const model = work.step.current.username ?? username;
  const outcome = await withSession(loginOpening(work, credential), async (session) =>
    rightsOutcome((await compareRights(session, model, username)).lacking),
  );
  if (outcome.kind === 'done') return outcome.result;
  if (tookCredential(outcome)) return comparedByAdmin(work, model, username);
  return outcomeOf(work, username, outcome.fault);
}

function rightsOutcome(missing: readonly string[]): VerifyOutcome {
  return missing.length === 0 ? { kind: 'accepted' } : { kind: 'lesser-rights', missing };
}

/**
 * The server took the password and had no room for the session: the login's limit of connections is used up, or it gave itself a limit of
 * time that no session survives. The password is a good one all the same, and the rights are compared by who has room.
 */
async function comparedByAdmin(work: Work, model: string, username: string): Promise<VerifyOutcome> {
  if (model === username || work.step.admin.kind === 'self') return { kind: 'accepted' };
  const access = await adminAccess(work);
  if (access.kind === 'failed') return access;
  const database = loginOpening(work, work.step.current).database;
  const outcome = await withSession({ ...access.opening, database }, async (session) =>
    rightsOutcome((await compareRights(session, model, username)).lacking),
  );
  if (outcome.kind === 'done') return outcome.result;
  return adminFailure(outcome.fault, {
    step: work.step,
    target: access.target,
    who: access.who,
    permission: `CONNECT ON DATABASE "${database}"`,
  });
}

async function outcomeOf(work: Work, username: string, fault: PostgresFault): Promise<VerifyOutcome> {
  switch (fault.kind) {
    case 'unreachable':
      return { kind: 'unreachable', detail: fault.message };
    case 'refused': {
      const reason = await reasonBehind(work, username);
      return { kind: 'refused', detail: reason === undefined ? fault.message : `${fault.message}: ${reason}` };
    }
    case 'forbidden':
      return { kind: 'refused', detail: fault.message };
    case 'untrusted':
    case 'missing':
    case 'busy':
    case 'read-only':
    case 'late':
    case 'rejected':
      return loginFailure(work, fault);
  }
}

// To the client, Postgres says only that the password is wrong; that the login is expired or closed stands in the server's log. The
// admin can look. Whether it can is no evidence about the credential, so what goes wrong here is left aside.
async function reasonBehind(work: Work, username: string): Promise<string | undefined> {
  if (work.step.admin.kind === 'self') return undefined;
  const access = await adminAccess(work);
  if (access.kind === 'failed') return undefined;
  const outcome = await withSession(access.opening, (session) => readLogins(session, [username]));
  if (outcome.kind === 'fault') return undefined;
  const login = outcome.result.get(username);
  if (login === undefined) return `there is no login "${username}"`;
  if (!login.mayLogIn) return `"${username}" is NOLOGIN`;
  return login.isExpired ? `"${username}" was valid until ${login.validUntil}` : undefined;
}
