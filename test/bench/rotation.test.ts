import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

it('the bench of rotations measures both strategies and costs the vault and the target no more than the least possible', async () => {
  const cases = await quickCases('rotation');
  expect(cases.map(({ name }) => name)).toEqual(['alternating-users', 'single-user']);
  for (const { ratio, vaultCalls, leastVaultCalls, targetConnections, leastTargetConnections } of cases) {
    expect(ratio).toEqual(expect.any(Number));
    expect({ vaultCalls, targetConnections }).toEqual({
      vaultCalls: leastVaultCalls,
      targetConnections: leastTargetConnections,
    });
  }
}, 120_000);
