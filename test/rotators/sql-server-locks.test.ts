/** Lockouts, emergencies, what each error number means, and what one rotation costs the server. */
import mssql from 'mssql';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { packetTypes, SqlError } from '../../local/sql-server/index.ts';
import { faultOf } from '../../rotators/sql-server/fault.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import { newPassword } from '../conformance/step.ts';
import { wrong } from '../conformance/workbench.ts';
import { nameOf, otherOf, type Rig, startRig } from './sql-server-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ account: 'login', lockoutThreshold: 3 });
});
afterEach(() => {
  rig.fixture.server.failLogins(undefined);
  rig.fixture.server.holdSessions(false);
});
afterAll(() => rig.close());

async function lockOut(credential: Credential): Promise<void> {
  for (let count = 0; count < 3; count += 1) {
    await rig.fixture.connect(wrong(credential)).catch(() => undefined);
  }
}

const badPasswords = (name: string) => rig.sql(`SELECT LOGINPROPERTY(N'${name}', N'BadPasswordCount')`);

describe('a login that is locked out', () => {
  test('is refused, and unlocked by the change that the admin makes', async () => {
    const scene = await rig.fixture.scene('single-user');
    await lockOut(scene.current);
    const step = rig.step('single-user', scene);
    expect(await rig.rotator.verify(step, scene.current)).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('18486'),
    });
    const { candidate, outcome } = await rig.apply(step);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(await scene.login(candidate)).toBe(true);
  });

  test('as the idle one of a pair is unlocked too', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    const step = rig.step('alternating-users', scene);
    const { candidate } = await rig.apply(step);
    await lockOut(candidate);
    const again = await rig.apply(step);
    expect(again.outcome).toMatchObject({ kind: 'applied' });
    expect(await scene.login(again.candidate)).toBe(true);
  });

  test('is not made so by Keyturn: a refusal is one failed login, and the brand-new candidate none', async () => {
    const scene = await rig.fixture.scene('single-user');
    const name = scene.current.username ?? '';
    await rig.rotator.verify(rig.step('single-user', scene), wrong(scene.current));
    expect(await badPasswords(name)).toEqual([[1]]);
    await scene.login(scene.current);
    const step = rig.step('single-user', scene);
    const { candidate } = await rig.apply(step);
    await rig.rotator.verify(step, candidate);
    expect(await badPasswords(name)).toEqual([[0]]);
  });
});

test.each([
  ['18487', 43],
  ['18488', 0],
])('a password that may not be used any more is refused as %s, and healed by the change', async (number, days) => {
  const scene = await rig.fixture.scene('single-user');
  const password = `N'${scene.current.password.reveal()}'`;
  const must = days === 0 ? ' MUST_CHANGE' : '';
  await rig.sql(`ALTER LOGIN ${nameOf(scene)} WITH CHECK_EXPIRATION = ON`);
  await rig.sql(`ALTER LOGIN ${nameOf(scene)} WITH PASSWORD = ${password}${must}`);
  rig.fixture.knobs.clockOffsetMs = days * 86_400_000;
  const step = rig.step('single-user', scene);
  expect(await rig.rotator.verify(step, scene.current)).toMatchObject({
    kind: 'refused',
    detail: expect.stringContaining(number),
  });
  const { candidate, outcome } = await rig.apply(step);
  expect(outcome).toMatchObject({ kind: 'applied' });
  expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  rig.fixture.knobs.clockOffsetMs = 0;
});

