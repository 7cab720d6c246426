/** Postgres behind a real PgBouncer, which hands one session of the server to many clients and answers for the server at the door. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PgBouncer, startPgBouncer } from '../../local/pgbouncer.ts';
import { makePostgresRotator } from '../../rotators/postgres/rotator.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { newPassword } from '../conformance/step.ts';
import { adminName, database, type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { attempt, environment, type PostgresScene, pairStep, rotator, singleStep } from './postgres-rig.ts';

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture();
}, 60_000);
afterAll(() => fixture.close());

describe.each(['transaction', 'session'] as const)('PgBouncer in %s mode', (mode) => {
  let pooler: PgBouncer;
  beforeAll(async () => {
    pooler = await startPgBouncer(fixture.server, {
      mode,
      settings: { ignore_startup_parameters: 'extra_float_digits' },
    });
  }, 60_000);
  afterAll(() => pooler.close());

  const pooled = async (strategy: 'alternating-users' | 'single-user', admin: 'connection' | 'self' = 'connection') => {
    const scene = await fixture.scene(strategy, { admin });
    const endpoint = { ...scene.endpoint, port: pooler.port };
    return { ...scene, endpoint, adminEndpoint: endpoint };
  };

  /** What a client finds on the session it is given, and what a session of its own would be like. */
  async function settingsOf(credential: Credential, port: number): Promise<unknown> {
    const client = new Client({
      host: '127.0.0.1',
      port,
      user: credential.username ?? '',
      password: credential.password.reveal(),
      database,
    });
    await client.connect();
    try {
      const names = ['search_path', 'role', 'statement_timeout', 'lock_timeout', 'transaction_timeout'];
      const shown = names.map((name) => `current_setting('${name}', true) AS "${name}"`).join(', ');
      return (await client.query(`SELECT ${shown}`)).rows;
    } finally {
      await client.end();
    }
  }

  function adminOf(scene: PostgresScene): Credential {
    if (scene.admin.kind !== 'connection') throw new Error('the scene has no admin');
    return scene.admin.credential;
  }

  test('plan, rotation, drift check and retirement of a pair leave nothing behind on sessions that the next client gets', async () => {
    const scene = await pooled('alternating-users');
    expect((await rotator.check(pairStep(scene))).filter((line) => line.state === 'failed')).toEqual([]);
    const outcome = await attempt(pairStep(scene));
    if (outcome.kind !== 'applied') throw new Error(outcome.message);
    const after = pairStep(scene, { current: outcome.credential });
    expect(await rotator.verify(pairStep(scene), outcome.credential)).toEqual({ kind: 'accepted' });
    expect(await rotator.verify(after, outcome.credential)).toEqual({ kind: 'accepted' });
    await rotator.inUse(after, scene.current);
    for (const credential of [scene.current, outcome.credential, adminOf(scene)]) {
      expect(await settingsOf(credential, pooler.port)).toEqual(await settingsOf(credential, fixture.server.port));
    }
    expect(await rotator.retire(after, scene.current)).toMatchObject({ kind: 'retired' });
    expect(await settingsOf(adminOf(scene), pooler.port)).toEqual(
      await settingsOf(adminOf(scene), fixture.server.port),
    );
  });

  test('a login that changes its own password leaves nothing behind either', async () => {
    const scene = await pooled('single-user', 'self');
    await rotator.check(singleStep(scene));
    const outcome = await attempt(singleStep(scene));
    if (outcome.kind !== 'applied') throw new Error(outcome.message);
    expect(await rotator.verify(singleStep(scene), outcome.credential)).toEqual({ kind: 'accepted' });
    expect(await settingsOf(outcome.credential, pooler.port)).toEqual(
      await settingsOf(outcome.credential, fixture.server.port),
    );
  });

  test('a wrong password and an unknown login, refused by the pooler with 08P01, are refused and not unreachable', async () => {
    const scene = await pooled('single-user');
    for (const credential of [{ ...scene.current, password: newPassword() }, scene.missing]) {
      expect(await rotator.verify(singleStep(scene), credential)).toMatchObject({ kind: 'refused' });
    }
    const stranger = { ...scene.admin, credential: { username: adminName, password: newPassword() } };
    expect(
      await attempt(singleStep(scene, { admin: { ...stranger, kind: 'connection', secret: 'postgres-admin' } })),
    ).toMatchObject({ code: 'admin-refused' });
  });

  test('a server that the pooler does not reach is unreachable, and a login it has no room for is busy', async () => {
    const nowhere = await startPgBouncer({ ...fixture.server, port: 1 }, { mode });
    const impatient = makePostgresRotator({ ...environment, connectTimeoutMs: 1_000 });
    const full = await startPgBouncer(fixture.server, { mode, settings: { max_client_conn: '1' } });
    const scene = await fixture.scene('single-user', { admin: 'connection' });
    const holder = new Client({ connectionString: `${fixture.server.adminUrl.replace(/:\d+\//, `:${full.port}/`)}` });
    await holder.connect();
    try {
      const lost = singleStep(scene, { endpoint: { ...scene.endpoint, port: nowhere.port } });
      expect(await impatient.verify(lost, scene.current)).toMatchObject({ kind: 'unreachable' });
      const crowded = singleStep(scene, { endpoint: { ...scene.endpoint, port: full.port } });
      expect(await rotator.verify(crowded, scene.current)).toMatchObject({ code: 'target-busy', class: 'retry' });
    } finally {
      await holder.end();
      await nowhere.close();
      await full.close();
    }
  });

  test('a limit of time that a login gave itself is reported as what it is, and not as a parameter the pooler does not take', async () => {
    const scene = await pooled('alternating-users');
    const second = await attempt(pairStep(scene));
    if (second.kind !== 'applied') throw new Error(second.message);
    await fixture.sql(`ALTER ROLE ${quoted(second.credential.username ?? '')} SET statement_timeout TO 1`);
    const outcome = await rotator.verify(pairStep(scene), second.credential);
    expect(outcome).toEqual({ kind: 'accepted' });
  });

  test('an empty password is no password to a pooler either', async () => {
    const scene = await pooled('single-user');
    const empty = { ...scene.current, password: new SecretText('') };
    expect(await rotator.verify(singleStep(scene), empty)).toMatchObject({ kind: 'refused' });
  });
});
