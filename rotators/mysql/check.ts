/** The preflight: what would stop a rotation, seen without changing anything. */
import type { Check } from '../../shared/contract/rotator.ts';
import { type Failure, isFailure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import type { AccountState } from './accounts.ts';
import { type Call, choose, failureOf, isEncrypted, openAdmin } from './connect.ts';
import { fault } from './fault.ts';
import { type Grant, lacking, ownGrants } from './grants.ts';
import { nextLogin } from './next.ts';
import { missingFor, type Pair, readPairs, whyNotSafe } from './pair.ts';
import { passwordsOf } from './passwords-of.ts';
import { accountName } from './quote.ts';
import type { Session } from './session.ts';
import { verify } from './verify.ts';

export async function check(call: Call): Promise<readonly Check[]> {
  const { step } = call;
  const next = nextLogin(step, step.current);
  if (isFailure(next)) return [failed('strategy', next)];
  const session = await openAdmin(call, [step.current]);
  if (isFailure(session)) return [failed('admin', session)];
  try {
    const transport = isEncrypted(step.adminEndpoint) ? 'the connection is TLS, verified' : 'plain, to loopback only';
    const connected = [
      passed(
        'admin',
        `${adminName(call.step)} logs in at ${session.target} (${session.server.flavour} ${session.server.text})`,
      ),
      passed('tls', transport),
      writable(call, session),
    ];
    // Replacing its own password is all that such a login does, and every login may.
    if (step.strategy === 'single-user' && step.admin.kind === 'self') return [...connected, await published(call)];
    const account = await checkAccount(call, session);
    const pair = step.strategy === 'alternating-users' ? await checkPairs(call, session, next.login) : [];
    return [...connected, ...account, ...pair, ...(await permissions(call, session)), await published(call)];
  } finally {
    session.close();
  }
}

function writable(call: Call, { server, target }: Session): Check {
  if (server.readOnly === undefined) return passed('writable', 'the server takes changes');
  return failed('writable', failureOf(call, fault('read-only', target, server.readOnly)));
}

function passed(name: string, detail: string): Check {
  return { name, state: 'passed', detail };
}

function failed(name: string, why: Failure): Check {
  return { name, state: 'failed', detail: why.message, fix: why.hint };
}

async function checkAccount(call: Call, session: Session): Promise<Check[]> {
  const { step } = call;
  const user = step.current.username ?? '';
  const chosen = await choose(session, user, [step.current]);
  if (chosen.kind === 'fault') return [failed('login', failureOf(call, chosen))];
  if (chosen.kind === 'missing') {
    const detail = `${session.target} has no account ${user}`;
    return [{ name: 'login', state: 'failed', detail, fix: `Create ${user}, or correct the login in ${step.secret}.` }];
  }
  const { states, others } = chosen;
  const checks = [
    passed('login', `the login is the account ${namesOf(states)}`),
    ...states.map((state) => possible(call, session, state)),
  ];
  if (others.length === 0) return checks;
  // They may be somebody else's on purpose, so they are no failure; but a consumer there would not get the new password.
  const detail = `left alone, since they have the same name and another password: ${namesOf(others)}`;
  return [...checks, { name: 'other hosts', state: 'unknown', detail }];
}

function namesOf(states: readonly AccountState[]): string {
  return states.map(({ account }) => accountName(account)).join(', ');
}

function possible(call: Call, session: Session, state: AccountState): Check {
  const { strategy } = call.step;
  const passwords = passwordsOf(session);
  const why = strategy === 'dual-password' ? passwords.whyNotTwo(session, state) : passwords.whyNotOne(state);
  if (why === undefined) return passed('strategy', `${strategy} is possible`);
  const fix = `Choose another one with the tag "strategy" of ${call.step.secret}, or change how the login identifies itself.`;
  return { name: 'strategy', state: 'failed', detail: why, fix };
}

async function checkPairs(call: Call, session: Session, login: string): Promise<Check[]> {
  const read = await readPairs(call, session, login, [call.step.current]);
  if (read.kind === 'fault') return [failed('second login', failureOf(call, read))];
  const checks: Check[] = [];
  for (const pair of read.pairs) checks.push(...(await checkPair(call, session, pair)));
  return checks;
}

async function checkPair(call: Call, session: Session, pair: Pair): Promise<Check[]> {
  const { step } = call;
  const unsafe = whyNotSafe(pair, session);
  if (unsafe !== undefined) {
    const fix = `Choose another second login with the tag "users" of ${step.secret}.`;
    return [{ name: 'second login', state: 'failed', detail: unsafe, fix }];
  }
  const name = accountName(pair.other);
  const missing = missingFor(pair);
  if (pair.idle === undefined)
    return [passed('second login', `${name} will be created`), await grantable(call, session, missing)];
  if (missing.length === 0) return [passed('second login', `${name} may do what the login in use may`)];
  if (pair.idle.state.locked) {
    return [passed('second login', `${name} is given what it lacks`), await grantable(call, session, missing)];
  }
  const fix = `Grant to ${name}: ${missing.join('; ')}.`;
  return [{ name: 'second login', state: 'failed', detail: `${name} lacks ${missing.join('; ')}`, fix }];
}

async function grantable(call: Call, session: Session, rights: readonly string[]): Promise<Check> {
  const own = await ownGrants(session);
  if (own.kind === 'fault') return failed('rights to give', failureOf(call, own));
  const withOption = rights.filter((right) => / ON /.test(right) && !right.endsWith('OPTION'));
  const beyond = withOption.filter((right) => !mayGive(own.grants, right));
  if (beyond.length === 0) return passed('rights to give', 'the admin may pass on what the second login needs');
  const detail = `the admin ${adminName(call.step)} may not pass on: ${beyond.join('; ')}`;
  if (hasRoles(own.grants)) return { name: 'rights to give', state: 'unknown', detail: `${detail}; its roles may` };
  const fix = `Grant them to the rotation admin WITH GRANT OPTION, or create the second login by hand.`;
  return { name: 'rights to give', state: 'failed', detail, fix };
}

function mayGive(held: readonly Grant[], right: string): boolean {
  const everywhere = right.replace(/ ON .*$/s, ' ON *.*');
  const wanted = [right, everywhere].map((one) => ({ rights: [`${one} WITH GRANT OPTION`], statementFor: () => '' }));
  return wanted.some((one) => lacking([one], held).length === 0);
}

function hasRoles(held: readonly Grant[]): boolean {
  return held.some((grant) => grant.rights.some((right) => right.startsWith('ROLE ')));
}

const needed = [
  ['CREATE USER', 'to change passwords'],
  ['PROCESS', 'to see who is still on the old credential'],
] as const;

async function permissions(call: Call, session: Session): Promise<Check[]> {
  const own = await ownGrants(session);
  if (own.kind === 'fault') return [failed('permissions', failureOf(call, own))];
  const missing = needed.filter(([right]) => {
    const wanted = { rights: [`${right} ON *.*`], statementFor: () => '' };
    return lacking([wanted], own.grants).length > 0;
  });
  if (missing.length === 0) return [passed('permissions', 'the admin may change passwords and see sessions')];
  const detail = `the admin ${adminName(call.step)} lacks ${missing.map(([right, why]) => `${right} (${why})`).join(', ')}`;
  if (hasRoles(own.grants))
    return [{ name: 'permissions', state: 'unknown', detail: `${detail}; its roles may have it` }];
  const fix = `GRANT ${missing.map(([right]) => right).join(', ')} ON *.* TO the rotation admin.`;
  return [{ name: 'permissions', state: 'failed', detail, fix }];
}

async function published(call: Call): Promise<Check> {
  const { step } = call;
  const answer = await verify(call, step.current);
  if (answer.kind === 'accepted') return passed('published credential', `${step.current.username ?? ''} logs in`);
  if (answer.kind === 'failed') return failed('published credential', answer);
  const detail = 'detail' in answer ? answer.detail : answer.missing.join(', ');
  const fix = `Set the vault's current version of ${step.secret} to a credential that works.`;
  return { name: 'published credential', state: 'failed', detail, fix };
}
