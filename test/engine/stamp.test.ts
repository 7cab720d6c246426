import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatStamp,
  longestTag,
  readStamp,
  type Stamp,
  stampTag,
  withStamp,
} from '../../shared/engine/policy/stamp.ts';

const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
// The vault and the tag tell time in whole seconds.
const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000));

const stamps: fc.Arbitrary<Stamp> = fc
  .record(
    { rotationId: hex, from: hex, retireBy: time, retired: fc.constant(true), keyId: text, slot: text },
    { requiredKeys: ['rotationId', 'from'] },
  )
  .map((stamp) => stamp);

const id = '1'.repeat(32);
const from = 'a'.repeat(32);
const whole = `id=${id};from=${from}`;
const kept = { rotationId: id, from };

describe('the stamp', () => {
  test('is read back as it was written, whatever ids the provider gives', () => {
    fc.assert(
      fc.property(stamps, (stamp) => {
        expect(readStamp({ [stampTag]: formatStamp(stamp) })).toEqual(stamp);
      }),
    );
  });

  test('is plain text in one line, whatever it holds', () => {
    fc.assert(
      fc.property(stamps, (stamp) => {
        expect(formatStamp(stamp)).toMatch(/^[\x20-\x7e]+$/);
      }),
    );
  });

  test('without an issued key it always fits into a tag', () => {
    const longest = { rotationId: 'f'.repeat(32), from: 'f'.repeat(32), retireBy: new Date(8.64e15), retired: true };
    expect(formatStamp(longest).length).toBeLessThan(longestTag / 1.5);
  });

  test('takes the place of the one before and leaves the other tags alone', () => {
    const tags = withStamp({ team: 'orders', [stampTag]: 'id=old;from=older' }, { rotationId: 'new', from: 'old' });
    expect(tags).toEqual({ team: 'orders', [stampTag]: 'id=new;from=old' });
  });

  test.each([
    ['no tag', undefined],
    ['an empty tag', ''],
    ['no id', `from=${from}`],
    ['no version', `id=${id}`],
    ['an id of nothing', `id=;from=${from}`],
    ['an id that none of ours looks like', `id=1;from=${from}`],
    ['a version that is none', `id=${id};from=../admin`],
    ['prose', 'rotated by Anna last week'],
    ['separators only', ';;;=;=;'],
  ])('edited into nonsense counts as none: %s', (_, tag) => {
    expect(readStamp(tag === undefined ? {} : { [stampTag]: tag })).toBeUndefined();
  });

  test.each([
    ['a date that is none', `${whole};retire-by=tomorrow`, kept],
    ['a broken escape', `${whole};key=%zz;slot=%E0%A4%A`, kept],
    ['retired in other words', `${whole};retired=true`, kept],
    ['fields of a later version', `${whole};colour=red`, kept],
  ])('keeps what can be read: %s', (_, tag, stamp) => {
    expect(readStamp({ [stampTag]: tag })).toEqual(stamp);
  });

  test('never throws for what somebody wrote into the tag', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (tag) => {
        readStamp({ [stampTag]: tag });
      }),
    );
  });
});
