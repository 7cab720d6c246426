/** What a sweep tells, what it forgets and what it leaves alone for a while. */
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../shared/contract/notice.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { ActivityTrouble, FreezeState } from '../../shared/contract/state.ts';
import { notificationsQueue } from '../../shared/operations/queues.ts';
import { sweep } from '../../shared/operations/sweep.ts';
import { MemoryAttention, MemoryToldBefore } from './kept.ts';
import { dayMs, makeWorld, memoryEntry } from './world.ts';

const hourMs = dayMs / 24;
const unfrozen: FreezeState = { kind: 'freeze', frozen: false };

/** A vault with one secret of these tags, to be swept again and again as time passes. */
function sweeping(tags: Readonly<Record<string, string>>, days: number) {
  const world = makeWorld('alternating-users');
  const name = 'swept';
  const [attention, toldBefore] = [new MemoryAttention(), new MemoryToldBefore()];
  world.vault.secrets.delete(world.secret);
  const put = (newTags = tags, newDays = days) =>
    world.vault.put(name, {
      value: new SecretText('x'),
      tags: newTags,
      expiresAt: new Date(world.vault.now.getTime() + newDays * dayMs),
    });
  put();
  let sent: { readonly queue: string; readonly body: unknown }[] = [];
  const byHand = {
    ...memoryEntry,
    name: 'hand',
    manual: () => ({ owner: 'the shop team', link: 'https://ca.contoso.example' }),
  };
  const engine = { ...world.deps(), rotators: new Map([memoryEntry, byHand].map((entry) => [entry.name, entry])) };
  const deps = {
    ...{ engine, attention, toldBefore, jitterMs: 0, random: () => 0 },
    queues: {
      enqueue: async (queue: { name: string }, body: unknown) => {
        sent.push({ queue: queue.name, body });
        return { kind: 'enqueued' as const };
      },
    },
  };
  /** What this sweep put into the queues. */
  const run = async (freeze: FreezeState | 'unreadable' = unfrozen) => {
    sent = [];
    const report = await sweep(
      deps,
      world.vault,
      freeze === 'unreadable' ? undefined : freeze,
      AbortSignal.timeout(10_000),
    );
    const news: Notice[] = sent
      .filter(({ queue }) => queue === notificationsQueue.name)
      .map(({ body }) => notificationsQueue.schema.parse(body));
    const asked = sent.filter(({ queue }) => queue !== notificationsQueue.name);
    return { report, news, asked };
  };
  const pass = (ms: number) => {
    world.vault.now = new Date(world.vault.now.getTime() + ms);
  };
  const retag = (newTags: Readonly<Record<string, string>>) => {
    const newest = world.vault.newest(name);
    newest.tags = newTags;
    newest.updatedAt = world.vault.now;
  };
  const fail = (change: Partial<ActivityTrouble> = {}) => {
    const at = world.vault.now;
    const last = { code: 'admin-refused', message: 'refused', hint: 'fix it', at };
    const trouble = { failures: 1, retries: 0, since: at, last, paused: true, unpublished: false, ...change };
    attention.troubles.set(name, { kind: 'trouble', rotation: trouble });
  };
  return { world, name, attention, toldBefore, put, run, pass, retag, fail };
}

const managed = { rotator: 'memory' };
const broken = { rotator: 'memory', overlap: 'P1Y' };

describe('a tag that cannot be read', () => {
  it('is told once for as long as it stays so, and again when it comes back after it was corrected', async () => {
    const { run, retag, pass } = sweeping(broken, 80);
    const first = await run();
    expect(first.news).toMatchObject([{ type: 'failed', secret: 'swept', failure: { code: 'tag-invalid' } }]);
    for (let again = 0; again < 3; again++) expect((await run()).news).toEqual([]);
    retag(managed);
    expect((await run()).news).toEqual([]);
    pass(hourMs);
    retag(broken);
    const second = await run();
    expect(second.news).toHaveLength(1);
    expect(second.news[0]?.id, 'receivers must not drop it').not.toBe(first.news[0]?.id);
  });

  it('that is wrong in another way is other news', async () => {
    const { run, retag } = sweeping(broken, 80);
    await run();
    retag({ rotator: 'memory', overlap: 'soon' });
    expect((await run()).news).toHaveLength(1);
  });

  it('is told although nobody knows what was told before, once it can be known again', async () => {
    const { run, toldBefore } = sweeping(broken, 80);
    const down = {
      kind: 'failed',
      code: 'storage-unreachable',
      class: 'retry',
      message: '',
      hint: '',
      page: '',
    } as const;
    const all = toldBefore.all.bind(toldBefore);
    Object.assign(toldBefore, {
      async *all() {
        yield down;
      },
    });
    expect(await run()).toMatchObject({ news: [], report: { kind: 'swept', unread: { code: 'storage-unreachable' } } });
    Object.assign(toldBefore, { all });
    expect((await run()).news).toHaveLength(1);
  });
});

