import mssql from 'mssql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqlServer } from '../../rotators/sql-server/entry.ts';
import { applicationName } from '../../rotators/sql-server/link.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { makeStep, newPassword } from '../conformance/step.ts';
import { type SqlServerFixture, startFixture } from './sql-server-fixture.ts';

let fixture: SqlServerFixture;
beforeAll(async () => {
  fixture = await startFixture({ account: 'login' });
});
afterAll(() => fixture.close());

function open({ username = '', password }: Credential, appName: string): Promise<mssql.ConnectionPool> {
  const { host: server, port } = fixture.server;
  const options = { appName, cryptoCredentialsDetails: { ca: fixture.ca } };
  return new mssql.ConnectionPool({ server, port, user: username, password: password.reveal(), options }).connect();
}

test('a session in which Keyturn tries a login is no consumer of it, and one of an application is', async () => {
  const rotator = await sqlServer.load({
    trustedCertificates: [fixture.ca],
    connectTimeoutMs: 5_000,
    getToken: async () => new SecretText('no token'),
    allowedHosts: [],
    cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
  });
  const scene = await fixture.scene('alternating-users');
  const current = { username: `${scene.current.username}_alt`, password: newPassword() };
  const step = makeStep('alternating-users', { ...scene, current });
  const ours = await open(scene.current, applicationName);
  await ours.request().query('SELECT 1 AS one');
  expect(await rotator.inUse(step, scene.current)).toEqual({ kind: 'idle' });
  const theirs = await open(scene.current, 'shop');
  await theirs.request().query('SELECT 1 AS one');
  expect(await rotator.inUse(step, scene.current)).toMatchObject({
    kind: 'in-use',
    sessions: 1,
    by: [expect.stringContaining('shop')],
  });
  await Promise.all([ours.close(), theirs.close()]);
});
