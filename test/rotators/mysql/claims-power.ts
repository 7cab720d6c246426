/** A powerful login is changed only for a value that has its password, whatever makes it powerful. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newPassword } from '../../conformance/step.ts';
import { host, owner, snapshot } from './bench.ts';
import type { Rig } from './rig.ts';

const shared = [
  'ALL PRIVILEGES ON *.*',
  'CREATE USER ON *.*',
  'FILE ON *.*',
  'SELECT ON mysql.*',
  'SELECT ON *.*',
  'UPDATE ON `m%`.*',
  'SELECT ON orders.* WITH GRANT OPTION',
  'reporting WITH ADMIN OPTION',
  `PROXY ON ${owner.user}@'${host}'`,
];

/** `more`: rights that only this server has. */
export function claimsOfPower(rig: Rig, more: readonly string[]): void {
  const expectRefused = async (give: (login: string) => Promise<void>) => {
    const made = await rig.bench.makeLogin();
    await give(made.username ?? '');
    const before = await snapshot(rig.bench);
    const guessed = { ...made, password: newPassword() };
    for (const strategy of ['dual-password', 'single-user', 'alternating-users'] as const) {
      const step = rig.stepFor(guessed, strategy);
      const candidate = rig.rotator.propose(step, guessed);
      if ('kind' in candidate) throw new Error(candidate.message);
      const outcome = await rig.rotator.apply(step, candidate, guessed);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'login-not-safe' });
    }
    expect(await snapshot(rig.bench)).toEqual(before);
  };
  const to = (right: string, name: string) => `GRANT ${right.replace(/( WITH .*)?$/, ` TO ${name}$1`)}`;

  describe('a login whose password nobody knew is not taken over', () => {
    test.each([...shared, ...more])('with %s', async (right) => {
      await expectRefused(async (login) => {
        await rig.bench.asOwner(to(right, '?@?'), [login, host]);
      });
    });

    test('with a role of a role that may make logins', async () => {
      const [inner, outer] = ['inner', 'outer'].map((name) => `${name}_${randomBytes(3).toString('hex')}`);
      for (const role of [inner, outer]) await rig.bench.asOwner(`CREATE ROLE ${role}`);
      await rig.bench.asOwner(`GRANT CREATE USER ON *.* TO ${inner}`);
      await rig.bench.asOwner(`GRANT ${inner} TO ${outer}`);
      await expectRefused(async (login) => {
        await rig.bench.asOwner(to(String(outer), '?@?'), [login, host]);
      });
    });
  });
}
