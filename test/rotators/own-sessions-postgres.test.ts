import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applicationName } from '../../rotators/postgres/wire.ts';
import { newPassword } from '../conformance/step.ts';
import { database, type PostgresFixture, startFixture } from './postgres-fixture.ts';
import { pairStep, rotator } from './postgres-rig.ts';

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture();
}, 60_000);
afterAll(() => fixture.close());

test('a session in which Keyturn tries a login is no consumer of it, and one of an application is', async () => {
  const scene = await fixture.scene('alternating-users', { admin: 'connection' });
  const current = { username: `${scene.current.username}_alt`, password: newPassword() };
  const step = pairStep(scene, { current });
  const { host, port } = fixture.server;
  const { username: user = '', password } = scene.current;
  const login = { host, port, user, password: password.reveal(), database };
  const ours = new Client({ ...login, application_name: applicationName });
  await ours.connect();
  expect(await rotator.inUse(step, scene.current)).toEqual({ kind: 'idle' });
  const theirs = new Client({ ...login, application_name: 'shop' });
  await theirs.connect();
  expect(await rotator.inUse(step, scene.current)).toMatchObject({
    kind: 'in-use',
    sessions: 1,
    by: [expect.stringContaining('shop')],
  });
  await Promise.all([ours.end(), theirs.end()]);
});
