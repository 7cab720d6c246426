/** An emergency on a real server: refused first, all told at once, looked at until none is left; and what is busy is no obstacle. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proposed } from '../conformance/workbench.ts';
import { type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { holdMessage } from './postgres-proxy.ts';
import { attempt, type PostgresScene, pairStep, rotated, rotator, singleStep } from './postgres-rig.ts';

const held = 500;

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture({ settings: { max_connections: String(held + 60) } });
}, 60_000);
afterAll(() => fixture.close());

const alternating = () => fixture.scene('alternating-users', { admin: 'connection' });
const single = (admin: 'connection' | 'self' = 'connection') => fixture.scene('single-user', { admin });
const nameOf = ({ username }: { readonly username?: string }) => quoted(username ?? '');
const urgent = { emergency: true } as const;

async function open(scene: PostgresScene, sessions: number): Promise<readonly Client[]> {
  await fixture.sql(`ALTER ROLE ${nameOf(scene.current)} CONNECTION LIMIT -1`);
  const opened: Client[] = [];
  for (let first = 0; first < sessions; first += 50) {
    const more = Math.min(50, sessions - first);
    opened.push(...(await Promise.all(Array.from({ length: more }, () => fixture.connect(scene.current)))));
  }
  return opened;
}

/** As a superuser in another database, out of reach of the settings of `shop`. */
async function fromOutside(statement: string): Promise<void> {
  const client = new Client({ connectionString: fixture.server.adminUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function sessionsOf(login: string | undefined): Promise<unknown> {
  const query = 'SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE usename = $1';
  return (await fixture.sql(query, [login]))[0]?.['sessions'];
}

describe('sessions of a revoked login', () => {
  test('500 of them are told to end in one statement, and none is left', async () => {
    const scene = await alternating();
    await open(scene, held);
    const second = await rotated(scene);
    const before = fixture.server.log().length;
    const outcome = await rotator.retire(pairStep(scene, { current: second }, urgent), scene.current);
    expect(outcome).toEqual({ kind: 'retired', sessionsEnded: held });
    expect(await sessionsOf(scene.current.username)).toBe(0);
    const log = fixture.server.log().slice(before);
    const refused = log.indexOf('PASSWORD NULL');
    const told = log.indexOf('pg_terminate_backend(pid)');
    const firstEnd = log.indexOf('terminating connection due to administrator command');
    expect(refused).toBeGreaterThan(-1);
    expect(told).toBeGreaterThan(refused);
    expect(firstEnd).toBeGreaterThan(-1);
  }, 60_000);

  test('are ended whatever they call themselves: an intruder may take the name of Keyturn', async () => {
    const scene = await alternating();
    const [session] = await open(scene, 1);
    await session?.query("SET application_name = 'keyturn'");
    const second = await rotated(scene);
    const outcome = await rotator.retire(pairStep(scene, { current: second }, urgent), scene.current);
    expect(outcome).toEqual({ kind: 'retired', sessionsEnded: 1 });
    expect(await sessionsOf(scene.current.username)).toBe(0);
  });

  test('of a login that stays in use all end too, and those that come back with the new password are let be', async () => {
    const scene = await single();
    await open(scene, 20);
    const outcome = await attempt(singleStep(scene));
    if (outcome.kind !== 'applied') throw new Error(outcome.message);
    const step = singleStep(scene, { current: outcome.credential }, urgent);
    expect(await rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 20 });
    const back = await fixture.connect(outcome.credential);
    expect((await back.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await back.end();
  });

  test.each([
    ['single-user', 'with the right to see when a session began', true],
    ['single-user', 'without it', false],
    ['alternating-users', 'without it', false],
  ] as const)(
    'of a login that was under way with the old password end, too (%s, %s)',
    async (strategy, _case, sees) => {
      const scene = strategy === 'single-user' ? await single() : await alternating();
      const stepOf = strategy === 'single-user' ? singleStep : pairStep;
      await fixture.sql(`ALTER ROLE ${nameOf(scene.current)} CONNECTION LIMIT -1`);
      if (sees) await fixture.sql('GRANT pg_read_all_stats TO rotation_admin');
      const port = scene.endpoint.port ?? 0;
      // The server has read the old password by the time that it is answered: start, SCRAM's first message, and its last.
      const goOn = Promise.withResolvers<void>();
      const stalled = await holdMessage(port, 3, () => goOn.promise);
      const { username, password } = scene.current;
      const intruder = new Client({
        ...{
          host: '127.0.0.1',
          port: stalled.port,
          user: username ?? '',
          password: password.reveal(),
          database: 'shop',
        },
      });
      const cut = new Promise<void>((resolve) => intruder.on('end', () => resolve()));
      intruder.on('error', () => undefined);
      const entering = intruder.connect();
      await stalled.arrived;
      const outcome = await attempt(stepOf(scene));
      if (outcome.kind !== 'applied') throw new Error(outcome.message);
      // The proof that the old password is refused begins after the first look: the intruder is through before it ends.
      const proof = await holdMessage(port, 1, async () => {
        goOn.resolve();
        await entering;
      });
      const endpoint = { ...scene.endpoint, port: proof.port };
      const step = stepOf(scene, { current: outcome.credential, endpoint }, urgent);
      expect(await rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 1 });
      await cut;
      expect(await sessionsOf(username)).toBe(0);
      if (sees) await fixture.sql('REVOKE pg_read_all_stats FROM rotation_admin');
      await Promise.all([stalled.close(), proof.close()]);
    },
  );

  test('that came back with the new password are let be, where the admin may see when they began', async () => {
    const scene = await single();
    const outcome = await attempt(singleStep(scene));
    if (outcome.kind !== 'applied') throw new Error(outcome.message);
    await fixture.sql('GRANT pg_read_all_stats TO rotation_admin');
    const port = scene.endpoint.port ?? 0;
    const back: Client[] = [];
    const proof = await holdMessage(port, 1, async () => {
      back.push(await fixture.connect(outcome.credential));
    });
    const endpoint = { ...scene.endpoint, port: proof.port };
    const step = singleStep(scene, { current: outcome.credential, endpoint }, urgent);
    expect(await rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 0 });
    expect((await back[0]?.query('SELECT 1 AS one'))?.rows).toEqual([{ one: 1 }]);
    await back[0]?.end();
    await fixture.sql('REVOKE pg_read_all_stats FROM rotation_admin');
    await proof.close();
  });

  test('without the right to end them are counted, with the statement that gives it; asked again, it is finished', async () => {
    const scene = await alternating();
    await open(scene, 3);
    const second = await rotated(scene);
    await fixture.sql('REVOKE pg_signal_backend FROM rotation_admin');
    const step = pairStep(scene, { current: second }, urgent);
    const outcome = await rotator.retire(step, scene.current);
    await fixture.sql('GRANT pg_signal_backend TO rotation_admin');
    expect(outcome).toMatchObject({
      code: 'sessions-open',
      class: 'blocked',
      message: expect.stringContaining('3 of its sessions are still open'),
      hint: expect.stringContaining('GRANT pg_signal_backend TO "rotation_admin";'),
    });
    expect(await scene.login(scene.current)).toBe(false);
    expect(await rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 3 });
    expect(await sessionsOf(scene.current.username)).toBe(0);
  });
});

describe('a login that is busy', () => {
  test('to the last of its connections is rotated, proven and rid of its intruders', async () => {
    for (const [scene, stepOf] of [
      [await single(), singleStep],
      [await alternating(), pairStep],
    ] as const) {
      await fixture.sql(`ALTER ROLE ${nameOf(scene.current)} CONNECTION LIMIT 2`);
      await Promise.all([fixture.connect(scene.current), fixture.connect(scene.current)]);
      const step = stepOf(scene, {}, urgent);
      expect(await rotator.verify(step, scene.current)).toEqual({ kind: 'accepted' });
      const outcome = await attempt(step);
      if (outcome.kind !== 'applied') throw new Error(outcome.message);
      expect(await rotator.verify(step, outcome.credential)).toEqual({ kind: 'accepted' });
      const after = stepOf(scene, { current: outcome.credential }, urgent);
      expect(await rotator.retire(after, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 2 });
      expect(await scene.login(outcome.credential)).toBe(true);
    }
  });

  test.each([
    'statement_timeout',
    'transaction_timeout',
    'idle_session_timeout',
    'idle_in_transaction_session_timeout',
  ])('because it gave itself a %s of 1 ms is rotated and proven', async (setting) => {
    for (const [scene, stepOf] of [
      [await single(), singleStep],
      [await alternating(), pairStep],
    ] as const) {
      await fixture.as(scene.current, `ALTER ROLE CURRENT_USER SET ${setting} TO 1`);
      const step = stepOf(scene, {}, urgent);
      const outcome = await attempt(step);
      if (outcome.kind !== 'applied') throw new Error(outcome.message);
      expect(await rotator.verify(step, outcome.credential)).toEqual({ kind: 'accepted' });
      const after = stepOf(scene, { current: outcome.credential }, urgent);
      expect(await rotator.retire(after, scene.current)).toMatchObject({ kind: 'retired' });
    }
  });

  test('and changes itself, with a statement_timeout of 1 ms among its settings, is rotated', async () => {
    const scene = await single('self');
    await fixture.as(scene.current, 'ALTER ROLE CURRENT_USER SET transaction_timeout TO 1');
    const outcome = await attempt(singleStep(scene));
    if (outcome.kind !== 'applied') throw new Error(outcome.message);
    const step = singleStep(scene, { current: outcome.credential }, urgent);
    expect(await rotator.retire(step, scene.current)).toMatchObject({ kind: 'retired' });
  });
});

describe('a setting of the database that its owner made', () => {
  test.each([
    'role TO clerks',
    'default_transaction_read_only TO on',
    'statement_timeout TO 1',
    'transaction_timeout TO 1',
    'lock_timeout TO 1',
    `search_path TO "nowhere"`,
  ])('%s, does not reach what the admin does there', async (setting) => {
    const scene = await alternating();
    await fixture.sql('GRANT clerks TO rotation_admin');
    await fromOutside(`ALTER DATABASE shop SET ${setting}`);
    try {
      expect((await rotator.check(pairStep(scene))).filter((line) => line.state === 'failed')).toEqual([]);
      const outcome = await attempt(pairStep(scene));
      expect(outcome).toMatchObject({ kind: 'applied' });
      const current = outcome.kind === 'applied' ? outcome.credential : scene.current;
      expect(await rotator.retire(pairStep(scene, { current }, urgent), scene.current)).toMatchObject({
        kind: 'retired',
      });
    } finally {
      await fromOutside('ALTER DATABASE shop RESET ALL');
      await fixture.sql('REVOKE clerks FROM rotation_admin');
    }
  });

  test('default_transaction_read_only of the whole server is an operator’s fence: tried again, nothing is written', async () => {
    const scene = await single();
    await fixture.sql('ALTER SYSTEM SET default_transaction_read_only TO on');
    await fixture.sql('SELECT pg_reload_conf()');
    try {
      await expect
        .poll(() => fixture.sql('SHOW default_transaction_read_only'))
        .toEqual([{ default_transaction_read_only: 'on' }]);
      const candidate = proposed(rotator.propose(singleStep(scene), scene.current));
      const outcome = await rotator.apply(singleStep(scene), candidate, scene.current);
      expect(outcome).toMatchObject({ code: 'target-read-only', class: 'retry' });
      expect(await scene.login(scene.current)).toBe(true);
    } finally {
      await fromOutside('ALTER SYSTEM RESET default_transaction_read_only');
      await fromOutside('SELECT pg_reload_conf()');
      await expect
        .poll(() => fixture.sql('SHOW default_transaction_read_only'))
        .toEqual([{ default_transaction_read_only: 'off' }]);
    }
  });
});

test('a live login that somebody closed with NOLOGIN as first aid does not stop the emergency that follows', async () => {
  const scene = await alternating();
  await fixture.sql(`ALTER ROLE ${nameOf(scene.current)} NOLOGIN`);
  const step = pairStep(scene, {}, urgent);
  const outcome = await attempt(step);
  if (outcome.kind !== 'applied') throw new Error(outcome.message);
  expect(await rotator.verify(step, outcome.credential)).toEqual({ kind: 'accepted' });
  expect(await scene.login(outcome.credential)).toBe(true);
});
