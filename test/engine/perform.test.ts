/** What is around the engine: the freeze, failures that are tried again, and the news. */
import { describe, expect, test } from 'vitest';
import { viewSecret } from '../../shared/api/views/secret.ts';
import { afterLeaseMs } from '../../shared/contract/ports.ts';
import { queueNames } from '../../shared/contract/queue-names.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { withRequested } from '../../shared/engine/policy/requested.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { failure } from '../../shared/errors.ts';
import { performCheck } from '../../shared/operations/check.ts';
import { performRetirement, performRotation } from '../../shared/operations/perform.ts';
import { type Around, around, breakAdmin, down, notices, pass, requested, troubleOf } from './around.ts';
import { MemoryAttention } from './kept.ts';
import { dayMs } from './world.ts';

const about = { secret: 'orders-db', target: 'db', detail: 'no' };

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

  test('that cannot be read counts as frozen for what is scheduled, is named as an error, and the request comes back', async () => {
    const it = around();
    it.freeze = down;
    const result = await requested(it);
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'storage-unreachable' } });
    expect(result.tryAgainMs).toBeGreaterThan(0);
    expect(it.warnings).toContain('freeze-unreadable');
    expect(it.world.target.touched).toEqual([]);
    expect((await requested(it, 'resume')).kind, 'what was begun is looked at').toBe('skipped');
    expect((await requested(it, 'asked')).kind).toBe('rotated');
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

describe('a request while the overlap runs', () => {
  test('says until when, and who was seen on the old credential', async () => {
    const it = around();
    expect(await requested(it, 'asked')).toMatchObject({ kind: 'rotated' });
    const { vault, secret } = it.world;
    const again = (id: string) =>
      performRotation(it.deps, {
        vault: vault.name,
        secret,
        mode: 'asked',
        requestedBy: 'Anna',
        rotationId: id.repeat(32),
      });
    expect(await again('b')).toMatchObject({
      reason: 'overlap-running',
      detail: expect.stringMatching(/^the previous credential is in use until \S+Z$/),
    });
    await it.attention.waits(vault.name, secret, ['billing on 10.0.0.4']);
    expect(await again('c')).toMatchObject({
      reason: 'overlap-running',
      detail: expect.stringMatching(/until \S+Z; still on it: billing on 10\.0\.0\.4$/),
    });
  });
});

describe('what a rotation warns of', () => {
  const warning = 'The change is forgotten when redis-0 restarts: start it with an aclfile or a configuration file.';

  test('stands in the status and in the notice, until a rotation warns of nothing', async () => {
    const it = around();
    const { rotator, vault, secret } = it.world;
    const apply = rotator.apply.bind(rotator);
    rotator.apply = async (...given) => {
      const outcome = await apply(...given);
      return outcome.kind === 'applied' ? { ...outcome, warnings: [warning] } : outcome;
    };
    expect(await requested(it)).toMatchObject({ kind: 'rotated', warnings: [warning] });
    expect(troubleOf(it)).toEqual({ kind: 'trouble', reminders: [warning] });
    expect(notices(it)).toMatchObject([{ type: 'rotated', warnings: [warning] }]);
    const seen = () => {
      const { value: _value, ...properties } = vault.newest(secret);
      return viewSecret(
        it.world.deps(),
        vault.name,
        { ...properties, name: secret },
        { trouble: troubleOf(it) },
        vault.now,
      );
    };
    expect(seen()).toMatchObject({ reminders: [warning] });
    expect(seen()).not.toHaveProperty('trouble');
    expect((await requested(it)).kind, 'a duplicate says nothing about it').toBe('skipped');
    expect(troubleOf(it)).toEqual({ kind: 'trouble', reminders: [warning] });
    rotator.apply = apply;
    expect((await requested(it, 'emergency')).kind).toBe('rotated');
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
    expect(seen()).not.toHaveProperty('reminders');
  });
});

