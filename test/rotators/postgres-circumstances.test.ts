/** Circumstances from the field: ends of logins, standbys, lists of hosts, databases nobody names, extensions that look at passwords. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresServer } from '../../local/postgres.ts';
import { startPostgresReplica } from '../../local/postgres-replica.ts';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import { closedPort } from '../conformance/listeners.ts';
import { newPassword } from '../conformance/step.ts';
import { type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { answerInstead } from './postgres-proxy.ts';
import { attempt, type PostgresScene, pairStep, rotated, rotator, singleStep } from './postgres-rig.ts';

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture();
}, 60_000);
afterAll(() => fixture.close());

const alternating = () => fixture.scene('alternating-users', { admin: 'connection' });
const single = (admin: 'connection' | 'self' = 'connection') => fixture.scene('single-user', { admin });
const nameOf = (scene: PostgresScene) => quoted(scene.current.username ?? '');
const days = 86_400_000;

describe('a login that ends before the new version would', () => {
  const ends = {
    code: 'target-refused',
    message: expect.stringMatching(/valid until .*Run ALTER ROLE .* VALID UNTIL 'infinity'/),
  };

  test('is named by plan, and not rotated into a version that outlives it', async () => {
    for (const [scene, stepOf] of [
      [await single(), singleStep],
      [await single('self'), singleStep],
      [await alternating(), pairStep],
    ] as const) {
      await fixture.sql(`ALTER ROLE ${nameOf(scene)} VALID UNTIL '${new Date(Date.now() + 30 * days).toISOString()}'`);
      const step = stepOf(scene, {}, { validForMs: 90 * days });
      const before = await scene.snapshot();
      expect(await attempt(step)).toMatchObject(ends);
      expect(await scene.snapshot()).toEqual(before);
      const failed = (await rotator.check(step)).filter((line) => line.state === 'failed');
      expect(failed).toEqual([
        expect.objectContaining({ name: 'login', detail: expect.stringContaining('valid until') }),
      ]);
      const short = stepOf(scene, {}, { validForMs: 20 * days });
      expect((await rotator.check(short)).filter((line) => line.state === 'failed')).toEqual([]);
      expect(await attempt(short)).toMatchObject({ kind: 'applied' });
    }
  });

  test('is rotated in an emergency all the same', async () => {
    const scene = await single();
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} VALID UNTIL '${new Date(Date.now() + 30 * days).toISOString()}'`);
    const outcome = await attempt(singleStep(scene, {}, { emergency: true, validForMs: 90 * days }));
    // The version is told to expire with it.
    const lastsMs = outcome.kind === 'applied' ? (outcome.lastsMs ?? Number.POSITIVE_INFINITY) : 0;
    expect(lastsMs).toBeGreaterThan(29 * days);
    expect(lastsMs).toBeLessThanOrEqual(30 * days);
  });

  test('that ends never, by the word infinity, is rotated', async () => {
    const scene = await alternating();
    await fixture.sql(`ALTER ROLE ${nameOf(scene)} VALID UNTIL 'infinity'`);
    expect(await attempt(pairStep(scene))).toMatchObject({ kind: 'applied' });
  });
});

describe('a standby', () => {
  let replica: PostgresServer;
  beforeAll(async () => {
    replica = await startPostgresReplica(fixture.server);
  }, 60_000);
  afterAll(() => replica.close());

  const at = (endpoint: Endpoint) => ({ endpoint, adminEndpoint: endpoint });
  const onReplica = (scene: PostgresScene) => at({ ...scene.endpoint, port: replica.port });
  const list = (scene: PostgresScene, ...ports: readonly number[]): Endpoint => ({
    ...scene.endpoint,
    port: ports[0] ?? 0,
    hosts: ports.map((port) => ({ host: '127.0.0.1', port })),
  });

  test('takes no changes: tried again, never paused, and named by plan', async () => {
    const scene = await single();
    await expect.poll(() => replicated(replica, scene), { timeout: 10_000 }).toBe(true);
    const step = singleStep(scene, onReplica(scene));
    expect(await attempt(step)).toMatchObject({
      code: 'target-read-only',
      class: 'retry',
      message: expect.stringContaining('standby'),
    });
    expect(await rotator.verify(step, scene.current)).toEqual({ kind: 'accepted' });
    const failed = (await rotator.check(step)).filter((line) => line.state === 'failed');
    expect(failed).toEqual([expect.objectContaining({ name: 'writable' })]);
    const pair = await alternating();
    const second = await rotated(pair);
    await expect.poll(() => replicated(replica, { ...pair, current: second }), { timeout: 10_000 }).toBe(true);
    const retired = await rotator.retire(pairStep(pair, { ...onReplica(pair), current: second }), pair.current);
    expect(retired).toMatchObject({ code: 'target-read-only', class: 'retry' });
  });

  test('or a dead host first in the list is passed over: the one that takes writes is rotated', async () => {
    const dead = await closedPort();
    for (const ports of [
      [dead, fixture.server.port],
      [replica.port, fixture.server.port],
      [dead, replica.port, fixture.server.port],
    ]) {
      const scene = await alternating();
      const endpoint = list(scene, ...ports);
      const step = pairStep(scene, at(endpoint));
      expect((await rotator.check(step)).filter((line) => line.state === 'failed')).toEqual([]);
      const outcome = await attempt(step);
      if (outcome.kind !== 'applied') throw new Error(outcome.message);
      expect(await rotator.verify(step, outcome.credential)).toEqual({ kind: 'accepted' });
      const wrong = { ...outcome.credential, password: newPassword() };
      expect(await rotator.verify(step, wrong)).toMatchObject({ kind: 'refused' });
      const after = pairStep(scene, { ...at(endpoint), current: outcome.credential });
      expect(await rotator.inUse(after, scene.current)).toEqual({ kind: 'idle' });
      expect(await rotator.retire(after, scene.current)).toMatchObject({ kind: 'retired' });
    }
  });

  test('and a dead primary in a list mean no answer for changes, and are no evidence against a password', async () => {
    const scene = await single();
    await expect.poll(() => replicated(replica, scene), { timeout: 10_000 }).toBe(true);
    const endpoint = list(scene, await closedPort(), replica.port);
    const step = singleStep(scene, at(endpoint));
    expect(await attempt(step)).toMatchObject({ class: 'retry' });
    expect(await rotator.verify(step, scene.current)).toEqual({ kind: 'accepted' });
    const nobody = singleStep(scene, at(list(scene, await closedPort(), await closedPort())));
    expect(await rotator.verify(nobody, scene.current)).toMatchObject({ kind: 'unreachable' });
  });
});

async function replicated(replica: PostgresServer, scene: PostgresScene): Promise<boolean> {
  const client = new Client({ connectionString: replica.adminUrl });
  await client.connect();
  const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [scene.current.username]);
  await client.end();
  return rows.length === 1;
}

describe('a value that names no database', () => {
  const nameless = ({ endpoint }: PostgresScene): Endpoint => {
    const { database: _, ...rest } = endpoint;
    return { ...rest, options: { scheme: 'postgresql' } };
  };

  test('means the one of the login’s name, as drivers do, also where nobody may enter "postgres"', async () => {
    const scene = await single();
    await ownDatabase(scene);
    await fixture.sql('REVOKE CONNECT ON DATABASE postgres FROM PUBLIC');
    try {
      const step = singleStep(scene, { endpoint: nameless(scene) });
      expect((await rotator.check(step)).filter((line) => line.state === 'failed')).toEqual([]);
      const outcome = await attempt(step);
      if (outcome.kind !== 'applied') throw new Error(outcome.message);
      expect(await rotator.verify(step, outcome.credential)).toEqual({ kind: 'accepted' });
      const own = await fixture.scene('single-user', { admin: 'self' });
      await ownDatabase(own);
      const endpoint = nameless(own);
      const itself = singleStep(own, { endpoint, adminEndpoint: endpoint });
      expect(await attempt(itself)).toMatchObject({ kind: 'applied' });
    } finally {
      await fixture.sql('GRANT CONNECT ON DATABASE postgres TO PUBLIC');
    }
  });

  test('and a second login for whom there is none is not published: its consumers would not get in', async () => {
    const scene = await alternating();
    await ownDatabase(scene);
    const step = pairStep(scene, { endpoint: nameless(scene) });
    const outcome = await attempt(step);
    if (outcome.kind !== 'applied') throw new Error(outcome.message);
    expect(await rotator.verify(step, outcome.credential)).toMatchObject({
      code: 'target-missing',
      message: expect.stringContaining(`database "${outcome.credential.username}" does not exist`),
    });
  });

  test('and is no connection string may leave it to its consumers, whatever databases there are', async () => {
    const scene = await alternating();
    const step = pairStep(scene, { endpoint: { ...nameless(scene), options: {} } });
    expect(await rotator.verify(step, scene.current)).toEqual({ kind: 'accepted' });
    const second = await attempt(step);
    if (second.kind !== 'applied') throw new Error(second.message);
    expect(await rotator.verify(step, second.credential)).toEqual({ kind: 'accepted' });
  });

  test('and no address either leaves both to its consumers: the admin’s database is good enough to log in to', async () => {
    const scene = await single();
    const endpoint = nameless(scene);
    const step = singleStep(scene, { endpoint, adminEndpoint: endpoint });
    expect(await rotator.verify(step, scene.current)).toEqual({ kind: 'accepted' });
  });
});

async function ownDatabase(scene: PostgresScene): Promise<void> {
  const client = new Client({ connectionString: fixture.server.adminUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${nameOf(scene)} OWNER ${nameOf(scene)}`);
  await client.end();
}

test('an extension that refuses stored forms of passwords, with the code of a bad login, refuses the change and not the admin', async () => {
  const said = { code: '28000', message: 'password type is not a plain text' };
  const proxy = await answerInstead(fixture.server.port, 'DO ', said);
  for (const admin of ['connection', 'self'] as const) {
    const scene = await single(admin);
    const endpoint = { ...scene.endpoint, port: proxy.port };
    const outcome = await attempt(singleStep(scene, { endpoint, adminEndpoint: endpoint }));
    expect(outcome).toMatchObject({ code: 'target-refused', message: expect.stringContaining(said.message) });
    expect(await scene.login(scene.current)).toBe(true);
  }
  await proxy.close();
});

test('what the pair’s second login had of its own before NOLOGIN is compared all the same', async () => {
  const scene = await alternating();
  const second = await rotated(scene);
  await fixture.sql(`ALTER ROLE ${quoted(second.username ?? '')} NOLOGIN CREATEDB`);
  expect(await attempt(pairStep(scene))).toMatchObject({ code: 'login-not-safe' });
});
