/** Which of an account's passwords comes first, and what is left of the other one. */
import { describe, expect, test } from 'vitest';
import type { Credential } from '../../../shared/contract/credential.ts';
import { newPassword } from '../../conformance/step.ts';
import { host } from './bench.ts';
import type { Rig } from './rig.ts';

export function claimsOfFirst(rig: Rig): void {
  const logIn = async (...credentials: readonly Credential[]) =>
    Promise.all(credentials.map((credential) => rig.bench.logsIn(credential)));

  describe('dual-password', () => {
    test('rotate, roll back, let the overlap end: the published password logs in and the other one is refused', async () => {
      const first = await rig.bench.makeLogin();
      const second = await rig.applied(rig.stepFor(first, 'dual-password'));
      const back = await rig.rotator.apply(rig.stepFor(second, 'dual-password'), first, first);
      expect(back).toMatchObject({ kind: 'applied' });
      expect(await logIn(first, second)).toEqual([true, true]);
      const outcome = await rig.rotator.retire(rig.stepFor(first, 'dual-password'), second);
      expect(outcome).toMatchObject({ kind: 'retired' });
      expect(await logIn(first, second)).toEqual([true, false]);
    });

    test('an older password was published by hand during the overlap: the retirement ends the newer one, never the published one', async () => {
      const first = await rig.bench.makeLogin();
      const second = await rig.applied(rig.stepFor(first, 'dual-password'));
      const outcome = await rig.rotator.retire(rig.stepFor(first, 'dual-password'), second);
      expect(outcome).toMatchObject({ kind: 'retired' });
      expect(await logIn(first, second)).toEqual([true, false]);
    });

    test('the old password is the only one that is left: its retirement is refused, and it still logs in', async () => {
      const first = await rig.bench.makeLogin();
      const published = { ...first, password: newPassword() };
      const outcome = await rig.rotator.retire(rig.stepFor(published, 'dual-password'), first);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'target-refused' });
      expect(await logIn(first)).toEqual([true]);
    });

    test('the old password is the only one that is left: an emergency ends it all the same', async () => {
      const first = await rig.bench.makeLogin();
      const published = { ...first, password: newPassword() };
      const step = rig.stepFor(published, 'dual-password', { emergency: true });
      expect(await rig.rotator.retire(step, first)).toMatchObject({ kind: 'retired' });
      expect(await logIn(first)).toEqual([false]);
    });

    test('twice rolled back and forth: the published password is one of two at every step', async () => {
      const first = await rig.bench.makeLogin();
      const second = await rig.applied(rig.stepFor(first, 'dual-password'));
      for (const [from, to] of [
        [second, first],
        [first, second],
        [second, first],
      ] as const) {
        expect(await rig.rotator.apply(rig.stepFor(from, 'dual-password'), to, to)).toMatchObject({ kind: 'applied' });
        expect(await logIn(first, second)).toEqual([true, true]);
      }
      const third = await rig.applied(rig.stepFor(first, 'dual-password'));
      expect(await logIn(first, second, third)).toEqual([true, false, true]);
    });
  });

  test('single-user on a login with two passwords leaves the new one alone', async () => {
    const first = await rig.bench.makeLogin();
    const second = await rig.applied(rig.stepFor(first, 'dual-password'));
    const third = await rig.applied(rig.stepFor(second, 'single-user'));
    expect(await logIn(first, second, third)).toEqual([false, false, true]);
  });
}

/** What only MySQL has: a history of passwords, and a second password that cannot be told from the first by looking at statements. */
export function claimsOfHistory(rig: Rig): void {
  test.each(['PASSWORD HISTORY 5', 'PASSWORD REUSE INTERVAL 365 DAY'])(
    '%s: the attempt after one that died before it published succeeds',
    async (rule) => {
      const made = await rig.bench.makeLogin();
      const current = { ...made, password: newPassword() };
      // Only what is set under the rule is remembered.
      await rig.bench.asOwner(`ALTER USER ?@? ${rule}`, [made.username, host]);
      await rig.bench.asOwner('ALTER USER ?@? IDENTIFIED BY ?', [made.username, host, current.password.reveal()]);
      const step = rig.stepFor(current, 'dual-password');
      const lost = await rig.applied(step);
      const candidate = await rig.applied(step);
      expect(await rig.bench.logsIn(current)).toBe(true);
      expect(await rig.bench.logsIn(candidate)).toBe(true);
      expect(await rig.bench.logsIn(lost)).toBe(false);
    },
  );

  test('a password kept by an older plugin or in another form is told from another one', async () => {
    for (const form of ['CRYPT5', 'PBKDF2_SHA512']) {
      await rig.bench.asOwner(`SET GLOBAL caching_sha2_password_storage_format = '${form}'`);
      const first = await rig.bench.makeLogin();
      const second = await rig.applied(rig.stepFor(first, 'dual-password'));
      await rig.rotator.apply(rig.stepFor(second, 'dual-password'), first, first);
      await rig.rotator.retire(rig.stepFor(first, 'dual-password'), second);
      expect([await rig.bench.logsIn(first), await rig.bench.logsIn(second)]).toEqual([true, false]);
    }
    await rig.bench.asOwner("SET GLOBAL caching_sha2_password_storage_format = 'CRYPT5'");
    const kept = await rig.bench.makeLogin();
    await rig.bench.asOwner("ALTER USER ?@? IDENTIFIED WITH 'sha256_password' BY ?", [
      kept.username,
      host,
      kept.password.reveal(),
    ]);
    const next = await rig.applied(rig.stepFor(kept, 'dual-password'));
    await rig.rotator.apply(rig.stepFor(next, 'dual-password'), kept, kept);
    await rig.rotator.retire(rig.stepFor(kept, 'dual-password'), next);
    expect([await rig.bench.logsIn(kept), await rig.bench.logsIn(next)]).toEqual([true, false]);
  });
}
