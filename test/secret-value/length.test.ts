import { expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { formats, parseSecretValue } from '../../shared/secret-value/index.ts';
import { replaced } from './samples.ts';

/** Methods that look at text, with how many characters a call may look at. */
const counted: readonly (readonly [
  object,
  string,
  (self: unknown, args: readonly unknown[], result: unknown) => number,
])[] = [
  [String.prototype, 'charAt', () => 1],
  [String.prototype, 'slice', (_, __, result) => String(result).length],
  [
    String.prototype,
    'indexOf',
    (self, [, from], result) => (Number(result) < 0 ? String(self).length : Number(result)) - Number(from ?? 0),
  ],
  ...['replaceAll', 'trim', 'trimEnd', 'search', 'split', 'toLowerCase', 'includes', 'lastIndexOf'].map(
    (name) => [String.prototype, name, (self: unknown) => String(self).length] as const,
  ),
  ...['test', 'exec'].map(
    (name) => [RegExp.prototype, name, (_: unknown, [text]: readonly unknown[]) => String(text).length] as const,
  ),
];

/** The characters looked at while `work` runs. */
function cost(work: () => void): number {
  let sum = 0;
  const restore: (() => void)[] = [];
  for (const [prototype, name, price] of counted) {
    const original: unknown = Reflect.get(prototype, name);
    if (typeof original !== 'function') throw new Error(`there is no ${name}`);
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]): unknown {
        const result: unknown = Reflect.apply(original, this, args);
        sum += 1 + price(this, args, result);
        return result;
      },
    });
    restore.push(() => Object.defineProperty(prototype, name, { configurable: true, writable: true, value: original }));
  }
  try {
    work();
  } finally {
    for (const each of restore) each();
  }
  return sum;
}

const growing: readonly (readonly [claim: string, before: string, repeated: string, after: string])[] = [
  ['one long word', '', 'a', ''],
  ['quotes', 'Server=h;Password=', '"', ''],
  ['single quotes', 'host=h password=', "'", ''],
  ['backslashes', 'host=h password=', '\\', ''],
  ['semicolons', 'Server=h;Password=x', ';', 'y'],
  ['equals signs', 'a', '=', ''],
  ['blanks', 'Server=h;Password=x', ' ', ';'],
  ['blanks between pairs', 'password=x ', 'a = b ', ''],
  ['pairs', '', 'a=b;', 'Password=x'],
  ['braces', 'Driver={', '}}', ''],
  ['commas', 'h,password=x', ',', ''],
  ['items', 'h,password=x', ',a=b', ''],
  ['colons', 'redis://:', ':', '@h'],
  ['scheme characters', '', 'a.', '://x'],
  ['jdbc', 'jdbc:', 'a:', '//x'],
  ['at-signs', 'redis://:x', '@', 'h'],
  ['percent signs', 'redis://:x', '%25', '@h'],
  ['parameters', 'redis://:x@h?', 'a=b&', ''],
  ['hosts', 'redis://:x@h', ',h:1', '/0'],
  ['slashes', 'redis://:x@h', '/', ''],
  ['announced passwords', '', 'password =', ''],
  ['JSON escapes', '{"password":"', '\\u0041', '"}'],
  ['JSON text', '{"url":"redis://:', 'a', '@h"}'],
  ['JSON passwords', '{"user":"a"', ',"key":"x"', '}'],
  ['JSON usernames', '{"password":"a"', ',"user":""', '}'],
  ['JSON objects', '{"host":"@","user":"a","l":[{"key":"x"}', ',{"key":"x"}', ']}'],
  ['JSON connection strings', '{"url":"redis://:x@h"', ',"url":"redis://:x@h"', '}'],
  ['JSON hosts', '{"password":"a"', ',"host":"@"', '}'],
  ['JSON blanks', '{"password":"a"', ' ', '}'],
  ['JSON brackets', '[', '[],', '1]'],
];

test.each(growing)('twice as many %s take twice the work, in every format', (_, before, repeated, after) => {
  const sample = (size: number) => new SecretText(before + repeated.repeat(size / repeated.length) + after);
  for (const format of [undefined, ...formats]) {
    const work = (size: number) => {
      const value = sample(size);
      return cost(() => {
        const outcome = parseSecretValue(value, format === undefined ? {} : { format });
        if (outcome.kind === 'parsed') outcome.value.replace({ password: new SecretText('x;y') });
      });
    };
    const [half, whole] = [work(12_000), work(24_000)];
    expect(whole, `as ${format ?? 'found'}`).toBeLessThan(half * 2.2 + 2_000);
  }
});

test('a password as long as a vault holds is replaced', () => {
  const long = `;"'${'x'.repeat(25_000)}`;
  for (const value of [`{"password":${JSON.stringify(long)}}`, `Server=h;Pwd="${long.replace('"', '""')}"`, long]) {
    expect(replaced(replaced(value, { password: 'short' }), { password: long }).length).toBeGreaterThanOrEqual(25_000);
  }
});
