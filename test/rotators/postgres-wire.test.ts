/** How the Postgres rotator gets in: TLS, tokens, and what servers answer at the door. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePostgresRotator } from '../../rotators/postgres/rotator.ts';
import type { Admin, Endpoint } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { findSecrets } from '../canary.ts';
import { newPassword } from '../conformance/step.ts';
import { endpointOf, type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { attempt, environment, pairStep, rotator, singleStep } from './postgres-rig.ts';

let plain: PostgresFixture;
let secure: PostgresFixture;
beforeAll(async () => {
  [plain, secure] = await Promise.all([startFixture(), startFixture({ tls: true })]);
}, 60_000);
afterAll(() => Promise.all([plain.close(), secure.close()]));

const single = (fixture: PostgresFixture) => fixture.scene('single-user', { admin: 'connection' });
const at = (endpoint: Endpoint) => ({ endpoint, adminEndpoint: endpoint });
const withMode = (fixture: PostgresFixture, sslmode: string) => ({
  ...endpointOf(fixture.server),
  options: { sslmode },
});

describe('TLS', () => {
  test('an authority that the app trusts is enough, and the host must be the one in the certificate', async () => {
    const scene = await single(secure);
    const trusting = makePostgresRotator({ ...environment, trustedCertificates: [secure.server.caPem ?? ''] });
    expect(await trusting.verify(singleStep(scene), scene.current)).toEqual({ kind: 'accepted' });
    const elsewhere = { ...endpointOf(secure.server), host: '127.0.0.2' };
    const outcome = await trusting.verify(singleStep(scene, at(elsewhere)), scene.current);
    expect(['target-tls', 'unreachable']).toContain(outcome.kind === 'failed' ? outcome.code : outcome.kind);
  });

  test('a certificate nobody vouches for is refused before a password is sent', async () => {
    const scene = await single(secure);
    const before = await scene.snapshot();
    expect(await attempt(singleStep(scene))).toMatchObject({ code: 'target-tls', class: 'blocked' });
    expect(await rotator.verify(singleStep(scene), scene.current)).toMatchObject({ code: 'target-tls' });
    expect(await scene.snapshot()).toEqual(before);
  });

  test.each(['require', 'verify-ca', 'verify-full'])(
    'sslmode=%s to a server without TLS fails: there is no way down to a plain connection',
    async (sslmode) => {
      const scene = await single(plain);
      const step = singleStep(scene, at(withMode(plain, sslmode)));
      expect(await rotator.verify(step, scene.current)).toMatchObject({ code: 'target-tls' });
      expect(await attempt(step)).toMatchObject({ code: 'target-tls' });
    },
  );

  test.each(['require', 'verify-ca'])('sslmode=%s is raised to a verified certificate', async (sslmode) => {
    const scene = await single(secure);
    const step = singleStep(scene, at(withMode(secure, sslmode)));
    expect(await rotator.verify(step, scene.current)).toMatchObject({ code: 'target-tls' });
  });

  test('a server that takes TLS only refuses a plain connection, and that is not a wrong password of the admin', async () => {
    const scene = await single(secure);
    const outcome = await attempt(singleStep(scene, at(withMode(secure, 'disable'))));
    expect(outcome).toMatchObject({ kind: 'failed', message: expect.stringContaining('no encryption') });
  });
});

describe('the own identity as admin', () => {
  const identity = (token: SecretText, scopes: string[]): Admin => ({
    kind: 'identity',
    username: 'entra_admin',
    getToken: async (scope) => {
      scopes.push(scope);
      return token;
    },
  });

  test.each(['plain', 'secure'] as const)('a token opens the door in place of a password (%s)', async (name) => {
    const fixture = name === 'plain' ? plain : secure;
    const trusting = makePostgresRotator({ ...environment, trustedCertificates: [secure.server.caPem ?? ''] });
    const scene = await single(fixture);
    const token = new SecretText(`ey.${newPassword({ length: 1500 }).reveal()}`);
    await fixture.sql(`CREATE ROLE entra_admin LOGIN CREATEROLE PASSWORD '${token.reveal()}'`);
    await fixture.sql(`GRANT ${quoted(scene.current.username ?? '')} TO entra_admin WITH ADMIN OPTION`);
    const scopes: string[] = [];
    const step = singleStep(scene, { admin: identity(token, scopes) });
    const candidate = { ...scene.current, password: newPassword() };
    expect(await trusting.apply(step, candidate, scene.current)).toMatchObject({ kind: 'applied' });
    expect(scopes).toEqual(['https://ossrdbms-aad.database.windows.net/.default']);
    expect(await scene.login(candidate)).toBe(true);
  });

  test('a token that the server refuses stops as admin-refused, and one that is not to be had for now is tried again', async () => {
    const scene = await single(plain);
    const wrong = newPassword();
    const failing: Admin = {
      kind: 'identity',
      username: 'entra_admin',
      getToken: async () => {
        throw new Error(`no identity; ${scene.current.password.reveal()}`);
      },
    };
    const outcomes = [
      await attempt(singleStep(scene, { admin: identity(wrong, []) })),
      await attempt(singleStep(scene, { admin: failing })),
    ];
    expect(outcomes[0]).toMatchObject({ code: 'admin-refused' });
    expect(outcomes[1]).toMatchObject({ class: 'retry' });
    expect(findSecrets(outcomes, [wrong.reveal(), scene.current.password.reveal()])).toEqual([]);
  });

  test('a token that never comes does not hold an aborted call', async () => {
    const scene = await single(plain);
    const stop = new AbortController();
    const never: Admin = {
      kind: 'identity',
      username: 'entra_admin',
      getToken: () => {
        stop.abort();
        return new Promise(() => undefined);
      },
    };
    const outcome = await attempt(singleStep(scene, { admin: never }, { signal: stop.signal }));
    expect(outcome).toMatchObject({ code: 'target-unreachable', class: 'retry' });
  });
});

describe('what the server answers at the door', () => {
  test('no room for another session of a login is no reason to doubt its password: the server took it before it counted', async () => {
    const scene = await single(plain);
    await plain.sql(`ALTER ROLE ${quoted(scene.current.username ?? '')} CONNECTION LIMIT 0`);
    expect(await rotator.verify(singleStep(scene), scene.current)).toEqual({ kind: 'accepted' });
    const wrong = { ...scene.current, password: newPassword() };
    expect(await rotator.verify(singleStep(scene), wrong)).toMatchObject({ kind: 'refused' });
  });

  test('no room for another session of the admin means busy, not refused', async () => {
    const scene = await single(plain);
    await plain.sql('ALTER ROLE rotation_admin CONNECTION LIMIT 0');
    const outcome = await attempt(singleStep(scene));
    await plain.sql('ALTER ROLE rotation_admin CONNECTION LIMIT -1');
    expect(outcome).toMatchObject({ code: 'target-busy' });
  });

  test('a database that does not exist is missing; one that may not be entered refuses', async () => {
    const scene = await single(plain);
    const nowhere = { ...scene.endpoint, database: 'nowhere' };
    expect(await rotator.verify(singleStep(scene, { endpoint: nowhere }), scene.current)).toMatchObject({
      code: 'target-missing',
    });
    await plain.sql('CREATE DATABASE closed');
    await plain.sql('REVOKE CONNECT ON DATABASE closed FROM PUBLIC');
    const closed = { ...scene.endpoint, database: 'closed' };
    const outcome = await rotator.verify(singleStep(scene, { endpoint: closed }), scene.current);
    expect(outcome).toMatchObject({ kind: 'refused', detail: expect.stringContaining('permission denied') });
  });

  test('an empty password is refused without asking', async () => {
    const scene = await single(plain);
    const empty = { ...scene.current, password: new SecretText('') };
    expect(await rotator.verify(singleStep(scene), empty)).toEqual({
      kind: 'refused',
      detail: 'the password is empty',
    });
  });

  test('a login that rotates itself and no longer gets in has no live credential', async () => {
    const scene = await plain.scene('single-user', { admin: 'self' });
    const stale = { ...scene.current, password: newPassword() };
    expect(await attempt(singleStep(scene, { current: stale }))).toMatchObject({
      code: 'no-live-credential',
      class: 'blocked',
    });
  });

  test('a name no server can have is named before anything is sent', async () => {
    const scene = await single(plain);
    for (const username of ['x'.repeat(64), 'nul\0l', '']) {
      const current = { username, password: newPassword() };
      expect(rotator.propose(singleStep(scene), current)).toMatchObject({ code: 'value-unreadable' });
      expect(await rotator.verify(singleStep(scene), current)).toMatchObject({ kind: 'refused' });
      expect(await rotator.retire(singleStep(scene), current)).toEqual({ kind: 'retired', sessionsEnded: 0 });
    }
    const long = { username: 'y'.repeat(60), password: newPassword() };
    expect(rotator.propose(pairStep(scene), long)).toMatchObject({
      code: 'tag-invalid',
      message: expect.stringContaining('"users"'),
    });
    expect(rotator.propose(pairStep(scene), { password: newPassword() })).toMatchObject({ code: 'value-unreadable' });
  });
});
