/** The plan agrees with the rotation: where it finds nothing wrong the rotation succeeds, and where it does the rotation fails. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { MysqlTags } from '../../../rotators/mysql/tags.ts';
import type { Credential } from '../../../shared/contract/credential.ts';
import type { Step } from '../../../shared/contract/rotator.ts';
import { SecretText } from '../../../shared/contract/secret-text.ts';
import { newPassword } from '../../conformance/step.ts';
import { host, snapshot } from './bench.ts';
import type { Rig } from './rig.ts';

const strategies = ['dual-password', 'single-user', 'alternating-users'] as const;
const unique = () => randomBytes(4).toString('hex');

interface Expected {
  readonly possible: boolean;
  /** What one failed line of the plan says. */
  readonly says?: RegExp;
  /** The failure of the rotation. */
  readonly code?: string;
}

export function plansOf(rig: Rig) {
  return {
    async expectAgreement(step: Step<MysqlTags>, { possible, says, code }: Expected): Promise<void> {
      const before = await snapshot(rig.bench);
      const checks = await rig.rotator.check(step);
      const failed = checks.filter(({ state }) => state === 'failed');
      expect(failed.map(({ detail }) => detail).join('\n')).toMatch(says ?? /^$/);
      expect(await snapshot(rig.bench)).toEqual(before);
      const candidate = rig.rotator.propose(step, step.current);
      if ('kind' in candidate) throw new Error(candidate.message);
      const outcome = await rig.rotator.apply(step, candidate, step.current);
      if (!possible) return expect(outcome).toMatchObject({ kind: 'failed', code });
      expect(outcome).toMatchObject({ kind: 'applied' });
      expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    },

    /** A login of its own, with these rights and no others. */
    async makeWith(rights: readonly string[]): Promise<Credential> {
      const made = { username: `admin_${unique()}`, password: newPassword() };
      await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [made.username, host, made.password.reveal()]);
      for (const right of rights) {
        await rig.bench.asOwner(`GRANT ${right.replace(/( WITH .*)?$/, ' TO ?@?$1')}`, [made.username, host]);
      }
      return made;
    },
  };
}

