/** What is different on Azure SQL Database: copies of logins, databases that sleep, sessions in each database; and replicas anywhere. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SqlServerTags } from '../../rotators/sql-server/tags.ts';
import type { Admin } from '../../shared/contract/rotator.ts';
import type { Scene } from '../conformance/harness.ts';
import { newPassword } from '../conformance/step.ts';
import { wrong } from '../conformance/workbench.ts';
import { literal } from './sql-server-fixture.ts';
import { nameOf, type Rig, startRig } from './sql-server-rig.ts';

const cacheMs = 600_000;
let rig: Rig;
/** May change logins, and not renew the copies of the database. */
let humble: { admin: Admin };

beforeAll(async () => {
  rig = await startRig({ account: 'login', azure: true, loginCacheMs: cacheMs });
  const credential = { username: 'humble_admin', password: newPassword() };
  await rig.sql(`CREATE LOGIN humble_admin WITH PASSWORD = ${literal(credential.password)}`);
  await rig.sql('ALTER SERVER ROLE [##MS_LoginManager##] ADD MEMBER humble_admin');
  await rig.sql('CREATE USER humble_admin FOR LOGIN humble_admin', 'orders');
  humble = { admin: { kind: 'connection', secret: 'humble', credential } };
});
afterEach(() => {
  rig.fixture.knobs.clockOffsetMs = 0;
  rig.fixture.knobs.listener = () => undefined;
});
afterAll(() => rig.close());

/** Logs in as a consumer does, so that the database has a copy of the login from now on. */
async function used(scene: Scene<SqlServerTags>): Promise<void> {
  expect(await scene.login(scene.current)).toBe(true);
}

const inMaster = async (credential: { username?: string; password: Scene<SqlServerTags>['current']['password'] }) =>
  rig.fixture.connect(credential, 'master').then(
    (pool) => pool.close().then(() => true),
    () => false,
  );

const brief = { remainingMs: () => 2_000 };

describe('a database that goes by its copy of a login', () => {
  test('is made to renew it: the new password is proven at once, and the old one is refused', async () => {
    for (const strategy of ['single-user', 'alternating-users'] as const) {
      const scene = await rig.fixture.scene(strategy);
      await used(scene);
      const step = rig.step(strategy, scene);
      const { candidate, outcome } = await rig.apply(step);
      expect(outcome).toMatchObject({ kind: 'applied' });
      expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
      expect(await scene.login(candidate)).toBe(true);
      const after = rig.step(strategy, scene, { current: candidate });
      expect(await rig.rotator.retire(after, scene.current)).toMatchObject({ kind: 'retired' });
      expect(await scene.login(scene.current)).toBe(false);
    }
  });

  test('refuses a new password that is right: no verdict, and accepted when the copy is renewed', async () => {
    const scene = await rig.fixture.scene('single-user');
    await used(scene);
    const step = rig.step('single-user', scene, humble, brief);
    const { candidate, outcome } = await rig.apply(step);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await scene.login(candidate)).toBe(false);
    expect(await rig.rotator.verify(step, candidate)).toEqual({
      kind: 'unreachable',
      detail: expect.stringContaining('old copy'),
    });
    rig.fixture.knobs.clockOffsetMs = cacheMs + 1_000;
    expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  });

  test('refuses a password that master refuses too: that is a verdict, at once', async () => {
    const scene = await rig.fixture.scene('single-user');
    await used(scene);
    const step = rig.step('single-user', scene, humble, brief);
    expect(await rig.rotator.verify(step, wrong(scene.current))).toMatchObject({ kind: 'refused' });
  });

  test('still lets the retired login in: the retirement is tried again, and says what ends it', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    const published = { username: `${scene.current.username}_alt`, password: newPassword() };
    await used(scene);
    const step = rig.step('alternating-users', scene, { ...humble, current: published }, brief);
    expect(await rig.rotator.retire(step, scene.current)).toMatchObject({
      code: 'target-busy',
      class: 'retry',
      message: expect.stringContaining('DBCC FLUSHAUTHCACHE in orders'),
    });
    rig.fixture.knobs.clockOffsetMs = cacheMs + 1_000;
    expect(await rig.rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 0 });
    expect(await scene.login(scene.current)).toBe(false);
  });

  test('takes a password by its copy that is no longer the one: going back to it sets it all the same', async () => {
    const scene = await rig.fixture.scene('single-user');
    await used(scene);
    await rig.sql(`ALTER LOGIN ${nameOf(scene)} WITH PASSWORD = ${literal(newPassword())}`);
    expect(await scene.login(scene.current)).toBe(true);
    expect(await inMaster(scene.current)).toBe(false);
    const outcome = await rig.rotator.apply(rig.step('single-user', scene), scene.current, scene.current);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await inMaster(scene.current)).toBe(true);
  });
});

