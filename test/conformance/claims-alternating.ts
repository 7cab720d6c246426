import { describe, expect, test } from 'vitest';
import { need, proposed, rotate, type Workbench } from './workbench.ts';

export function claimsOfAlternating<Options>(bench: Workbench<Options>): void {
  describe('the pair', () => {
    test('a missing second login is created and may do what the first may', async () => {
      const scene = await bench.scene();
      const mayDo = need(scene.mayDo, 'the harness needs mayDo');
      const before = await mayDo(scene.current);
      const candidate = await rotate(bench, scene);
      expect(candidate.username).not.toBe(scene.current.username);
      expect(before.length).toBeGreaterThan(0);
      expect(await mayDo(candidate)).toEqual(before);
      expect(await mayDo(scene.current)).toEqual(before);
    });

    test('the second rotation goes back to the first login, with its rights whole', async () => {
      const scene = await bench.scene();
      const mayDo = need(scene.mayDo, 'the harness needs mayDo');
      const before = await mayDo(scene.current);
      const second = await rotate(bench, scene);
      await bench.rotator().retire(bench.step(scene, { current: second }), scene.current);
      const third = await rotate(bench, scene, { current: second });
      expect(third.username).toBe(scene.current.username);
      expect(await scene.login(scene.current)).toBe(false);
      expect(await scene.login(second)).toBe(true);
      expect(await mayDo(third)).toEqual(before);
      expect(await mayDo(second)).toEqual(before);
    });

    test('apply never touches the live login: it logs in at every moment', async () => {
      const scene = await bench.scene();
      const step = bench.step(scene);
      const candidate = proposed(bench.rotator().propose(step, scene.current));
      let over = false;
      const applying = bench
        .rotator()
        .apply(step, candidate, scene.current)
        .finally(() => {
          over = true;
        });
      const answers: boolean[] = [];
      do answers.push(await scene.login(scene.current));
      while (!over);
      expect(await applying).toMatchObject({ kind: 'applied' });
      expect(answers).not.toContain(false);
    });

    test('a second login that is the admin of the target is refused, untouched', async () => {
      const scene = await bench.scene();
      if (scene.admin.kind !== 'connection') throw new Error('alternating-users needs an admin connection');
      const step = bench.step(scene);
      const before = await scene.snapshot();
      const candidate = { ...proposed(bench.rotator().propose(step, scene.current)) };
      const hijack = { ...candidate, username: need(scene.admin.credential.username, 'the admin has no name') };
      const outcome = await bench.rotator().apply(step, hijack, scene.current);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'login-not-safe' });
      expect(await scene.snapshot()).toEqual(before);
      expect(await scene.login(scene.admin.credential)).toBe(true);
    });
  });
}