describe('failures', () => {
  test('that a person must fix are counted and told; the last of so many pauses the rotations', async () => {
    const it = around();
    breakAdmin(it);
    for (let time = 0; time < 3; time++) {
      const { kind, tryAgainMs = 0 } = await requested(it);
      expect(kind).toBe('failed');
      pass(it, tryAgainMs);
    }
    expect(troubleOf(it).rotation).toMatchObject({ failures: 3, paused: true, last: { code: 'admin-invalid' } });
    expect(notices(it).map(({ type }) => type)).toEqual(['failed', 'failed', 'paused']);
    const [first, second] = notices(it);
    expect(second?.id, 'the same trouble is one piece of news').toBe(first?.id);
    expect(first?.failure).toMatchObject({ code: 'admin-invalid', page: 'docs/errors/admin-invalid.md' });
    expect(first?.nextTryAt).toBeDefined();
    pass(it, -60_000);
    expect(await requested(it)).toMatchObject({ kind: 'skipped', reason: 'paused' });
    expect(it.world.target.touched).toEqual([]);
  });

  test('that come back after a person has resumed the secret are told again', async () => {
    const it = around();
    breakAdmin(it);
    await requested(it);
    await it.attention.cleared('', it.world.secret, 'rotation');
    pass(it, 1_000);
    await requested(it);
    const [first, second] = notices(it);
    expect(second?.id).not.toBe(first?.id);
  });

  test('of a target that is down count for nothing: it is retried further apart, and told when it goes on', async () => {
    const it = around();
    it.world.target.down = true;
    const pauses: number[] = [];
    for (let time = 0; time < 4; time++) {
      const result = await requested(it);
      expect(result).toMatchObject({ kind: 'failed', failure: { code: 'target-unreachable' } });
      pauses.push(Math.round((result.tryAgainMs ?? 0) / 1_000));
      pass(it, result.tryAgainMs ?? 0);
    }
    expect(pauses).toEqual([5, 10, 20, 40]);
    expect(troubleOf(it).rotation).toMatchObject({ failures: 0, retries: 4, paused: false });
    expect(notices(it)).toMatchObject([{ type: 'failed', failure: { code: 'target-unreachable' } }]);
  });

  test('for which the other side asked for patience are not tried before', async () => {
    const it = around();
    const { vault } = it.world;
    const throttled = failure('vault-throttled', { secret: it.world.secret, vault: vault.name, detail: '429' });
    vault.read = async () => ({ ...throttled, retryAfterSeconds: 600 });
    expect((await requested(it)).tryAgainMs).toBeGreaterThan(599_000);
  });

  test('of what a person asked for are tried again until somebody pauses the secret, unless the target may depend on it', async () => {
    const it = around({}, 'single-user');
    const { vault, secret, target } = it.world;
    const ask = (askedAt: Date) => requested(it, 'asked', { askedAt: askedAt.toISOString() });
    const [before, pausedAt] = [vault.now, new Date(vault.now.getTime() + 60_000)];
    target.down = true;
    expect((await ask(before)).tryAgainMs).toBeGreaterThan(0);
    const tags = withRequested(vault.newest(secret).tags, { paused: { by: 'key:ops', at: pausedAt } });
    vault.newest(secret).tags = tags;
    pass(it, 120_000);
    const held = await ask(before);
    expect(held).toMatchObject({ kind: 'skipped', reason: 'paused' });
    expect(held).not.toHaveProperty('tryAgainMs');
    expect((await ask(vault.now)).tryAgainMs, 'who asks in spite of it').toBeGreaterThan(0);
    target.down = false;
    const { write } = vault;
    vault.write = async (name, version) =>
      name === secret
        ? failure('vault-unreachable', { secret, vault: vault.name, detail: 'cut' })
        : write.call(vault, name, version);
    expect(await ask(vault.now)).toMatchObject({ kind: 'failed', unpublished: true });
    vault.write = write;
    expect((await ask(before)).kind, 'consumers cannot log in before it is published').toBe('rotated');
  });

  test('of a person who asked count nothing, whatever they asked for', async () => {
    for (const mode of ['asked', 'forced', 'emergency', 'roll-back'] as const) {
      const it = around();
      breakAdmin(it);
      expect(await requested(it, mode)).not.toHaveProperty('tryAgainMs');
      expect(troubleOf(it), mode).toEqual({ kind: 'trouble' });
    }
  });

  test('of a retirement do not hold back rotations, and a retirement that succeeds forgets them', async () => {
    const it = around();
    const { vault, secret } = it.world;
    const { rotationId: made } = await requested(it);
    const request = { vault: vault.name, secret, rotationId: made, mode: 'scheduled', requestedBy: 'overlap' } as const;
    pass(it, 2 * dayMs);
    const retire = it.world.rotator.retire;
    it.world.rotator.retire = async () => failure('permission-missing', { ...about, permission: 'X' });
    for (let time = 0; time < 6; time++) {
      const result = await performRetirement(it.deps, request);
      expect(result.tryAgainMs).toBeGreaterThan(0);
      pass(it, result.tryAgainMs ?? 0);
    }
    expect(troubleOf(it)).toMatchObject({ retirement: { failures: 6, paused: false } });
    expect(troubleOf(it).rotation).toBeUndefined();
    const failed = notices(it).filter(({ type }) => type === 'failed');
    expect(failed.every(({ activity }) => activity === 'retirement')).toBe(true);
    pass(it, 80 * dayMs);
    expect((await requested(it)).kind).not.toBe('skipped');
    it.world.rotator.retire = retire;
    const newest = readStamp(vault.newest(secret).tags)?.rotationId ?? '';
    pass(it, 2 * dayMs);
    expect((await performRetirement(it.deps, { ...request, rotationId: newest })).kind).toBe('retired');
    expect(troubleOf(it).retirement).toBeUndefined();
  });

  test('of a retirement that a person asked for count nothing', async () => {
    const it = around();
    const { rotationId: made } = await requested(it);
    it.world.rotator.retire = async () => failure('permission-missing', { ...about, permission: 'X' });
    const { vault, secret } = it.world;
    const request = { vault: vault.name, secret, rotationId: made, mode: 'asked', requestedBy: 'Anna' } as const;
    expect(await performRetirement(it.deps, request)).toMatchObject({ kind: 'failed' });
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
  });

  test('that leave a credential at the target that no version holds are finished, whoever asked, and said until then', async () => {
    const it = around();
    const write = it.world.vault.write.bind(it.world.vault);
    const forbidden = failure('vault-forbidden', { secret: 'orders-db', vault: 'contoso-kv', detail: '403' });
    it.world.vault.write = async () => forbidden;
    const result = await requested(it, 'asked');
    expect(result).toMatchObject({ kind: 'failed', unpublished: true });
    expect(result.tryAgainMs).toBeGreaterThan(0);
    expect(troubleOf(it).rotation).toMatchObject({ failures: 0, retries: 1, unpublished: true });
    it.world.vault.write = write;
    expect((await requested(it, 'asked')).kind).toBe('rotated');
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
  });

  test('that end what was only retried end the retrying, too', async () => {
    const it = around();
    it.world.target.down = true;
    expect((await requested(it, 'asked')).tryAgainMs).toBeGreaterThan(0);
    it.world.target.down = false;
    breakAdmin(it);
    expect(await requested(it, 'asked')).not.toHaveProperty('tryAgainMs');
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
  });

  test('that another try would make worse are final for a person, and what is left at the target is said until somebody has looked', async () => {
    const it = around();
    it.world.rotator.verify = async (_step, { username }) =>
      username === 'app' ? { kind: 'accepted' } : { kind: 'refused', detail: 'history' };
    const result = await requested(it, 'asked');
    expect(result).toMatchObject({ failure: { code: 'candidate-refused' }, unpublished: true });
    expect(result).not.toHaveProperty('tryAgainMs');
    expect(troubleOf(it).rotation).toMatchObject({ failures: 0, paused: false, unpublished: true });
    expect(troubleOf(it).rotation).not.toHaveProperty('nextTryAt');
  });

  test('that leave a credential at the target count, and are tried again in seconds and not in a quarter of an hour', async () => {
    const it = around({ strategy: 'single-user' }, 'single-user');
    const forbidden = failure('vault-forbidden', { secret: 'orders-db', vault: 'contoso-kv', detail: '403' });
    const write = it.world.vault.write.bind(it.world.vault);
    it.world.vault.write = async (name, version) => (name === it.world.secret ? forbidden : write(name, version));
    const result = await requested(it);
    expect(result).toMatchObject({ kind: 'failed', unpublished: true });
    expect(result.tryAgainMs).toBeLessThanOrEqual(5_000);
    expect(troubleOf(it).rotation).toMatchObject({ failures: 1, unpublished: true });
  });

  test('are forgotten by a rotation that succeeds, with a drift that it healed; where there are none nothing is written', async () => {
    const it = around();
    breakAdmin(it);
    await requested(it);
    it.world.vault.put('orders-admin', { ...around().world.vault.newest('orders-admin') });
    pass(it, dayMs);
    const drift = { code: 'credential-drifted', message: 'refused', hint: 'fix it', at: it.world.vault.now };
    const counted = { ...drift, counts: true, unpublished: false };
    await it.attention.failed('', it.world.secret, 'check', counted, () => ({ at: undefined, paused: false }));
    expect((await requested(it)).kind).toBe('rotated');
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
    const calm = around();
    expect((await requested(calm)).kind).toBe('rotated');
    expect(calm.attention.clearings).toEqual([]);
  });

  test('that cannot be kept do not keep the request from coming back', async () => {
    const it = around();
    it.world.target.down = true;
    const deps = { ...it.deps, attention: Object.assign(new MemoryAttention(), { failed: async () => down }) };
    const { vault, secret } = it.world;
    const result = await performRotation(deps, { vault: vault.name, secret, mode: 'scheduled', requestedBy: 'x' });
    expect(result.tryAgainMs).toBeGreaterThan(0);
    expect(it.warnings).toContain('attention-not-kept');
  });
});

