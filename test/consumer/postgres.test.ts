import { inspect } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConsumerError, type WatchedSecret } from '../../consumer/index.ts';
import { type RotatingPgPoolOptions, rotatingPgPool } from '../../consumer/pg.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';
import { findSecrets } from '../canary.ts';
import { acknowledgementServer, canary, closeLater, eventually, underLoad, vaultWith, watched } from './helpers.ts';

let server: PostgresServer;
let admin: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  admin = new pg.Client(server.adminUrl);
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await server.close();
});

const passwords = { a: '', b: '' };

beforeEach(async () => {
  passwords.a = canary('a');
  passwords.b = canary('b');
  await admin.query(`DROP ROLE IF EXISTS app_a; DROP ROLE IF EXISTS app_b;
    CREATE ROLE app_a LOGIN PASSWORD '${passwords.a}'; CREATE ROLE app_b LOGIN PASSWORD '${passwords.b}'`);
});

function url(user: 'app_a' | 'app_b', password: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${server.port}/postgres`;
}

async function poolOf(secret: WatchedSecret, options: Partial<RotatingPgPoolOptions> = {}) {
  const pool = await rotatingPgPool({ secret, driver: pg, options: { max: 4 }, ...options });
  closeLater(() => pool.end());
  return pool;
}

async function sessionsOf(user: string): Promise<number> {
  const { rows } = await admin.query('SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = $1', [user]);
  return rows[0].n;
}

describe('rotatingPgPool', () => {
  it('alternating-users under load: the pool moves to the other login, no query fails, and no session of the old one is left', async () => {
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret, problems } = await watched(from);
    const pool = await poolOf(secret);
    const load = underLoad(() => pool.query('SELECT current_user'));
    await load.more(50);
    for (const [user, password] of [
      ['app_b', passwords.b],
      ['app_a', passwords.a],
      ['app_b', passwords.b],
    ] as const) {
      const version = await from.publish(url(user, password));
      await secret.notify({ vault: 'local', secret: from.name, version });
      await eventually(() => expect(pool.state).toMatchObject({ version, workingOnOld: 0 }));
      await load.more(50);
    }
    const { rows } = await pool.query<{ current_user: string }>('SELECT current_user');
    await eventually(async () => expect(await sessionsOf('app_a')).toBe(0));
    const counts = await load.stop();
    expect(rows).toEqual([{ current_user: 'app_b' }]);
    expect(counts.failures).toEqual([]);
    expect(counts.queries).toBeGreaterThan(200);
    expect(problems).toEqual([]);
  });

  it('a new connection that is refused reads the vault once and is made again with the new version', async () => {
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret } = await watched(from);
    const pool = await poolOf(secret, { options: { max: 4, idleTimeoutMillis: 1 } });
    const next = canary('next');
    await admin.query(`ALTER ROLE app_a PASSWORD '${next}'`);
    await from.publish(url('app_a', next));
    const before = from.reads();
    const results = await Promise.all(Array.from({ length: 4 }, () => pool.query('SELECT 1 AS one')));
    expect(results.map((result) => result.rows[0])).toEqual(Array(4).fill({ one: 1 }));
    expect(from.reads() - before).toBe(1);
  });

  it('an error of a query that looks like a refusal is not taken for one: the query runs once', async () => {
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret } = await watched(from);
    const pool = await poolOf(secret);
    await admin.query('CREATE SEQUENCE IF NOT EXISTS runs; GRANT USAGE ON SEQUENCE runs TO PUBLIC');
    const before = from.reads();
    const body = `DO $$ BEGIN PERFORM nextval('runs'); RAISE EXCEPTION 'no' USING ERRCODE = '28P01'; END $$`;
    await expect(pool.query(body)).rejects.toMatchObject({ code: '28P01' });
    const { rows } = await admin.query('SELECT last_value::int AS n FROM runs');
    expect(rows).toEqual([{ n: 1 }]);
    expect(from.reads()).toBe(before);
  });

  it('a wrong password in the vault never takes over: the old pool stays and the problem is told without the value', async () => {
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret, problems } = await watched(from);
    const pool = await poolOf(secret);
    const load = underLoad(() => pool.query('SELECT 1'));
    const wrong = canary('wrong');
    await from.publish(url('app_b', wrong));
    await secret.refresh();
    await eventually(() => expect(problems.map((one) => one.code)).toContain('pool-unproven'));
    await load.more(50);
    expect(pool.state.version).toBe(from.versions[0]);
    const right = await from.publish(url('app_b', passwords.b));
    await secret.refresh();
    await eventually(() => expect(pool.state.version).toBe(right));
    expect((await load.stop()).failures).toEqual([]);
    expect(findSecrets(problems, [wrong, passwords.a, passwords.b])).toEqual([]);
  });

  it('work under way ends on the old login; the version is acknowledged only after its last connection is closed', async () => {
    const keyturn = await acknowledgementServer();
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret } = await watched(from, { acknowledge: { api: keyturn.api, key: 'consumer-key' } });
    const pool = await poolOf(secret);
    await eventually(() => expect(keyturn.calls).toHaveLength(1));
    const client = await pool.connect();
    await client.query('BEGIN');
    const version = await from.publish(url('app_b', passwords.b));
    await secret.refresh();
    await eventually(() => expect(pool.state).toMatchObject({ version, workingOnOld: 1 }));
    expect((await client.query('SELECT current_user')).rows).toEqual([{ current_user: 'app_a' }]);
    expect((await pool.query('SELECT current_user')).rows).toEqual([{ current_user: 'app_b' }]);
    expect(keyturn.calls).toHaveLength(1);
    await client.query('COMMIT');
    client.release();
    await eventually(() => expect(keyturn.calls).toHaveLength(2));
    expect(await sessionsOf('app_a')).toBe(0);
    expect(keyturn.calls.map((call) => call.path)).toEqual(
      from.versions.map((one) => `/api/v1/vaults/local/secrets/orders-db/versions/${one}/acknowledgements`),
    );
  });

  it('two pools of one secret: the version is acknowledged when the slower one has let go of the old login', async () => {
    const keyturn = await acknowledgementServer();
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret } = await watched(from, { acknowledge: { api: keyturn.api, key: 'consumer-key' } });
    const [quick, slow] = [await poolOf(secret), await poolOf(secret)];
    const client = await slow.connect();
    const version = await from.publish(url('app_b', passwords.b));
    await secret.refresh();
    await eventually(() => expect(quick.state).toMatchObject({ version, workingOnOld: 0 }));
    await eventually(() => expect(slow.state).toMatchObject({ version, workingOnOld: 1 }));
    expect(keyturn.calls.filter((call) => call.path.includes(version))).toEqual([]);
    client.release();
    await eventually(() => expect(keyturn.calls.filter((call) => call.path.includes(version))).toHaveLength(1));
  });

  it('a transaction commits what succeeded and rolls back what rejected', async () => {
    const from = await vaultWith(server.adminUrl);
    const pool = await poolOf((await watched(from)).secret);
    await pool.query('DROP TABLE IF EXISTS kept; CREATE TABLE kept (n int)');
    await pool.transaction((client) => client.query('INSERT INTO kept VALUES (1)'));
    const failed = pool.transaction(async (client) => {
      await client.query('INSERT INTO kept VALUES (2)');
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect((await pool.query('SELECT n FROM kept')).rows).toEqual([{ n: 1 }]);
    expect(pool.state.working).toBe(0);
  });

  it('sessions ended by the server are told and the pool connects again', async () => {
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret, problems } = await watched(from);
    const pool = await poolOf(secret);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app_a'`);
    await eventually(() => expect(problems.map((one) => one.code)).toContain('connection-lost'));
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it.each([
    ['a refused login', () => url('app_a', 'canary-not-the-password'), 'the target refused it'],
    ['a value that is no connection', () => 'mysql://app:canary-not-the-password@h/d', 'its scheme must be one of'],
    ['a value with names and values', () => 'host=h password=canary-not-the-password', 'Give "connect"'],
  ])('%s at the start is an error that says so without the value', async (_case, value, words) => {
    const from = await vaultWith(value());
    const { secret, problems } = await watched(from);
    const error: unknown = await rotatingPgPool({ secret, driver: pg }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConsumerError);
    expect(String(error)).toContain(words);
    expect(findSecrets([error, problems], ['canary-not-the-password', passwords.a])).toEqual([]);
  });

  it('nothing that may be logged of a pool or a secret shows the value', async () => {
    const from = await vaultWith(url('app_a', passwords.a));
    const { secret } = await watched(from);
    const pool = await poolOf(secret);
    const logged = [
      inspect(pool, { depth: 20, showHidden: true }),
      inspect(secret, { depth: 20, showHidden: true }),
      JSON.stringify([pool, secret, secret.current]),
      `${secret.current.value}`,
    ];
    expect(findSecrets(logged, [passwords.a, secret.current.value.reveal()])).toEqual([]);
  });

  it('after end() a query is refused as closed, and no session is left', async () => {
    const from = await vaultWith(url('app_a', passwords.a));
    const pool = await poolOf((await watched(from)).secret);
    await pool.query('SELECT 1');
    await Promise.all([pool.end(), pool.end()]);
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'closed' });
    await eventually(async () => expect(await sessionsOf('app_a')).toBe(0));
  });
});
