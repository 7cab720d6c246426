/** Judging a value: nobody can be asked but the value itself. */
import type { Credential } from '../../shared/contract/credential.ts';
import { breaks, type PasswordRules } from '../../shared/contract/password-rules.ts';
import type { Step, VerifyOutcome } from '../../shared/contract/rotator.ts';
import type { SelfIssuedTags } from './tags.ts';

const lettersAndDigits = /^[A-Za-z0-9]+$/;

/** Whether verifiers will trust the value: it is published, or is made as the tags say. No I/O. */
export function verify(step: Step<SelfIssuedTags>, credential: Credential): VerifyOutcome {
  if (credential.password.isEmpty) return { kind: 'refused', detail: 'the value is empty' };
  // What is published already was made under other rules, perhaps by hand: verifiers trust it as it is.
  if (credential.password.equals(step.current.password)) return { kind: 'accepted' };
  const previous = step.current.parts?.['previous'];
  if (previous?.equals(credential.password) === true) return { kind: 'accepted' };
  const value = credential.password.reveal();
  const { passwordRules } = step;
  const wrong = passwordRules === undefined ? malformation(step.options, value) : brokenRule(passwordRules, value);
  return wrong === undefined ? { kind: 'accepted' } : { kind: 'refused', detail: wrong };
}

function brokenRule(rules: PasswordRules, value: string): string | undefined {
  const broken = breaks(rules, value);
  return broken === undefined ? undefined : `the value has ${broken}`;
}

function malformation({ form, prefix }: SelfIssuedTags, value: string): string | undefined {
  if (!value.startsWith(prefix)) return 'the value does not start with the prefix';
  const random = value.slice(prefix.length);
  if (form.kind === 'bytes') {
    const bytes = Buffer.from(random, form.encoding);
    if (bytes.toString(form.encoding) !== random) return `the value is not ${form.encoding}`;
    return bytes.length === form.bytes ? undefined : `the value holds ${bytes.length} bytes instead of ${form.bytes}`;
  }
  if (random.length !== form.length) return `the value has ${random.length} characters instead of ${form.length}`;
  const { alphabet } = form;
  const known = alphabet === undefined ? lettersAndDigits.test(random) : [...random].every((c) => alphabet.includes(c));
  return known ? undefined : 'the value has characters that are not in the alphabet';
}
