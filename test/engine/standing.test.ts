/** How a secret stands: one answer from what the vault says of it and what is kept beside. */
import { describe, expect, it } from 'vitest';
import type { SecretProperties } from '../../shared/contract/ports.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import type { ActivityTrouble } from '../../shared/contract/state.ts';
import { formatStamp, readStamp, type Stamp } from '../../shared/engine/policy/stamp.ts';
import { type Known, lookAt, type SecretState, secretStates } from '../../shared/engine/sweep/standing.ts';
import { standingText } from '../../shared/engine/sweep/words.ts';
import { failure } from '../../shared/errors.ts';
import { defaults, inDays, now, properties } from './facts.ts';
import { memoryEntry } from './world.ts';

const byHand: RotatorEntry = { ...memoryEntry, name: 'hand', manual: () => ({ owner: 'the shop team' }) };
const rotators = new Map([memoryEntry, byHand].map((entry) => [entry.name, entry]));
const rotationId = 'a'.repeat(32);
const stamp = (days: number, more: Partial<Stamp> = {}) =>
  formatStamp({ rotationId, from: 'b'.repeat(32), retireBy: inDays(days), ...more });
const managed = { rotator: 'memory' };
const fresh = { expiresAt: inDays(80) };
const overlapping = { ...fresh, tags: { ...managed, rotation: stamp(1) } };
const dueNow = { expiresAt: inDays(10), tags: managed };

function failing(change: Partial<ActivityTrouble> = {}, code = 'permission-missing'): ActivityTrouble {
  const last = { code, message: `orders-db: ${code}`, hint: 'fix it', at: inDays(-1) };
  const base = { failures: 2, retries: 0, since: inDays(-2), last, paused: false, unpublished: false };
  return { ...base, nextTryAt: inDays(0.1), ...change };
}
const waiting = ({ nextTryAt: _never, ...trouble }: ActivityTrouble): ActivityTrouble => trouble;
const retried = failing({ failures: 0, retries: 3 }, 'target-unreachable');
const pausedByHand = { ...managed, requested: 'paused=2026-06-01T10:00:00Z,key:ops' };
const trouble = (of: object): Known => ({ trouble: { kind: 'trouble', ...of } });

function look(change: Partial<SecretProperties>, known: Known = {}) {
  return lookAt({ rotators, defaults }, properties(change), known, now).standing;
}

const orders = { vault: 'contoso-kv', secret: 'orders-db' };

type Case = readonly [what: string, state: SecretState, change: Partial<SecretProperties>, known: Known, says: string];

