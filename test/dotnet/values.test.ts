/** The programs that read most of these secrets are written in .NET: their own builders say whether a value was edited right. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { parseSecretValue } from '../../shared/secret-value/index.ts';
import { text } from '../secret-value/samples.ts';
import { type Frame, frames, old } from './frames.ts';
import { type Answer, judge, type Question } from './judge.ts';

/** Passwords that trip up readers, and some of every kind beside them. */
const hard = [
  ...[
    ';',
    '=',
    '==',
    '=a',
    'a=b',
    "'",
    '"',
    `'"`,
    `"'`,
    '""',
    "''",
    '{',
    '}',
    '{}',
    '}}',
    '{a}',
    '{a',
    'a}',
    '{{a}}',
    ' ',
    ' a',
    'a ',
  ],
  ...[
    'a b',
    '\t',
    'a\nb',
    '\r\n',
    ',',
    'a,b',
    '&',
    '&amp;',
    '&quot;',
    '<',
    '>',
    '%',
    '%41',
    '+',
    '\\',
    '\\"',
    "\\'",
    '@',
    '#',
    '?',
    '/',
  ],
  ...[
    'a;Password=b',
    'a;b=c',
    '";Password=b;x="',
    "';Password=b;x='",
    '};PWD=b;x={',
    '\u00a0',
    '\u0085',
    '\u2028',
    '\ufeff',
    'é',
    '密',
    '😀',
  ],
  ...['!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~', 'P@ss=w;"rd', "it's", '|DataDirectory|', '$(x)', 'null', 'true'],
];

interface Case {
  readonly frame: Frame;
  readonly username: string;
  readonly password: string;
  readonly value: string;
}

/** The value with another credential; undefined where it is refused. */
function edited(frame: Frame, username: string, password: string): Case | undefined {
  const parsed = parseSecretValue(new SecretText(frame.value), {});
  if (parsed.kind === 'unreadable') throw new Error(`${frame.name}: ${parsed.detail}`);
  const outcome = parsed.value.replace({ username, password: new SecretText(password) });
  return outcome.kind === 'replaced' ? { frame, username, password, value: outcome.value.reveal() } : undefined;
}

const random = fc.sample(
  text.filter((each) => each !== ''),
  { numRuns: 250, seed: 20_261_127 },
);

/** How the builder reads it, where that is not what was written. */
function wrong({ frame, username, password, value }: Case, answer: Answer): string | undefined {
  const right =
    !('error' in answer) && answer.password === password && answer.username === username && answer.host === frame.host;
  return right ? undefined : `${frame.name}: ${JSON.stringify({ username, password, value, answer })}`;
}

test('before an edit each builder reads the same credential as Keyturn', () => {
  const answers = judge(frames.map(({ builder, value }): Question => ({ builder, value })));
  for (const [index, frame] of frames.entries()) {
    const parsed = parseSecretValue(new SecretText(frame.value), {});
    expect(parsed.kind === 'parsed' ? parsed.value.credential.username : parsed.detail, frame.name).toBe('app');
    expect(answers[index], frame.name).toEqual({ password: old, username: 'app', host: frame.host });
  }
});

test('after an edit each builder reads what was written, whatever the password', () => {
  const cases = frames.flatMap((frame) =>
    [...hard, ...random].flatMap((password) => edited(frame, 'app', password) ?? []),
  );
  const logins = frames.flatMap((frame) => hard.flatMap((username) => edited(frame, username, 'new-Passw0rd') ?? []));
  const all = [...cases, ...logins];
  const answers = judge(all.map(({ frame, value }) => ({ builder: frame.builder, value })));
  const faults = all.flatMap((each, index) => {
    const answer = answers[index];
    return answer === undefined ? [] : (wrong(each, answer) ?? []);
  });
  expect(faults.slice(0, 20)).toEqual([]);
  expect(faults).toHaveLength(0);
  // What cannot be written is refused before; that must be the exception.
  expect(all.length).toBeGreaterThan(frames.length * (hard.length * 2 + random.length) * 0.8);
});
