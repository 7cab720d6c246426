/**
 * The password policy that CHECK_POLICY stands for: three classes of four, and not the name. How long a password has to be is the Windows
 * server's to say and cannot be read; 40 characters are longer than it can ask for (14, or 20 by a domain's fine-grained policy).
 * https://learn.microsoft.com/sql/relational-databases/security/password-policy
 */
import {
  type CharacterClass,
  type PasswordRules,
  planPassword,
  type TargetRules,
} from '../../shared/contract/password-rules.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, isFailure } from '../../shared/errors.ts';
import { drawPassword } from '../common/password-rules.ts';
import type { SqlStep } from './connect.ts';
import { longestPassword } from './quote.ts';

const wanted = 3;

/** In this order a class is added to those that the tag requires: special characters come last, as they may need quoting. */
const inOrder: readonly CharacterClass[] = ['upper', 'lower', 'digit', 'special'];

/** What the policy asks of passwords with these rules of the tag. */
export function policyBeside(own: PasswordRules = {}): TargetRules {
  const asked = inOrder.filter((one) => (own.require?.[one] ?? 0) > 0);
  const possible = inOrder.filter((one) => !asked.includes(one) && isPossible(own, one));
  const chosen = [...asked, ...possible].slice(0, Math.max(wanted, asked.length));
  // Too few are left: asked for all the same, so that the refusal names them.
  const all = chosen.length < wanted ? inOrder.slice(0, wanted) : chosen;
  const require = Object.fromEntries(all.map((one) => [one, 1]));
  return { source: 'the password policy (three of four classes)', longest: longestPassword, require };
}

function isPossible({ exclude = '' }: PasswordRules, one: CharacterClass): boolean {
  return planPassword({ length: 256, require: { [one]: 1 }, exclude }).kind === 'plan';
}

/** What holds without CHECK_POLICY. */
export const withoutPolicy: TargetRules = { source: 'SQL Server', longest: longestPassword };

/**
 * A password that keeps the policy, whether the login is checked by it or not. Where the tag leaves too few classes the login may still be
 * one that is not: the plan looks, and the server says so itself.
 */
export function draw(step: SqlStep): { readonly kind: 'drawn'; readonly password: SecretText } | Failure {
  const drawn = drawPassword(step, policyBeside(step.passwordRules));
  return isFailure(drawn) ? drawPassword(step, withoutPolicy) : drawn;
}

/** A password that nobody keeps. */
export function anyPassword(step: SqlStep): SecretText {
  const drawn = draw(step);
  return isFailure(drawn) ? step.newPassword() : drawn.password;
}
