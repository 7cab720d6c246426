/** Where the published credential is refused, and where a candidate is. */
import { describe, expect, test } from 'vitest';
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
});
