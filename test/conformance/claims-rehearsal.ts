import { describe, expect, test } from 'vitest';
import { need, proposed, type Workbench } from './workbench.ts';

export function claimsOfRehearsal<Options>(bench: Workbench<Options>): void {
  const rehearsal = () => need(bench.rotator().rehearsal, 'the rotator does not say how it is rehearsed');

  describe('a rehearsal', () => {
    test('makes a twin that is accepted and then refused, or says why there is none, and leaves the target as it was', async () => {
      const scene = await bench.scene();
      const before = await scene.snapshot();
      const twin = rehearsal().twinStep(bench.step(scene));
      if (twin.kind === 'no-twin') {
        expect(twin.detail).toMatch(/^[A-Z].+\.$/s);
        return;
      }
      const { step } = twin;
      const candidate = proposed(bench.rotator().propose(step, scene.current));
      const made = await bench.rotator().apply(step, candidate, scene.current);
      if (made.kind !== 'applied') throw new Error(`apply failed as ${made.code}: ${made.message}`);
      const { credential } = made;
      expect(credential.password.equals(scene.current.password)).toBe(false);
      expect(await bench.rotator().verify(step, credential)).toEqual({ kind: 'accepted' });
      expect(await scene.login(scene.current)).toBe(true);
      expect(await bench.rotator().retire(step, credential)).toMatchObject({ kind: 'retired' });
      if (bench.features.retirement === 'refuses') {
        expect(await bench.rotator().verify(step, credential)).toMatchObject({ kind: 'refused' });
      }
      for (const _time of ['once', 'again']) expect(await rehearsal().discard(step)).toEqual({ kind: 'discarded' });
      expect(await scene.snapshot()).toEqual(before);
      expect(await scene.login(scene.current)).toBe(true);
    });

    test('that died after its twin was made: another worker removes all of it, and nothing else', async () => {
      const scene = await bench.scene();
      const before = await scene.snapshot();
      const twin = rehearsal().twinStep(bench.step(scene));
      if (twin.kind === 'no-twin') return;
      const candidate = proposed(bench.rotator().propose(twin.step, scene.current));
      await bench.rotator().apply(twin.step, candidate, scene.current);
      const worker = await bench.freshRotator();
      const next = need(worker.rehearsal, 'the rotator does not say how it is rehearsed');
      const again = next.twinStep(bench.step(scene));
      if (again.kind !== 'twin') throw new Error('it had a twin before');
      expect(await next.discard(again.step)).toEqual({ kind: 'discarded' });
      expect(await scene.snapshot()).toEqual(before);
      expect(await scene.login(scene.current)).toBe(true);
    });
  });
}
