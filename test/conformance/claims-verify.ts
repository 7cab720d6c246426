import { describe, expect, test } from 'vitest';
import { need, rotate, type Workbench, wrong } from './workbench.ts';

export function claimsOfVerify<Options>(bench: Workbench<Options>): void {
  describe('verify', () => {
    test('accepts the credential in use', async () => {
      const scene = await bench.scene();
      expect(await bench.rotator().verify(bench.step(scene), scene.current)).toEqual({ kind: 'accepted' });
    });

    test('changes nothing, whatever it is asked about', async () => {
      const scene = await bench.scene();
      const before = await scene.snapshot();
      await bench.rotator().verify(bench.step(scene), scene.current);
      await bench.rotator().verify(bench.step(scene), wrong(scene.current));
      await bench.rotator().verify(bench.step(scene), scene.missing);
      expect(await scene.snapshot()).toEqual(before);
    });

    if (bench.features.network !== 'none') {
      test('says refused for a credential the target does not know', async () => {
        const scene = await bench.scene();
        for (const credential of [wrong(scene.current), scene.missing]) {
          expect(await scene.login(credential)).toBe(false);
          const outcome = await bench.rotator().verify(bench.step(scene), credential);
          expect(outcome).toEqual({ kind: 'refused', detail: expect.stringMatching(/\S/) });
        }
      });

      test('a network failure is never taken for a wrong password, nor for a right one', async () => {
        const scene = await bench.scene();
        const cut = await bench.cutOff(scene, 'refusing');
        for (const credential of [scene.current, wrong(scene.current)]) {
          const outcome = await bench.rotator().verify(bench.step(scene, cut.parts), credential);
          expect(outcome).toEqual({ kind: 'unreachable', detail: expect.stringMatching(/\S/) });
        }
      });
    }
  });

  if (bench.features.sessions === 'none') return;
  describe('inUse', () => {
    if (bench.features.sessions === 'seen') {
      test('sees a live session, says where it comes from, and goes idle when it closes', async () => {
        const scene = await bench.scene();
        const session = await need(scene.openSession, 'the harness needs openSession')(scene.current);
        const candidate = await rotate(bench, scene);
        const step = bench.step(scene, { current: candidate });
        const seen = await bench.rotator().inUse(step, scene.current);
        expect(seen).toMatchObject({ kind: 'in-use' });
        if (seen.kind === 'in-use') {
          expect(seen.sessions).toBeGreaterThanOrEqual(1);
          expect(seen.by.join('')).toMatch(/\S/);
        }
        await session.close();
        await expect
          .poll(() => bench.rotator().inUse(step, scene.current), { timeout: 10_000, interval: 20 })
          .toEqual({ kind: 'idle' });
      });
    } else {
      test('says unknown, because sessions cannot be told apart', async () => {
        const scene = await bench.scene();
        const session = await need(scene.openSession, 'the harness needs openSession')(scene.current);
        const candidate = await rotate(bench, scene);
        const outcome = await bench.rotator().inUse(bench.step(scene, { current: candidate }), scene.current);
        expect(outcome).toEqual({ kind: 'unknown', detail: expect.stringMatching(/\S/) });
        await session.close();
      });
    }

    test('changes nothing', async () => {
      const scene = await bench.scene();
      const candidate = await rotate(bench, scene);
      const before = await scene.snapshot();
      await bench.rotator().inUse(bench.step(scene, { current: candidate }), scene.current);
      expect(await scene.snapshot()).toEqual(before);
    });
  });
}