describe('statements', () => {
  test('about logins stand alone in their batch, behind the fence, with every quote doubled once more', async () => {
    const scene = await rig.fixture.scene('single-user', { login: `o'hara` });
    const from = rig.fixture.heard.length;
    const { candidate } = await rig.apply(rig.step('single-user', scene));
    const [text] = rig.fixture.heard.slice(from).flatMap((one) => (one.text.includes('PASSWORD') ? [one.text] : []));
    expect(text).toContain(`THROW`);
    expect(text).toContain(`EXEC (N'ALTER LOGIN [o''hara] WITH PASSWORD = N''${candidate.password.reveal()}'';');`);
  });

  test('that arrive after their time are refused by the server itself', async () => {
    const scene = await rig.fixture.scene('single-user');
    rig.fixture.knobs.listener = ({ text }) => {
      if (text.includes('ALTER LOGIN')) rig.fixture.knobs.clockOffsetMs = 60_000;
    };
    const before = await scene.snapshot();
    expect((await rig.apply(rig.step('single-user', scene))).outcome).toMatchObject({ code: 'lease-lost' });
    expect(await scene.snapshot()).toEqual(before);
  });
});

describe('a paused database', () => {
  test('is woken by the login and tried again', async () => {
    const scene = await rig.fixture.scene('single-user');
    rig.fixture.server.putToSleep('orders', 2);
    expect(await rig.rotator.verify(rig.step('single-user', scene), scene.current)).toEqual({ kind: 'accepted' });
  });

  test('that does not wake in time is no verdict, and stops a strategy that would have to look into it', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    rig.fixture.server.putToSleep('elsewhere', 100);
    const step = rig.step('alternating-users', scene, {}, { remainingMs: () => 3_000 });
    expect((await rig.apply(step)).outcome).toMatchObject({ code: 'target-unreachable', class: 'retry' });
    const single = rig.step('single-user', scene);
    expect((await rig.apply(single)).outcome).toMatchObject({ kind: 'applied' });
    rig.fixture.server.putToSleep('elsewhere', 1);
    expect((await rig.apply(rig.step('alternating-users', scene))).outcome).toMatchObject({ kind: 'applied' });
  });
});

test('an admin that may not list the databases looks into the one that the value names, and says that there may be others', async () => {
  const scene = await rig.fixture.scene('alternating-users');
  await rig.sql('DENY VIEW ANY DATABASE TO rotation_admin');
  const step = rig.step('alternating-users', scene);
  const { candidate, outcome } = await rig.apply(step);
  await rig.sql('REVOKE VIEW ANY DATABASE FROM rotation_admin');
  expect(outcome).toMatchObject({ kind: 'applied', warnings: [expect.stringContaining('every database')] });
  expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
});

test('an emergency ends the sessions of the login in every database', async () => {
  const scene = await rig.fixture.scene('alternating-users');
  await rig.sql('CREATE USER rotation_admin FOR LOGIN rotation_admin', 'elsewhere');
  await rig.sql('ALTER ROLE db_owner ADD MEMBER rotation_admin', 'elsewhere');
  await rig.sql(`CREATE USER ${nameOf(scene)} FOR LOGIN ${nameOf(scene)}`, 'elsewhere');
  const pools = await Promise.all(
    ['orders', 'elsewhere'].map((database) => rig.fixture.connect(scene.current, database)),
  );
  for (const pool of pools) {
    pool.on('error', () => undefined);
    await pool.request().batch('SELECT 1 AS one');
  }
  const published = { username: `${scene.current.username}_alt`, password: newPassword() };
  const step = rig.step('alternating-users', scene, { current: published }, { emergency: true });
  expect(await rig.rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 2 });
  await Promise.all(pools.map((pool) => pool.close()));
});

describe.each([
  ['Azure SQL Database', { azure: true }, 'shop-west'],
  ['SQL Server', {}, 'orders'],
])('on %s a login of a database with a replica elsewhere', (_name, flavour, named) => {
  let replicated: Rig;
  beforeAll(async () => {
    replicated = await startRig({ account: 'login', partner: 'shop-west', ...flavour });
  });
  afterAll(() => replicated.close());

  test('is refused before anything changes, by plan and by rotation, with the advice to use contained users', async () => {
    for (const strategy of ['single-user', 'alternating-users'] as const) {
      const scene = await replicated.fixture.scene(strategy);
      const before = await scene.snapshot();
      const step = replicated.step(strategy, scene);
      const words = expect.stringMatching(new RegExp(`${named}.*contained user`));
      expect((await replicated.apply(step)).outcome).toMatchObject({ code: 'strategy-unsupported', message: words });
      const checks = await replicated.rotator.check(step);
      expect(checks).toContainEqual(expect.objectContaining({ name: 'replicas', state: 'failed', detail: words }));
      expect(await scene.snapshot()).toEqual(before);
    }
  });

  test('as a contained user is rotated: its password travels with the database', async () => {
    const scene = await replicated.fixture.scene('single-user');
    const inside = { username: `inside_${scene.current.username}`, password: newPassword() };
    await replicated.sql(`CREATE USER ${inside.username} WITH PASSWORD = ${literal(inside.password)}`, 'orders');
    const step = replicated.step('single-user', scene, { current: inside });
    const { candidate, outcome } = await replicated.apply(step);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await scene.login(candidate)).toBe(true);
  });
});
