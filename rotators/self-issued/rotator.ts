/** Secrets without a target: signing keys, webhook secrets, random tokens. The value itself is what verifiers trust. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Rotator, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { failure } from '../../shared/errors.ts';
import { check } from './check.ts';
import { wrongRules } from './rules.ts';
import type { SelfIssuedTags } from './tags.ts';
import { verify } from './verify.ts';

const hexDigits = '0123456789abcdef';
/** Makes and judges values; asks nobody. Every method may be called again. */
export const selfIssuedRotator: Rotator<SelfIssuedTags> = {
  propose: (step, current) => {
    const detail = wrongRules(step);
    if (detail !== undefined)
      return failure('tag-invalid', { secret: step.secret, problems: [{ tag: 'password', detail }] });
    const next: Credential = { ...current, password: makeValue(step) };
    // A value written as {current, previous} keeps the old key beside the new one, so that verifiers accept both during the
    // overlap. The field is kept out of other values: it would have no place there.
    return keepingPrevious(next, current);
  },
  // On the way back to an earlier key it is the newer one that verifiers must go on accepting.
  apply: async (step, candidate) => ({ kind: 'applied', credential: keepingPrevious(candidate, step.current) }),
  verify: async (step, credential) => verify(step, credential),
  inUse: async () => ({ kind: 'unknown', detail: 'a self-issued secret has no sessions: only its verifiers know' }),
  // Nobody refuses an old signing key but its verifiers. The engine takes `previous` out of the value; that is the end of it.
  retire: async () => ({ kind: 'retired', sessionsEnded: 0 }),
  check: async (step) => check(step),
  // A value is made and judged, and nobody but this process ever has it.
  rehearsal: {
    twinStep: (step) => ({ kind: 'twin', step }),
    discard: async () => ({ kind: 'discarded' }),
  },
};

function keepingPrevious(next: Credential, current: Credential): Credential {
  const isSame = next.password.equals(current.password);
  if (current.parts?.['previous'] === undefined || isSame) return next;
  return { ...next, parts: { ...current.parts, previous: current.password } };
}

function makeValue(step: Step<SelfIssuedTags>): SecretText {
  const { form, prefix } = step.options;
  if (form.kind === 'characters') {
    const rules = form.alphabet === undefined ? {} : { alphabet: form.alphabet };
    const fixed = step.passwordRules === undefined ? { length: form.length, ...rules } : {};
    return new SecretText(prefix + step.newPassword(fixed).reveal());
  }
  // Random bytes come as hex digits from the step's generator, so that there is one source of randomness.
  // The first digit is left out: a password begins with a letter, and bytes must not.
  const hex = step
    .newPassword({ length: form.bytes * 2 + 1, alphabet: hexDigits, require: {} })
    .reveal()
    .slice(1);
  return new SecretText(prefix + Buffer.from(hex, 'hex').toString(form.encoding));
}
