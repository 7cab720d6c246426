/** The second login of a pair has all rules of the first. */
import { describe, expect, test } from 'vitest';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Strategy } from '../../../shared/contract/strategy.ts';
import type { StepParts } from '../../conformance/harness.ts';
import { newPassword } from '../../conformance/step.ts';
import { host } from './bench.ts';
import type { Rig } from './rig.ts';

const shared = [
  'WITH MAX_QUERIES_PER_HOUR 5000 MAX_UPDATES_PER_HOUR 400 MAX_CONNECTIONS_PER_HOUR 300 MAX_USER_CONNECTIONS 7',
  'PASSWORD EXPIRE INTERVAL 90 DAY',
  'PASSWORD EXPIRE NEVER',
  "REQUIRE SUBJECT '/CN=it''s \\\\ odd' AND ISSUER '/CN=authority' AND CIPHER 'ECDHE-RSA-AES256-GCM-SHA384'",
  'REQUIRE X509',
];

/** `more`: rules that only this server has. */
export function claimsOfRules(rig: Rig, more: readonly string[]): void {
  const rulesOf = async ({ username = '' }: Credential) => {
    const [row = {}] = await rig.bench.asOwner('SHOW CREATE USER ?@?', [username, host]);
    const text = String(Object.values(row)[0]).replaceAll(username, 'NAME');
    return (
      text
        .replace(/ IDENTIFIED BY PASSWORD '[^']*'/, '')
        .replace(/ AS '(?:[^'\\]|\\.)*'/s, '')
        .replace(/ ACCOUNT (UN)?LOCK/, '')
        // No limit at all may be written out.
        .replace(/ WITH( MAX_[A-Z_]+ 0(?:\.0+)?)+(?= |$)/, '')
    );
  };
  const withRule = async (rule: string): Promise<Credential> => {
    const made = { username: `rules_${newPassword().reveal().slice(0, 8)}`, password: newPassword() };
    await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [made.username, host, made.password.reveal()]);
    await rig.bench.asOwner('GRANT SELECT ON orders.* TO ?@?', [made.username, host]);
    await rig.bench.asOwner(`ALTER USER ?@? ${rule}`, [made.username, host]);
    return made;
  };

  describe('a second login', () => {
    test.each([...shared, ...more])('that is made has the rule of the first: %s', async (rule) => {
      const current = await withRule(rule);
      const candidate = await rig.applied(rig.stepFor(current, 'alternating-users'));
      expect(await rulesOf(candidate)).toBe(await rulesOf(current));
    });

    test.each([...shared, ...more.filter((rule) => !/COMMENT|ATTRIBUTE/.test(rule))])(
      'that was there gets the rule of the first: %s',
      async (rule) => {
        const current = await withRule(rule);
        const idle = { username: `${current.username}_alt`, password: newPassword() };
        await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [idle.username, host, idle.password.reveal()]);
        await rig.bench.asOwner('GRANT SELECT ON orders.* TO ?@?', [idle.username, host]);
        const candidate = await rig.applied(rig.stepFor(current, 'alternating-users'));
        expect(await rulesOf(candidate)).toBe(await rulesOf(current));
      },
    );
  });
}

const dayMs = 86_400_000;

/** A password that expires is published for no longer than it lives. */
export function claimsOfLifetime(rig: Rig): void {
  const lasts = async (current: Credential, strategy: Strategy, changes: Partial<StepParts<MysqlTags>> = {}) => {
    const step = rig.stepFor(current, strategy, {}, changes);
    const candidate = rig.rotator.propose(step, current);
    if ('kind' in candidate) throw new Error(candidate.message);
    const checks = await rig.rotator.check(step);
    const outcome = await rig.rotator.apply(step, candidate, current);
    if (outcome.kind !== 'applied') throw new Error(outcome.message);
    return {
      days: outcome.lastsMs === undefined ? undefined : outcome.lastsMs / dayMs,
      plan: checks.find(({ name }) => name === 'password lifetime')?.detail,
    };
  };

  describe.each(['dual-password', 'single-user', 'alternating-users'] as const)('%s', (strategy) => {
    test('PASSWORD EXPIRE INTERVAL 30 DAY: apply says how long the password lasts, and the plan says it', async () => {
      const current = await rig.bench.makeLogin();
      await rig.bench.asOwner('ALTER USER ?@? PASSWORD EXPIRE INTERVAL 30 DAY', [current.username, host]);
      expect(await lasts(current, strategy)).toEqual({ days: 30, plan: expect.stringContaining('30 days') });
    });

    test("the server's own lifetime counts for accounts that do not say, and for no others", async () => {
      await rig.bench.asOwner('SET GLOBAL default_password_lifetime = 20');
      try {
        const current = await rig.bench.makeLogin();
        expect(await lasts(current, strategy)).toEqual({ days: 20, plan: expect.stringContaining('20 days') });
        const never = await rig.bench.makeLogin();
        await rig.bench.asOwner('ALTER USER ?@? PASSWORD EXPIRE NEVER', [never.username, host]);
        expect(await lasts(never, strategy)).toEqual({ days: undefined, plan: undefined });
      } finally {
        await rig.bench.asOwner('SET GLOBAL default_password_lifetime = 0');
      }
    });
  });

  test('a login that changes itself knows its own lifetime', async () => {
    const current = await rig.bench.makeLogin();
    await rig.bench.asOwner('ALTER USER ?@? PASSWORD EXPIRE INTERVAL 30 DAY', [current.username, host]);
    const own = { admin: { kind: 'self' } } as const;
    expect(await lasts(current, 'single-user', own)).toEqual({ days: 30, plan: expect.stringContaining('30 days') });
  });
}

export const mysqlOnlyRules = [
  'PASSWORD HISTORY 4 PASSWORD REUSE INTERVAL 30 DAY',
  'PASSWORD REQUIRE CURRENT',
  'PASSWORD REQUIRE CURRENT OPTIONAL',
  'FAILED_LOGIN_ATTEMPTS 5 PASSWORD_LOCK_TIME 2',
  'FAILED_LOGIN_ATTEMPTS 5 PASSWORD_LOCK_TIME UNBOUNDED',
  "COMMENT 'it''s the shop\\\\s'",
  `ATTRIBUTE '{"team": "orders", "on": {"call": [1, 2]}}'`,
];

export const mariadbOnlyRules = ['WITH MAX_STATEMENT_TIME 5.5'];

/** A login that changes itself gives its current password where it must. */
export function claimsOfRequireCurrent(rig: Rig): void {
  test('single-user without an admin: a login with PASSWORD REQUIRE CURRENT changes its own password', async () => {
    const current = await rig.bench.makeLogin();
    await rig.bench.asOwner('ALTER USER ?@? PASSWORD REQUIRE CURRENT', [current.username, host]);
    const step = rig.stepFor(current, 'single-user', {}, { admin: { kind: 'self' } });
    const candidate = await rig.applied(step);
    expect(await rig.bench.logsIn(candidate)).toBe(true);
    expect(await rig.bench.logsIn(current)).toBe(false);
    // The worker died before it heard of its success, and the next one knows the old password only.
    expect(await rig.rotator.apply(step, candidate, current)).toMatchObject({ kind: 'applied' });
    expect(await rig.bench.logsIn(candidate)).toBe(true);
  });
}
