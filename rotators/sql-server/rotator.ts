import type { Credential } from '../../shared/contract/credential.ts';
import type { ApplyOutcome, Rotator, RotatorEnvironment, UseOutcome } from '../../shared/contract/rotator.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import { otherLogin } from '../common/pair.ts';
import { twinOfPair } from '../common/twin.ts';
import { bareName, findAccount, findPrincipal } from './accounts.ts';
import { applyAlternating, applySingle } from './apply.ts';
import { check } from './check.ts';
import { asAdmin, loginOf, type SqlStep } from './connect.ts';
import { discard } from './discard.ts';
import { draw } from './password-rules.ts';
import { longestName, longestPassword } from './quote.ts';
import { retire } from './retire.ts';
import { liveSessions } from './sessions.ts';
import type { SqlServerTags } from './tags.ts';
import { verify } from './verify.ts';

/** SQL Server, Azure SQL Database and Azure SQL Managed Instance. Keeps nothing between calls; every call closes what it opened. */
export function makeSqlServerRotator(environment: RotatorEnvironment): Rotator<SqlServerTags> {
  return {
    propose,
    apply: (step, candidate, live) => apply(step, candidate, live, environment),
    verify: (step, credential) => verify(step, credential, environment),
    inUse: (step, previous) => inUse(step, previous, environment),
    retire: (step, previous) => retire(step, previous, environment),
    check: (step) => check(step, environment),
    rehearsal: {
      twinStep: (step) => twinOfPair(step, bareName(step.current.username ?? '', step.endpoint)),
      discard: (step) => discard(step, environment),
    },
  };
}

function propose(step: SqlStep, current: Credential): Credential | Failure {
  const login = loginOf(step, current);
  if (isFailure(login)) return login;
  const drawn = draw(step);
  if (isFailure(drawn)) return drawn;
  const { password } = drawn;
  if (step.strategy === 'single-user') return { username: login.name, password };
  if (step.strategy !== 'alternating-users') {
    return failure('strategy-unsupported', { secret: step.secret, detail: `SQL Server has no ${step.strategy}.` });
  }
  if (step.admin.kind === 'self') {
    const detail = 'alternating-users changes the other login, which takes an admin: name one with the tag "admin".';
    return failure('strategy-unsupported', { secret: step.secret, detail });
  }
  // The ending @server of older clients belongs to the connection, not to the login.
  const bare = bareName(login.name, step.endpoint);
  const rules = { users: step.options.users, maxLength: longestName, lengthOf: (name: string) => name.length };
  const pair = otherLogin(bare, rules);
  if (pair.kind === 'pair') {
    return { username: `${pair.other}${login.name.slice(bare.length)}`, password };
  }
  return failure('tag-invalid', { secret: step.secret, problems: [{ tag: 'users', detail: pair.detail }] });
}

async function apply(
  step: SqlStep,
  candidate: Credential,
  live: Credential,
  environment: RotatorEnvironment,
): Promise<ApplyOutcome> {
  const names = [loginOf(step, candidate), loginOf(step, live)];
  const unfit = names.find(isFailure);
  if (unfit !== undefined) return unfit;
  if (candidate.password.isEmpty || candidate.password.reveal().length > longestPassword) {
    const detail = `the new password is empty or longer than the ${longestPassword} characters SQL Server takes`;
    return failure('value-unreadable', { secret: step.secret, detail });
  }
  const applyTo = step.strategy === 'alternating-users' ? applyAlternating : applySingle;
  return applyTo(step, candidate, live, environment);
}

async function inUse(step: SqlStep, previous: Credential, environment: RotatorEnvironment): Promise<UseOutcome> {
  const login = loginOf(step, previous);
  if (isFailure(login)) return { kind: 'unknown', detail: login.message };
  if (step.strategy !== 'alternating-users') {
    return {
      kind: 'unknown',
      detail: 'one login holds both passwords, and its sessions do not tell which one they came with',
    };
  }
  const name = bareName(login.name, step.endpoint);
  const outcome = await asAdmin(step, step.current, environment, [previous.password], async (server) => {
    const account = await findAccount(server, name, step.endpoint);
    const principal = await findPrincipal(server, account, name);
    if (principal === undefined) return [];
    const sessions = await liveSessions(server, account, principal, step.endpoint.database ?? server.database);
    return sessions.filter(({ ours }) => !ours);
  });
  if ('kind' in outcome) return { kind: 'unknown', detail: outcome.message };
  if (outcome.length === 0) return { kind: 'idle' };
  return { kind: 'in-use', sessions: outcome.length, by: [...new Set(outcome.map((session) => session.from))] };
}