test('a version of somebody else in the place of the one that was made is told to the channels, and left as it is', async () => {
  const it = around();
  const { vault, secret } = it.world;
  const versions = vault.versions.bind(vault);
  let theirs = '';
  vault.versions = async (name) => {
    vault.now = new Date(vault.now.getTime() + 2_000);
    theirs ||= vault.put(secret, { ...vault.newest(secret), tags: { rotator: 'memory' } });
    return versions(name);
  };
  const result = await requested(it);
  expect(result).toMatchObject({ kind: 'failed', failure: { code: 'newer-version' } });
  expect(result).not.toHaveProperty('tryAgainMs');
  const news = { type: 'failed', rotationId: result.rotationId, failure: { code: 'newer-version' } };
  expect(notices(it)).toMatchObject([news]);
  expect(notices(it)[0]?.failure?.message).toContain(theirs);
  expect(troubleOf(it), 'it is nobody’s failure').toEqual({ kind: 'trouble' });
  expect(vault.newest(secret).version).toBe(theirs);
});

describe('a worker that finds another at work', () => {
  test('comes back when that one’s lease has run out, and the history does not call it an end', async () => {
    const it = around();
    const held = await it.world.leases.acquire(it.world.vault.name, it.world.secret);
    expect(held.kind).toBe('held');
    expect(await requested(it, 'asked')).toMatchObject({ kind: 'skipped', reason: 'busy', tryAgainMs: afterLeaseMs });
    expect(it.history.records).toMatchObject([{ outcome: 'retrying', detail: expect.stringContaining('busy') }]);
  });
});

