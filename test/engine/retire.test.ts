import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import type { RetirementRequest } from '../../shared/engine/retirement/request.ts';
import type { RetirementResult } from '../../shared/engine/retirement/result.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { failure } from '../../shared/errors.ts';
import { type CrashPoint, dyingAt, type Trace } from './crash.ts';
import { Crash, dayMs, makeWorld, type World } from './world.ts';

const overlapping = strategies.filter((strategy) => strategyTraits[strategy].oldLives);

async function rotatedWorld(
  strategy: Strategy,
  tags: Record<string, string> = {},
  mode: RotationRequest['mode'] = 'scheduled',
) {
  const world = makeWorld(strategy, tags);
  const { vault, secret, firstVersion: version } = world;
  const result = await rotate(world.deps(), { vault: vault.name, secret, version, mode, requestedBy: 'test' });
  expect(result.kind).toBe('rotated');
  return { world, rotationId: result.rotationId };
}

function requestFor(
  world: World,
  rotationId: string,
  mode: RetirementRequest['mode'] = 'scheduled',
): RetirementRequest {
  return { vault: world.vault.name, secret: world.secret, rotationId, mode, requestedBy: 'test' };
}

const later = (world: World, ms: number): void => {
  world.vault.now = new Date(world.vault.now.getTime() + ms);
};

