import type { Credential } from '../../shared/contract/credential.ts';
import type { Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { otherLogin } from '../common/pair.ts';
import { apply } from './apply.ts';
import { check } from './check.ts';
import { longestName, nameFault } from './quote.ts';
import { retire } from './retire.ts';
import { inUse } from './sessions.ts';
import type { PostgresTags } from './tags.ts';
import { verify } from './verify.ts';

/** Rotates the password of PostgreSQL logins. Keeps no connection and no state between calls. */
export function makePostgresRotator(environment: RotatorEnvironment): Rotator<PostgresTags> {
  return {
    propose,
    apply: (step, candidate, live) => apply({ step, environment }, candidate, live),
    verify: (step, credential) => verify({ step, environment }, credential),
    inUse: (step, previous) => inUse({ step, environment }, previous),
    retire: (step, previous) => retire({ step, environment }, previous),
    check: (step) => check({ step, environment }),
  };
}

function propose(step: Step<PostgresTags>, current: Credential): Credential | Failure {
  const { username } = current;
  if (username === undefined) {
    return failure('value-unreadable', { secret: step.secret, detail: 'the value names no login' });
  }
  const fault = nameFault(username);
  if (fault !== undefined) {
    return failure('value-unreadable', { secret: step.secret, detail: `the name of the login ${fault}` });
  }
  if (step.strategy !== 'alternating-users') return { username, password: step.newPassword() };
  const pair = otherLogin(username, { users: step.options.users, maxLength: longestName });
  if (pair.kind === 'no-pair') {
    return failure('tag-invalid', {
      secret: step.secret,
      problems: [{ tag: 'users', detail: pair.detail }],
    });
  }
  return { username: pair.other, password: step.newPassword() };
}
