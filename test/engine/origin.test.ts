/** Whose a version is, from the listing of versions alone. */
import { describe, expect, test } from 'vitest';
import { type Listed, originOf } from '../../shared/engine/policy/origin.ts';
import { formatStamp, stampTag } from '../../shared/engine/policy/stamp.ts';

const id = (letter: string): string => letter.repeat(32);
const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));

function version(letter: string, minute: number, tags: Record<string, string> = { rotator: 'memory' }): Listed {
  const made = at(minute);
  return { name: 'orders-db', version: id(letter), enabled: true, createdAt: made, updatedAt: made, tags };
}

function stamped(letter: string, minute: number, rotation: string, from: string): Listed {
  const stamp = formatStamp({ rotationId: id(rotation), from: id(from) });
  return version(letter, minute, { rotator: 'memory', [stampTag]: stamp });
}

const kindOf = (versions: readonly Listed[], letter: string) => originOf(versions, id(letter)).kind;

describe('a version is', () => {
  test('ours: its rotation id stands on no earlier version, and it replaced the one before', () => {
    expect(kindOf([stamped('b', 2, '1', 'a'), version('a', 1)], 'b')).toBe('ours');
  });

  test('ours also where the one before has a sibling of the same second', () => {
    expect(kindOf([stamped('c', 2, '1', 'a'), version('b', 1), version('a', 1)], 'c')).toBe('ours');
  });

  test('foreign without a stamp, also the very first one', () => {
    expect(originOf([version('b', 2), version('a', 1)], id('b'))).toMatchObject({
      ...{ kind: 'foreign', carried: false },
      before: { version: id('a') },
    });
    expect(originOf([version('a', 1)], id('a'))).toEqual({ kind: 'foreign', carried: false, before: undefined });
  });

  test('foreign with the stamp of an earlier version, as copied tags have it', () => {
    const versions = [stamped('c', 3, '1', 'a'), stamped('b', 2, '1', 'a'), version('a', 1)];
    expect(originOf(versions, id('c'))).toMatchObject({ kind: 'foreign', carried: true });
  });

  test('foreign with a stamp that names another version than the one before, or none that there is', () => {
    expect(kindOf([stamped('c', 3, '1', 'a'), version('b', 2), version('a', 1)], 'c')).toBe('foreign');
    expect(kindOf([stamped('b', 2, '1', 'f'), version('a', 1)], 'b')).toBe('foreign');
  });

  test('opted out without the tag after a version that had it, whoever made either', () => {
    const bare = version('c', 3, { team: 'shop' });
    const managed = stamped('b', 2, '1', 'a');
    expect(originOf([bare, managed, version('a', 1)], id('c'))).toEqual({ kind: 'opted-out', managed });
  });

  test('of no concern where no version ever had the tag', () => {
    expect(kindOf([version('b', 2, {}), version('a', 1, {})], 'b')).toBe('unmanaged');
    const outOfUse = { ...version('b', 2, {}), enabled: false };
    expect(kindOf([outOfUse, version('a', 1)], 'b'), 'disabled as well').toBe('unmanaged');
  });

  test('superseded by a newer one, gone where there is none', () => {
    expect(kindOf([version('b', 2), version('a', 1)], 'a')).toBe('superseded');
    expect(kindOf([version('a', 1)], 'f')).toBe('gone');
  });
});
