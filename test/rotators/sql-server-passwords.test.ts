/** The password policy of SQL Server: three of four classes, 128 characters at most. The stand-in judges as the server does. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqlServer } from '../../rotators/sql-server/entry.ts';
import type { SqlServerTags } from '../../rotators/sql-server/tags.ts';
import { bothRules, charactersOf, type PasswordRules } from '../../shared/contract/password-rules.ts';
import type { Rotator, Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { newPassword as drawn } from '../../shared/engine/rotation/password.ts';
import { makeStep } from '../conformance/step.ts';
import { proposed } from '../conformance/workbench.ts';
import { quoted, type SqlServerFixture, startFixture } from './sql-server-fixture.ts';

const { upper, lower, digit } = charactersOf;
const strategies = ['single-user', 'alternating-users'] as const;

describe.each(['login', 'contained-user'] as const)('%s', (account) => {
  let fixture: SqlServerFixture;
  let rotator: Rotator<SqlServerTags>;
  beforeAll(async () => {
    fixture = await startFixture({ account });
    rotator = await sqlServer.load({
      trustedCertificates: [fixture.ca],
      connectTimeoutMs: 5_000,
      getToken: async () => new SecretText('no token'),
      allowedHosts: [],
      cloud: { resourceManager: '', graph: '', login: '' },
    });
  });
  afterAll(() => fixture.close());

  async function stepWith(strategy: (typeof strategies)[number], passwordRules: PasswordRules) {
    const scene = await fixture.scene(strategy);
    const newPassword = (rules: PasswordRules = {}) => drawn(bothRules(passwordRules, rules));
    const step: Step<SqlServerTags> = { ...makeStep(strategy, scene), passwordRules, newPassword };
    const line = (await rotator.check(step)).find(({ name }) => name === 'password rules');
    return { step, line };
  }

  const kept: readonly [string, PasswordRules][] = [
    ['one class', { length: 40, require: { lower: 30 } }],
    ['no digits', { length: 40, exclude: digit }],
    ['no upper case, and none of the special characters that need no quoting', { exclude: `${upper}-._~` }],
    ['a long one', { length: 128 }],
  ];
  test.each(kept)('a tag that asks for %s: three of four classes by construction', async (_case, rules) => {
    for (const strategy of strategies) {
      const { step, line } = await stepWith(strategy, rules);
      expect(line).toMatchObject({ state: 'passed' });
      const candidate = proposed(rotator.propose(step, step.current));
      expect(await rotator.apply(step, candidate, step.current)).toMatchObject({ kind: 'applied' });
      expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    }
  });

  test('a tag that leaves two classes is refused in the plan with what is missing, and the server is not asked again with the same', async () => {
    const special = '-._~!*+^#%&/:;=?@,$()[]{}<>|"\'`\\';
    const { step, line } = await stepWith('single-user', { length: 60, exclude: `${digit}${special}` });
    expect(line).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/three of four classes\): it requires digit, and all of those are excluded/),
    });
    const [one, other] = [1, 2].map(() => proposed(rotator.propose(step, step.current)));
    if (one === undefined || other === undefined) throw new Error('nothing was proposed');
    expect(await rotator.apply(step, one, step.current)).toMatchObject({ code: 'candidate-refused' });
    expect(one.password.equals(other.password)).toBe(false);
  });

  test('a tag that asks for more than 128 characters is refused in the plan, and nothing is proposed', async () => {
    const { step, line } = await stepWith('single-user', { length: 200 });
    const detail = expect.stringMatching(/200 characters are asked for, and .* takes 128 characters at most/);
    expect(line).toMatchObject({ state: 'failed', detail });
    expect(rotator.propose(step, step.current)).toMatchObject({ code: 'password-rules', class: 'config' });
  });

  if (account === 'login') {
    test('without CHECK_POLICY two classes are enough', async () => {
      const rules = { length: 60, require: { lower: 1, upper: 1 }, exclude: `${digit}-._~` };
      const { step } = await stepWith('single-user', {
        ...rules,
        exclude: `${rules.exclude}!*+^#%&/:;=?@,$()[]{}<>|"'\`\\`,
      });
      await fixture.server.run(`ALTER LOGIN ${quoted(step.current.username ?? '')} WITH CHECK_POLICY = OFF`);
      expect((await rotator.check(step)).find(({ name }) => name === 'password rules')).toMatchObject({
        state: 'passed',
      });
      const candidate = proposed(rotator.propose(step, step.current));
      expect(candidate.password.reveal()).toMatch(new RegExp(`^[${upper}${lower}]{60}$`));
      expect(await rotator.apply(step, candidate, step.current)).toMatchObject({ kind: 'applied' });
    });
  }
});
