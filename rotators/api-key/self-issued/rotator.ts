/** Secrets without a target: signing keys, webhook secrets, random tokens. The value itself is what verifiers trust. */
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Check, Rotator, Step, VerifyOutcome } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import type { SelfIssuedOptions } from './options.ts';

const hexDigits = '0123456789abcdef';
const lettersAndDigits = /^[A-Za-z0-9]+$/;

/** Makes and judges values; asks nobody. Every method may be called again. */
export const selfIssuedRotator: Rotator<SelfIssuedOptions> = {
  propose: (step, current) => {
    const next: Credential = { ...current, password: makeValue(step) };
    // A value written as {current, previous} keeps the old key beside the new one, so that verifiers accept both during the
    // overlap. The field is kept out of other values: it would have no place there.
    if (current.parts?.['previous'] === undefined) return next;
    return { ...next, parts: { ...current.parts, previous: current.password } };
  },
  apply: async (_step, candidate) => ({ kind: 'applied', credential: candidate }),
  verify: async (step, credential) => judge(step, credential),
  inUse: async () => ({ kind: 'unknown', detail: 'a self-issued secret has no sessions: only its verifiers know' }),
  // Nobody refuses an old signing key but its verifiers. The engine takes `previous` out of the value; that is the end of it.
  retire: async () => ({ kind: 'retired', sessionsEnded: 0 }),
  check: async (step) => checks(step),
};

function makeValue(step: Step<SelfIssuedOptions>): SecretText {
  const { form, prefix } = step.options;
  if (form.kind === 'characters') {
    const rules = form.alphabet === undefined ? {} : { alphabet: form.alphabet };
    return new SecretText(prefix + step.newPassword({ length: form.length, ...rules }).reveal());
  }
  // Random bytes come as hex digits from the step's generator, so that there is one source of randomness.
  // The first digit is left out: a password begins with a letter, and bytes must not.
  const hex = step
    .newPassword({ length: form.bytes * 2 + 1, alphabet: hexDigits })
    .reveal()
    .slice(1);
  return new SecretText(prefix + Buffer.from(hex, 'hex').toString(form.encoding));
}

function judge(step: Step<SelfIssuedOptions>, credential: Credential): VerifyOutcome {
  if (credential.password.isEmpty) return { kind: 'refused', detail: 'the value is empty' };
  // What is published already was made under other rules, perhaps by hand: verifiers trust it as it is.
  if (credential.password.equals(step.current.password)) return { kind: 'accepted' };
  const previous = step.current.parts?.['previous'];
  if (previous?.equals(credential.password) === true) return { kind: 'accepted' };
  const wrong = malformation(step.options, credential.password.reveal());
  return wrong === undefined ? { kind: 'accepted' } : { kind: 'refused', detail: wrong };
}

function malformation({ form, prefix }: SelfIssuedOptions, value: string): string | undefined {
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

function checks(step: Step<SelfIssuedOptions>): Check[] {
  const both = step.current.parts?.['previous'] !== undefined;
  return [
    {
      name: 'value',
      state: step.current.password.isEmpty ? 'failed' : 'passed',
      detail: step.current.password.isEmpty ? 'the value is empty' : 'the value is what verifiers trust',
      ...(step.current.password.isEmpty ? { fix: `Store a first value of ${step.secret}.` } : {}),
    },
    {
      name: 'overlap',
      state: both ? 'passed' : 'unknown',
      detail: both
        ? 'the old key stays in the field "previous" until it is retired'
        : 'the value holds one key: verifiers must keep the old one themselves, or the value must be JSON with "current" and "previous"',
    },
  ];
}
