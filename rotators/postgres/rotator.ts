import type { Credential } from '../../shared/contract/credential.ts';
import type { Rotator, RotatorEnvironment, Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import { otherLogin } from '../common/pair.ts';
import { drawPassword } from '../common/password-rules.ts';
import { twinOfPair } from '../common/twin.ts';
import { apply } from './apply.ts';
import { check } from './check.ts';
import type { Memory } from './connect.ts';
import { discard } from './discard.ts';
import { longestName, nameFault } from './quote.ts';
import { retire } from './retire.ts';
import { inUse } from './sessions.ts';
import type { PostgresTags } from './tags.ts';
import { verify } from './verify.ts';

/** Rotates the password of PostgreSQL logins. Keeps no connection between calls. */
export function makePostgresRotator(environment: RotatorEnvironment): Rotator<PostgresTags> {
  const memory: Memory = { drawn: new WeakSet(), rules: new WeakMap() };
  return {
    propose: (step, current) => propose(step, current, memory),
    apply: (step, candidate, live) => apply({ step, environment, memory }, candidate, live),
    verify: (step, credential) => verify({ step, environment, memory }, credential),
    inUse: (step, previous) => inUse({ step, environment, memory }, previous),
    retire: (step, previous) => retire({ step, environment, memory }, previous),
    check: (step) => check({ step, environment, memory }),
    rehearsal: {
      twinStep: (step) => twinOfPair(step, step.current.username),
      discard: (step) => discard({ step, environment, memory }),
    },
  };
}

function propose(step: Step<PostgresTags>, current: Credential, memory: Memory): Credential | Failure {
  const username = nextLogin(step, current);
  if (typeof username !== 'string') return username;
  const drawn = drawPassword(step, memory.rules.get(step.current));
  if (isFailure(drawn)) return drawn;
  memory.drawn.add(drawn.password);
  return { username, password: drawn.password };
}

function nextLogin(step: Step<PostgresTags>, current: Credential): string | Failure {
  const { username } = current;
  if (username === undefined) {
    return failure('value-unreadable', { secret: step.secret, detail: 'the value names no login' });
  }
  const fault = nameFault(username);
  if (fault !== undefined) {
    return failure('value-unreadable', { secret: step.secret, detail: `the name of the login ${fault}` });
  }
  if (step.strategy !== 'alternating-users') return username;
  const pair = otherLogin(username, { users: step.options.users, maxLength: longestName });
  if (pair.kind === 'no-pair') {
    return failure('tag-invalid', {
      secret: step.secret,
      problems: [{ tag: 'users', detail: pair.detail }],
    });
  }
  return pair.other;
}
