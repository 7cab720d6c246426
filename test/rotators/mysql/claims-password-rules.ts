/** What a server asks of passwords is read from its settings, and every password keeps it by construction. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import { bothRules, type PasswordRules } from '../../../shared/contract/password-rules.ts';
import type { Step } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { newPassword as drawn } from '../../../shared/engine/rotation/password.ts';
import type { Rig } from './rig.ts';

const strategies = ['dual-password', 'single-user', 'alternating-users'] as const;

/** As the engine makes it: with the rules of the tag, and passwords that keep them. */
function tagged(step: Step<MysqlTags>, passwordRules?: PasswordRules): Step<MysqlTags> {
  const newPassword = (rules: PasswordRules = {}) => drawn(bothRules(passwordRules ?? {}, rules));
  return { ...step, ...(passwordRules === undefined ? {} : { passwordRules }), newPassword };
}

export function claimsOfPasswordRules(rig: Rig): void {
  const strict = new SecretText(`${'ABCDEFabcdef0123456789'}${'_'.repeat(30)}`);
  const makeLogin = () => rig.bench.makeLogin({ password: strict });

  describe('validate_password at 64 characters, 30 of them special, 12 digits', () => {
    beforeAll(async () => {
      await rig.bench.asOwner("INSTALL COMPONENT 'file://component_validate_password'");
    });
    afterAll(async () => {
      await rig.bench.asOwner("UNINSTALL COMPONENT 'file://component_validate_password'");
    });
    const stricter = async () => {
      await rig.bench.asOwner('SET GLOBAL validate_password.length = 64');
      await rig.bench.asOwner('SET GLOBAL validate_password.special_char_count = 30');
      await rig.bench.asOwner('SET GLOBAL validate_password.number_count = 12');
    };
    const usual = async () => {
      await rig.bench.asOwner('SET GLOBAL validate_password.length = 8');
      await rig.bench.asOwner('SET GLOBAL validate_password.special_char_count = 1');
      await rig.bench.asOwner('SET GLOBAL validate_password.number_count = 1');
    };

    test.each(strategies)('%s: the plan passes, and the first candidate is taken and proven', async (strategy) => {
      const current = await makeLogin();
      await stricter();
      try {
        const step = tagged(rig.stepFor(current, strategy));
        expect((await rig.rotator.check(step)).filter(({ name }) => name === 'password rules')).toEqual([
          {
            name: 'password rules',
            state: 'passed',
            detail: 'passwords of 64 characters keep the rules of validate_password',
          },
        ]);
        expect(await rig.rotator.verify(step, current)).toEqual({ kind: 'accepted' });
        const candidate = await rig.applied(step);
        expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
        const after = tagged(rig.stepFor(candidate, strategy));
        expect(await rig.rotator.retire(after, current)).toMatchObject({ kind: 'retired' });
      } finally {
        await usual();
      }
    });

    test('single-user, by the login itself: the same', async () => {
      const current = await makeLogin();
      await stricter();
      try {
        const step = tagged(rig.stepFor(current, 'single-user', {}, { admin: { kind: 'self' } }));
        const checks = await rig.rotator.check(step);
        expect(checks.find(({ name }) => name === 'password rules')).toMatchObject({ state: 'passed' });
        expect(await rig.rotator.verify(step, current)).toEqual({ kind: 'accepted' });
        expect(await rig.rotator.verify(step, await rig.applied(step))).toEqual({ kind: 'accepted' });
      } finally {
        await usual();
      }
    });

    test.each(strategies)(
      '%s: a candidate made before the rules were seen is refused, and the next one keeps them',
      async (strategy) => {
        const current = await makeLogin();
        const step = tagged(rig.stepFor(current, strategy));
        const stored = rig.rotator.propose(step, current);
        if ('kind' in stored) throw new Error(stored.message);
        await stricter();
        try {
          expect(await rig.rotator.apply(step, stored, current)).toMatchObject({
            code: 'candidate-refused',
            class: 'refused',
          });
          const next = await rig.applied(step);
          expect(next.password.equals(stored.password)).toBe(false);
          expect(await rig.rotator.verify(step, next)).toEqual({ kind: 'accepted' });
        } finally {
          await usual();
        }
      },
    );

    test('a tag that leaves what the policy wants out is refused in the plan with the arithmetic, and nothing is sent', async () => {
      const current = await makeLogin();
      const step = tagged(rig.stepFor(current, 'single-user'), { length: 30, exclude: '0123456789' });
      const checks = await rig.rotator.check(step);
      expect(checks.find(({ name }) => name === 'password rules')).toMatchObject({
        state: 'failed',
        detail: expect.stringMatching(/validate_password: it requires digit, and all of those are excluded/),
      });
      expect(await rig.rotator.verify(step, current)).toEqual({ kind: 'accepted' });
      expect(rig.rotator.propose(step, current)).toMatchObject({ code: 'password-rules', class: 'config' });
    });

    test('LOW asks for a length and nothing else', async () => {
      const current = await makeLogin();
      await rig.bench.asOwner("SET GLOBAL validate_password.policy = 'LOW'");
      try {
        const step = tagged(rig.stepFor(current, 'single-user'), { length: 30, exclude: '0123456789' });
        const checks = await rig.rotator.check(step);
        expect(checks.find(({ name }) => name === 'password rules')).toMatchObject({ state: 'passed' });
        await rig.applied(step);
      } finally {
        await rig.bench.asOwner("SET GLOBAL validate_password.policy = 'MEDIUM'");
      }
    });
  });
}
