import { describe, expect, it } from 'vitest';
import { formatTag } from '../../shared/engine/policy/format-tag.ts';

describe('the tag format', () => {
  it.each([
    ['json', { format: 'json' }],
    [' json ', { format: 'json' }],
    ['json;field=/orders', { format: 'json', field: '/orders' }],
    [' json ; field=/orders/0', { format: 'json', field: '/orders/0' }],
    ['raw;length=32', { format: 'raw', password: { length: 32 } }],
    [
      'json;field=/orders;length=32;exclude=@',
      { format: 'json', field: '/orders', password: { length: 32, exclude: '@' } },
    ],
    ['json;', { format: 'json' }],
  ])('%j is read', (text, expected) => {
    expect(formatTag.parse(text)).toEqual(expected);
  });

  it.each([
    ['jsonx', /is one of/],
    ['', /is one of/],
    ['json field=/orders', /is one of/],
    ['json;field=orders', /no JSON pointer/],
    ['json;field=', /no JSON pointer|is one of/],
    ['json;lenght=32', /says of the password/],
    ['json;length=32;field=/orders', /says of the password/],
  ])('%j is refused with a reason', (text, reason) => {
    const outcome = formatTag.safeParse(text);
    expect(outcome.success ? outcome.data : outcome.error.issues[0]?.message).toMatch(reason);
  });
});
