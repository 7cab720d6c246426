/** The preflight: what would stop a rotation, seen without changing anything. */
import type { RotatorCheck } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import { checkAccounts, checkOwnRules } from './check-accounts.ts';
import { failed, passed } from './check-lines.ts';
import { checkPairs } from './check-pairs.ts';
import { checkRights } from './check-rights.ts';
import { type Call, choose, failureOf, isEncrypted, openAdmin } from './connect.ts';
import { fault } from './fault.ts';
import { ownGrants } from './grants.ts';
import { nextLogin } from './next.ts';
import type { Session } from './session.ts';
import { verify } from './verify.ts';

export async function check(call: Call): Promise<readonly RotatorCheck[]> {
  const { step } = call;
  const next = nextLogin(step, step.current);
  if (isFailure(next)) return [failed('strategy', next)];
  const session = await openAdmin(call, [step.current]);
  if (isFailure(session)) return [failed('admin', session)];
  try {
    const { flavour, text } = session.server;
    const transport = isEncrypted(step.adminEndpoint) ? 'the connection is TLS, verified' : 'plain, to loopback only';
    const connected = [
      passed('admin', `${adminName(step)} logs in at ${session.target} (${flavour} ${text})`),
      passed('transport', transport),
      writable(call, session),
    ];
    // Replacing its own password is all that such a login does, and every login may.
    const isOwn = step.strategy === 'single-user' && step.admin.kind === 'self';
    const rest = isOwn ? await checkOwnRules(call, session) : await checkTarget(call, session, next.login);
    return [...connected, ...rest, await published(call)];
  } finally {
    session.close();
  }
}

function writable(call: Call, { server, target }: Session): RotatorCheck {
  if (server.readOnly === undefined) return passed('writable', 'the server takes changes');
  return failed('writable', failureOf(call, fault('read-only', target, server.readOnly)));
}

async function checkTarget(call: Call, session: Session, nextUser: string): Promise<readonly RotatorCheck[]> {
  const { step } = call;
  const user = step.current.username ?? '';
  const chosen = await choose(session, user, [step.current]);
  if (chosen.kind === 'fault') return [failed('login', failureOf(call, chosen))];
  if (chosen.kind === 'missing') {
    const detail = `${session.target} has no account ${user}`;
    return [{ name: 'login', state: 'failed', detail, fix: `Create ${user}, or correct the login in ${step.secret}.` }];
  }
  const own = await ownGrants(session);
  if (own.kind === 'fault') return [failed('permissions', failureOf(call, own))];
  return [
    ...(await checkAccounts(call, session, chosen)),
    ...(step.strategy === 'alternating-users' ? await checkPairs(call, session, own.grants, nextUser) : []),
    ...(await checkRights(call, session, own.grants, chosen.states)),
  ];
}

async function published(call: Call): Promise<RotatorCheck> {
  const { step } = call;
  const answer = await verify(call, step.current);
  if (answer.kind === 'accepted') return passed('current credential', `${step.current.username ?? ''} logs in`);
  if (answer.kind === 'failed') return failed('current credential', answer);
  const detail = 'detail' in answer ? answer.detail : answer.missing.join(', ');
  const fix = `Set the vault's current version of ${step.secret} to a credential that works.`;
  return { name: 'current credential', state: 'failed', detail, fix };
}
