import { describe, expect, test } from 'vitest';
import type { Check } from '../../shared/contract/rotator.ts';
import { spoiledAdmin, type Workbench } from './workbench.ts';

export function claimsOfCheck<Options>(bench: Workbench<Options>): void {
  describe('check', () => {
    test('finds nothing wrong with a good target, and changes nothing', async () => {
      const scene = await bench.scene();
      const before = await scene.snapshot();
      const checks = await bench.rotator().check(bench.step(scene));
      expect(checks.filter((check) => check.state === 'failed')).toEqual([]);
      expect(checks.filter((check) => check.state === 'passed').length).toBeGreaterThan(0);
      expect(await scene.snapshot()).toEqual(before);
    });

    if (bench.features.admin) {
      test('names a refused admin, with a fix', async () => {
        const scene = await bench.scene();
        expectNamed(await bench.rotator().check(bench.step(scene, await spoiledAdmin(bench, scene))));
      });
    }

    if (bench.features.network !== 'none') {
      test('names a target that gives no answer, with a fix', async () => {
        const scene = await bench.scene();
        const cut = await bench.cutOff(scene, 'refusing');
        expectNamed(await bench.rotator().check(bench.step(scene, cut.parts)));
      });
    }

    for (const [name, breakage] of Object.entries(bench.harness.breakages(bench.strategy))) {
      test(`names ${name}, with a fix, and changes nothing`, async () => {
        const scene = await bench.scene();
        const changes = await breakage(scene);
        const before = await scene.snapshot();
        expectNamed(await bench.rotator().check(bench.step(scene, changes)));
        expect(await scene.snapshot()).toEqual(before);
      });
    }
  });
}

/** Something failed, and everything that failed says what and how to mend it. */
function expectNamed(checks: readonly Check[]): void {
  const failed = checks.filter((check) => check.state === 'failed');
  expect(failed.length).toBeGreaterThan(0);
  for (const check of failed) {
    expect(check.name).toMatch(/\S/);
    expect(check.detail).toMatch(/\S/);
    expect(check.fix).toMatch(/\S/);
  }
}
