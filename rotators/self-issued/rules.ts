/** The tag `password` at a secret that nobody issues: it takes the place of the tag `form`. */
import { planPassword } from '../../shared/contract/password-rules.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import { leastBits, type SelfIssuedTags } from './tags.ts';

/** Why the tag cannot be kept; undefined when it can, or is not there. */
export function wrongRules({ passwordRules, options }: Step<SelfIssuedTags>): string | undefined {
  if (passwordRules === undefined) return undefined;
  const { form, prefix } = options;
  const hasForm = prefix !== '' || form.kind === 'bytes' || form.alphabet !== undefined || form.length !== 40;
  if (hasForm) return 'says what the tag "form" says already; keep one of them';
  const plan = planPassword(passwordRules);
  if (plan.kind === 'unfit') return `cannot be met: ${plan.detail}`;
  if (plan.bits >= leastBits) return undefined;
  return `gives ${Math.floor(plan.bits)} random bits, and a key that is guessed at offline needs ${leastBits}; choose a greater length`;
}
