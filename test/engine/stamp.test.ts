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

const actor = fc.stringMatching(/^(?:key:[\w-]{1,30}|entra:[0-9a-f-]{36})$/);

const stamps: fc.Arbitrary<Stamp> = fc
  .record(
    {
      ...{ rotationId: hex, also: hex, from: hex, retireBy: time, retired: fc.constant(true), keyId: text, slot: text },
      revoke: actor,
      revoked: fc.record({ by: actor, at: time }),
    },
    { requiredKeys: ['rotationId', 'from'] },
  )
  .map((stamp) => stamp);

const id = '1'.repeat(32);
const from = 'a'.repeat(32);
const wholeTag = `id=${id};from=${from}`;
const kept = { rotationId: id, from };

/** Characters that all of it takes. */
function whole({ rotationId, also, from: replaced, retireBy, retired, revoke, revoked, keyId, slot }: Stamp): number {
  const escaped = (value: string) => encodeURIComponent(value).length;
  return (
    `id=${rotationId};from=${replaced}`.length +
    (also === undefined ? 0 : `;also=${also}`.length) +
    (retireBy === undefined ? 0 : ';retire-by='.length + 20) +
    (retired === undefined ? 0 : ';retired=yes'.length) +
    (revoke === undefined ? 0 : ';revoke='.length + escaped(revoke)) +
    (revoked === undefined ? 0 : `;revoked=,${revoked.by}`.length + 20) +
    (keyId === undefined ? 0 : ';key='.length + escaped(keyId)) +
    (slot === undefined ? 0 : ';slot='.length + escaped(slot))
  );
}

function namesOf({ also, revoke, revoked }: Stamp): Partial<Stamp> {
  return {
    ...(also === undefined ? {} : { also }),
    ...(revoke === undefined ? {} : { revoke }),
    ...(revoked === undefined ? {} : { revoked }),
  };
}

describe('the stamp', () => {
  test('is read back as it was written, whatever ids the provider gives', () => {
    fc.assert(
      fc.property(stamps, (stamp) => {
        const text = formatStamp(stamp);
        const read = readStamp({ [stampTag]: text });
        // Where there is no room for all of it, names of people go first and then the second request.
        if (text.length === whole(stamp)) expect(read).toEqual(stamp);
        else expect({ ...read, ...namesOf(stamp) }).toEqual(stamp);
      }),
    );
  });

  test('fits into a tag with an issued key, whoever asked for whatever: what the engine decides by is never dropped', () => {
    const long = 'f'.repeat(32);
    const by = `entra:${'0'.repeat(36)}`;
    const at = new Date('2026-01-01T00:00:00Z');
    const stamp = {
      ...{ rotationId: long, also: long, from: long, retireBy: at, retired: true, revoke: by, revoked: { by, at } },
      ...{ keyId: '0'.repeat(36), slot: 'secondary' },
    };
    const text = formatStamp(stamp);
    expect(text.length).toBeLessThanOrEqual(longestTag);
    expect(readStamp({ [stampTag]: text })).toMatchObject({
      rotationId: long,
      from: long,
      retired: true,
      revoke: '',
      slot: 'secondary',
    });
  });

  test('with a second request, an emergency and an issued key it names all of them', () => {
    const stamp = {
      ...{ rotationId: 'a'.repeat(32), also: 'b'.repeat(32), from: 'c'.repeat(32), retired: true },
      ...{ retireBy: new Date('2026-01-01T00:00:00Z'), revoke: `entra:${'0'.repeat(36)}`, keyId: '0'.repeat(36) },
    };
    expect(readStamp({ [stampTag]: formatStamp(stamp) })).toEqual(stamp);
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
    ['a date that is none', `${wholeTag};retire-by=tomorrow`, kept],
    ['a broken escape', `${wholeTag};key=%zz;slot=%E0%A4%A`, kept],
    ['retired in other words', `${wholeTag};retired=true`, kept],
    ['fields of a later version', `${wholeTag};colour=red`, kept],
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
