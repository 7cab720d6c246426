import { sqlServer } from '../../rotators/sql-server/entry.ts';
import type { SqlServerTags } from '../../rotators/sql-server/tags.ts';
import type { Admin } from '../../shared/contract/rotator.ts';
import type { RotatorHarness } from '../conformance/rotator-conformance.ts';
import { newPassword } from '../conformance/step.ts';
import { need } from '../conformance/workbench.ts';
import { type Flavour, quoted, type SqlServerFixture, startFixture } from './sql-server-fixture.ts';

/** What the rotator brings to the conformance suite, for one kind of account on one kind of server. */
export function harnessFor(flavour: Flavour): RotatorHarness<SqlServerTags> {
  let fixture: SqlServerFixture | undefined;
  const sql = (text: string, database?: string) =>
    need(fixture, 'the server was not started').server.run(text, database);
  const right = flavour.account === 'login' ? 'ALTER ANY LOGIN' : 'ALTER ANY USER';
  // Another admin, that may see everything and change nothing.
  const onlooker = async (): Promise<{ admin: Admin }> => {
    const credential = { username: 'onlooker', password: newPassword() };
    await sql(`CREATE LOGIN onlooker WITH PASSWORD = N'${credential.password.reveal()}'`);
    await sql('GRANT VIEW ANY DEFINITION TO onlooker');
    await sql('CREATE USER onlooker FOR LOGIN onlooker; GRANT VIEW DEFINITION TO onlooker', 'orders');
    return { admin: { kind: 'connection', secret: 'onlooker', credential } };
  };
  return {
    entry: sqlServer,
    features: (strategy) => ({
      sessions: strategy === 'alternating-users' ? 'seen' : 'unseen',
      admin: true,
      selfRotation: strategy === 'single-user',
      network: 'endpoint',
      retirement: 'refuses',
    }),
    hostileNames: [
      `o'hara]; DROP LOGIN sa; --`,
      'größe ☃ 名前',
      '[app]',
      `N'x' OLD_PASSWORD = N'"`,
      `${'x'.repeat(120)}]]''`,
    ],
    breakages: (strategy) => ({
      'a current password that does not log in': async ({ current }) => ({
        current: { ...current, password: newPassword() },
      }),
      'a login that does not exist': async ({ missing }) => ({ current: missing }),
      'a database that does not exist': async ({ endpoint }) => ({ endpoint: { ...endpoint, database: 'nowhere' } }),
      ...(flavour.account === 'login' && {
        'a login that is disabled': async ({ current }) => {
          await sql(`ALTER LOGIN ${quoted(current.username ?? '')} DISABLE`);
          return {};
        },
      }),
      ...(strategy === 'alternating-users' && {
        'a second login that may do more': async ({ current }) => {
          const other = quoted(`${current.username}_alt`);
          const password = `N'${newPassword().reveal()}'`;
          if (flavour.account === 'login') {
            await sql(`CREATE LOGIN ${other} WITH PASSWORD = ${password}`);
            await sql(`CREATE USER ${other} FOR LOGIN ${other}`, 'orders');
          } else await sql(`CREATE USER ${other} WITH PASSWORD = ${password}`, 'orders');
          await sql(`ALTER ROLE db_owner ADD MEMBER ${other}`, 'orders');
          return {};
        },
        'a pair that does not name the login in use': async () => ({ options: { users: ['some', 'other'] as const } }),
      }),
      [`an admin without ${right}`]: onlooker,
    }),
    start: async () => {
      fixture = await startFixture(flavour);
      return fixture;
    },
  };
}
