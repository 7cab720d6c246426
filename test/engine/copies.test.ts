import { expect, test } from 'vitest';
import { strategies } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { copiedWorld, expectCopied } from './copied-world.ts';
import type { World } from './world.ts';

export function asked(world: World, more: Partial<RotationRequest> = {}) {
  const { vault, secret } = world;
  return rotate(world.deps(), { vault: vault.name, secret, mode: 'scheduled', requestedBy: 'sweep', ...more });
}

test.each(strategies)(
  '%s: a rotation publishes to every copy and derived secret, each edited byte for byte',
  async (strategy) => {
    const world = copiedWorld(strategy);
    const result = await asked(world);
    expect(result).toMatchObject({ kind: 'rotated' });
    expectCopied(world, 2);
  },
);
