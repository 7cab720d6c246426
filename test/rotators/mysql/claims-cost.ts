/** What a rotation asks of the server: a login from far away pays for each of it with a round trip. */
import { expect, test } from 'vitest';
import type { Strategy } from '../../../shared/contract/strategy.ts';
import type { Rig } from './rig.ts';

interface Cost {
  readonly connections: number;
  readonly statements: number;
}

/** `most`: for a login whose pair is there, from the proof of the published credential to the proof of the new one. */
export function claimsOfCost(rig: Rig, most: Readonly<Partial<Record<Strategy, Cost>>>): void {
  const counted = async (): Promise<Cost> => {
    const rows = await rig.bench.asOwner("SHOW GLOBAL STATUS WHERE Variable_name IN ('Connections', 'Questions')");
    const value = (name: string) => Number(rows.find((row) => row['Variable_name'] === name)?.['Value']);
    return { connections: value('Connections'), statements: value('Questions') };
  };

  test.each(['dual-password', 'single-user', 'alternating-users'] as const)(
    '%s: a rotation takes no more than it needs',
    async (strategy) => {
      const first = await rig.bench.makeLogin();
      const current = strategy === 'alternating-users' ? await rig.applied(rig.stepFor(first, strategy)) : first;
      const step = rig.stepFor(current, strategy);
      const before = await counted();
      expect(await rig.rotator.verify(step, current)).toEqual({ kind: 'accepted' });
      const candidate = await rig.applied(step);
      expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
      const after = await counted();
      // The question itself is one.
      const cost = {
        connections: after.connections - before.connections,
        statements: after.statements - before.statements - 1,
      };
      expect(cost).toEqual(most[strategy]);
    },
  );
}
