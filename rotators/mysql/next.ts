import type { Credential } from '../../shared/contract/credential.ts';
import type { TargetRules } from '../../shared/contract/password-rules.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure, isFailure } from '../../shared/errors.ts';
import { otherLogin } from '../common/pair.ts';
import { drawPassword } from '../common/password-rules.ts';
import type { MysqlTags } from './tags.ts';

/** What MySQL's own policy asks for by default (MEDIUM). */
export const ownRules = { require: { upper: 1, lower: 1, digit: 1, special: 1 } } as const;

/** A password that nobody keeps. Where none fits the rules, the server says so itself. */
export function freshPassword(step: Step<MysqlTags>, policy: TargetRules | undefined): SecretText {
  const drawn = drawPassword(step, policy, ownRules);
  return isFailure(drawn) ? step.newPassword(step.passwordRules ?? ownRules) : drawn.password;
}

/** Longest name of a login on MariaDB, in characters. MySQL takes 32 and says so itself. */
const maxNameLength = 128;

/** The login of the next credential. No I/O. */
export function nextLogin(
  step: Step<MysqlTags>,
  current: Credential,
): { readonly kind: 'login'; readonly login: string } | Failure {
  const { secret } = step;
  const { username } = current;
  if (username === undefined || username === '')
    return failure('value-unreadable', { secret, detail: 'it names no login' });
  if (step.strategy !== 'alternating-users') return { kind: 'login', login: username };
  if (step.admin.kind === 'self') {
    const detail = 'a login cannot give its second login a password; name an admin connection with the tag "admin"';
    return failure('strategy-unsupported', { secret, detail });
  }
  const lengthOf = (name: string) => [...name].length;
  const pair = otherLogin(username, { users: step.options.users, maxLength: maxNameLength, lengthOf });
  if (pair.kind === 'pair') return { kind: 'login', login: pair.other };
  return failure('tag-invalid', { secret, problems: [{ tag: 'users', detail: pair.detail }] });
}