describe('an event', () => {
  test('that comes again after all was done asks neither lease nor vault, and adds nothing to the history', async () => {
    const it = around();
    const { vault, secret, firstVersion: version } = it.world;
    const event = { vault: vault.name, secret, version, mode: 'scheduled' as const, requestedBy: 'near-expiry' };
    expect((await performRotation(it.deps, event)).kind).toBe('rotated');
    const records = it.history.written.length;
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
    expect(it.history.written).toHaveLength(records);
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

describe('the check of a credential', () => {
  const check = (it: Around) =>
    performCheck(it.deps, { vault: it.world.vault.name, secret: it.world.secret }, new AbortController().signal);

  test('that logs in says nothing', async () => {
    const it = around({ notify: 'ops' });
    expect(await check(it)).toEqual({ kind: 'healthy' });
    expect(it.messages).toEqual([]);
  });

  test('that is refused while a worker is at the secret is no drift: the password may be half way to its version', async () => {
    const it = around({ notify: 'ops' });
    const { leases, target, vault, secret } = it.world;
    const held = await leases.acquire(vault.name, secret);
    target.set('app', ['replaced and not yet published']);
    expect(await check(it)).toMatchObject({ kind: 'busy' });
    expect(it.messages).toEqual([]);
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
    if (held.kind === 'held') await held.lease.release();
    expect(await check(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
  });

  /** Something happens between the look without the lease and the one under it. */
  function disturbed(it: Around, acquiring: () => void): Around {
    const { leases } = it.world;
    const acquire = leases.acquire.bind(leases);
    leases.acquire = async (vault, secret) => {
      acquiring();
      return acquire(vault, secret);
    };
    return { ...it, deps: { ...it.deps, engine: { ...it.deps.engine, leases } } };
  }

  test('that was published between its two looks is healthy', async () => {
    const it = around({ notify: 'ops' }, 'single-user');
    const { target, vault, secret, firstPassword } = it.world;
    target.set('app', ['the next one']);
    const meanwhile = disturbed(it, () => {
      const { value, tags, contentType = '' } = vault.newest(secret);
      const text = value.reveal().replace(firstPassword, 'the next one');
      vault.put(secret, { value: new SecretText(text), tags, contentType });
    });
    expect(await check(meanwhile)).toEqual({ kind: 'healthy' });
    expect(it.messages).toEqual([]);
  });

  test('that a rotation in place put back between its two looks is healthy', async () => {
    const it = around({ notify: 'ops' }, 'single-user');
    const { target, vault, secret, firstPassword } = it.world;
    vault.put(`keyturn-pending-${secret}`, { value: new SecretText('the candidate'), tags: {} });
    target.set('app', ['the candidate']);
    const meanwhile = disturbed(it, () => target.set('app', [firstPassword]));
    expect(await check(meanwhile)).toEqual({ kind: 'healthy' });
    expect(it.messages).toEqual([]);
  });

  test.each(['alternating-users', 'dual-password', 'single-user'] as const)(
    '%s: that is refused is tried with one login, as servers that lock accounts count them',
    async (strategy) => {
      const it = around({}, strategy);
      it.world.target.set('app', ['changed by hand']);
      it.world.target.locksAfter = 2;
      expect(await check(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
      expect(it.world.target.failures.get('app')).toBe(1);
    },
  );

  test('that is refused tells the channels of the secret, once a day and without the credential', async () => {
    const it = around({ notify: 'ops, pager' });
    it.world.target.set('app', ['changed by hand']);
    expect(await check(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
    it.world.vault.now = new Date(it.world.vault.now.getTime() + 3_600_000);
    expect(await check(it)).toMatchObject({ kind: 'failed', code: 'credential-drifted' });
    expect(troubleOf(it)).toMatchObject({ check: { failures: 2, last: { code: 'credential-drifted' } } });
    const [first, second] = notices(it);
    expect(first).toMatchObject({ type: 'drifted', channels: ['ops', 'pager'], version: it.world.firstVersion });
    expect(second?.id, 'the same news on the same day').toBe(first?.id);
    expect(JSON.stringify(it.messages)).not.toContain(it.world.firstPassword);
  });

  test('a drift that comes back on the same day after it was healed is told again', async () => {
    const it = around();
    const password = it.world.firstPassword;
    for (const set of ['changed by hand', password, 'changed again']) {
      it.world.target.set('app', [set]);
      await check(it);
      pass(it, 60_000);
    }
    const ids = notices(it).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(troubleOf(it).check?.failures).toBe(1);
  });

  test('whose target gives no answer is no drift: tried again, further apart, and forgotten once it answers', async () => {
    const it = around();
    it.world.target.down = true;
    const first = await check(it);
    expect(first).toMatchObject({ kind: 'failed', code: 'target-unreachable' });
    expect(await check(it), 'a second message before its time').toMatchObject({ kind: 'failed' });
    pass(it, 60_000);
    it.world.target.down = false;
    expect(await check(it)).toEqual({ kind: 'healthy' });
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
    expect(notices(it)).toEqual([]);
  });

  test('does not hold back the rotation that would heal it', async () => {
    const it = around({ strategy: 'single-user' }, 'single-user');
    it.world.target.set('app', ['changed by hand']);
    await check(it);
    expect(await requested(it, 'forced')).toMatchObject({ kind: 'rotated' });
    expect(troubleOf(it)).toEqual({ kind: 'trouble' });
  });
});