export function claimsOfPlan(rig: Rig): void {
  const { expectAgreement, makeWith } = plansOf(rig);
  const by = (credential: Credential) => ({
    admin: { kind: 'connection', secret: 'mysql-admin', credential } as const,
  });
  const grant = (right: string, { username }: Credential) =>
    rig.bench.asOwner(`GRANT ${right} TO ?@?`, [username, host]);

  describe('plan and rotation agree', () => {
    test('on a role that the admin may not give, and on one that it may', async () => {
      const role = `role_${unique()}`;
      await rig.bench.asOwner(`CREATE ROLE ${role}`);
      const current = await rig.bench.makeLogin();
      await grant(role, current);
      const step = rig.stepFor(current, 'alternating-users');
      await expectAgreement(step, { possible: false, says: new RegExp(role), code: 'permission-missing' });
      await rig.bench.asOwner(`GRANT ${role} TO rotation_admin@? WITH ADMIN OPTION`, [host]);
      await expectAgreement(step, { possible: true });
    });

    test('on rights on a table, which an admin of the database may give', async () => {
      const current = await rig.bench.makeLogin();
      await grant('UPDATE ON orders.items', current);
      await grant('INSERT (id) ON orders.items', current);
      await expectAgreement(rig.stepFor(current, 'alternating-users'), { possible: true });
    });

    test('on rights that the admin holds by a pattern, and on those beyond it', async () => {
      const current = await makeWith(['SELECT ON orders.*']);
      const needs = ['CREATE USER, PROCESS ON *.*', 'SELECT ON mysql.*', 'SELECT ON `ord%`.* WITH GRANT OPTION'];
      const step = rig.stepFor(current, 'alternating-users', {}, by(await makeWith(needs)));
      await expectAgreement(step, { possible: true });
      const more = await makeWith(['SELECT ON reports.*']);
      const beyond = rig.stepFor(more, 'alternating-users', {}, by(await makeWith(needs)));
      await expectAgreement(beyond, { possible: false, says: /SELECT ON `reports`/, code: 'permission-missing' });
    });

    test.each(strategies)('%s: on an admin that holds its rights by a role', async (strategy) => {
      const role = `role_${unique()}`;
      await rig.bench.asOwner(`CREATE ROLE ${role}`);
      await rig.bench.asOwner(`GRANT CREATE USER, PROCESS ON *.* TO ${role}`);
      await rig.bench.asOwner(`GRANT SELECT ON mysql.* TO ${role}`);
      await rig.bench.asOwner(`GRANT SELECT, INSERT ON orders.* TO ${role} WITH GRANT OPTION`);
      const admin = await makeWith([role, 'reporting WITH ADMIN OPTION']);
      await rig.bench.asOwner(`SET DEFAULT ROLE ${role} ${rig.bench.flavour.roleOf} ?@?`, [admin.username, host]);
      await expectAgreement(rig.stepFor(await rig.bench.makeLogin(), strategy, {}, by(admin)), { possible: true });
    });

    test.each(strategies)(
      '%s: on an admin that may neither see nor end sessions, which only an emergency needs',
      async (strategy) => {
        const needs = [
          'CREATE USER ON *.*',
          'SELECT ON mysql.*',
          'SELECT, INSERT ON orders.* WITH GRANT OPTION',
          'reporting WITH ADMIN OPTION',
        ];
        const step = rig.stepFor(await rig.bench.makeLogin(), strategy, {}, by(await makeWith(needs)));
        await expectAgreement(step, { possible: true });
        const notes = (await rig.rotator.check(step))
          .filter(({ state }) => state === 'unknown')
          .map(({ name }) => name);
        expect(notes).toEqual(['sessions', 'emergency']);
      },
    );

    test.each(strategies)('%s: on an admin that may not change logins', async (strategy) => {
      const needs = [
        'SELECT ON mysql.*',
        'SELECT, INSERT ON orders.* WITH GRANT OPTION',
        'reporting WITH ADMIN OPTION',
      ];
      const step = rig.stepFor(await rig.bench.makeLogin(), strategy, {}, by(await makeWith(needs)));
      await expectAgreement(step, { possible: false, says: /CREATE USER/, code: 'permission-missing' });
    });
  });
}

/** What only MySQL has. */
export function claimsOfMysqlPlan(rig: Rig): void {
  const { expectAgreement } = plansOf(rig);

  describe('plan and rotation agree', () => {
    test.each(['dual-password', 'single-user'] as const)(
      '%s: on a login with SYSTEM_USER, which the admin lacks',
      async (strategy) => {
        const current = await rig.bench.makeLogin();
        await rig.bench.asOwner('GRANT SYSTEM_USER ON *.* TO ?@?', [current.username, host]);
        const step = rig.stepFor(current, strategy);
        await expectAgreement(step, { possible: false, says: /SYSTEM_USER/, code: 'permission-missing' });
        const candidate = { ...current, password: newPassword() };
        expect(await rig.rotator.apply(step, candidate, current)).toMatchObject({
          hint: expect.stringContaining('Grant SYSTEM_USER'),
        });
      },
    );

    test('on an empty password, which is not kept beside another one', async () => {
      const made = await rig.bench.makeLogin();
      await rig.bench.asOwner("ALTER USER ?@? IDENTIFIED BY ''", [made.username, host]);
      const current = { ...made, password: new SecretText('') };
      const step = rig.stepFor(current, 'dual-password');
      await expectAgreement(step, { possible: false, says: /empty password/, code: 'strategy-unsupported' });
      await expectAgreement(rig.stepFor(current, 'single-user'), { possible: true });
    });

    test('on a name that leaves no room for a second one', async () => {
      const name = unique().repeat(4);
      const current = await rig.bench.makeLogin({ name, alone: true });
      const step = rig.stepFor(current, 'alternating-users');
      await expectAgreement(step, { possible: false, says: /32 characters.*tag "users"/, code: 'tag-invalid' });
      const users = [name, `b_${unique()}`] as const;
      await expectAgreement(rig.stepFor(current, 'alternating-users', {}, { options: { users } }), { possible: true });
    });
  });
}
