import { expect, it } from 'vitest';
import { quickCases } from './run-bench.ts';

/** What the straight script does as often as the engine. */
function doesTheSame(one: Readonly<Record<string, unknown>>): void {
  expect({
    ...{ vaultCalls: one['straightVaultCalls'], storageCalls: one['straightStorageCalls'] },
    ...{ connections: one['straightConnections'], statements: one['straightStatements'] },
  }).toEqual({
    ...{ vaultCalls: one['vaultCalls'], storageCalls: one['storageCalls'] },
    ...{ connections: one['targetConnections'], statements: one['statements'] },
  });
  expect(one).toMatchObject({ leastScriptVaultCalls: 3, leastScriptConnections: 2, leastScriptStorageCalls: 0 });
}

it('the bench of rotations measures both strategies and costs the vault and the target no more than the least possible', async () => {
  const cases = await quickCases('rotation');
  expect(cases.map(({ name }) => name)).toEqual(['alternating-users', 'single-user']);
  expect(cases.map(({ vaultCalls }) => vaultCalls)).toEqual([4, 7]);
  for (const one of cases) {
    const { ratio, ratioAim, leastScriptRatio } = one;
    expect({ ratio, ratioAim, leastScriptRatio }).toEqual({
      ...{ ratio: expect.any(Number), ratioAim: 1.05, leastScriptRatio: expect.any(Number) },
    });
    expect(one).not.toHaveProperty('leastScriptRatioAim');
    expect({ vault: one['vaultCalls'], target: one['targetConnections'] }).toEqual({
      ...{ vault: one['leastVaultCalls'], target: one['leastTargetConnections'] },
    });
    doesTheSame(one);
  }
}, 120_000);

it.each([
  ['mysql', 'dual-password', 1],
  ['mysql', 'single-user', 1],
  ['mariadb', 'dual-password', 1],
  ['redis', 'dual-password', 3],
  ['sql-server', 'alternating-users', 1],
])(
  'on %s, %s: the straight script does all that the engine does, and the least one changes a password',
  async (target, strategy, statements) => {
    const [only, ...others] = await quickCases('rotation', '--target', target, '--strategy', strategy);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ name: strategy, target, rttMs: 0, leastScriptStatements: statements });
    if (only !== undefined) doesTheSame(only);
  },
  120_000,
);

it('with a round trip to the target the bench measures all three over it, and names the second aim', async () => {
  const [one] = await quickCases('rotation', '--strategy', 'single-user', '--rtt', '20');
  expect(one).toMatchObject({ rttMs: 20, leastScriptRatio: expect.any(Number), leastScriptRatioAim: 3 });
  if (one !== undefined) doesTheSame(one);
}, 120_000);
