import { describe, expect, test } from 'vitest';
import { strategyTraits } from '../../shared/contract/strategy.ts';
import { choosesPassword } from './claims-propose.ts';
import { proposed, rotate, type Workbench } from './workbench.ts';

export function claimsOfApply<Options>(bench: Workbench<Options>): void {
  const traits = strategyTraits[bench.strategy];

  describe('apply', () => {
    test('makes the candidate log in', async () => {
      const scene = await bench.scene();
      const candidate = await rotate(bench, scene);
      expect(await scene.login(candidate)).toBe(true);
    });

    if (traits.oldLives) {
      test('leaves the credential before working', async () => {
        const scene = await bench.scene();
        await rotate(bench, scene);
        expect(await scene.login(scene.current)).toBe(true);
      });
    } else {
      test('replaces the credential before, which no longer logs in', async () => {
        const scene = await bench.scene();
        await rotate(bench, scene);
        expect(await scene.login(scene.current)).toBe(false);
      });
    }

    if (choosesPassword(bench.strategy)) {
      test('gives back the candidate it was handed', async () => {
        const scene = await bench.scene();
        const step = bench.step(scene);
        const candidate = proposed(bench.rotator().propose(step, scene.current));
        const outcome = await bench.rotator().apply(step, candidate, scene.current);
        expect(outcome).toMatchObject({ kind: 'applied', credential: { ...candidate } });
        expect(outcome.kind === 'applied' && outcome.credential.password.equals(candidate.password)).toBe(true);
      });
    }

    test('twice is the same as once', async () => {
      const scene = await bench.scene();
      const candidate = await rotate(bench, scene);
      const live = traits.oldLives ? scene.current : candidate;
      const again = await bench.rotator().apply(bench.step(scene), candidate, live);
      expect(again.kind).toBe('applied');
      if (again.kind === 'applied') expect(await scene.login(again.credential)).toBe(true);
      expect(await scene.login(scene.current)).toBe(traits.oldLives);
    });

    test('after a crash after its own success, another worker applies the same candidate', async () => {
      const scene = await bench.scene();
      const step = bench.step(scene);
      const candidate = proposed(bench.rotator().propose(step, scene.current));
      const first = await bench.rotator().apply(step, candidate, scene.current);
      expect(first.kind).toBe('applied');
      const successor = await bench.freshRotator();
      const second = await successor.apply(bench.step(scene), candidate, traits.oldLives ? scene.current : candidate);
      expect(second.kind).toBe('applied');
      if (second.kind !== 'applied') return;
      expect(await scene.login(second.credential)).toBe(true);
      expect(await successor.verify(bench.step(scene), second.credential)).toEqual({ kind: 'accepted' });
    });

    if (traits.pending !== 'before-apply' && bench.features.retirement === 'refuses') {
      test('what a crashed attempt left behind no longer logs in after the next attempt', async () => {
        const scene = await bench.scene();
        const lost = await rotate(bench, scene);
        const successor = await bench.freshRotator();
        const step = bench.step(scene);
        const outcome = await successor.apply(step, proposed(successor.propose(step, scene.current)), scene.current);
        expect(outcome.kind).toBe('applied');
        if (outcome.kind === 'applied') expect(await scene.login(outcome.credential)).toBe(true);
        expect(await scene.login(lost)).toBe(false);
        expect(await scene.login(scene.current)).toBe(true);
      });
    }

    for (const login of bench.harness.hostileNames) {
      test(`a login named ${JSON.stringify(login)} is rotated and retired`, async () => {
        const scene = await bench.scene({ login });
        expect(scene.current.username).toBe(login);
        const candidate = await rotate(bench, scene);
        expect(await scene.login(candidate)).toBe(true);
        const retired = await bench.rotator().retire(bench.step(scene, { current: candidate }), scene.current);
        expect(retired).toMatchObject({ kind: 'retired' });
        expect(await scene.login(scene.current)).toBe(false);
        expect(await scene.login(candidate)).toBe(true);
      });
    }

    if (bench.features.selfRotation) {
      test('a login changes its own password when there is no admin', async () => {
        const scene = await bench.scene({ admin: 'self' });
        const candidate = await rotate(bench, scene);
        expect(await scene.login(candidate)).toBe(true);
        expect(await scene.login(scene.current)).toBe(traits.oldLives);
      });
    }
  });
}