const cases: readonly Case[] = [
  ['without the tag rotator', 'unmanaged', { tags: {} }, {}, 'no tag "rotator"'],
  [
    'that is a copy',
    'copy',
    { tags: { 'copy-of': 'eu-vault/orders-db' } },
    {},
    'a copy of eu-vault/orders-db, and renewed',
  ],
  [
    'that is derived and holds what its source holds',
    'copy',
    { tags: { 'derived-from': 'storage-key', rotation: stamp(1) } },
    { source: { kind: 'source', source: orders, stamp: readStamp({ rotation: stamp(1) }) } },
    'derived from storage-key, and as current as it is',
  ],
  [
    'that is a copy and behind its source',
    'copy',
    { tags: { 'copy-of': 'orders-db' } },
    { source: { kind: 'source', source: orders, stamp: readStamp({ rotation: stamp(1) }) } },
    'behind it',
  ],
  [
    'that names a source which does not list it',
    'invalid',
    { tags: { 'copy-of': 'orders-db' } },
    { source: failure('copy-link', { secret: 'mine', owner: 'orders-db', detail: 'not listed', line: 'az' }) },
    'one side only',
  ],
  [
    'that is a copy and has a rotator',
    'invalid',
    { tags: { ...managed, 'copy-of': 'orders-db' } },
    {},
    'keep one of the two',
  ],
  ['that lost its tag rotator', 'opted-out', { tags: {} }, { optedOutBy: 'terraform' }, 'terraform'],
  ['whose tags cannot be read', 'invalid', { tags: { ...managed, overlap: 'P1Y' } }, {}, 'tag "overlap"'],
  ['far from its expiry', 'healthy', { ...fresh, tags: managed }, {}, 'due at'],
  ['at its lead time', 'due', dueNow, {}, 'the next sweep or event starts its rotation'],
  ['that has expired', 'due', { expiresAt: inDays(-1), tags: managed }, {}, 'expired at'],
  [
    'that is due outside its window',
    'due',
    { ...dueNow, tags: { ...managed, window: '01:00-02:00 UTC' } },
    {},
    'may start 01:00',
  ],
  [
    'that is due while the app is frozen',
    'due',
    dueNow,
    { freeze: { kind: 'freeze', frozen: true, by: 'jane' } },
    'frozen by jane',
  ],
  [
    'that is due while nobody can say whether it is frozen',
    'due',
    dueNow,
    { freeze: 'unreadable' },
    'counts as frozen',
  ],
  [
    'with an emergency that is not finished',
    'due',
    { ...fresh, tags: { ...managed, requested: `emergency=${rotationId},2026-06-01T11:00:00Z,key:ops` } },
    {},
    'emergency that key:ops asked for',
  ],
  [
    'that a person has to replace',
    'due',
    { expiresAt: inDays(10), tags: { rotator: 'hand' } },
    {},
    'the shop team has to replace it',
  ],
  ['that a person has replaced', 'healthy', { ...fresh, tags: { rotator: 'hand' } }, {}, 'due at'],
  ['whose old credential lives', 'overlap', overlapping, {}, 'works until'],
  [
    'whose old credential is in use',
    'overlap',
    overlapping,
    { ...trouble({ waitsFor: ['billing on 10.0.0.4'] }), missing: ['shop'] },
    'still on it: shop, billing on 10.0.0.4',
  ],
  [
    'whose overlap is over',
    'overlap',
    { ...fresh, tags: { ...managed, rotation: stamp(-1) } },
    {},
    'the next sweep ends it',
  ],
  [
    'whose old credential is to be revoked',
    'overlap',
    { ...fresh, tags: { ...managed, rotation: stamp(-1, { revoke: 'key:ops' }) } },
    {},
    'to be revoked',
  ],
  ['that is due in its overlap', 'overlap', { ...dueNow, tags: { ...managed, rotation: stamp(1) } }, {}, 'works until'],
  ['that a worker is at', 'in-flight', dueNow, { inFlight: true }, 'under way'],
  [
    'whose candidate waits',
    'in-flight',
    { ...fresh, tags: managed },
    { isStored: true },
    'stored and not published yet',
  ],
  [
    'that is a stored candidate',
    'in-flight',
    { name: 'keyturn-pending-orders-db', tags: { 'pending-of': 'orders-db', rotation: stamp(1) } },
    {},
    'the candidate of orders-db',
  ],
  [
    'that is a candidate switched off',
    'unmanaged',
    { name: 'keyturn-pending-orders-db', enabled: false, tags: { 'pending-of': 'orders-db', rotation: stamp(1) } },
    {},
    '',
  ],
  [
    'whose rotation is tried again, however far its expiry',
    'retrying',
    { ...fresh, tags: managed },
    trouble({ rotation: retried }),
    'its rotation is tried again (3 failures in a row; next try at',
  ],
  [
    'whose target holds a credential that no version does',
    'retrying',
    dueNow,
    trouble({ rotation: { ...retried, unpublished: true } }),
    'no version holds',
  ],
  [
    'whose check is tried again',
    'retrying',
    { ...fresh, tags: managed },
    trouble({ check: retried }),
    'the check of its credential',
  ],
  [
    'whose rotation fails',
    'failing',
    dueNow,
    trouble({ rotation: failing() }),
    'its rotation fails (2 failures in a row; next try at',
  ],
  [
    'whose retirement fails',
    'failing',
    { ...fresh, tags: { ...managed, rotation: stamp(-1) } },
    trouble({ retirement: failing() }),
    'the end of its old credential fails',
  ],
  [
    'whose retirement failed and is over',
    'healthy',
    { ...fresh, tags: { ...managed, rotation: stamp(-1, { retired: true }) } },
    trouble({ retirement: failing() }),
    'due at',
  ],
  [
    'whose check fails',
    'failing',
    { ...fresh, tags: managed },
    trouble({ check: failing() }),
    'the check of its credential fails',
  ],
  [
    'whose current credential is refused',
    'drifted',
    { ...fresh, tags: managed },
    trouble({ check: failing({}, 'credential-drifted') }),
    'credential-drifted',
  ],
  [
    'that a person has paused',
    'paused',
    { ...dueNow, tags: pausedByHand },
    {},
    'paused by key:ops at 2026-06-01T10:00:00.000Z, until somebody resumes it',
  ],
  [
    'whose pause is over',
    'due',
    { ...dueNow, tags: { ...managed, requested: 'paused=2026-06-01T10:00:00Z,key:ops,2026-06-01T11:00:00Z' } },
    {},
    'the next sweep',
  ],
  [
    'that is paused after failures',
    'paused',
    dueNow,
    trouble({ rotation: failing({ failures: 7, paused: true }) }),
    'paused after 7 failures in a row; next try at',
  ],
  [
    'that waits for a person',
    'paused',
    dueNow,
    trouble({ rotation: waiting(failing({ failures: 1, paused: true })) }),
    'waits for somebody to look',
  ],
  [
    'that shares its login',
    'shared',
    { ...fresh, tags: managed },
    { sharedWith: ['billing-db'] },
    'billing-db publish the same login',
  ],
];

