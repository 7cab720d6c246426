import { describe, expect, test } from 'vitest';
import { proposed, rotate, spoiledAdmin, type Workbench } from './workbench.ts';

export function claimsOfFailures<Options>(bench: Workbench<Options>): void {
  if (bench.features.admin) {
    describe('a refused admin', () => {
      test('stops apply and retire as admin-refused, and the old credential still logs in', async () => {
        const scene = await bench.scene();
        const before = await scene.snapshot();
        const step = bench.step(scene, await spoiledAdmin(bench, scene));
        const candidate = proposed(bench.rotator().propose(step, scene.current));
        for (const outcome of [
          await bench.rotator().apply(step, candidate, scene.current),
          await bench.rotator().retire(step, scene.current),
        ]) {
          expect(outcome).toMatchObject({ kind: 'failed', code: 'admin-refused', class: 'blocked' });
        }
        expect(await scene.snapshot()).toEqual(before);
        expect(await scene.login(scene.current)).toBe(true);
      });
    });
  }
  if (bench.features.network !== 'none') claimsOfNetwork(bench);
}

function claimsOfNetwork<Options>(bench: Workbench<Options>): void {
  describe('a target that is down', () => {
    test('fails apply as target-unreachable, to be tried again; after it is up the same candidate is applied', async () => {
      const scene = await bench.scene();
      const cut = await bench.cutOff(scene, 'refusing');
      const step = bench.step(scene, cut.parts);
      const candidate = proposed(bench.rotator().propose(step, scene.current));
      const outcome = await bench.rotator().apply(step, candidate, scene.current);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'target-unreachable', class: 'retry' });
      await cut.restore();
      expect(await scene.login(scene.current)).toBe(true);
      expect(await bench.rotator().apply(bench.step(scene), candidate, scene.current)).toMatchObject({
        kind: 'applied',
      });
    });

    if (bench.features.retirement === 'refuses') {
      test('fails retire to be tried again, and inUse says unknown', async () => {
        const scene = await bench.scene();
        const candidate = await rotate(bench, scene);
        const cut = await bench.cutOff(scene, 'refusing');
        const step = bench.step(scene, { ...cut.parts, current: candidate });
        expect(await bench.rotator().retire(step, scene.current)).toMatchObject({ kind: 'failed', class: 'retry' });
        if (bench.features.sessions !== 'none') {
          expect(await bench.rotator().inUse(step, scene.current)).toMatchObject({ kind: 'unknown' });
        }
      });
    }
  });

  describe('an aborted signal', () => {
    test('ends a call that waits for an answer, as a failure to be tried again', async () => {
      const scene = await bench.scene();
      for (const method of ['apply', 'retire', 'verify', 'inUse'] as const) {
        const cut = await bench.cutOff(scene, 'silent');
        const stop = new AbortController();
        const step = bench.step(scene, cut.parts, { signal: stop.signal });
        const candidate = proposed(bench.rotator().propose(step, scene.current));
        const rotator = bench.rotator();
        const waiting =
          method === 'apply' ? rotator.apply(step, candidate, scene.current) : rotator[method](step, scene.current);
        await Promise.race([cut.contacted, waiting]);
        stop.abort();
        const outcome = await waiting;
        await cut.restore();
        if (method === 'verify') expect(outcome).toMatchObject({ kind: 'unreachable' });
        else if (method === 'inUse') expect(outcome).toMatchObject({ kind: 'unknown' });
        else expect(outcome).toMatchObject({ kind: 'failed', class: 'retry' });
      }
      expect(await scene.login(scene.current)).toBe(true);
    });

    test('before the call means nothing is touched', async () => {
      const scene = await bench.scene();
      const before = await scene.snapshot();
      const step = bench.step(scene, {}, { signal: AbortSignal.abort() });
      const candidate = proposed(bench.rotator().propose(step, scene.current));
      const outcome = await bench.rotator().apply(step, candidate, scene.current);
      expect(outcome).toMatchObject({ kind: 'failed', class: 'retry' });
      expect(await scene.snapshot()).toEqual(before);
    });
  });
}
