/** Attacks by somebody who may edit one secret (value, tags, older versions), played on a real server. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePostgresRotator } from '../../rotators/postgres/rotator.ts';
import type { Admin } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { newPassword } from '../conformance/step.ts';
import { type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { record } from './postgres-proxy.ts';
import { attempt, environment, type PostgresScene, pairStep, rotated, rotator, singleStep } from './postgres-rig.ts';

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture();
}, 60_000);
afterAll(() => fixture.close());

const alternating = () => fixture.scene('alternating-users', { admin: 'connection' });
const single = (admin: 'connection' | 'self' = 'connection') => fixture.scene('single-user', { admin });
const nameOf = (scene: PostgresScene) => quoted(scene.current.username ?? '');
let count = 0;

/** Another login that the rotation admin could change. */
async function somebodyElse(attributes: string): Promise<string> {
  const name = `dba_${++count}`;
  await fixture.sql(`
    CREATE ROLE ${name} LOGIN ${attributes} PASSWORD 'known-to-its-owner-alone';
    GRANT ${name} TO rotation_admin WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  return name;
}

async function inDatabase(name: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: fixture.server.adminUrl.replace(/\/postgres$/, `/${name}`) });
  await client.connect();
  await client.query(statement);
  await client.end();
}

describe('a forged version that names a powerful login with a junk password', () => {
  test.each([
    ['itself', 'BYPASSRLS'],
    ['by a role that it may become', 'NOINHERIT IN ROLE powerful'],
    ['by a role of the server', 'IN ROLE pg_read_server_files'],
    ['by the right to hand out a role', 'NOINHERIT ADMIN powerful'],
  ])('gets no password of it: the login of the version before proves nothing (powerful %s)', async (_, attributes) => {
    await fixture.sql(`
      DO $$BEGIN IF to_regrole('powerful') IS NULL THEN CREATE ROLE powerful CREATEROLE; END IF; END$$`);
    const [first, second] = attributes.split(' ADMIN ');
    const dba = await somebodyElse(first ?? '');
    if (second !== undefined) await fixture.sql(`GRANT ${second} TO ${dba} WITH ADMIN OPTION`);
    for (const [scene, stepOf] of [
      [await single(), singleStep],
      [await alternating(), pairStep],
    ] as const) {
      const before = await scene.snapshot();
      const step = stepOf(scene, { current: { username: dba, password: newPassword() } });
      const candidate = rotator.propose(step, step.current);
      if ('kind' in candidate) throw new Error(candidate.message);
      // What logs in is version 1, which the stamp of version 2 names as the one before.
      expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({ code: 'login-not-safe' });
      expect(await scene.snapshot()).toEqual(before);
    }
  });

  test('and rotates itself is not changed by the login of the version before', async () => {
    const scene = await single('self');
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} SUPERUSER`);
    const dba = await somebodyElse('');
    const before = await scene.snapshot();
    const step = singleStep(scene, { current: { username: dba, password: newPassword() } });
    const candidate = { username: dba, password: newPassword() };
    expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({ code: 'login-not-safe' });
    expect(await scene.snapshot()).toEqual(before);
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} NOSUPERUSER`);
  });

  test('closes no other login as powerful at a retirement', async () => {
    const scene = await alternating();
    const [mine, theirs] = [await somebodyElse('BYPASSRLS'), await somebodyElse('BYPASSRLS')];
    const before = await scene.snapshot();
    const step = pairStep(scene, { current: { username: mine, password: newPassword() } });
    const outcome = await rotator.retire(step, { username: theirs, password: newPassword() });
    expect(outcome).toMatchObject({ code: 'login-not-safe' });
    expect(await scene.snapshot()).toEqual(before);
  });
});

describe('the tag "users" that pairs a reader with a writer', () => {
  /** Two logins with rights on one table of a database that is not the admin's. */
  async function readerAndWriter() {
    const scene = await alternating();
    const database = `elsewhere_${++count}`;
    const reader = scene.current.username ?? '';
    const writer = `writer_${count}`;
    await fixture.sql(`REASSIGN OWNED BY ${nameOf(scene)} TO postgres; DROP OWNED BY ${nameOf(scene)}`);
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} RESET ALL; ALTER ROLE ${nameOf(scene)} IN DATABASE shop RESET ALL`);
    await fixture.sql(`
      CREATE ROLE ${writer} LOGIN IN ROLE clerks;
      GRANT ${nameOf(scene)}, ${writer} TO rotation_admin WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
    await inDatabase('postgres', `CREATE DATABASE ${database}`);
    await inDatabase(
      database,
      `CREATE TABLE orders (id int); GRANT SELECT ON orders TO ${nameOf(scene)}; GRANT SELECT, INSERT ON orders TO ${writer}`,
    );
    const endpoint = { ...scene.endpoint, database };
    const adminEndpoint = { ...scene.endpoint, database: 'postgres' };
    return {
      scene,
      database,
      step: pairStep(scene, { endpoint, adminEndpoint, options: { users: [reader, writer] } }),
    };
  }

  test('is refused by what they may do in the database where they work, not in the admin’s', async () => {
    const { scene, database, step } = await readerAndWriter();
    const before = await scene.snapshot();
    expect(await attempt(step)).toMatchObject({
      code: 'login-not-safe',
      message: expect.stringContaining(`INSERT on table public.orders in database ${database}`),
    });
    expect(await scene.snapshot()).toEqual(before);
    const failed = (await rotator.check(step)).filter((line) => line.state === 'failed');
    expect(failed).toEqual([expect.objectContaining({ name: 'second login' })]);
  });

  test('is refused while the admin cannot look into that database, with the right to give it', async () => {
    const { scene, database, step } = await readerAndWriter();
    const live = scene.current.username ?? '';
    await inDatabase(
      'postgres',
      `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC;
       GRANT CONNECT ON DATABASE ${database} TO ${quoted(live)}, ${quoted(`writer_${database.split('_')[1]}`)}`,
    );
    const before = await scene.snapshot();
    expect(await attempt(step)).toMatchObject({
      code: 'permission-missing',
      hint: expect.stringContaining(`CONNECT ON DATABASE "${database}"`),
    });
    expect(await scene.snapshot()).toEqual(before);
    // The same password is replaced in place without a look: no other login is handed out.
    expect(await attempt(singleStep(scene))).toMatchObject({ kind: 'applied' });
  });

  test('is let pass where both may do the same in every database', async () => {
    const { scene, database, step } = await readerAndWriter();
    await inDatabase(database, `GRANT INSERT ON orders TO ${nameOf(scene)}`);
    expect(await attempt(step)).toMatchObject({ kind: 'applied' });
  });
});

describe('a server that asks for the password itself', () => {
  test.each([
    ['in clear', 'password', 'scram-sha-256'],
    ['as MD5', 'md5', 'md5'],
  ])('%s is not told it, by proof, rotation or retirement', async (_, method, encryption) => {
    const scene = await single();
    const login = `asked_${++count}`;
    await fixture.sql(`SET password_encryption TO '${encryption}'; CREATE ROLE ${login} LOGIN PASSWORD 'as-it-is'`);
    await askFor(login, method);
    const current = { username: login, password: new SecretText('as-it-is') };
    const proxy = await record(fixture.server.port);
    const endpoint = { ...scene.endpoint, port: proxy.port };
    const step = singleStep(scene, { current, endpoint });
    const outcomes = [
      await rotator.verify(step, current),
      await rotator.retire(singleStep(scene, { current: scene.current, endpoint }), current),
      await rotator.apply(
        singleStep(scene, { current, endpoint, adminEndpoint: endpoint, admin: { kind: 'self' } }),
        { username: login, password: newPassword() },
        current,
      ),
    ];
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ code: 'target-refused', message: expect.stringContaining('scram-sha-256') });
    }
    expect(proxy.text()).not.toContain('as-it-is');
    expect(proxy.text()).not.toContain('\u0000md5');
    await proxy.close();
  });

  test('in clear is given a token of the app’s own identity over verified TLS, and not without TLS', async () => {
    const secure = await startFixture({ tls: true });
    const trusting = makePostgresRotator({ ...environment, trustedCertificates: [secure.server.caPem ?? ''] });
    const token = new SecretText(`ey.${newPassword({ length: 400 }).reveal()}`);
    const admin: Admin = { kind: 'identity', username: 'entra_admin', getToken: async () => token };
    try {
      for (const [server, expected] of [
        [secure, { kind: 'applied' }],
        [fixture, { code: 'target-refused' }],
      ] as const) {
        const scene = await server.scene('single-user', { admin: 'connection' });
        await server.sql(`CREATE ROLE entra_admin LOGIN CREATEROLE PASSWORD '${token.reveal()}'`);
        await server.sql(`GRANT ${nameOf(scene)} TO entra_admin WITH ADMIN OPTION`);
        await askFor('entra_admin', 'password', server);
        const step = singleStep(scene, { admin });
        const candidate = { ...scene.current, password: newPassword() };
        expect(await trusting.apply(step, candidate, scene.current)).toMatchObject(expected);
      }
    } finally {
      await secure.close();
    }
  });
});

/** From now on the server asks this login for its password by another method. */
async function askFor(login: string, method: string, server = fixture): Promise<void> {
  const file = join(server.server.data, 'pg_hba.conf');
  const kind = server.server.caPem === undefined ? 'host' : 'hostssl';
  const rules = await readFile(file, 'utf8');
  await writeFile(file, `${kind} all ${login} 127.0.0.1/32 ${method}\n${rules}`);
  await server.sql('SELECT pg_reload_conf()');
  const shown = () => server.sql('SELECT auth_method FROM pg_hba_file_rules WHERE user_name = ARRAY[$1]', [login]);
  await expect.poll(shown).toEqual([{ auth_method: method }]);
}

test('a powerful login is rotated for the value that logs in as it', async () => {
  const scene = await alternating();
  await fixture.sql(`GRANT pg_read_all_data TO ${nameOf(scene)}`);
  const second = await rotated(scene);
  expect(await scene.login(second)).toBe(true);
});
