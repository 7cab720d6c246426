/** Passwords that keep the rules of their target by construction, where its settings can be read. */
import type { Credential } from '../../shared/contract/credential.ts';
import { meet, type PasswordRules, type TargetRules } from '../../shared/contract/password-rules.ts';
import type { RotatorCheck, Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';

/**
 * What the target was seen to ask for, by the current credential: the same object for all calls of one attempt. `propose` asks nobody, and
 * the published credential was proven before it by a login that may read the rules.
 */
export type SeenRules = WeakMap<Credential, TargetRules>;

type Asking = Pick<Step, 'passwordRules' | 'newPassword' | 'secret' | 'current' | 'endpoint'>;

/** `own`: what the rotator promises where there is no tag. */
export function drawPassword(
  step: Asking,
  target: TargetRules | undefined,
  own?: PasswordRules,
): { readonly kind: 'drawn'; readonly password: SecretText } | Failure {
  const rules = step.passwordRules ?? own;
  if (target === undefined) return { kind: 'drawn', password: step.newPassword(rules) };
  const met = meet(rules ?? {}, target);
  return met.kind === 'rules'
    ? { kind: 'drawn', password: step.newPassword(met.rules) }
    : unmet(step, target, met.detail);
}

function unmet({ secret, endpoint }: Asking, { source }: TargetRules, detail: string): Failure {
  return failure('password-rules', { secret, target: endpoint.host, detail: `${source}: ${detail}` });
}

/** The line of the preflight; none where the target asks for nothing. */
export function rulesLine(step: Asking, target: TargetRules | undefined, own?: PasswordRules): readonly RotatorCheck[] {
  if (target === undefined) return [];
  const name = 'password rules';
  const met = meet(step.passwordRules ?? own ?? {}, target);
  if (met.kind === 'rules') {
    const { length } = met.rules;
    return [{ name, state: 'passed', detail: `passwords of ${length} characters keep the rules of ${target.source}` }];
  }
  const why = unmet(step, target, met.detail);
  return [{ name, state: 'failed', detail: why.message, fix: why.hint }];
}
