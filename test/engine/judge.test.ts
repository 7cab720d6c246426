/** Tables of what a look at a listing finds, what evidence allows, and what a freeze holds back. */
import { describe, expect, it } from 'vitest';
import type { Queues, SecretProperties } from '../../shared/contract/ports.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Freeze, FreezeState } from '../../shared/contract/state.ts';
import { formatStamp } from '../../shared/engine/policy/stamp.ts';
import { type Evidence, judgeEvidence } from '../../shared/engine/retirement/evidence.ts';
import type { RetirementRequest } from '../../shared/engine/retirement/request.ts';
import { judge } from '../../shared/engine/sweep/judge.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { sweepAll } from '../../shared/operations/sweep-all.ts';
import { defaults, inDays, now, properties } from './facts.ts';
import { MemoryAttention, MemoryToldBefore } from './kept.ts';
import { dayMs, makeWorld, memoryEntry } from './world.ts';

const byHand: RotatorEntry = { ...memoryEntry, name: 'hand', manual: () => ({ owner: 'the shop team' }) };
const rotators = new Map([memoryEntry, byHand].map((entry) => [entry.name, entry]));
const deps = { vaults: new Map(), rotators, defaults };
const rotationId = 'a'.repeat(32);
const stamp = (days: number, retired = false) =>
  formatStamp({ rotationId, from: 'b'.repeat(32), retireBy: inDays(days), ...(retired ? { retired } : {}) });
const managed = { rotator: 'memory' };

describe('a look at a secret in a listing', () => {
  it.each<[string, Partial<SecretProperties>, object]>([
    ['without the tag rotator is left alone', { tags: {} }, { kind: 'opted-out' }],
    ['far from its expiry is healthy', { expiresAt: inDays(31), tags: managed }, { kind: 'healthy' }],
    ['exactly at its lead time is due', { expiresAt: inDays(30), tags: managed }, { kind: 'due' }],
    ['that has expired is due', { expiresAt: inDays(-1), tags: managed }, { kind: 'due' }],
    [
      'that was never rotated and has no expiry counts from its creation',
      { createdAt: inDays(-60), tags: managed },
      { kind: 'due' },
    ],
    ['in its overlap is not rotated again', { tags: { ...managed, rotation: stamp(1) } }, { kind: 'healthy' }],
    [
      'whose overlap is over has a retirement due, and may be due itself',
      { tags: { ...managed, rotation: stamp(0) } },
      { kind: 'retirement-due', rotationId, due: true },
    ],
    [
      'whose overlap is over and whose expiry is far has a retirement due alone',
      { expiresAt: inDays(80), tags: { ...managed, rotation: stamp(-1) } },
      { kind: 'retirement-due', rotationId, due: false },
    ],
    [
      'whose old credential is proven dead has none',
      { expiresAt: inDays(80), tags: { ...managed, rotation: stamp(-1, true) } },
      { kind: 'healthy' },
    ],
    [
      'outside its window waits',
      { expiresAt: inDays(1), tags: { ...managed, window: '01:00-05:00 UTC' } },
      { kind: 'healthy' },
    ],
    [
      'inside its window is due',
      { expiresAt: inDays(1), tags: { ...managed, window: '11:00-13:00 UTC' } },
      { kind: 'due' },
    ],
    ['with a tag that cannot be read is named', { tags: { ...managed, overlap: 'P1Y' } }, { kind: 'invalid' }],
    [
      'with an emergency that is not finished is to be rotated for it, whatever else holds',
      {
        expiresAt: inDays(80),
        tags: { ...managed, requested: `emergency=${rotationId},2026-06-01T11:00:00Z,key:ops` },
      },
      { kind: 'emergency', rotationId, by: 'key:ops' },
    ],
    [
      'that a person replaces is never to be rotated, and due at its lead time',
      { expiresAt: inDays(10), tags: { rotator: 'hand' } },
      { kind: 'manual-due' },
    ],
    [
      'that a person replaces and that lasts is healthy',
      { expiresAt: inDays(60), tags: { rotator: 'hand' } },
      { kind: 'healthy' },
    ],
    [
      'that a person has paused is not rotated',
      { tags: { ...managed, requested: 'paused=2026-06-01T11:00:00Z,key:ops' } },
      { kind: 'healthy' },
    ],
    [
      'that is a stored candidate leads to its secret',
      { name: 'keyturn-pending-orders-db', tags: { 'pending-of': 'orders-db', rotation: stamp(1) } },
      { kind: 'stalled', secret: 'orders-db' },
    ],
    [
      'that is a candidate switched off after its publish is left alone',
      { name: 'keyturn-pending-orders-db', enabled: false, tags: { 'pending-of': 'orders-db', rotation: stamp(1) } },
      { kind: 'opted-out' },
    ],
  ])('%s', (name, change, finding) => {
    const { expiresAt: _expiresAt, ...without } = properties(change);
    const listed = name.includes('no expiry') ? without : properties(change);
    expect(judge(deps, listed, now)).toMatchObject(finding);
  });
});

