/**
 * What extensions ask of passwords. passwordcheck is PostgreSQL's own; credcheck is no package of Debian's, so a server stands in for it whose
 * settings are those of credcheck, which is all that is read of it.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PostgresTags } from '../../rotators/postgres/tags.ts';
import { bothRules, breaksTarget, type PasswordRules } from '../../shared/contract/password-rules.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import { newPassword as drawn } from '../../shared/engine/rotation/password.ts';
import { proposed } from '../conformance/workbench.ts';
import { adminName, type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { pairStep, rotator, singleStep } from './postgres-rig.ts';

function tagged(step: Step<PostgresTags>, passwordRules?: PasswordRules): Step<PostgresTags> {
  const newPassword = (rules: PasswordRules = {}) => drawn(bothRules(passwordRules ?? {}, rules));
  return { ...step, ...(passwordRules === undefined ? {} : { passwordRules }), newPassword };
}

const minimum = 'passwordcheck.min_password_length';

const ways = [
  ['single-user', 'connection'],
  ['single-user', 'self'],
  ['alternating-users', 'connection'],
] as const;

describe.each([
  [
    'credcheck',
    {
      'credcheck.password_min_length': '48',
      'credcheck.password_min_special': '4',
      'credcheck.password_min_digit': '9',
      'credcheck.password_not_contain': 'O0',
      'credcheck.encrypted_password_allowed': 'on',
    },
    { source: 'credcheck', shortest: 48, require: { special: 4, digit: 9 }, exclude: 'O0' },
  ],
  ['passwordcheck', { shared_preload_libraries: 'passwordcheck' }, { source: 'passwordcheck', shortest: 48 }],
] as const)('%s', (name, settings, rules) => {
  let fixture: PostgresFixture;
  beforeAll(async () => {
    fixture = await startFixture({ settings });
  }, 60_000);
  afterAll(() => fixture.close());

  /** passwordcheck judges what the test itself sends in clear, so its rule comes when the login is there. */
  async function withRule(work: () => Promise<void>): Promise<void> {
    const set = async (statement: string, value: string) => {
      await fixture.sql(`ALTER SYSTEM ${statement}`);
      await fixture.sql('SELECT pg_reload_conf()');
      const shown = async () => (await fixture.sql(`SELECT current_setting('${minimum}') AS value`))[0]?.['value'];
      await vi.waitUntil(async () => (await shown()) === value);
    };
    if (name === 'credcheck') return work();
    await set(`SET ${minimum} = 48`, '48B');
    try {
      await work();
    } finally {
      await set(`RESET ${minimum}`, '8B');
    }
  }

  test.each(ways)(
    '%s, admin %s: the plan passes, and the second candidate keeps the rules',
    async (strategy, admin) => {
      const scene = await fixture.scene(strategy, { admin });
      const step = tagged(strategy === 'single-user' ? singleStep(scene) : pairStep(scene));
      await withRule(async () => {
        const lines = (await rotator.check(step)).filter(({ name: line }) => /password/.test(line));
        expect(lines).toEqual([
          expect.objectContaining({ name: 'password storage', state: 'passed' }),
          { name: 'password rules', state: 'passed', detail: `passwords of 48 characters keep the rules of ${name}` },
        ]);
        const before = await scene.snapshot();
        const first = proposed(rotator.propose(step, step.current));
        expect(await rotator.apply(step, first, step.current)).toMatchObject({
          code: 'candidate-refused',
          message: expect.stringContaining(`${name} asks for another one`),
        });
        expect(await scene.snapshot()).toEqual(before);
        const second = proposed(rotator.propose(step, step.current));
        expect(breaksTarget(rules, second.password.reveal())).toBeUndefined();
        expect(await rotator.apply(step, second, step.current)).toMatchObject({ kind: 'applied' });
        expect(await rotator.verify(step, second)).toEqual({ kind: 'accepted' });
      });
    },
  );

  test('a password that comes from the vault is set as it is, whatever the rules are now', async () => {
    const scene = await fixture.scene('single-user', { admin: 'connection' });
    const earlier = { username: scene.current.username ?? '', password: drawn() };
    const step = tagged(singleStep(scene));
    expect(await rotator.apply(step, earlier, step.current)).toMatchObject({ kind: 'applied' });
    expect(await rotator.verify(step, earlier)).toEqual({ kind: 'accepted' });
  });
});

describe('credcheck that takes no stored forms of passwords, and a tag that it cannot be met with', () => {
  let fixture: PostgresFixture;
  beforeAll(async () => {
    fixture = await startFixture({ settings: { 'credcheck.password_min_digit': '1' } });
  }, 60_000);
  afterAll(() => fixture.close());

  test('plan refuses both, each with its order', async () => {
    const scene = await fixture.scene('single-user', { admin: 'connection' });
    const step = tagged(singleStep(scene), { length: 30, exclude: '0123456789' });
    const failed = (await rotator.check(step)).filter(({ state }) => state === 'failed');
    expect(failed).toEqual([
      expect.objectContaining({
        name: 'password rules',
        detail: expect.stringMatching(/credcheck: it requires digit, and all of those are excluded/),
        fix: expect.stringContaining('Correct the tag "password"'),
      }),
      expect.objectContaining({
        name: 'stored passwords',
        fix: `Run ALTER ROLE ${quoted(adminName)} SET credcheck.encrypted_password_allowed = on;`,
      }),
    ]);
  });
});
