/** Who may be rotated by whom, and what a login must be able to do: nobody may turn a tag or a value into another login's password. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPassword } from '../conformance/step.ts';
import { proposed } from '../conformance/workbench.ts';
import { type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { attempt, type PostgresScene, pairStep, rotated, rotator, singleStep } from './postgres-rig.ts';

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture();
}, 60_000);
afterAll(() => fixture.close());

const alternating = () => fixture.scene('alternating-users', { admin: 'connection' });
const single = () => fixture.scene('single-user', { admin: 'connection' });
const nameOf = (scene: PostgresScene) => quoted(scene.current.username ?? '');

/** A second login made by hand, its name as it is in the tag "users". */
async function handMade(scene: PostgresScene, statements: (second: string, first: string) => string) {
  const second = `hand_made_for_${scene.current.username}`;
  await fixture.sql(
    `CREATE ROLE ${second} LOGIN; GRANT ${second} TO rotation_admin WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;
     ${statements(second, nameOf(scene))}`,
  );
  return { second, options: { users: [scene.current.username ?? '', second] as const } };
}

async function refusedUntouched(scene: PostgresScene, step: Parameters<typeof attempt>[0], expected: object) {
  const before = await scene.snapshot();
  expect(await attempt(step)).toMatchObject({ kind: 'failed', ...expected });
  expect(await scene.snapshot()).toEqual(before);
}

describe('a second login made by hand', () => {
  test.each([
    ['is a superuser', (second: string) => `ALTER ROLE ${second} SUPERUSER`, 'SUPERUSER'],
    ['may create roles', (second: string) => `ALTER ROLE ${second} CREATEROLE`, 'CREATEROLE'],
    ['may replicate', (second: string) => `ALTER ROLE ${second} REPLICATION`, 'REPLICATION'],
    ['bypasses row security', (second: string) => `ALTER ROLE ${second} BYPASSRLS`, 'BYPASSRLS'],
    ['has the rights of another role', (second: string) => `GRANT pg_read_all_data TO ${second}`, 'pg_read_all_data'],
    [
      'owns something',
      (second: string) => `CREATE TABLE of_${second} (); ALTER TABLE of_${second} OWNER TO ${second}`,
      'ownership of table public.of_',
    ],
    [
      'was granted something',
      (second: string) => `CREATE TABLE for_${second} (); GRANT SELECT ON for_${second} TO ${second}`,
      'table public.for_',
    ],
    [
      'owns something in another database',
      (second: string) => `CREATE ROLE x_${second}; ALTER DATABASE template1 OWNER TO ${second}`,
      'database template1',
    ],
  ])('that %s is not safe', async (_, extra, named) => {
    const scene = await alternating();
    const { options } = await handMade(scene, (second, first) => `GRANT ${first} TO ${second}; ${extra(second)}`);
    await refusedUntouched(scene, pairStep(scene, { options }), {
      code: 'login-not-safe',
      message: expect.stringContaining(named),
    });
    await fixture.sql('ALTER DATABASE template1 OWNER TO postgres');
  });

  test('that may do less is refused before anything is changed, with a list', async () => {
    const scene = await alternating();
    const { options } = await handMade(scene, (second) => `GRANT clerks TO ${second}`);
    await refusedUntouched(scene, pairStep(scene, { options }), {
      code: 'lesser-rights',
      message: expect.stringMatching(/ownership of schema room_.*ownership of table room_/s),
    });
  });

  test('that a person closed with NOLOGIN, as the page of retire-refused says, is opened with its new password', async () => {
    const scene = await alternating();
    const second = await rotated(scene);
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} NOLOGIN`);
    const third = await rotated(scene, second);
    expect(third.username).toBe(scene.current.username);
    expect(await scene.login(third)).toBe(true);
  });

  test('that shares a role which both start as is taken as it is', async () => {
    const scene = await alternating();
    const team = `team_of_${scene.current.username}`;
    const { second, options } = await handMade(
      scene,
      (second, first) => `
        REASSIGN OWNED BY ${first} TO postgres; DROP OWNED BY ${first}; GRANT ${first} TO rotation_admin WITH ADMIN OPTION;
        CREATE ROLE ${team}; GRANT clerks TO ${team}; GRANT CREATE ON SCHEMA public TO ${team};
        REVOKE clerks FROM ${first}; GRANT ${team} TO ${first}, ${second};
        ALTER ROLE ${first} SET role TO ${team}; ALTER ROLE ${second} SET role TO ${team};`,
    );
    const candidate = await rotated({ ...scene, options });
    expect(candidate.username).toBe(second);
    await fixture.as(candidate, `CREATE TABLE public.of_${team} ()`);
    await fixture.as(scene.current, `DROP TABLE public.of_${team}`);
  });
});

describe('the login in use', () => {
  test('that is privileged is not doubled for somebody who does not hold its password', async () => {
    const scene = await alternating();
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} BYPASSRLS`);
    const stranger = { current: { ...scene.current, password: newPassword() } };
    await refusedUntouched(scene, pairStep(scene, stranger), { code: 'login-not-safe' });
    await refusedUntouched(scene, singleStep(scene, stranger), { code: 'login-not-safe' });
  });

  test('that is privileged is doubled with the same attributes by an admin who may', async () => {
    const scene = await alternating();
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} BYPASSRLS CREATEDB; ALTER ROLE rotation_admin BYPASSRLS CREATEDB`);
    const second = await rotated(scene);
    await fixture.sql('ALTER ROLE rotation_admin NOBYPASSRLS NOCREATEDB');
    const query = 'SELECT rolbypassrls, rolcreatedb, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = $1';
    const rows = await fixture.sql(query, [second.username]);
    expect(rows).toEqual([{ rolbypassrls: true, rolcreatedb: true, rolsuper: false, rolcreaterole: false }]);
  });

  test('that is the admin itself is sent to rotate itself', async () => {
    const scene = await single();
    if (scene.admin.kind !== 'connection') throw new Error('the scene has no admin');
    const step = singleStep(scene, { current: scene.admin.credential });
    await refusedUntouched(scene, step, { code: 'login-not-safe', message: expect.stringContaining('tag "admin"') });
  });

  test('that does not exist, or has expired, is named', async () => {
    const scene = await alternating();
    await refusedUntouched(scene, pairStep(scene, { current: scene.missing }), { code: 'target-missing' });
    await refusedUntouched(scene, singleStep(scene, { current: scene.missing }), { code: 'target-missing' });
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} VALID UNTIL '2001-01-01'`);
    const expired = { code: 'target-refused', message: expect.stringContaining('valid until 2001-01-01') };
    await refusedUntouched(scene, pairStep(scene), expired);
    await refusedUntouched(scene, singleStep(scene), expired);
    const outcome = await rotator.verify(singleStep(scene), scene.current);
    expect(outcome).toMatchObject({ kind: 'refused', detail: expect.stringContaining('valid until 2001-01-01') });
  });
});