async function dyingRetire(
  world: World,
  rotationId: string,
  point: CrashPoint | undefined,
  mode?: RetirementRequest['mode'],
) {
  const trace: Trace = { calls: [], dead: false };
  let result: RetirementResult | undefined;
  try {
    result = await retire(world.deps(dyingAt(point, trace)), requestFor(world, rotationId, mode));
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  return { result, trace };
}

function accepts(world: World, password: string): boolean {
  return [...world.target.logins.values()].some((passwords) => passwords.has(password));
}

function expectRetired(world: World): void {
  const { vault, secret, firstVersion, firstPassword } = world;
  const versions = vault.secrets.get(secret) ?? [];
  expect(versions.find((each) => each.version === firstVersion)?.enabled, 'the old version').toBe(false);
  expect(readStamp(vault.newest(secret).tags)?.retired).toBe(true);
  expect(vault.newest(secret).value.reveal()).not.toContain(firstPassword);
  expect(accepts(world, firstPassword) && vault.newest(secret).tags['strategy'] !== 'self-issued').toBe(false);
  expect(accepts(world, world.current().password.reveal()), 'the current credential').toBe(true);
}

describe.each(overlapping)('%s', (strategy) => {
  test('before the deadline, without consumers to ask: waits, and the old credential lives', async () => {
    const { world, rotationId } = await rotatedWorld(strategy);
    const result = await retire(world.deps(), requestFor(world, rotationId));
    expect(result.kind).toBe('waiting');
    if (strategyTraits[strategy].hasTarget) expect(accepts(world, world.firstPassword)).toBe(true);
  });

  test('at the deadline: dead, proven, disabled and marked; again is nothing', async () => {
    const { world, rotationId } = await rotatedWorld(strategy);
    later(world, dayMs);
    const result = await retire(world.deps(), requestFor(world, rotationId));
    expect(result).toMatchObject({ kind: 'retired', evidence: 'deadline' });
    expectRetired(world);
    const again = await retire(world.deps(), requestFor(world, rotationId));
    expect(again).toMatchObject({ kind: 'skipped', reason: 'already-retired' });
  });

  test('a crash before or after any call: the next delivery finishes it', async () => {
    const first = await rotatedWorld(strategy);
    later(first.world, dayMs);
    const { trace } = await dyingRetire(first.world, first.rotationId, undefined);
    for (const call of trace.calls.keys()) {
      for (const when of ['before', 'after'] as const) {
        const { world, rotationId } = await rotatedWorld(strategy);
        later(world, dayMs);
        const { result } = await dyingRetire(world, rotationId, { call, when });
        expect(result).toBeUndefined();
        world.leases.expire();
        const next = await retire(world.deps(), requestFor(world, rotationId));
        expect(['retired', 'skipped']).toContain(next.kind);
        expectRetired(world);
      }
    }
  });

  test('an emergency rotation ends the old credential in the same attempt', async () => {
    const { world } = await rotatedWorld(strategy, {}, 'emergency');
    expectRetired(world);
  });

  test('a rotation is not started while the overlap runs, and starts after it', async () => {
    const { world } = await rotatedWorld(strategy);
    const request = { vault: world.vault.name, secret: world.secret, mode: 'asked' as const, requestedBy: 'test' };
    const rotationId = 'a'.repeat(32);
    expect(await rotate(world.deps(), { ...request, rotationId })).toMatchObject({
      kind: 'skipped',
      reason: 'overlap-running',
    });
    later(world, dayMs);
    expect(await rotate(world.deps(), { ...request, rotationId })).toMatchObject({ kind: 'rotated' });
  });
});

describe('a wake-up', () => {
  test.each(overlapping)(
    '%s: is set before the old credential ends, and taken back when the worker comes back',
    async (strategy) => {
      const { world, rotationId } = await rotatedWorld(strategy);
      later(world, dayMs);
      const { trace } = await dyingRetire(world, rotationId, undefined);
      const set = trace.calls.indexOf('wakeUps.put');
      expect(set).toBeGreaterThan(-1);
      for (const change of ['rotator.retire', 'vault.change', 'vault.write']) {
        const at = trace.calls.indexOf(change, trace.calls.indexOf('rotator.inUse') + 1);
        if (at >= 0) expect(set, change).toBeLessThan(at);
      }
      expect(world.wakeUpsForEnds).toEqual([]);
    },
  );

  test.each([
    ['scheduled', dayMs],
    ['asked', dayMs],
    ['emergency', 0],
  ] as const)(
    'of a retirement that is %s stays where the worker dies, and finishes what it began',
    async (mode, afterMs) => {
      const first = await rotatedWorld('alternating-users');
      later(first.world, afterMs);
      const { trace } = await dyingRetire(first.world, first.rotationId, undefined, mode);
      const begun = trace.calls.indexOf('wakeUps.put');
      expect(trace.calls.indexOf('wakeUps.withdraw')).toBeGreaterThan(begun);
      for (let call = begun; call < trace.calls.indexOf('wakeUps.withdraw'); call++) {
        const { world, rotationId } = await rotatedWorld('alternating-users');
        later(world, afterMs);
        await dyingRetire(world, rotationId, { call, when: 'after' }, mode);
        world.leases.expire();
        const [left] = world.wakeUpsForEnds;
        if (left === undefined) throw new Error(`no wake-up after ${trace.calls[call]}`);
        expect(['retired', 'skipped']).toContain((await retire(world.deps(), left)).kind);
        expectRetired(world);
      }
    },
  );

  test('of an emergency is that of its rotation, which the person who asked waits for', async () => {
    const { world } = await rotatedWorld('alternating-users');
    const { vault, secret } = world;
    const request = { vault: vault.name, secret, mode: 'emergency' as const, requestedBy: 'ann' };
    const emergency = { ...request, rotationId: 'b'.repeat(32), version: vault.newest(secret).version };
    // It dies twice: in the end of the old credential, and again where it was found half done.
    for (let time = 0; time < 2; time++) {
      const trace: Trace = { calls: [], dead: false };
      const deps = world.deps(dyingAt(undefined, trace));
      const retireReally = world.rotator.retire;
      world.rotator.retire = async () => {
        trace.dead = true;
        throw new Crash();
      };
      await expect(rotate(deps, emergency)).rejects.toThrow(Crash);
      world.rotator.retire = retireReally;
      world.leases.expire();
      expect(world.wakeUpsForEnds).toEqual([]);
      expect(world.wakeUps.splice(0)).toEqual([emergency]);
    }
    expect(await rotate(world.deps(), emergency)).toMatchObject({ kind: 'rotated' });
    expect(readStamp(vault.newest(secret).tags)?.retired).toBe(true);
  });

  test('that cannot be set ends nothing', async () => {
    const { world, rotationId } = await rotatedWorld('alternating-users');
    later(world, dayMs);
    const lost = failure('storage-unreachable', { secret: world.secret, detail: 'queue' });
    const deps = { ...world.deps(), wakeUps: { set: async () => lost, setForEnd: async () => lost } };
    expect(await retire(deps, requestFor(world, rotationId))).toMatchObject({
      failure: { code: 'storage-unreachable' },
    });
    expect(accepts(world, world.firstPassword)).toBe(true);
  });

  test('is not set by a retirement that waits', async () => {
    const { world, rotationId } = await rotatedWorld('alternating-users');
    const { trace } = await dyingRetire(world, rotationId, undefined);
    expect(trace.calls).not.toContain('wakeUps.put');
  });
});

describe('evidence', () => {
  test('all named consumers have acknowledged and nobody is on it: retired before the deadline', async () => {
    const { world, rotationId } = await rotatedWorld('alternating-users', { consumers: 'shop,billing' });
    world.acknowledged.add('shop');
    const waiting = await retire(world.deps(), requestFor(world, rotationId));
    expect(waiting).toMatchObject({ kind: 'waiting', holding: { consumers: ['billing'] } });
    world.acknowledged.add('billing');
    expect(await retire(world.deps(), requestFor(world, rotationId))).toMatchObject({
      kind: 'retired',
      evidence: 'free',
    });
    expectRetired(world);
  });

  test.each(overlapping)(
    '%s: all consumers have acknowledged and the target cannot say who is on it: free unless a look could have told',
    async (strategy) => {
      const { world, rotationId } = await rotatedWorld(strategy, { consumers: 'shop' });
      world.rotator.inUse = async () => ({ kind: 'unknown', detail: 'sessions do not tell' });
      expect(await retire(world.deps(), requestFor(world, rotationId))).toMatchObject({ kind: 'waiting' });
      world.acknowledged.add('shop');
      const result = await retire(world.deps(), requestFor(world, rotationId));
      expect(result.kind).toBe(strategyTraits[strategy].perLogin ? 'waiting' : 'retired');
      if (result.kind === 'retired') expectRetired(world);
    },
  );

  test('a login that is used by another name of the server, where the admin may not see its sessions: waits for the deadline', async () => {
    const { world, rotationId } = await rotatedWorld('alternating-users', { consumers: 'shop' });
    const { vault, secret } = world;
    const { value, ...newest } = vault.newest(secret);
    vault.newest('orders-admin').tags = { serves: '*', names: 'ro.contoso.test' };
    const renamed = new SecretText(value.reveal().replaceAll('db.contoso.test', 'ro.contoso.test'));
    Object.assign(vault.newest(secret), { ...newest, value: renamed });
    world.acknowledged.add('shop');
    expect(await retire(world.deps(), requestFor(world, rotationId))).toMatchObject({ kind: 'waiting' });
    expect(accepts(world, world.firstPassword)).toBe(true);
    later(world, dayMs);
    expect(await retire(world.deps(), requestFor(world, rotationId))).toMatchObject({ evidence: 'deadline' });
    expectRetired(world);
  });

  test('a live session holds it until the deadline, and is named when it is cut', async () => {
    const { world, rotationId } = await rotatedWorld('alternating-users', { consumers: 'shop' });
    world.acknowledged.add('shop');
    world.rotator.inUse = async () => ({ kind: 'in-use', sessions: 1, by: ['reports@10.0.0.7'] });
    expect(await retire(world.deps(), requestFor(world, rotationId, 'asked'))).toMatchObject({
      kind: 'waiting',
      holding: { sessions: ['reports@10.0.0.7'] },
    });
    expect(accepts(world, world.firstPassword)).toBe(true);
    later(world, dayMs);
    expect(await retire(world.deps(), requestFor(world, rotationId))).toMatchObject({
      kind: 'retired',
      evidence: 'deadline',
      cut: { sessions: ['reports@10.0.0.7'] },
    });
  });

  test('a target that goes on accepting the old credential is a failure, and the version stays enabled', async () => {
    const { world, rotationId } = await rotatedWorld('alternating-users');
    world.rotator.retire = async () => ({ kind: 'retired', sessionsEnded: 0 });
    later(world, dayMs);
    const result = await retire(world.deps(), requestFor(world, rotationId));
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'retire-refused' } });
    expect(readStamp(world.vault.newest(world.secret).tags)?.retired).toBeUndefined();
  });

  test('a login that somebody published by hand as the current one is never made to be refused', async () => {
    const { world, rotationId } = await rotatedWorld('alternating-users');
    const { vault, secret } = world;
    const stamp = vault.newest(secret).tags['rotation'] ?? '';
    const tags = { ...vault.newest(secret).tags, rotation: stamp };
    const value = `{"username":"app","host":"db.contoso.test","password":"${world.firstPassword}"}`;
    vault.put(secret, { value: new SecretText(value), tags, contentType: 'application/json' });
    later(world, dayMs);
    await retire(world.deps(), requestFor(world, rotationId));
    expect(world.target.accepts(world.current())).toBe(true);
  });
});

test('where a failed login is punished the result says that the catalogue is the proof, and where a login was refused it says nothing', async () => {
  for (const unasked of [true, undefined] as const) {
    const { world, rotationId } = await rotatedWorld('dual-password');
    const verifyReally = world.rotator.verify.bind(world.rotator);
    world.rotator.verify = async (step, credential) => {
      const outcome = await verifyReally(step, credential);
      if (outcome.kind !== 'refused' || unasked === undefined) return outcome;
      return { kind: 'refused', detail: 'read from its catalogue', unasked };
    };
    later(world, 30 * dayMs);
    const result = await retire(world.deps(), requestFor(world, rotationId));
    const proofs = unasked === true ? ['read from its catalogue'] : [];
    expect(result).toMatchObject({ kind: 'retired', proofs });
  }
});
