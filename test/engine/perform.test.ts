/** What is around the engine: the freeze, the quarantine, history and the news. */

import { describe, expect, test } from 'vitest';
import type { Notice } from '../../shared/contract/notice.ts';
import type { RotationRecord } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import type { FreezeState, Trouble } from '../../shared/contract/state.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { failure } from '../../shared/errors.ts';
import { performCheck } from '../../shared/operations/check.ts';
import { queuedFollowUps } from '../../shared/operations/follow-ups.ts';
import { type PerformDependencies, performRetirement, performRotation } from '../../shared/operations/perform.ts';
import { notificationsQueue } from '../../shared/operations/queues.ts';
import { dayMs, makeWorld, type World } from './world.ts';

interface Message {
  readonly queue: string;
  readonly body: unknown;
  readonly delayMs: number | undefined;
}

interface Around {
  readonly world: World;
  readonly deps: PerformDependencies;
  readonly records: RotationRecord[];
  readonly messages: Message[];
  readonly warnings: string[];
  readonly marks: Set<string>;
  freeze: FreezeState;
  trouble: Trouble;
  cleared: number;
  storageDown: boolean;
}

const down = failure('storage-unreachable', { secret: 'orders-db', detail: 'ECONNREFUSED' });

function around(tags: Record<string, string> = {}): Around {
  const world = makeWorld('alternating-users', tags);
  const records: RotationRecord[] = [];
  const messages: Message[] = [];
  const warnings: string[] = [];
  const marks = new Set<string>();
  const queues: PerformDependencies['queues'] = {
    enqueue: async (queue, body, { delayMs }) => {
      if (it.storageDown) return down;
      messages.push({ queue: queue.name, body: queue.schema.parse(body), delayMs });
      return { kind: 'enqueued' };
    },
  };
  const followUps = queuedFollowUps(queues, {
    has: async (key) => ({ kind: 'known', marked: marks.has(key) }),
    put: async (key) => {
      marks.add(key);
      return { kind: 'marked' };
    },
  });
  const deps: PerformDependencies = {
    engine: { ...world.deps(), followUps },
    history: {
      record: async (record) => {
        if (it.storageDown) return down;
        records.push(record);
        return { kind: 'recorded' };
      },
      of: async () => ({ kind: 'listed', records }),
      rotation: async () => ({ kind: 'listed', records }),
    },
    attention: {
      of: async () => it.trouble,
      all: async function* () {
        yield { kind: 'secret' as const, secret: world.secret, trouble: it.trouble };
      },
      failed: async (_vault, _secret, last, quarantineAfter) => {
        const failures = it.trouble.failures + 1;
        it.trouble = { kind: 'trouble', failures, quarantined: failures >= quarantineAfter, last };
        return it.trouble;
      },
      cleared: async () => {
        it.cleared += 1;
        return { kind: 'cleared' };
      },
    },
    freeze: { read: async () => it.freeze, set: async () => it.freeze },
    queues,
    log: { info: () => undefined, warn: (event) => warnings.push(event), error: (event) => warnings.push(event) },
    quarantineAfter: 3,
    now: () => world.vault.now,
  };
  const it: Around = {
    ...{ world, deps, records, messages, warnings, marks, cleared: 0, storageDown: false },
    freeze: { kind: 'freeze', frozen: false },
    trouble: { kind: 'trouble', failures: 0, quarantined: false },
  };
  return it;
}

const rotationId = '1'.repeat(32);

function requested(it: Around, mode: RotationRequest['mode'] = 'scheduled') {
  const { vault, secret } = it.world;
  const asked = mode === 'scheduled' || mode === 'resume' ? {} : { rotationId };
  return performRotation(it.deps, { vault: vault.name, secret, mode, requestedBy: 'Anna', ...asked });
}

function notices(it: Around): Notice[] {
  return it.messages
    .filter(({ queue }) => queue === notificationsQueue.name)
    .map(({ body }) => notificationsQueue.schema.parse(body));
}