describe('a scheduled rotation', () => {
  it('is announced as long before as the tag says, once for each version', async () => {
    const { run, pass, put } = sweeping({ ...managed, announce: 'P7D', notify: 'ops' }, 60);
    expect((await run()).news).toEqual([]);
    pass(23 * dayMs);
    const { news } = await run();
    expect(news).toMatchObject([{ type: 'announced', secret: 'swept', channels: ['ops'] }]);
    expect(Date.parse(news[0]?.dueAt ?? '')).toBe(Date.parse('2026-01-31T00:00:00Z'));
    pass(dayMs);
    expect((await run()).news).toEqual([]);
    put({ ...managed, announce: 'P7D' }, 90);
    expect((await run()).news).toEqual([]);
    pass(54 * dayMs);
    expect((await run()).news).toMatchObject([{ type: 'announced' }]);
  });

  it('is not announced without the tag, once it is due, or while a person has paused the secret', async () => {
    for (const [tags, days] of [
      [managed, 35],
      [{ ...managed, announce: 'P7D' }, 10],
      [{ ...managed, announce: 'P7D', requested: 'paused=2026-01-01T00:00:00Z,key:ops' }, 35],
    ] as const)
      expect((await sweeping(tags, days).run()).news).toEqual([]);
  });
});

describe('a secret that a person replaces', () => {
  it('is reminded of at its lead time, a week and a day before it expires, and when it has; never rotated', async () => {
    const { run, pass, put } = sweeping({ rotator: 'hand' }, 40);
    const told: [number, string][] = [];
    for (let day = 0; day <= 45; day++) {
      const { news, asked } = await run();
      expect(asked).toEqual([]);
      for (const one of news) told.push([day, one.type]);
      pass(dayMs);
    }
    expect(told).toEqual([
      [10, 'reminder'],
      [33, 'reminder'],
      [39, 'reminder'],
      [40, 'reminder'],
    ]);
    put({ rotator: 'hand' }, 90);
    expect((await run()).news).toEqual([]);
  });

  it('is reminded of with its owner, the place and the time', async () => {
    const { run } = sweeping({ rotator: 'hand', notify: 'ops' }, 5);
    const { news, report } = await run();
    expect(news).toMatchObject([{ owner: 'the shop team', link: 'https://ca.contoso.example', channels: ['ops'] }]);
    expect(news[0]?.expiresAt).toBe('2026-01-06T00:00:00.000Z');
    expect(report).toMatchObject({ states: { due: 1 }, due: 0 });
  });
});

describe('a rotation that failed', () => {
  const rotation = [{ queue: queueNames.rotations }];

  it('is asked for at its next try and not before', async () => {
    const { run, fail, pass, world } = sweeping(managed, 10);
    fail({ nextTryAt: new Date(world.vault.now.getTime() + hourMs), paused: false });
    expect((await run()).asked).toEqual([]);
    pass(hourMs);
    expect((await run()).asked).toMatchObject(rotation);
  });

  it('and waits for a person is asked for again once the secret was changed since', async () => {
    const { run, fail, pass, retag, attention } = sweeping(managed, 10);
    fail();
    pass(hourMs);
    expect((await run()).asked).toEqual([]);
    retag({ ...managed, admin: 'another-admin' });
    expect((await run()).asked).toMatchObject(rotation);
    expect(attention.troubles.size).toBe(0);
  });

  it('is forgotten once nothing is left to rotate, and not while a try is to come or a credential is left at the target', async () => {
    const { run, fail, pass, put, attention, world } = sweeping(managed, 10);
    fail();
    put(managed, 80);
    await run();
    expect(attention.troubles.size).toBe(0);
    fail({ nextTryAt: new Date(world.vault.now.getTime() + hourMs) });
    await run();
    expect(attention.troubles.size).toBe(1);
    pass(3 * hourMs);
    await run();
    expect(attention.troubles.size).toBe(0);
    fail({ unpublished: true });
    await run();
    expect(attention.troubles.size).toBe(1);
  });
});

describe('an emergency that stands', () => {
  const id = 'c'.repeat(32);
  const tags = { ...managed, requested: `emergency=${id},2026-01-01T00:00:00Z,key:ops` };

  it('is asked for again as one, frozen or not, and held back by its own failures alone', async () => {
    const { run, fail, world } = sweeping(tags, 80);
    const message = { mode: 'emergency', rotationId: id, requestedBy: 'sweep', requestedById: 'key:ops' };
    expect((await run()).asked).toMatchObject([{ queue: queueNames.rotations, body: message }]);
    expect((await run({ kind: 'freeze', frozen: true })).asked).toHaveLength(1);
    expect((await run('unreadable')).asked).toHaveLength(1);
    fail({ nextTryAt: new Date(world.vault.now.getTime() + hourMs) });
    expect((await run()).asked).toEqual([]);
  });
});

describe('a report', () => {
  it('counts how the secrets stand', async () => {
    const { run, world, fail } = sweeping(managed, 10);
    world.vault.put('paused-one', {
      value: new SecretText('x'),
      tags: { ...managed, requested: 'paused=2026-01-01T00:00:00Z,key:ops' },
    });
    fail({ paused: false, nextTryAt: new Date(world.vault.now.getTime() + hourMs) });
    expect((await run()).report).toMatchObject({ managed: 2, states: { failing: 1, paused: 1 } });
  });
});
