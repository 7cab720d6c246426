/** Several accounts of one name: a login is a name together with the hosts it may come from. */
import { randomBytes } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { createConnection } from 'mysql2/promise';
import { describe, expect, test } from 'vitest';
import type { Credential } from '../../../shared/contract/credential.ts';
import { newPassword } from '../../conformance/step.ts';
import { snapshot } from './bench.ts';
import type { Rig } from './rig.ts';

const addresses = ['127.0.0.1', '127.0.0.2'] as const;

export function claimsOfHosts(rig: Rig): void {
  const twins = async (): Promise<Credential> => {
    const current = { username: `app_${randomBytes(4).toString('hex')}`, password: newPassword() };
    for (const address of addresses) {
      await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [
        current.username,
        address,
        current.password.reveal(),
      ]);
      await rig.bench.asOwner('GRANT SELECT, INSERT ON orders.* TO ?@?', [current.username, address]);
    }
    return current;
  };
  const logsInFrom = async (localAddress: string, { username = '', password }: Credential) => {
    const { host, port } = rig.bench.server;
    const stream = () => connectSocket({ host, port, localAddress });
    try {
      const connection = await createConnection({ host, port, user: username, password: password.reveal(), stream });
      connection.destroy();
      return true;
    } catch (error) {
      if (error instanceof Error && 'errno' in error && [1045, 3118, 4151].includes(Number(error.errno))) return false;
      throw error;
    }
  };
  const fromBoth = (credential: Credential) => Promise.all(addresses.map((address) => logsInFrom(address, credential)));

  describe('two accounts of one name and one password', () => {
    test('dual-password: both take the new password beside the old one, and both lose the old one', async () => {
      const current = await twins();
      const candidate = await rig.applied(rig.stepFor(current, 'dual-password'));
      expect(await fromBoth(candidate)).toEqual([true, true]);
      expect(await fromBoth(current)).toEqual([true, true]);
      await rig.rotator.retire(rig.stepFor(candidate, 'dual-password'), current);
      expect(await fromBoth(candidate)).toEqual([true, true]);
      expect(await fromBoth(current)).toEqual([false, false]);
    });

    test('single-user: both are replaced', async () => {
      const current = await twins();
      const candidate = await rig.applied(rig.stepFor(current, 'single-user'));
      expect(await fromBoth(candidate)).toEqual([true, true]);
      expect(await fromBoth(current)).toEqual([false, false]);
    });

    test('single-user: an attempt that died after the first of them is finished on both', async () => {
      const current = await twins();
      const candidate = { ...current, password: newPassword() };
      const change = 'ALTER USER ?@? IDENTIFIED BY ?';
      await rig.bench.asOwner(change, [current.username, addresses[0], candidate.password.reveal()]);
      const outcome = await rig.rotator.apply(rig.stepFor(current, 'single-user'), candidate, candidate);
      expect(outcome).toMatchObject({ kind: 'applied' });
      expect(await fromBoth(candidate)).toEqual([true, true]);
    });

    test('alternating-users: the second login comes from both hosts, and both accounts of the first are locked', async () => {
      const current = await twins();
      const step = rig.stepFor(current, 'alternating-users');
      const candidate = await rig.applied(step);
      expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
      expect(await fromBoth(candidate)).toEqual([true, true]);
      await rig.rotator.retire(rig.stepFor(candidate, 'alternating-users'), current);
      expect(await fromBoth(current)).toEqual([false, false]);
      const third = await rig.applied(rig.stepFor(candidate, 'alternating-users'));
      expect(await fromBoth(third)).toEqual([true, true]);
    });

    test('the plan names both, and changes nothing', async () => {
      const current = await twins();
      const before = await snapshot(rig.bench);
      const checks = await rig.rotator.check(rig.stepFor(current, 'dual-password'));
      const [first, second] = addresses.map((address) => `${current.username}@${address}`);
      expect(checks.find(({ name }) => name === 'login')).toMatchObject({ state: 'passed' });
      expect(checks.find(({ name }) => name === 'login')?.detail).toContain(`${first}, ${second}`);
      expect(await snapshot(rig.bench)).toEqual(before);
    });
  });

  test('an old version that names another login of the server ends nothing there, whatever the strategy', async () => {
    const current = await rig.bench.makeLogin();
    const stranger = await rig.bench.makeLogin();
    const before = await snapshot(rig.bench);
    for (const strategy of ['dual-password', 'alternating-users', 'single-user'] as const) {
      const step = rig.stepFor(current, strategy);
      expect(await rig.rotator.retire(step, stranger)).toMatchObject({ kind: 'failed', code: 'login-not-safe' });
      const forged = { ...stranger, password: newPassword() };
      expect(await rig.rotator.retire(step, forged)).toMatchObject({ kind: 'retired', sessionsEnded: 0 });
    }
    expect(await snapshot(rig.bench)).toEqual(before);
  });
}