describe('the admin', () => {
  test('without ADMIN OPTION on the login lacks a permission that is named', async () => {
    const scene = await single();
    await fixture.sql(`REVOKE ${nameOf(scene)} FROM rotation_admin`);
    await refusedUntouched(scene, singleStep(scene), {
      code: 'permission-missing',
      hint: expect.stringContaining('ADMIN OPTION'),
    });
  });

  test('is needed for alternating-users', async () => {
    const scene = await alternating();
    await refusedUntouched(scene, pairStep(scene, { admin: { kind: 'self' } }), { code: 'strategy-unsupported' });
  });
});

describe('verify of the other login', () => {
  test('lists what it may do no more, privilege by privilege', async () => {
    const scene = await alternating();
    const second = await rotated(scene);
    await fixture.sql(`
      REVOKE ${nameOf(scene)} FROM ${quoted(second.username ?? '')} GRANTED BY rotation_admin;
      GRANT SELECT (id) ON by_grant TO ${quoted(second.username ?? '')};
      GRANT USAGE ON SCHEMA public TO ${nameOf(scene)}, ${quoted(second.username ?? '')};
      GRANT CREATE ON SCHEMA public TO ${nameOf(scene)};`);
    const outcome = await rotator.verify(pairStep(scene), second);
    expect(outcome).toMatchObject({ kind: 'lesser-rights' });
    const missing = outcome.kind === 'lesser-rights' ? outcome.missing : [];
    expect(missing).toEqual(
      expect.arrayContaining([
        'CREATE on schema public',
        'the rights of role clerks',
        expect.stringMatching(/^ownership of table room_\d+\.own$/),
        expect.stringMatching(/^ownership of default privileges/),
        'SELECT on column note of table public.by_grant',
        'UPDATE on column note of table public.by_grant',
        'CREATE on database shop',
      ]),
    );
    expect(missing.join()).not.toMatch(/USAGE on schema public|column id/);
  });
});

describe('a retirement', () => {
  test('never closes a login that may do more than the one in use', async () => {
    const scene = await alternating();
    const { second, options } = await handMade(
      scene,
      (second) => `ALTER ROLE ${second} SUPERUSER PASSWORD 'kept-as-it-is'`,
    );
    const before = await scene.snapshot();
    const outcome = await rotator.retire(pairStep(scene, { options }), { username: second, password: newPassword() });
    expect(outcome).toMatchObject({ code: 'login-not-safe' });
    expect(await scene.snapshot()).toEqual(before);
  });

  test('never ends the credential that the vault publishes, but in an emergency', async () => {
    for (const [scene, stepOf] of [
      [await single(), singleStep],
      [await alternating(), pairStep],
    ] as const) {
      const before = await scene.snapshot();
      expect(await rotator.retire(stepOf(scene), scene.current)).toMatchObject({ code: 'retire-refused' });
      expect(await scene.snapshot()).toEqual(before);
    }
  });

  test('closes a login that may do less than the one in use', async () => {
    const scene = await alternating();
    const second = await rotated(scene);
    await fixture.sql(`REVOKE ${nameOf(scene)} FROM ${quoted(second.username ?? '')} GRANTED BY rotation_admin`);
    expect(await rotator.retire(pairStep(scene), second)).toMatchObject({ kind: 'retired' });
    expect(await scene.login(second)).toBe(false);
    expect(await scene.login(scene.current)).toBe(true);
  });

  test('that the server does not honour is a failure: the old password still logs in', async () => {
    const scene = await single();
    // The change never reached the server, so the old password is the one in force.
    const published = proposed(rotator.propose(singleStep(scene), scene.current));
    const outcome = await rotator.retire(singleStep(scene, { current: published }), scene.current);
    expect(outcome).toMatchObject({ code: 'retire-refused', class: 'blocked' });
  });
});