describe('the end of a login', () => {
  const open = async (credential: Credential, appName: string): Promise<mssql.ConnectionPool> => {
    const pool = new mssql.ConnectionPool({
      server: rig.fixture.server.host,
      port: rig.fixture.server.port,
      user: credential.username ?? '',
      password: credential.password.reveal(),
      database: 'orders',
      pool: { min: 0, max: 1 },
      options: { appName, cryptoCredentialsDetails: { ca: rig.fixture.ca } },
    });
    pool.on('error', () => undefined);
    await pool.connect();
    await pool.request().batch('SELECT 1 AS one');
    return pool;
  };

  test('in time leaves its sessions alone, and says how many go on', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    const pool = await open(scene.current, 'shop');
    const published = { username: `${scene.current.username}_alt`, password: newPassword() };
    const step = rig.step('alternating-users', scene, { current: published });
    expect(await rig.rotator.retire(step, scene.current)).toEqual({
      kind: 'retired',
      sessionsEnded: 0,
      sessionsGoOn: 1,
    });
    await pool.request().batch('SELECT 1 AS one');
    await pool.close();
  });

  test('in an emergency tells all sessions to end in one batch, one that goes by our own name too, and looks until none is left', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    const names = Array.from({ length: 30 }, (_, index) => (index === 7 ? 'keyturn' : `shop ${index}`));
    const pools = await Promise.all(names.map((name) => open(scene.current, name)));
    const published = { username: `${scene.current.username}_alt`, password: newPassword() };
    const step = rig.step('alternating-users', scene, { current: published }, { emergency: true });
    const from = rig.fixture.heard.length;
    expect(await rig.rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 30 });
    const batches = rig.fixture.heard.slice(from).filter(({ text }) => text.includes('KILL '));
    expect(batches.map(({ text }) => text.match(/KILL /g)?.length)).toEqual([30]);
    const told = rig.fixture.heard.slice(from).map(({ text }) => text);
    const closing = told.findIndex((text) => text.includes('DISABLE'));
    expect(closing).toBeGreaterThan(0);
    expect(told.findIndex((text) => text.includes('KILL '))).toBeGreaterThan(closing);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  test('in an emergency whose sessions take their time says how many are open, and finishes when it is asked again', async () => {
    const scene = await rig.fixture.scene('alternating-users');
    const pool = await open(scene.current, 'long work');
    rig.fixture.server.holdSessions(true);
    const published = { username: `${scene.current.username}_alt`, password: newPassword() };
    const step = (remainingMs: number) =>
      rig.step('alternating-users', scene, { current: published }, { emergency: true, remainingMs: () => remainingMs });
    let left = 2_300;
    const running = rig.step(
      'alternating-users',
      scene,
      { current: published },
      { emergency: true, remainingMs: () => (left -= 20) },
    );
    expect(await rig.rotator.retire(running, scene.current)).toMatchObject({
      code: 'sessions-open',
      message: expect.stringContaining('1 of its sessions is still open'),
    });
    expect(await scene.login(scene.current)).toBe(false);
    rig.fixture.server.holdSessions(false);
    expect(await rig.rotator.retire(step(30_000), scene.current)).toMatchObject({ kind: 'retired' });
    await pool.close();
  });
});

describe('what the server says', () => {
  const atLogin = (number: number, azure = false) =>
    faultOf(Object.assign(new Error('Login failed.'), { code: 'ELOGIN' }), [], { seen: [number], atLogin: true, azure })
      .kind;

  test.each([18401, 17142, 17187, 921, 922, 926, 976, 983, 4221, 615, 40143, 40166, 40197, 40540, 40613, 42109])(
    '%i at a login is no answer, and no word about the password',
    (number) => {
      expect(atLogin(number)).toBe('unreachable');
    },
  );

  test.each([40501, 49918, 49919, 49920, 10928, 10929, 701, 9002, 1101, 1105])('%i is "not now"', (number) => {
    expect(atLogin(number)).toBe('busy');
  });

  test('3906 is a database that takes no changes now', () => {
    expect(atLogin(3906)).toBe('read-only');
  });

  test('a number that is not known is tried again at a login, and a refusal of the change elsewhere', () => {
    expect(atLogin(54_321)).toBe('unreachable');
    const elsewhere = Object.assign(new Error('No.'), { code: 'EREQUEST', number: 54_321 });
    expect(faultOf(elsewhere, []).kind).toBe('rejected');
  });

  test('4064, and 4060 anywhere but on Azure, is a database that is not there; on Azure it may be moving', () => {
    expect([atLogin(4064), atLogin(4060), atLogin(4060, true)]).toEqual(['missing', 'missing', 'unreachable']);
  });

  test('a server in trouble is tried again by every call', async () => {
    const scene = await rig.fixture.scene('single-user');
    rig.fixture.server.failLogins(new SqlError(17142, 'SQL Server service has been paused.'));
    const step = rig.step('single-user', scene);
    expect(await rig.rotator.verify(step, scene.current)).toMatchObject({ kind: 'unreachable' });
    expect((await rig.apply(step)).outcome).toMatchObject({ class: 'retry' });
    expect(await rig.rotator.retire(step, { ...scene.current, username: 'x' })).toMatchObject({ class: 'retry' });
  });
});

test('a rotation of a pair logs in once to change it and three times to prove it, and asks each database once for both', async () => {
  const scene = await rig.fixture.scene('alternating-users');
  // Where the admin may not enter, the login in use would be asked by a login of its own.
  await rig.sql('CREATE USER rotation_admin FOR LOGIN rotation_admin', 'elsewhere');
  const step = rig.step('alternating-users', scene);
  await rig.apply(step);
  const from = rig.fixture.heard.length;
  const { candidate } = await rig.apply(step);
  const applied = rig.fixture.heard.slice(from);
  const logins = (heard: typeof applied) => heard.filter(({ type }) => type === packetTypes.login7).length;
  expect(logins(applied)).toBe(1);
  const reads = applied.filter(({ text }) => text.includes('sys.database_role_members'));
  const read = reads.flatMap(({ text }) => [...text.matchAll(/USE \[(\w+)\]/g)].map(([, name]) => name));
  expect(reads).toHaveLength(1);
  expect(read).toEqual([...new Set(read)]);
  expect(read).toContain('orders');
  expect(applied.filter(({ text }) => text.includes('ALTER LOGIN'))).toHaveLength(1);
  const proving = rig.fixture.heard.length;
  expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  expect(logins(rig.fixture.heard.slice(proving))).toBe(3);
  expect(otherOf(scene)).toContain(candidate.username);
});
