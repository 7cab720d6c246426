/** Values of secrets: read, written with another password, and read back. */
import fc from 'fast-check';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { formats, parseSecretValue, type SecretValue } from '../../../shared/secret-value/index.ts';
import { frames } from '../../secret-value/frames.ts';
import { type Hint, text } from '../../secret-value/samples.ts';
import { hostile, type Json, spoiled } from '../inputs.ts';
import { canary, holdsNoSecret, must, target } from '../target.ts';

/** Long enough that it stands nowhere else by chance. */
const marked = text.map((one) => `${one}${canary}${one}`);

const framed = fc
  .constantFrom(...frames.map((_, index) => index))
  .chain((index) => fc.record({ index: fc.constant(index), old: marked, next: fc.oneof(text, hostile) }));

function read(value: string, hint: Hint): SecretValue | undefined {
  const outcome = parseSecretValue(new SecretText(value), hint);
  if (outcome.kind === 'parsed') return outcome.value;
  holdsNoSecret('the detail', outcome.detail);
  must(outcome.detail.length < 2_000, 'a detail is bounded');
  return undefined;
}

/** What is written reads back, and the old password is nowhere. */
function replaces(value: SecretValue, password: string, hint: Hint, old: string | undefined): string | undefined {
  const outcome = value.replace({ password: new SecretText(password) });
  if (outcome.kind === 'unreplaceable') {
    holdsNoSecret('the detail', outcome.detail);
    return undefined;
  }
  const written = outcome.value.reveal();
  const again = read(written, hint);
  must(again?.credential.password.reveal() === password, 'the new password reads back');
  must(again?.credential.username === value.credential.username, 'the login stays');
  must(JSON.stringify(again?.endpoint) === JSON.stringify(value.endpoint), 'the target stays');
  if (old?.includes(canary) === true && !password.includes(canary)) holdsNoSecret('the new value', written, old);
  return written;
}

export const values = target('values', 10, framed, ({ index, old, next }) => {
  const frame = frames[index];
  if (frame === undefined || frame.holds?.(old) === false) return;
  const { before, after, hint } = frame;
  const value = read(before + frame.encode(old) + after, hint);
  must(value?.credential.password.reveal() === old, 'the password that was written is found');
  if (value === undefined) return;
  const written = replaces(value, next, hint, old);
  const fits = next !== '' && next.trim() !== '' && next.isWellFormed() && !next.includes('\0');
  if (written === undefined)
    return must(!fits || frame.holds !== undefined || next.length > 100, 'a password that fits is written');
  must(written.startsWith(before) && written.endsWith(after), 'nothing else changes');
});

const hints: fc.Arbitrary<Hint> = fc.record(
  {
    format: fc.constantFrom(...formats),
    contentType: fc.constantFrom('application/json', 'text/plain', 'x'),
    field: fc.constantFrom('/password', '/a/0', '', '/~2'),
    leads: fc.constantFrom('host', 'provider', 'nowhere'),
  },
  { requiredKeys: [] },
);

const documents: readonly Json[] = [
  { username: 'app', password: canary, host: 'db.contoso.test', port: 5432 },
  { url: `postgres://app:${canary}@db.contoso.test/orders`, password: canary },
  { ConnectionStrings: { orders: `Server=db.contoso.test;User Id=app;Password=${canary}` } },
  { auths: { 'registry.contoso.test': { auth: Buffer.from(`app:${canary}`).toString('base64') } } },
  { current: canary, previous: 'x', hosts: ['a.test:1', 'b.test'] },
];

const texts: fc.Arbitrary<string> = fc.oneof(
  spoiled(...documents).map((one) => JSON.stringify(one)),
  fc.tuple(hostile, hostile, hostile).map(([a, b, c]) => `postgres://${a}:${canary}@${b}/${c}`),
  fc.tuple(hostile, hostile).map(([a, b]) => `Server=${a};User Id=app;Password=${canary};${b}`),
  fc.tuple(hostile, hostile).map(([a, b]) => `host=${a} user=app password=${canary} ${b}`),
  fc.tuple(hostile, hostile).map(([a, b]) => `${a}:6380,password=${canary},${b}`),
  fc.tuple(hostile, hostile).map(([a, b]) => a + canary + b),
  hostile,
);

export const valueTexts = target(
  'value-texts',
  5,
  fc.record({ whole: texts, hint: hints, next: text }),
  ({ whole, hint, next }) => {
    const value = read(whole, hint);
    if (value !== undefined) replaces(value, next, hint, value.credential.password.reveal());
  },
);
