import { describe, expect, test } from 'vitest';
import type { Session } from './harness.ts';
import { need, rotate, type Workbench } from './workbench.ts';

export function claimsOfRetire<Options>(bench: Workbench<Options>): void {
  describe('retire', () => {
    test('leaves the published credential working', async () => {
      const scene = await bench.scene();
      const candidate = await rotate(bench, scene);
      const outcome = await bench.rotator().retire(bench.step(scene, { current: candidate }), scene.current);
      expect(outcome).toMatchObject({ kind: 'retired' });
      expect(await scene.login(candidate)).toBe(true);
    });

    if (bench.features.retirement === 'refuses') {
      test('makes the target refuse the old credential, and twice is the same as once', async () => {
        const scene = await bench.scene();
        const candidate = await rotate(bench, scene);
        const step = bench.step(scene, { current: candidate });
        for (const worker of [bench.rotator(), bench.rotator(), await bench.freshRotator()]) {
          expect(await worker.retire(step, scene.current)).toMatchObject({ kind: 'retired' });
          expect(await scene.login(scene.current)).toBe(false);
          expect(await worker.verify(step, scene.current)).toMatchObject({ kind: 'refused' });
        }
      });
    }

    test('of a credential the target does not know is a success', async () => {
      const scene = await bench.scene();
      const candidate = await rotate(bench, scene);
      const outcome = await bench.rotator().retire(bench.step(scene, { current: candidate }), scene.missing);
      expect(outcome).toEqual({ kind: 'retired', sessionsEnded: 0 });
      expect(await scene.login(candidate)).toBe(true);
    });

    test('after it the next rotation goes as ever', async () => {
      const scene = await bench.scene();
      const first = await rotate(bench, scene);
      await bench.rotator().retire(bench.step(scene, { current: first }), scene.current);
      const second = await rotate(bench, scene, { current: first });
      expect(await scene.login(second)).toBe(true);
    });

    if (bench.features.sessions !== 'none') {
      test('in time leaves sessions alone; in an emergency ends those of the old credential', async () => {
        const scene = await bench.scene();
        const session = await need(scene.openSession, 'the harness needs openSession')(scene.current);
        const candidate = await rotate(bench, scene);
        const after = { current: candidate };
        await bench.rotator().retire(bench.step(scene, after), scene.current);
        expect(await session.alive()).toBe(true);
        const outcome = await bench.rotator().retire(bench.step(scene, after, { emergency: true }), scene.current);
        expect(outcome).toMatchObject({ kind: 'retired' });
        if (outcome.kind === 'retired') expect(outcome.sessionsEnded).toBeGreaterThanOrEqual(1);
        expect(await session.alive()).toBe(false);
        await session.close();
        expect(await scene.login(candidate)).toBe(true);
      });

      test('in an emergency a pool that comes back at once with the old credential is not let in, and none of its sessions is left', async () => {
        const scene = await bench.scene();
        const open = need(scene.openSession, 'the harness needs openSession');
        const pool = await Promise.all(Array.from({ length: 5 }, () => open(scene.current)));
        const candidate = await rotate(bench, scene);
        const step = bench.step(scene, { current: candidate }, { emergency: true });
        const retiring = bench.rotator().retire(step, scene.current);
        const back = await comeBack(() => open(scene.current), retiring);
        expect(await retiring).toMatchObject({ kind: 'retired' });
        const alive = await Promise.all([...pool, ...back].map((session) => session.alive()));
        expect(alive).not.toContain(true);
        expect(await scene.login(scene.current)).toBe(false);
        expect(await scene.login(candidate)).toBe(true);
        await Promise.all([...pool, ...back].map((session) => session.close()));
      });
    }

    if (bench.features.admin && bench.features.sessions !== 'none') {
      test('in an emergency ends the sessions of the leaked credential while it is still the published one, to make room for the proof of the next', async () => {
        const scene = await bench.scene();
        const session = await need(scene.openSession, 'the harness needs openSession')(scene.current);
        const candidate = await rotate(bench, scene);
        const step = bench.step(scene, {}, { emergency: true });
        const outcome = await bench.rotator().retire(step, scene.current);
        expect(outcome).toMatchObject({ kind: 'retired' });
        if (outcome.kind === 'retired') expect(outcome.sessionsEnded).toBeGreaterThanOrEqual(1);
        expect(await session.alive()).toBe(false);
        await session.close();
        expect(await bench.rotator().verify(step, candidate)).toEqual({ kind: 'accepted' });
      });
    }
  });
}

/** Opens a session with the old credential as often as it is let in, until the retirement is over. */
async function comeBack(open: () => Promise<Session>, retiring: Promise<unknown>): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  let over = false;
  const ended = retiring.finally(() => {
    over = true;
  });
  while (!over) {
    const session = await open().catch(() => undefined);
    if (session !== undefined) sessions.push(session);
  }
  await ended;
  return sessions;
}
