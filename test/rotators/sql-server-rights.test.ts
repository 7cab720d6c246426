/** Whose rights are whose: what is copied to the second login, which logins are too powerful, and what nobody may look into. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newPassword } from '../conformance/step.ts';
import { literal } from './sql-server-fixture.ts';
import { nameOf, otherOf, type Rig, startRig } from './sql-server-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ account: 'login' });
  rig.fixture.server.addDatabase('archive');
  rig.fixture.server.addDatabase('vouched', { trustworthy: true });
});
afterEach(() => {
  for (const name of ['archive', 'elsewhere'])
    rig.fixture.server.setDatabase(name, { offline: false, readOnly: false });
});
afterAll(() => rig.close());

const adminInto = (database: string) =>
  rig.sql(
    'CREATE USER rotation_admin FOR LOGIN rotation_admin; ALTER ROLE db_owner ADD MEMBER rotation_admin',
    database,
  );

const permissionsOf = (name: string) =>
  rig.sql(
    `SELECT p.class, p.minor_id, p.permission_name, p.state FROM sys.database_permissions AS p
     JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id WHERE u.name = N'${name}'`,
    'orders',
  );

describe('the second login', () => {
  test('has a column taken out of its grant as the first has, and no more', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    await rig.sql(
      `GRANT SELECT ON OBJECT::dbo.items TO ${nameOf(scene)}; REVOKE SELECT ON OBJECT::dbo.items (total) FROM ${nameOf(scene)}`,
      'orders',
    );
    const step = rig.step('alternating-users', scene);
    const { candidate, outcome } = await rig.apply(step);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await permissionsOf(candidate.username ?? '')).toContainEqual([1, 2, 'SELECT', 'R']);
    expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  });

  test('gets permissions on types, keys, certificates and assemblies by name', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    for (const on of [
      'EXECUTE ON TYPE::dbo.money_list',
      'CONTROL ON CERTIFICATE::signing',
      'CONTROL ON SYMMETRIC KEY::cards',
      'CONTROL ON ASYMMETRIC KEY::wrapping',
      'EXECUTE ON ASSEMBLY::geometry',
    ]) {
      await rig.sql(`GRANT ${on} TO ${nameOf(scene)}`, 'orders');
    }
    const step = rig.step('alternating-users', scene);
    const { candidate, outcome } = await rig.apply(step);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    const classes = (await permissionsOf(candidate.username ?? '')).map(([number]) => number);
    expect(classes).toEqual(expect.arrayContaining([5, 6, 24, 25, 26]));
  });

  test('that has a right on another certificate than the first is refused: class and id tell them apart', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    await rig.sql(`GRANT CONTROL ON CERTIFICATE::signing TO ${nameOf(scene)}`, 'orders');
    await rig.sql(
      `CREATE LOGIN ${otherOf(scene)} WITH PASSWORD = N'Pa55-word-long'; ALTER LOGIN ${otherOf(scene)} DISABLE`,
    );
    await rig.sql(
      `CREATE USER ${otherOf(scene)} FOR LOGIN ${otherOf(scene)}; GRANT CONTROL ON SYMMETRIC KEY::cards TO ${otherOf(scene)}`,
      'orders',
    );
    const { outcome } = await rig.apply(rig.step('alternating-users', scene));
    expect(outcome).toMatchObject({
      code: 'login-not-safe',
      message: expect.stringContaining('SYMMETRIC KEY::[cards]'),
    });
  });

  test('gets back the users of its name that a login before it left behind', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    const other = otherOf(scene);
    await rig.sql(`CREATE LOGIN ${other} WITH PASSWORD = N'Pa55-word-long'`);
    await rig.sql(`CREATE USER ${other} FOR LOGIN ${other}`, 'orders');
    await rig.sql(`DROP LOGIN ${other}`);
    const step = rig.step('alternating-users', scene);
    const { candidate, outcome } = await rig.apply(step);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    expect(await scene.login(candidate)).toBe(true);
  });

  test('is refused where a user of its name has rights that the first lacks, orphaned or not', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    const other = otherOf(scene);
    await rig.sql(`CREATE LOGIN ${other} WITH PASSWORD = N'Pa55-word-long'`);
    await rig.sql(`CREATE USER ${other} FOR LOGIN ${other}; ALTER ROLE db_owner ADD MEMBER ${other}`, 'orders');
    await rig.sql(`DROP LOGIN ${other}`);
    const before = await scene.snapshot();
    const { outcome } = await rig.apply(rig.step('alternating-users', scene));
    expect(outcome).toMatchObject({
      code: 'login-not-safe',
      message: expect.stringContaining('role db_owner in orders'),
    });
    expect(await scene.snapshot()).toEqual(before);
  });

  test('is refused where its name is somebody else’s in a database', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    await rig.sql(`CREATE LOGIN stranger_${scene.current.username} WITH PASSWORD = N'Pa55-word-long'`);
    await rig.sql(`CREATE USER ${otherOf(scene)} FOR LOGIN stranger_${scene.current.username}`, 'orders');
    const { outcome } = await rig.apply(rig.step('alternating-users', scene));
    expect(outcome).toMatchObject({
      code: 'login-not-safe',
      message: expect.stringContaining(`stranger_${scene.current.username}`),
    });
  });
});

describe('a login that is as powerful as an administrator', () => {
  const onServer = (statement: string) => async (login: string) =>
    void (await rig.sql(statement.replaceAll('LOGIN_NAME', login)));
  const inDatabase = (database: string, statement: string) => async (login: string) => {
    await rig.sql(`CREATE USER ${login} FOR LOGIN ${login}`, database);
    await rig.sql(statement.replaceAll('LOGIN_NAME', login), database);
  };

  test.each([
    ['sysadmin', onServer('ALTER SERVER ROLE sysadmin ADD MEMBER LOGIN_NAME')],
    ['securityadmin', onServer('ALTER SERVER ROLE securityadmin ADD MEMBER LOGIN_NAME')],
    ['CONTROL SERVER', onServer('GRANT CONTROL SERVER TO LOGIN_NAME')],
    ['ALTER ANY LOGIN', onServer('GRANT ALTER ANY LOGIN TO LOGIN_NAME')],
    ['IMPERSONATE ANY LOGIN', onServer('GRANT IMPERSONATE ANY LOGIN TO LOGIN_NAME')],
    ['ALTER ANY SERVER ROLE', onServer('GRANT ALTER ANY SERVER ROLE TO LOGIN_NAME')],
    ['UNSAFE ASSEMBLY', onServer('GRANT UNSAFE ASSEMBLY TO LOGIN_NAME')],
    ['IMPERSONATE ON LOGIN::[sa]', onServer('GRANT IMPERSONATE ON LOGIN::sa TO LOGIN_NAME')],
    [
      'CONTROL SERVER',
      onServer(
        'CREATE SERVER ROLE [r LOGIN_NAME]; GRANT CONTROL SERVER TO [r LOGIN_NAME]; ALTER SERVER ROLE [r LOGIN_NAME] ADD MEMBER LOGIN_NAME',
      ),
    ],
    ['db_owner in msdb', inDatabase('msdb', 'ALTER ROLE db_owner ADD MEMBER LOGIN_NAME')],
    ['db_owner in master', inDatabase('master', 'ALTER ROLE db_owner ADD MEMBER LOGIN_NAME')],
    [
      'db_owner in vouched',
      inDatabase(
        'vouched',
        'CREATE ROLE LOGIN_NAME_r; ALTER ROLE db_owner ADD MEMBER LOGIN_NAME_r; ALTER ROLE LOGIN_NAME_r ADD MEMBER LOGIN_NAME',
      ),
    ],
    ['CONTROL in msdb', inDatabase('msdb', 'GRANT CONTROL TO LOGIN_NAME')],
  ])('by %s is changed, handed out and closed by nobody else', async (power, give) => {
    await adminInto('vouched').catch(() => undefined);
    const scene = await rig.fixture.scene('alternating-users');
    await give(scene.current.username ?? '');
    const before = await scene.snapshot();
    const words = power.replace(' in ', '.* in ').replace('::[sa]', '::\\[sa\\]');
    const refused = { kind: 'failed', code: 'login-not-safe', message: expect.stringMatching(new RegExp(words)) };
    for (const strategy of ['single-user', 'alternating-users'] as const) {
      expect((await rig.apply(rig.step(strategy, scene))).outcome).toMatchObject(refused);
      const checks = await rig.rotator.check(rig.step(strategy, scene));
      expect(checks.filter((check) => check.state === 'failed').length).toBeGreaterThan(0);
    }
    const published = { username: 'somebody', password: newPassword() };
    const step = rig.step('alternating-users', scene, { current: published });
    expect(await rig.rotator.retire(step, scene.current)).toMatchObject(refused);
    expect(await scene.snapshot()).toEqual(before);
    expect(await scene.login(scene.current)).toBe(true);
  });

  test('changes its own password', async () => {
    const scene = await rig.fixture.scene('single-user', { admin: 'self' });
    await rig.sql(`ALTER SERVER ROLE securityadmin ADD MEMBER ${nameOf(scene)}`);
    const { candidate, outcome } = await rig.apply(rig.step('single-user', scene));
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await scene.login(candidate)).toBe(true);
  });
});

describe('a database out of sight', () => {
  test('that the login in use may enter stops a strategy that hands out another login, and one that keeps it goes on and lists it', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    await rig.sql(`CREATE USER ${nameOf(scene)} FOR LOGIN ${nameOf(scene)}`, 'archive');
    const before = await scene.snapshot();
    const { outcome } = await rig.apply(rig.step('alternating-users', scene));
    expect(outcome).toMatchObject({
      code: 'permission-missing',
      class: 'blocked',
      message: expect.stringContaining('archive'),
    });
    expect(await scene.snapshot()).toEqual(before);
    const planned = await rig.rotator.check(rig.step('alternating-users', scene));
    expect(planned).toContainEqual(
      expect.objectContaining({ name: 'databases', state: 'failed', detail: expect.stringContaining('archive') }),
    );
    const single = rig.step('single-user', scene);
    expect(await rig.rotator.check(single)).toContainEqual(
      expect.objectContaining({ name: 'databases', state: 'unknown', detail: expect.stringContaining('archive') }),
    );
    expect((await rig.apply(single)).outcome).toMatchObject({ kind: 'applied' });
  });

  test('stops no emergency: the leaked login is closed, and the database named', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    await rig.sql(`CREATE USER ${nameOf(scene)} FOR LOGIN ${nameOf(scene)}`, 'archive');
    const { outcome } = await rig.apply(rig.step('alternating-users', scene, {}, { emergency: true }));
    expect(outcome).toMatchObject({ kind: 'applied', warnings: [expect.stringContaining('archive')] });
  });

  test('because it is offline is waited for', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    rig.fixture.server.setDatabase('elsewhere', { offline: true });
    const { outcome } = await rig.apply(rig.step('alternating-users', scene));
    expect(outcome).toMatchObject({
      code: 'target-busy',
      class: 'retry',
      message: expect.stringContaining('elsewhere'),
    });
    rig.fixture.server.setDatabase('elsewhere', { offline: false });
    expect((await rig.apply(rig.step('alternating-users', scene))).outcome).toMatchObject({ kind: 'applied' });
  });

  test('because the admin may not even see which there are is asked of the login, which may', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    await rig.sql('DENY VIEW ANY DATABASE TO rotation_admin');
    expect((await rig.apply(rig.step('alternating-users', scene))).outcome).toMatchObject({
      code: 'permission-missing',
    });
    await rig.sql(`DENY VIEW ANY DATABASE TO ${nameOf(scene)}`);
    expect((await rig.apply(rig.step('alternating-users', scene))).outcome).toMatchObject({
      code: 'permission-missing',
      message: expect.stringContaining('VIEW ANY DATABASE'),
    });
    await rig.sql('REVOKE VIEW ANY DATABASE FROM rotation_admin');
  });

  test('because it is read-only takes no second user now, and is tried again', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    await adminInto('elsewhere').catch(() => undefined);
    await rig.sql(`CREATE USER ${nameOf(scene)} FOR LOGIN ${nameOf(scene)}`, 'elsewhere');
    rig.fixture.server.setDatabase('elsewhere', { readOnly: true });
    const { candidate, outcome } = await rig.apply(rig.step('alternating-users', scene));
    expect(outcome).toMatchObject({
      code: 'target-read-only',
      class: 'retry',
      message: expect.stringContaining('3906'),
    });
    expect(await scene.login(candidate)).toBe(false);
    rig.fixture.server.setDatabase('elsewhere', { readOnly: false });
    expect((await rig.apply(rig.step('alternating-users', scene))).outcome).toMatchObject({ kind: 'applied' });
  });
});

test('a contained user of a read-only database is tried again, and the plan says why', async () => {
  const scene = await rig.fixture.scene('single-user');
  const inside = { username: `inside_${scene.current.username}`, password: newPassword() };
  await rig.sql(`CREATE USER ${inside.username} WITH PASSWORD = ${literal(inside.password)}`, 'orders');
  rig.fixture.server.setDatabase('orders', { readOnly: true });
  const step = rig.step('single-user', scene, { current: inside });
  expect((await rig.apply(step)).outcome).toMatchObject({ code: 'target-read-only', class: 'retry' });
  expect(await rig.rotator.check(step)).toContainEqual(
    expect.objectContaining({ name: 'writable', detail: expect.stringContaining('read-only') }),
  );
  rig.fixture.server.setDatabase('orders', { readOnly: false });
  expect((await rig.apply(step)).outcome).toMatchObject({ kind: 'applied' });
});
