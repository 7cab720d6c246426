/** Postgres as a target of the conformance suite. */
import type { startPostgres } from '../../local/postgres.ts';
import { postgres } from '../../rotators/postgres/entry.ts';
import type { PostgresTags } from '../../rotators/postgres/tags.ts';
import type { RotatorHarness } from '../conformance/harness.ts';
import { newPassword } from '../conformance/step.ts';
import { need } from '../conformance/workbench.ts';
import { type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';

/** `needsAdminOption`: whether CREATEROLE alone changes no login, as is so since version 16. */
export function postgresHarness(start: typeof startPostgres, needsAdminOption: boolean): RotatorHarness<PostgresTags> {
  let fixture: PostgresFixture | undefined;
  const sql = (text: string) => need(fixture, 'the server was not started').sql(text);
  return {
    entry: postgres,
    features: (strategy) => ({
      sessions: strategy === 'alternating-users' ? 'seen' : 'unseen',
      admin: true,
      selfRotation: strategy === 'single-user',
      network: 'endpoint',
      retirement: 'refuses',
    }),
    hostileNames: [
      `o'hara"; DROP ROLE clerks; --`,
      'größe ☃ 名前\\',
      ` $$ 'E\\' `,
      'MiXed.Case$user',
      `${'x'.repeat(60)}'"\\`,
      'é'.repeat(31),
    ],
    breakages: (strategy) => ({
      'a current password that does not log in': async ({ current }) => ({
        current: { ...current, password: newPassword() },
      }),
      'a login that does not exist': async ({ missing }) => ({ current: missing }),
      'a login that may not log in': async ({ current }) => {
        await sql(`ALTER ROLE ${quoted(current.username ?? '')} NOLOGIN`);
        return {};
      },
      'a login that has expired': async ({ current }) => {
        await sql(`ALTER ROLE ${quoted(current.username ?? '')} VALID UNTIL '2001-01-01'`);
        return {};
      },
      'a database that does not exist': async ({ endpoint }) => ({ endpoint: { ...endpoint, database: 'nowhere' } }),
      ...(needsAdminOption && {
        'an admin without ADMIN OPTION on the login': async ({ current }) => {
          await sql(`REVOKE ${quoted(current.username ?? '')} FROM rotation_admin`);
          return {};
        },
      }),
      ...(strategy === 'alternating-users' && {
        'a second login that may do more': async ({ current }) => {
          await sql(`CREATE ROLE ${quoted(`${current.username}_alt`)} LOGIN CREATEROLE`);
          return {};
        },
        'an attribute that the admin cannot give to a second login': async ({ current }) => {
          await sql(`ALTER ROLE ${quoted(current.username ?? '')} REPLICATION`);
          return {};
        },
        'a setting that the admin cannot give to a second login': async ({ current }) => {
          await sql(`ALTER ROLE ${quoted(current.username ?? '')} SET log_min_messages TO 'error'`);
          return {};
        },
        'a pair that does not name the login in use': async () => ({ options: { users: ['some', 'other'] as const } }),
      }),
    }),
    start: async () => {
      fixture = await startFixture({}, start);
      return fixture;
    },
  };
}
