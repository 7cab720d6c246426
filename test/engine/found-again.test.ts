/** What the next worker makes of what the one before left behind, and what each is told of the credential that logs in now. */
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Strategy, strategies, strategyTraits } from '../../shared/contract/strategy.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { formatStamp, pendingOfTag, stampTag } from '../../shared/engine/policy/stamp.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { Crash, makeWorld, type World } from './world.ts';

const pendingName = pendingNameOf('orders-db');
const storing = strategies.filter((strategy) => strategyTraits[strategy].pending !== 'never');

const ask = (world: World, more: Partial<RotationRequest> = {}) => ({
  ...{ vault: world.vault.name, secret: world.secret, mode: 'scheduled' as const, requestedBy: 'test' },
  ...more,
});

/** Rotates with a worker that dies when it applies, or when it proves what it applied: the first login is that of the probe. */
async function dieAt(world: World, method: 'apply' | 'proof'): Promise<void> {
  const { rotator } = world;
  const [apply, verify] = [rotator.apply.bind(rotator), rotator.verify.bind(rotator)];
  let logins = 0;
  if (method === 'apply') rotator.apply = () => Promise.reject(new Crash());
  rotator.verify = (step, credential) => (++logins === 2 ? Promise.reject(new Crash()) : verify(step, credential));
  await expect(rotate(world.deps(), ask(world))).rejects.toThrow(Crash);
  Object.assign(rotator, { apply, verify });
  world.leases.expire();
}

/** What apply was told logs in now, and whether it did. */
function watchLive(world: World): boolean[] {
  const seen: boolean[] = [];
  const apply = world.rotator.apply.bind(world.rotator);
  world.rotator.apply = (step, candidate, live) => {
    seen.push(world.target.accepts(live));
    return apply(step, candidate, live);
  };
  return seen;
}

describe.each(storing)('%s', (strategy: Strategy) => {
  test('a candidate that was stored is not stored again by the worker that finds it', async () => {
    const world = makeWorld(strategy);
    await dieAt(world, 'proof');
    expect(world.vault.count(pendingName)).toBe(1);
    expect(await rotate(world.deps(), ask(world))).toMatchObject({ kind: 'rotated' });
    expect(world.vault.count(pendingName)).toBe(1);
    expect(world.target.accepts(world.current())).toBe(true);
  });
});

describe('single-user', () => {
  test('a stored candidate that the target does not take yet is not told to apply as the one that logs in', async () => {
    const world = makeWorld('single-user');
    await dieAt(world, 'apply');
    expect(world.vault.count(pendingName)).toBe(1);
    const live = watchLive(world);
    expect(await rotate(world.deps(), ask(world))).toMatchObject({ kind: 'rotated' });
    expect(live).toEqual([true]);
  });

  test('of two candidates stored by two workers the one that the target took is published, also when it is the older one', async () => {
    const world = makeWorld('single-user');
    const { vault, secret, target } = world;
    const stored = (password: string, letter: string) =>
      vault.put(pendingName, {
        value: new SecretText(JSON.stringify({ username: 'app', host: 'db.contoso.test', password })),
        contentType: 'application/json',
        tags: {
          [stampTag]: formatStamp({ rotationId: letter.repeat(32), from: world.firstVersion }),
          [pendingOfTag]: secret,
        },
      });
    stored('taken-by-the-target', 'a');
    stored('never-got-that-far', 'b');
    target.set('app', ['taken-by-the-target']);
    expect(await rotate(world.deps(), ask(world))).toMatchObject({ kind: 'rotated' });
    expect(world.current().password.reveal()).toBe('taken-by-the-target');
    expect(target.accepts(world.current())).toBe(true);
  });
});

describe('where no credential logs in any more', () => {
  test.each([
    ['forced', 'rotated'],
    ['emergency', 'rotated'],
    ['scheduled', 'failed'],
    ['asked', 'failed'],
  ] as const)(
    'a rotation that is %s is %s: the admin makes the login usable only for who insists',
    async (mode, kind) => {
      const world = makeWorld('single-user');
      world.target.set('app', ['changed by hand']);
      const result = await rotate(world.deps(), ask(world, { mode, rotationId: '1'.repeat(32) }));
      expect(result.kind).toBe(kind);
      expect(world.target.accepts(world.current())).toBe(kind === 'rotated');
    },
  );
});

test('a new login that cannot be proven for want of an answer ends nobody, unless it is an emergency', async () => {
  const world = makeWorld('alternating-users');
  const { target, rotator } = world;
  const apply = rotator.apply.bind(rotator);
  rotator.apply = async (step, candidate, live) => {
    const applied = await apply(step, candidate, live);
    // All connections are taken from now on.
    target.sessions = [{ login: 'app', password: world.firstPassword }];
    target.mostSessions = 1;
    return applied;
  };
  expect(await rotate(world.deps(), ask(world))).toMatchObject({ failure: { code: 'target-unreachable' } });
  expect(target.sessions).toHaveLength(1);
  expect(target.logins.get('app')?.has(world.firstPassword)).toBe(true);

  world.leases.expire();
  const emergency = ask(world, { mode: 'emergency', rotationId: 'e'.repeat(32) });
  expect(await rotate(world.deps(), emergency)).toMatchObject({ kind: 'rotated' });
  expect(target.sessions).toEqual([]);
});