describe('the end of an old credential', () => {
  const nobody = { sessions: [], consumers: [], known: true };
  it.each<[string, RetirementRequest['mode'], Parameters<typeof judgeEvidence>[1], number, number, Evidence]>([
    ['waits for its deadline where no consumer is named', 'scheduled', nobody, 0, 1, 'wait'],
    [
      'comes early when all named consumers have acknowledged and no session is seen',
      'scheduled',
      nobody,
      1,
      1,
      'free',
    ],
    ['waits for a consumer that is missing', 'scheduled', { ...nobody, consumers: ['app'] }, 1, 1, 'wait'],
    ['waits for a live session', 'scheduled', { ...nobody, sessions: ['app'] }, 1, 1, 'wait'],
    ['waits where the target cannot say who is on it', 'scheduled', { ...nobody, known: false }, 1, 1, 'wait'],
    ['comes at the deadline whoever is on it', 'scheduled', { ...nobody, sessions: ['app'] }, 1, 0, 'deadline'],
    ['comes when somebody asks and nobody is seen', 'asked', nobody, 0, 1, 'asked'],
    ['does not come when somebody asks and a session is seen', 'asked', { ...nobody, sessions: ['app'] }, 0, 1, 'wait'],
    [
      'does not come when somebody asks and a consumer is missing',
      'asked',
      { ...nobody, consumers: ['app'] },
      1,
      1,
      'wait',
    ],
    ['comes in an emergency whatever is seen', 'emergency', { ...nobody, sessions: ['app'] }, 1, 1, 'emergency'],
  ])('%s', (_name, mode, holding, named, days, evidence) => {
    expect(judgeEvidence(mode, holding, named, inDays(days), now)).toBe(evidence);
  });
});

describe('a sweep over all vaults', () => {
  /** Two vaults, one of which may not answer; what went to which queue for which secret. */
  async function sweepBoth(
    options: { freeze?: FreezeState | Failure; paused?: readonly string[]; down?: boolean } = {},
  ) {
    const [one, two] = [makeWorld('alternating-users'), makeWorld('alternating-users')];
    const past = formatStamp({ rotationId, from: 'b'.repeat(32), retireBy: new Date('2020-01-01T00:00:00Z') });
    const expiresAt = new Date(one.vault.now.getTime() + 80 * dayMs);
    one.vault.put('retiring', { value: new SecretText('x'), tags: { ...managed, rotation: past }, expiresAt });
    const listing = two.vault.list.bind(two.vault);
    const unreachable = failure('vault-unreachable', { secret: 'x', vault: 'two', detail: 'no answer' });
    const second = Object.assign(two.vault, {
      name: 'two',
      list: options.down === true ? () => only(unreachable) : listing,
    });
    const sent: string[] = [];
    const queues: Queues = {
      enqueue: async (queue, _message, { secret }) => {
        sent.push(`${queue.name} ${secret}`);
        return { kind: 'enqueued' };
      },
    };
    const attention = new MemoryAttention();
    const failed = { code: 'admin-refused', message: 'refused', hint: 'fix it', at: one.vault.now };
    const waits = () => ({ at: undefined, paused: true });
    // Only the first vault's: the other one has a secret of the same name.
    const of = (vault: string) => (vault === 'two' ? new MemoryAttention() : attention);
    for (const secret of options.paused ?? [])
      await attention.failed('', secret, 'rotation', { ...failed, counts: true, unpublished: false }, waits);
    const unfrozen: FreezeState = { kind: 'freeze', frozen: false };
    const freeze: Freeze = { read: async () => options.freeze ?? unfrozen, set: async () => unfrozen };
    const engine = { ...one.deps(), vaults: new Map([one.vault, second].map((vault) => [vault.name, vault])) };
    const kept = { attention: { all: (vault: string) => of(vault).all(), cleared: attention.cleared.bind(attention) } };
    const all = { engine, queues, ...kept, toldBefore: new MemoryToldBefore(), freeze, jitterMs: 0, random: () => 0 };
    return { outcome: await sweepAll(all, AbortSignal.timeout(10_000)), sent: sent.sort(), secret: one.secret };
  }

  async function* only<Item>(item: Item) {
    yield item;
  }

  it('starts what is due in each', async () => {
    const { sent, secret } = await sweepBoth();
    expect(sent).toEqual(['retirements retiring', `rotations ${secret}`, `rotations ${secret}`]);
  });

  it('while frozen starts nothing that is due, and still ends what must end', async () => {
    const { sent, outcome } = await sweepBoth({ freeze: { kind: 'freeze', frozen: true, by: 'jane' } });
    expect(sent).toEqual(['retirements retiring']);
    expect(outcome).toMatchObject({ freeze: { frozen: true, by: 'jane' } });
  });

  it('that cannot read whether the app is frozen counts it as frozen, and still ends what must end', async () => {
    const away = failure('storage-unreachable', { secret: 'app', detail: 'away' });
    const { sent, outcome } = await sweepBoth({ freeze: away });
    expect(sent).toEqual(['retirements retiring']);
    expect(outcome).toMatchObject({ freeze: { code: 'storage-unreachable' } });
  });

  it('leaves a secret alone that waits for somebody to look, whatever the case of its name', async () => {
    const { secret } = await sweepBoth();
    const { sent } = await sweepBoth({ paused: [secret.toUpperCase()] });
    expect(sent).toEqual(['retirements retiring', `rotations ${secret}`]);
  });

  it('goes on with the others when one vault gives no answer, and says which one it was', async () => {
    const { sent, outcome, secret } = await sweepBoth({ down: true });
    expect(sent).toEqual(['retirements retiring', `rotations ${secret}`]);
    expect(outcome).toMatchObject({
      vaults: [{ outcome: { kind: 'swept' } }, { vault: 'two', outcome: { code: 'vault-unreachable' } }],
    });
  });
});
