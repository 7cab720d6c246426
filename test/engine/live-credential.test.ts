/** Where the published credential is refused, and where a candidate is. */
import { describe, expect, test } from 'vitest';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { dayMs, makeWorld, type World } from './world.ts';

const scheduled = (world: World) => ({
  vault: world.vault.name,
  secret: world.secret,
  mode: 'scheduled' as const,
  requestedBy: 'test',
});

describe('where the published credential is refused', () => {
  test('the one before it is tried, and where it logs in the rotation goes on from there', async () => {
    const world = makeWorld('single-user');
    expect(await rotate(world.deps(), scheduled(world))).toMatchObject({ kind: 'rotated' });
    // A database that was put back to a state of before.
    world.target.set('app', [world.firstPassword]);
    world.vault.now = new Date(world.vault.now.getTime() + 80 * dayMs);
    expect(await rotate(world.deps(), scheduled(world))).toMatchObject({ kind: 'rotated' });
    expect(world.target.accepts(world.current())).toBe(true);
  });

  test('and the one before it too, the rotation stops, changes nothing and says so', async () => {
    const world = makeWorld('single-user');
    await rotate(world.deps(), scheduled(world));
    world.target.set('app', ['changed by hand']);
    world.vault.now = new Date(world.vault.now.getTime() + 80 * dayMs);
    const before = world.vault.count(world.secret);
    expect(await rotate(world.deps(), scheduled(world))).toMatchObject({
      kind: 'failed',
      failure: { code: 'no-live-credential' },
    });
    expect([...(world.target.logins.get('app') ?? [])]).toEqual(['changed by hand']);
    expect(world.vault.count(world.secret)).toBe(before);
  });
});

describe('a target that refuses a candidate', () => {
  /** Refuses so many candidates, and remembers them. */
  function refusing(world: World, times: number): string[] {
    const refused: string[] = [];
    world.target.refusing = (password) => {
      if (refused.length >= times) return false;
      refused.push(password);
      return true;
    };
    return refused;
  }

  test.each(['single-user', 'alternating-users', 'dual-password'] as const)(
    'is given another one, twice (%s)',
    async (strategy) => {
      const world = makeWorld(strategy);
      const refused = refusing(world, 2);
      expect(await rotate(world.deps(), scheduled(world))).toMatchObject({ kind: 'rotated' });
      expect(new Set(refused).size, 'each candidate is another one').toBe(2);
      expect(refused).not.toContain(world.current().password.reveal());
      expect(world.target.accepts(world.current())).toBe(true);
    },
  );

  test('three times gets no fourth: a person must look, and the published credential still logs in', async () => {
    const world = makeWorld('single-user');
    const refused = refusing(world, Number.POSITIVE_INFINITY);
    expect(await rotate(world.deps(), scheduled(world))).toMatchObject({
      kind: 'failed',
      failure: { code: 'candidate-refused' },
    });
    expect(new Set(refused).size).toBe(3);
    expect(world.vault.count(world.secret)).toBe(1);
    expect(world.target.accepts(world.current())).toBe(true);
  });

  test('is never sent the same one again, also by the attempts that follow', async () => {
    const world = makeWorld('single-user');
    const sent: string[] = [];
    world.target.refusing = (password) => sent.push(password) > 0;
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await rotate(world.deps(), { ...scheduled(world), mode: 'forced' })).toMatchObject({
        kind: 'failed',
        failure: { code: 'candidate-refused' },
      });
      expect(world.vault.newest(pendingNameOf(world.secret))).toMatchObject({ enabled: false });
    }
    expect(sent).toHaveLength(9);
    expect(new Set(sent).size).toBe(9);
  });

  test('and that has it already keeps it: what logs in is not thrown away for what is said of it now', async () => {
    const world = makeWorld('single-user');
    world.target.refusing = () => {
      // It takes the candidate, and is gone when it is asked about it.
      world.target.down = true;
      return false;
    };
    expect(await rotate(world.deps(), scheduled(world))).toMatchObject({ failure: { code: 'target-unreachable' } });
    const taken = [...(world.target.logins.get('app') ?? [])];
    expect(taken).not.toContain(world.firstPassword);
    world.target.down = false;
    world.target.refusing = () => true;
    await rotate(world.deps(), scheduled(world));
    expect([...(world.target.logins.get('app') ?? [])]).toEqual(taken);
    world.target.refusing = () => false;
    expect(await rotate(world.deps(), scheduled(world))).toMatchObject({ kind: 'rotated' });
    expect(world.current().password.reveal()).toBe(taken[0]);
  });
});
