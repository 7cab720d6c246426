/** What people read later: who asked, why, what came of it. It never denies what happened, and calls nothing an end that is none. */
import { describe, expect, test } from 'vitest';
import { viewRotation } from '../../shared/api/views/rotation.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { failure } from '../../shared/errors.ts';
import { performRetirement, performRotation } from '../../shared/operations/perform.ts';
import { type Around, around, breakAdmin, notices, requested, rotationId } from './around.ts';
import { Crash, dayMs } from './world.ts';

const about = { secret: 'orders-db', target: 'db', detail: 'no' };

function rows(it: Around, id: string = rotationId) {
  return it.history.records.filter((one) => one.rotationId === id);
}

function viewOf(it: Around, id?: string) {
  return viewRotation(rows(it, id));
}

/** Makes one call fail as a crash does: whoever made it does nothing any more. */
function dieAt<Port extends object>(port: Port, method: keyof Port & string): void {
  Object.assign(port, { [method]: () => Promise.reject(new Crash()) });
}

describe('an attempt', () => {
  test('says who asked and why, what came of it and each step, and no secret', async () => {
    const it = around();
    await requested(it, 'asked', { reason: 'new DBA' });
    const [last] = it.history.records;
    expect(last).toMatchObject({
      ...{ outcome: 'rotated', activity: 'rotation', requestedBy: 'Anna', reason: 'new DBA' },
      from: it.world.firstVersion,
    });
    expect(last?.steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['apply', 'verify', 'publish', 'confirm']),
    );
    expect(JSON.stringify(it.history.written)).not.toContain(it.world.firstPassword);
    expect(JSON.stringify(it.history.written)).not.toContain(it.world.current().password.reveal());
  });

  test('that nobody asked for says what made it due', async () => {
    const it = around();
    const { rotationId: id } = await requested(it);
    expect(rows(it, id)).toMatchObject([{ outcome: 'rotated', reason: 'near-expiry' }]);
  });

  test('that was left keeps the reason it was asked for, and says why it was left', async () => {
    const it = around();
    await requested(it);
    await requested(it, 'asked', { reason: 'new DBA' });
    expect(rows(it)).toMatchObject([
      { outcome: 'skipped', reason: 'new DBA', detail: expect.stringMatching(/^overlap-running: /) },
    ]);
  });

  test('that failed and comes back is no end, and says when; one that does not is', async () => {
    const it = around();
    it.world.target.down = true;
    await requested(it, 'asked');
    expect(rows(it)).toMatchObject([{ outcome: 'retrying', failure: { code: 'target-unreachable' } }]);
    expect(rows(it)[0]?.nextTryAt?.getTime()).toBeGreaterThan(it.world.vault.now.getTime());
    expect(viewOf(it)).toMatchObject({ state: 'retrying', nextTryAt: expect.any(String) });
    it.world.target.down = false;
    breakAdmin(it);
    await requested(it, 'asked');
    expect(viewOf(it)).toMatchObject({ state: 'failed' });
  });

  test('of an end that a person asked for has their reason, and what allowed it', async () => {
    const it = around();
    const { rotationId: made } = await requested(it);
    const { vault, secret } = it.world;
    const request = { vault: vault.name, secret, rotationId: made, mode: 'asked', requestedBy: 'Anna' } as const;
    expect((await performRetirement(it.deps, { ...request, reason: 'all restarted' })).kind).toBe('retired');
    expect(rows(it, made)[0]).toMatchObject({
      ...{ outcome: 'retired', activity: 'retirement', reason: 'all restarted' },
      detail: expect.stringMatching(/^asked: app/),
    });
    expect(viewOf(it, made)).toMatchObject({ state: 'rotated', retired: true });
  });

  test('of an end that waits says for whom, and looks again', async () => {
    const it = around({ consumers: 'shop' });
    const rotated = await requested(it);
    const { vault, secret } = it.world;
    const request = { vault: vault.name, secret, rotationId: rotated.rotationId, mode: 'scheduled' } as const;
    const result = await performRetirement(it.deps, { ...request, requestedBy: 'overlap' });
    expect(result.kind).toBe('waiting');
    expect(notices(it).at(-1)).toMatchObject({ type: 'waiting', holding: ['shop'] });
    expect(it.messages.at(-1)).toMatchObject({ queue: queueNames.retirements, delayMs: 15 * 60 * 1_000 });
    expect(it.history.records[0]).toMatchObject({ outcome: 'waiting', detail: 'in use by shop' });
    expect(it.attention.trouble(secret).waitsFor).toEqual(['shop']);
  });

  test('of an end that failed is none of the rotation, and is not told as one', async () => {
    const it = around();
    const { rotationId: made } = await requested(it);
    it.world.rotator.retire = async () => failure('permission-missing', { ...about, permission: 'X' });
    const { vault, secret } = it.world;
    it.world.vault.now = new Date(it.world.vault.now.getTime() + 2 * dayMs);
    const request = { vault: vault.name, secret, rotationId: made, mode: 'scheduled', requestedBy: 'overlap' } as const;
    await performRetirement(it.deps, request);
    expect(viewOf(it, made)).toMatchObject({ state: 'rotated', retired: false });
    expect(notices(it).at(-1)).toMatchObject({ type: 'failed', activity: 'retirement' });
  });

  test('with warnings keeps them, and tells them with the new version', async () => {
    const it = around();
    const apply = it.world.rotator.apply.bind(it.world.rotator);
    const warning = 'Node 2 has no ACL file: run ACL SAVE there.';
    it.world.rotator.apply = async (step, candidate, live) => {
      const applied = await apply(step, candidate, live);
      return applied.kind === 'applied' ? { ...applied, warnings: [warning] } : applied;
    };
    await requested(it, 'asked');
    expect(rows(it)).toMatchObject([{ outcome: 'rotated', warnings: [warning] }]);
    expect(viewOf(it)).toMatchObject({ warnings: [warning], attempts: [{ warnings: [warning] }] });
    expect(notices(it)).toMatchObject([{ type: 'rotated', warnings: [warning] }]);
  });
});

