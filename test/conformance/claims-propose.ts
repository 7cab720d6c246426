import { describe, expect, test } from 'vitest';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { proposed, type Workbench } from './workbench.ts';

/** Strategies whose candidate carries its password from the start; the others get it from the target. */
export function choosesPassword(strategy: Strategy): boolean {
  return strategy !== 'dual-key' && strategy !== 'issue-revoke';
}

export function claimsOfPropose<Options>(bench: Workbench<Options>): void {
  describe('propose', () => {
    test('answers at once and opens no handle', async () => {
      const scene = await bench.scene();
      const before = process.getActiveResourcesInfo().sort();
      const answer = bench.rotator().propose(bench.step(scene), scene.current);
      expect(process.getActiveResourcesInfo().sort()).toEqual(before);
      expect(answer).not.toBeInstanceOf(Promise);
    });

    test('works with a signal that is over: it asks nobody', async () => {
      const scene = await bench.scene();
      proposed(bench.rotator().propose(bench.step(scene, {}, { signal: AbortSignal.abort() }), scene.current));
    });

    if (choosesPassword(bench.strategy)) {
      test('gives a password of 200 bits or more, another each time', async () => {
        const scene = await bench.scene();
        const drawn = Array.from({ length: 40 }, () =>
          proposed(bench.rotator().propose(bench.step(scene), scene.current)).password.reveal(),
        );
        expect(new Set(drawn).size).toBe(drawn.length);
        const alphabet = new Set(drawn.join(''));
        const shortest = Math.min(...drawn.map((password) => password.length));
        expect(shortest * Math.log2(alphabet.size)).toBeGreaterThanOrEqual(200);
      });
    } else {
      test('leaves the password to the target', async () => {
        const scene = await bench.scene();
        expect(proposed(bench.rotator().propose(bench.step(scene), scene.current)).password.isEmpty).toBe(true);
      });
    }

    if (bench.strategy === 'single-user' || bench.strategy === 'dual-password') {
      test('keeps the login', async () => {
        const scene = await bench.scene();
        const candidate = proposed(bench.rotator().propose(bench.step(scene), scene.current));
        expect(candidate.username).toBe(scene.current.username);
      });
    }

    if (bench.strategy === 'alternating-users') {
      test('takes the other login, and the first again from the second', async () => {
        const scene = await bench.scene();
        const second = proposed(bench.rotator().propose(bench.step(scene), scene.current));
        expect(second.username).toBeTruthy();
        expect(second.username).not.toBe(scene.current.username);
        const third = proposed(bench.rotator().propose(bench.step(scene, { current: second }), second));
        expect(third.username).toBe(scene.current.username);
      });
    }
  });
}
