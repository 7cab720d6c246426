/** What the tests of secret values share: text generators, and calls that fail the test when the outcome is not the hoped-for one. */
import fc from 'fast-check';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Hint, parseSecretValue, type SecretValue } from '../../shared/secret-value/index.ts';

/** Characters that mean something to one format or another. */
const hostileCharacters = [
  ...';\'"=,{}[]()%@:/?#&+\\$`|<>^~!*-_. \t\n\r',
  ...[
    '\u0085',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\u0001',
    '\u007f',
    'é',
    '密',
    '😀',
    '%41',
    '%zz',
    '==',
    '}}',
    '""',
    "''",
    'a',
    'Z',
    '0',
  ],
];

/** Any text without half surrogate pairs and NUL, rich in characters that need care. */
export const text = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...hostileCharacters), maxLength: 24 }),
    fc.string({ unit: 'binary', maxLength: 24 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
  )
  .filter((each) => !each.includes('\0') && each.isWellFormed());

export const filledText = text.filter((each) => each !== '');

export type { Hint };

export function parsed(value: string, hint: Hint = {}): SecretValue {
  const outcome = parseSecretValue(new SecretText(value), hint);
  if (outcome.kind === 'unreadable') throw new Error(`unreadable: ${outcome.detail}`);
  return outcome.value;
}

/** Why the value is unreadable. */
export function refusal(value: string, hint: Hint = {}): string {
  const outcome = parseSecretValue(new SecretText(value), hint);
  if (outcome.kind === 'parsed') throw new Error(`it was read as ${outcome.value.format}`);
  return outcome.detail;
}

export interface Next {
  readonly username?: string;
  readonly password: string;
  readonly parts?: Readonly<Record<string, string>>;
}

function replacing(value: string, next: Next, hint: Hint): ReturnType<SecretValue['replace']> {
  const parts = Object.entries(next.parts ?? {}).map(([name, part]) => [name, new SecretText(part)]);
  return parsed(value, hint).replace({
    password: new SecretText(next.password),
    ...(next.username === undefined ? {} : { username: next.username }),
    ...(next.parts === undefined ? {} : { parts: Object.fromEntries(parts) }),
  });
}

export function replaced(value: string, next: Next, hint: Hint = {}): string {
  const outcome = replacing(value, next, hint);
  if (outcome.kind === 'unreplaceable') throw new Error(`unreplaceable: ${outcome.detail}`);
  return outcome.value.reveal();
}

/** Why the value cannot hold the credential. */
export function unreplaceable(value: string, next: Next, hint: Hint = {}): string {
  const outcome = replacing(value, next, hint);
  if (outcome.kind === 'replaced') throw new Error('it was replaced');
  return outcome.detail;
}
