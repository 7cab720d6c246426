/** Rules that punish failed logins: no operation makes one, and the server's catalogue is the proof instead. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Credential } from '../../../shared/contract/credential.ts';
import { newPassword } from '../../conformance/step.ts';
import type { Rig } from './rig.ts';

const strategies = ['dual-password', 'alternating-users', 'single-user'] as const;

/** `punish` makes the server punish the first failed login of one account, or of all. */
export function claimsOfLockout(
  rig: Rig,
  rule: string,
  punish: (login: string) => Promise<void>,
  forgive: () => Promise<void>,
): void {
  const failedLogins = async () =>
    Number((await rig.bench.asOwner("SHOW GLOBAL STATUS LIKE 'Aborted_connects'"))[0]?.['Value']);
  const punished = async (): Promise<Credential> => {
    const current = await rig.bench.makeLogin();
    await punish(current.username ?? '');
    return current;
  };

  describe(rule, () => {
    afterEach(forgive);

    test.each(strategies)(
      '%s: a rotation with its probing and its retirement makes no failed login',
      async (strategy) => {
        const current = await punished();
        const before = await failedLogins();
        const step = rig.stepFor(current, strategy);
        const lost = { ...current, password: newPassword() };
        expect(await rig.rotator.verify(step, lost)).toMatchObject({
          kind: 'refused',
          detail: expect.stringMatching(/no login was tried/),
        });
        expect(await rig.rotator.verify(step, current)).toEqual({ kind: 'accepted' });
        const candidate = await rig.applied(step);
        expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
        const after = rig.stepFor(candidate, strategy);
        expect(await rig.rotator.retire(after, current)).toMatchObject({ kind: 'retired' });
        expect(await rig.rotator.verify(after, current)).toMatchObject({ kind: 'refused' });
        expect(await failedLogins()).toBe(before);
        await forgive();
        expect(await rig.bench.logsIn(candidate)).toBe(true);
      },
    );

    test('the plan names it, and makes no failed login for a published password that is wrong', async () => {
      const current = await punished();
      const before = await failedLogins();
      const wrong = { ...current, password: newPassword() };
      const checks = await rig.rotator.check(rig.stepFor(wrong, 'dual-password'));
      expect(checks.find(({ name }) => name === 'failed logins')?.detail).toContain('1 failed login');
      expect(checks).toContainEqual(expect.objectContaining({ name: 'current credential', state: 'failed' }));
      expect(await failedLogins()).toBe(before);
    });

    test('an account of the same name with another password, which the server would take the login for, is not tried either', async () => {
      const current = await punished();
      await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [
        current.username,
        '127.0.0.1',
        newPassword().reveal(),
      ]);
      await punish(current.username ?? '');
      const before = await failedLogins();
      expect(await rig.rotator.verify(rig.stepFor(current, 'single-user'), current)).toMatchObject({ kind: 'refused' });
      expect(await failedLogins()).toBe(before);
    });
  });
}

/** The rule that MySQL keeps with an account. */
export function claimsOfFailedLoginAttempts(rig: Rig): void {
  const punish = async (login: string) => {
    const accounts = await rig.bench.asOwner('SELECT Host AS host FROM mysql.user WHERE User = ?', [login]);
    for (const { host: from } of accounts) {
      await rig.bench.asOwner('ALTER USER ?@? FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED', [login, from]);
    }
  };
  claimsOfLockout(rig, 'FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED', punish, async () => undefined);

  test('a login that rotates itself is told of the rule by the plan', async () => {
    const current = await rig.bench.makeLogin();
    await punish(current.username ?? '');
    const step = rig.stepFor(current, 'single-user', {}, { admin: { kind: 'self' } });
    const found = (await rig.rotator.check(step)).find(({ name }) => name === 'failed logins');
    expect(found).toMatchObject({ state: 'unknown', detail: expect.stringContaining('1 failed login') });
    expect(await rig.bench.logsIn(current)).toBe(true);
  });

  test('delays of connection control count as such a rule', async () => {
    await rig.bench.asOwner("INSTALL COMPONENT 'file://component_connection_control'");
    try {
      const current = await rig.bench.makeLogin();
      const checks = await rig.rotator.check(rig.stepFor(current, 'dual-password'));
      expect(checks.find(({ name }) => name === 'failed logins')?.detail).toContain('3 failed logins');
      const wrong = await rig.rotator.verify(rig.stepFor(current, 'dual-password'), {
        ...current,
        password: newPassword(),
      });
      expect(wrong).toMatchObject({ kind: 'refused', detail: expect.stringMatching(/no login was tried/) });
    } finally {
      // It cannot be taken out while somebody is connected; 0 turns it off.
      await rig.bench.asOwner('SET GLOBAL component_connection_control.failed_connections_threshold = 0');
    }
  });
}

/** The rule that MariaDB has for the whole server. */
export function claimsOfPasswordErrors(rig: Rig): void {
  const punish = async () => {
    await rig.bench.asOwner('SET GLOBAL max_password_errors = 1');
  };
  const forgive = async () => {
    await rig.bench.asOwner('SET GLOBAL max_password_errors = 4294967295');
    await rig.bench.asOwner('FLUSH PRIVILEGES');
  };
  claimsOfLockout(rig, 'max_password_errors = 1', punish, forgive);
}
