import { describe, expect, test } from 'vitest';
import type { Credential } from '../../shared/contract/credential.ts';
import { strategyTraits } from '../../shared/contract/strategy.ts';
import type { Scene } from './harness.ts';
import { rotate, type Workbench } from './workbench.ts';

/** `apply` makes a credential the target's first one, an earlier one too: what it had first before is the one that is retired. */
export function claimsOfRollBack<Options>(bench: Workbench<Options>): void {
  const traits = strategyTraits[bench.strategy];
  const ends = bench.features.retirement === 'refuses';

  describe('a roll-back', () => {
    test('rotate, roll back, let the overlap end: the vault logs in, and the other credential is refused', async () => {
      const scene = await bench.scene();
      const second = await rotate(bench, scene);
      const back = await rollBack(bench, scene, second, traits.oldLives ? scene.current : second);
      expect(await scene.login(back)).toBe(true);
      const overlapEnds = await bench.rotator().retire(bench.step(scene, { current: back }), second);
      expect(overlapEnds).toMatchObject({ kind: 'retired' });
      expect(await scene.login(back)).toBe(true);
      if (ends) expect(await scene.login(second)).toBe(false);
    });

    test('that a second worker does again changes nothing', async () => {
      const scene = await bench.scene();
      const second = await rotate(bench, scene);
      const back = await rollBack(bench, scene, second, traits.oldLives ? scene.current : second);
      const again = await (await bench.freshRotator()).apply(bench.step(scene, { current: second }), back, back);
      expect(again).toMatchObject({ kind: 'applied' });
      expect(await scene.login(back)).toBe(true);
    });

    if (traits.chosen && ends) {
      test('to a credential that was retired brings it back, and the other is refused at the end of the overlap', async () => {
        const scene = await bench.scene();
        const second = await rotate(bench, scene);
        await bench.rotator().retire(bench.step(scene, { current: second }), scene.current);
        expect(await scene.login(scene.current)).toBe(false);
        const back = await rollBack(bench, scene, second, second);
        expect(await scene.login(back)).toBe(true);
        await bench.rotator().retire(bench.step(scene, { current: back }), second);
        expect(await scene.login(back)).toBe(true);
        expect(await scene.login(second)).toBe(false);
      });
    }

    test('is followed by a rotation as ever', async () => {
      const scene = await bench.scene();
      const second = await rotate(bench, scene);
      const back = await rollBack(bench, scene, second, traits.oldLives ? scene.current : second);
      await bench.rotator().retire(bench.step(scene, { current: back }), second);
      const third = await rotate(bench, scene, { current: back });
      expect(await scene.login(third)).toBe(true);
      expect(await scene.login(back)).toBe(traits.oldLives);
    });
  });
}

/** Makes the first credential the target's first one again, as the engine does it. */
async function rollBack<Options>(
  bench: Workbench<Options>,
  scene: Scene<Options>,
  current: Credential,
  live: Credential,
): Promise<Credential> {
  const step = bench.step(scene, { current });
  const outcome = await bench.rotator().apply(step, scene.current, live);
  if (outcome.kind !== 'applied') throw new Error(`apply failed as ${outcome.code}: ${outcome.message}`);
  expect(outcome.credential.password.equals(scene.current.password)).toBe(true);
  expect(await bench.rotator().verify(step, outcome.credential)).toEqual({ kind: 'accepted' });
  return outcome.credential;
}