/** The admin's secret is gone: a failure that only a person mends. */
function breakAdmin(it: Around): void {
  it.world.vault.secrets.delete('orders-admin');
}

describe('the freeze', () => {
  test('what is scheduled is held back, untouched, and says who froze it', async () => {
    const it = around();
    it.freeze = { kind: 'freeze', frozen: true, by: 'Anna', reason: 'move to the new region' };
    const result = await requested(it);
    expect(result).toMatchObject({
      kind: 'skipped',
      reason: 'frozen',
      detail: 'frozen by Anna: move to the new region',
    });
    expect(it.world.vault.count(it.world.secret)).toBe(1);
    expect(it.world.target.touched).toEqual([]);
  });

  test.each(['asked', 'emergency'] as const)(
    'a person who asks (%s) has looked, and is not held back',
    async (mode) => {
      const it = around();
      it.freeze = { kind: 'freeze', frozen: true };
      expect((await requested(it, mode)).kind).toBe('rotated');
    },
  );
});

describe('the quarantine', () => {
  test('failures that a person must mend are counted and told; the last one puts the secret in quarantine', async () => {
    const it = around();
    breakAdmin(it);
    for (let time = 0; time < 3; time++) expect((await requested(it)).kind).toBe('failed');
    expect(it.trouble).toMatchObject({ failures: 3, quarantined: true, last: { code: 'admin-invalid' } });
    expect(notices(it).map(({ type }) => type)).toEqual(['failed', 'failed', 'quarantined']);
    const [first, second] = notices(it);
    expect(second?.id, 'the same failure of the same rotation is one piece of news').toBe(first?.id);
    expect(first?.failure).toMatchObject({ code: 'admin-invalid', page: 'docs/errors/admin-invalid.md' });
    expect(await requested(it)).toMatchObject({ kind: 'skipped', reason: 'paused' });
    expect(it.world.target.touched).toEqual([]);
  });

  test('a target that is down counts for nothing and is no news: it mends itself', async () => {
    const it = around();
    it.world.target.down = true;
    for (let time = 0; time < 5; time++) {
      expect(await requested(it)).toMatchObject({ kind: 'failed', failure: { code: 'target-unreachable' } });
    }
    expect(it.trouble.failures).toBe(0);
    expect(notices(it)).toEqual([]);
  });

  test('a rotation that succeeds clears the count, and touches nothing where there is none', async () => {
    const it = around();
    it.trouble = { kind: 'trouble', failures: 2, quarantined: false };
    expect((await requested(it)).kind).toBe('rotated');
    expect(it.cleared).toBe(1);
    const calm = around();
    expect((await requested(calm)).kind).toBe('rotated');
    expect(calm.cleared).toBe(0);
  });

  test('an event that comes again after all was done asks neither lease nor vault, and adds nothing to the history', async () => {
    const it = around();
    const { vault, secret, firstVersion: version } = it.world;
    const event = { vault: vault.name, secret, version, mode: 'scheduled' as const, requestedBy: 'near-expiry' };
    expect((await performRotation(it.deps, event)).kind).toBe('rotated');
    const records = it.records.length;
    const leases = { acquire: () => Promise.reject(new Error('the lease was asked')) };
    const engine = { ...it.deps.engine, leases, vaults: new Map() };
    expect(await performRotation({ ...it.deps, engine }, event)).toMatchObject({
      kind: 'skipped',
      reason: 'already-rotated',
    });
    it.marks.clear();
    expect(await performRotation({ ...it.deps, engine }, event), 'from memory').toMatchObject({
      reason: 'already-rotated',
    });
    expect(it.records).toHaveLength(records);
    expect(vault.count(secret)).toBe(2);
  });
});