describe('a secret', () => {
  it.each(cases)('%s is %s', (_what, state, change, known, says) => {
    const standing = look(change, known);
    expect(standing.state).toBe(state);
    expect(standingText(standing)).toContain(says);
  });

  it('is in one of the states that there are, and each is reached', () => {
    expect([...new Set(cases.map(([, state]) => state))].sort()).toEqual([...secretStates].sort());
  });

  it('is never healthy while anything of it is retried or fails', () => {
    for (const activity of ['rotation', 'check'])
      for (const one of [retried, failing(), waiting(failing({ paused: true }))])
        expect(look({ ...fresh, tags: managed }, trouble({ [activity]: one })).state).not.toBe('healthy');
  });

  it('says of a failing retirement which activity it is, beside a rotation that goes on', () => {
    const standing = look({ ...dueNow, tags: { ...managed, rotation: stamp(-1) } }, trouble({ retirement: failing() }));
    expect(standing).toMatchObject({ state: 'failing', activity: 'retirement' });
  });
});

describe('what needs a person most is said first', () => {
  const everything = {
    freeze: { kind: 'freeze', frozen: true },
    inFlight: true,
    sharedWith: ['billing-db'],
  } as const;
  const all = { rotation: failing(), retirement: failing(), check: failing({}, 'credential-drifted') };

  it.each<[string, Partial<SecretProperties>, Known, SecretState]>([
    ['a drift before a pause', { ...dueNow, tags: pausedByHand }, { ...everything, ...trouble(all) }, 'drifted'],
    [
      'a pause before failures',
      { ...dueNow, tags: pausedByHand },
      { ...everything, ...trouble({ rotation: failing() }) },
      'paused',
    ],
    ['failures before a worker at it', dueNow, { ...everything, ...trouble({ rotation: failing() }) }, 'failing'],
    ['a shared login before a worker at it', dueNow, everything, 'shared'],
    [
      'a worker at it before what it retries',
      dueNow,
      { inFlight: true, ...trouble({ rotation: retried }) },
      'in-flight',
    ],
    [
      'what is retried before a candidate that waits',
      dueNow,
      { isStored: true, ...trouble({ rotation: retried }) },
      'retrying',
    ],
    ['a candidate that waits before what is due', dueNow, { isStored: true }, 'in-flight'],
    ['what is retried before what is due', dueNow, trouble({ rotation: retried }), 'retrying'],
  ])('%s', (_what, change, known, state) => {
    expect(look(change, known).state).toBe(state);
  });
});
