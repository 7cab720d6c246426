import { describe, expect, test } from 'vitest';
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
    }
  });
}