describe('a rotation that failed after its publish', () => {
  test('is half done: failed, with the version that is current, in history, view and news', async () => {
    const it = around({ strategy: 'single-user' }, 'single-user');
    it.world.target.sessions = [{ login: 'app', password: it.world.firstPassword }];
    it.world.target.protectedSessions = 1;
    const result = await requested(it, 'emergency', { requestedById: 'key:ops' });
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'sessions-open' } });
    const to = it.world.vault.newest(it.world.secret).version;
    expect(rows(it)[0]).toMatchObject({ outcome: 'failed', from: it.world.firstVersion, to });
    expect(viewOf(it)).toMatchObject({
      state: 'failed',
      to,
      detail: expect.stringContaining('half done'),
      retired: false,
    });
    expect(notices(it).at(-1)).toMatchObject({ type: 'failed', version: to });
    it.world.target.protectedSessions = 0;
    expect((await requested(it, 'emergency')).kind).toBe('rotated');
    expect(viewOf(it)).toMatchObject({ state: 'rotated', to, retired: true });
  });
});

describe('a worker that dies', () => {
  /** An event, and again after whoever worked on it has died. */
  async function eventTwice(it: Around, strike: () => void) {
    const { vault, secret, firstVersion: version } = it.world;
    const event = { vault: vault.name, secret, version, mode: 'scheduled' as const, requestedBy: 'near-expiry' };
    strike();
    await expect(performRotation(it.deps, event)).rejects.toThrow(Crash);
    it.world.leases.expire();
    const { deps } = it;
    const fresh = { ...deps, history: { ...deps.history, record: it.history.record.bind(it.history) } };
    const followUps = { ...deps.engine.followUps };
    return performRotation({ ...fresh, engine: { ...deps.engine, followUps } }, event);
  }

  test('after the mark that all was done, and before its last record, has left the record before', async () => {
    const it = around();
    let writes = 0;
    const record = it.history.record.bind(it.history);
    const second = await eventTwice(it, () => {
      it.deps.history.record = (row) => (++writes > 1 ? Promise.reject(new Crash()) : record(row));
    });
    expect(second).toMatchObject({ reason: 'already-rotated' });
    const to = it.world.vault.newest(it.world.secret).version;
    expect(it.history.records).toMatchObject([{ outcome: 'rotated', from: it.world.firstVersion, to }]);
  });

  test('between the publish and its follow-ups is recorded as rotated by whoever finds the version', async () => {
    const it = around();
    const { followUps } = it.deps.engine;
    const published = followUps.published.bind(followUps);
    const second = await eventTwice(it, () => {
      let calls = 0;
      followUps.published = (made, again) => (++calls > 1 ? published(made, again) : Promise.reject(new Crash()));
    });
    expect(second).toMatchObject({ kind: 'rotated', found: 'finished' });
    const to = it.world.vault.newest(it.world.secret).version;
    expect(it.history.records[0]).toMatchObject({ outcome: 'rotated', from: it.world.firstVersion, to });
    expect(notices(it).filter(({ type }) => type === 'rotated')).toHaveLength(1);
  });

  test('after the end of an old credential is stamped, and before its record, is recorded by whoever comes again, once', async () => {
    const it = around();
    const { rotationId: made } = await requested(it);
    const { vault, secret } = it.world;
    vault.now = new Date(vault.now.getTime() + 2 * dayMs);
    const request = { vault: vault.name, secret, rotationId: made, mode: 'scheduled', requestedBy: 'overlap' } as const;
    const { record } = it.history;
    dieAt(it.history, 'record');
    await expect(performRetirement(it.deps, request)).rejects.toThrow(Crash);
    expect(viewOf(it, made)).toMatchObject({ retired: false });
    Object.assign(it.history, { record });
    for (const _ of [1, 2]) await performRetirement(it.deps, request);
    expect(rows(it, made).filter(({ outcome }) => outcome === 'retired')).toHaveLength(1);
    expect(viewOf(it, made)).toMatchObject({ state: 'rotated', retired: true });
  });

  test('after the end of an old credential is stamped, and before its news, is told by whoever comes again, once and without a guess at who was on it', async () => {
    const it = around();
    const { rotationId: made } = await requested(it);
    const { vault, secret } = it.world;
    vault.now = new Date(vault.now.getTime() + 2 * dayMs);
    const request = { vault: vault.name, secret, rotationId: made, mode: 'scheduled', requestedBy: 'overlap' } as const;
    const { enqueue } = it.deps.queues;
    dieAt(it.deps.queues, 'enqueue');
    await expect(performRetirement(it.deps, request)).rejects.toThrow(Crash);
    Object.assign(it.deps.queues, { enqueue });
    expect(notices(it).filter(({ type }) => type === 'retired')).toEqual([]);
    it.world.leases.expire();
    for (const _ of [1, 2]) await performRetirement(it.deps, request);
    const told = notices(it).filter(({ type }) => type === 'retired');
    expect(told).toMatchObject([{ id: `${made}-retired`, secret }]);
    expect(told[0]?.holding).toBeUndefined();
  });

  test('in an emergency after its version, and before the end of the old credential, has not rotated yet', async () => {
    const it = around();
    dieAt(it.world.rotator, 'retire');
    await expect(requested(it, 'emergency', { requestedById: 'key:ops' })).rejects.toThrow(Crash);
    expect(viewOf(it)).toMatchObject({ state: 'running', to: it.world.vault.newest(it.world.secret).version });
  });

  test('in an emergency after its last step, and before its last record, is recorded by whoever comes again, once', async () => {
    const it = around();
    const record = it.history.record.bind(it.history);
    it.deps.history.record = (row) => (row.outcome === 'rotated' ? Promise.reject(new Crash()) : record(row));
    await expect(requested(it, 'emergency', { requestedById: 'key:ops' })).rejects.toThrow(Crash);
    expect(viewOf(it)?.state).toBe('running');
    it.deps.history.record = record;
    it.world.leases.expire();
    for (let time = 0; time < 3; time++) expect((await requested(it, 'emergency')).kind).toBe('rotated');
    expect(viewOf(it)?.state).toBe('rotated');
    expect(rows(it).filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1);
  });
});