describe('the news of a new version', () => {
  test('is one notice with the id of the rotation, and one retirement that waits for the overlap', async () => {
    const it = around({ notify: 'ops' });
    const result = await requested(it);
    expect(notices(it)).toMatchObject([
      { id: result.rotationId, type: 'rotated', channels: ['ops'], from: it.world.firstVersion },
    ]);
    const retirements = it.messages.filter(({ queue }) => queue === queueNames.retirements);
    expect(retirements).toMatchObject([{ body: { rotationId: result.rotationId }, delayMs: dayMs + 1_000 }]);
    await performRotation(it.deps, {
      ...{ vault: it.world.vault.name, secret: it.world.secret, version: it.world.firstVersion },
      ...{ mode: 'scheduled', requestedBy: 'a duplicate' },
    });
    expect(it.messages, 'a duplicate is no second piece of news').toHaveLength(2);
  });

  test('an overlap longer than a queue can wait is left to the sweep', async () => {
    const it = around({ overlap: 'P8D' });
    await requested(it);
    expect(it.messages.map(({ queue }) => queue)).toEqual([queueNames.notifications]);
  });

  test('lost with the queue, it is told by the next delivery, and no second version is made', async () => {
    const it = around();
    it.storageDown = true;
    const request = {
      ...{ vault: it.world.vault.name, secret: it.world.secret, version: it.world.firstVersion },
      ...{ mode: 'scheduled' as const, requestedBy: 'near-expiry' },
    };
    expect(await performRotation(it.deps, request)).toMatchObject({
      kind: 'failed',
      failure: { code: 'storage-unreachable', class: 'retry' },
    });
    expect(it.warnings).toContain('history-not-kept');
    it.storageDown = false;
    expect(await performRotation(it.deps, request)).toMatchObject({ found: 'finished' });
    expect(notices(it)).toHaveLength(1);
    expect(it.world.vault.count(it.world.secret)).toBe(2);
  });
});

describe('history', () => {
  test('says who asked, what came of it and each step', async () => {
    const it = around();
    await requested(it, 'asked');
    const last = it.records.at(-1);
    expect(last).toMatchObject({ outcome: 'rotated', requestedBy: 'Anna', from: it.world.firstVersion });
    expect(last?.steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['apply', 'verify', 'publish', 'confirm']),
    );
    expect(JSON.stringify(it.records)).not.toContain(it.world.firstPassword);
    expect(JSON.stringify(it.records)).not.toContain(it.world.current().password.reveal());
  });

  test('a retirement that waits says for whom, and looks again', async () => {
    const it = around({ consumers: 'shop' });
    const rotated = await requested(it);
    const { vault, secret } = it.world;
    const request = { vault: vault.name, secret, rotationId: rotated.rotationId, mode: 'scheduled' as const };
    const result = await performRetirement(it.deps, { ...request, requestedBy: 'overlap' });
    expect(result.kind).toBe('waiting');
    expect(notices(it).at(-1)).toMatchObject({ type: 'waiting', holding: ['shop'] });
    expect(it.messages.at(-1)).toMatchObject({ queue: queueNames.retirements, delayMs: 15 * 60 * 1_000 });
    expect(it.records.at(-1)).toMatchObject({ outcome: 'skipped', reason: 'in use by shop' });
  });
});

describe('the check of a credential', () => {
  const check = (it: Around) =>
    performCheck(it.deps, { vault: it.world.vault.name, secret: it.world.secret }, new AbortController().signal);

  test('that logs in says nothing', async () => {
    const it = around({ notify: 'ops' });
    expect(await check(it)).toEqual({ kind: 'healthy' });
    expect(it.messages).toEqual([]);
  });

  test('that is refused tells the channels of the secret, once a day and without the credential', async () => {
    const it = around({ notify: 'ops, pager' });
    it.world.target.set('app', ['changed by hand']);
    expect(await check(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
    it.world.vault.now = new Date(it.world.vault.now.getTime() + 3_600_000);
    expect(await check(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
    const [first, second] = notices(it);
    expect(first).toMatchObject({ type: 'drifted', channels: ['ops', 'pager'], version: it.world.firstVersion });
    expect(second?.id, 'the same news on the same day').toBe(first?.id);
    expect(JSON.stringify(it.messages)).not.toContain(it.world.firstPassword);
  });
});
