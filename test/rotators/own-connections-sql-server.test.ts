import { afterAll, beforeAll, expect, test } from 'vitest';
import { packetTypes } from '../../local/sql-server/index.ts';
import { sqlServer } from '../../rotators/sql-server/entry.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { makeStep } from '../conformance/step.ts';
import { proposed } from '../conformance/workbench.ts';
import { type SqlServerFixture, startFixture } from './sql-server-fixture.ts';

let fixture: SqlServerFixture;
beforeAll(async () => {
  fixture = await startFixture({ account: 'login', azure: true });
});
afterAll(() => fixture.close());

test('a login that names no database lands in one, and logs in there once', async () => {
  const rotator = await sqlServer.load({
    trustedCertificates: [fixture.ca],
    connectTimeoutMs: 5_000,
    getToken: async () => new SecretText('no token'),
    allowedHosts: [],
    cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
  });
  const scene = await fixture.scene('single-user', { admin: 'self' });
  const { database: _named, ...endpoint } = scene.endpoint;
  const step = makeStep('single-user', { ...scene, endpoint, adminEndpoint: endpoint });
  const from = fixture.heard.length;
  const candidate = proposed(rotator.propose(step, scene.current));
  expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({ kind: 'applied' });
  const logins = fixture.heard.slice(from).filter(({ type }) => type === packetTypes.login7);
  expect(logins.map(({ text }) => /master|orders/.exec(text)?.[0] ?? 'where it lands')).toEqual(['where it lands']);
});
