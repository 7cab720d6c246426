import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { packetTypes, startSqlServer } from '../../local/sql-server/index.ts';
import { bareName } from '../../rotators/sql-server/accounts.ts';
import { sqlServer } from '../../rotators/sql-server/entry.ts';
import { faultOf } from '../../rotators/sql-server/fault.ts';
import { nameFault, quoteName, quoteText } from '../../rotators/sql-server/quote.ts';
import type { SqlServerTags } from '../../rotators/sql-server/tags.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Admin, Rotator, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { findSecrets } from '../canary.ts';
import type { Scene } from '../conformance/harness.ts';
import { makeStep, newPassword, type StepExtras } from '../conformance/step.ts';
import { proposed } from '../conformance/workbench.ts';
import { appLogin, appToken, literal, quoted, type SqlServerFixture, startFixture } from './sql-server-fixture.ts';

let fixture: SqlServerFixture;
let rotator: Rotator<SqlServerTags>;

async function load(changes: Partial<RotatorEnvironment> = {}): Promise<Rotator<SqlServerTags>> {
  return sqlServer.load({
    trustedCertificates: [fixture.ca],
    connectTimeoutMs: 5_000,
    getToken: async () => new SecretText('no token'),
    allowedHosts: [],
    cloud: { resourceManager: 'https://arm.test', graph: 'https://graph.test', login: 'https://login.test' },
    ...changes,
  });
}

beforeAll(async () => {
  fixture = await startFixture({ account: 'login' });
  rotator = await load();
});
afterEach(() => {
  fixture.knobs.listener = () => undefined;
  fixture.knobs.clockOffsetMs = 0;
});
afterAll(() => fixture.close());

type Changes = Partial<Scene<SqlServerTags>>;

const stepOf = (strategy: Strategy, scene: Scene<SqlServerTags>, changes: Changes = {}, extras: StepExtras = {}) =>
  makeStep(strategy, { ...scene, ...changes }, extras);

const sql = (text: string, database?: string) => fixture.server.run(text, database);
const rowsOf = async (text: string, database?: string): Promise<readonly unknown[]> =>
  (await sql(text, database)).flatMap((result) => result.rows);

function weakAdmin(name: string): Admin {
  return {
    kind: 'connection',
    secret: name,
    credential: { username: name, password: new SecretText(`Pa55-of-${name.length}-letters`) },
  };
}

/** The app's own identity; notes the scopes it is asked for. */
const identity = (token: string): Admin & { readonly scopes: string[] } => {
  const scopes: string[] = [];
  const getToken = async (scope: string): Promise<SecretText> => {
    scopes.push(scope);
    return new SecretText(token);
  };
  return { kind: 'identity', username: appLogin, getToken, scopes };
};

describe('on the wire', () => {
  test('the new password crosses it twice: disguised in LOGIN7 and in one ALTER LOGIN, both inside TLS', async () => {
    for (const strategy of ['single-user', 'alternating-users'] as const) {
      const scene = await fixture.scene(strategy);
      const step = stepOf(strategy, scene);
      const from = fixture.heard.length;
      const candidate = proposed(rotator.propose(step, scene.current));
      await rotator.apply(step, candidate, scene.current);
      expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
      const heard = fixture.heard.slice(from);
      const telling = heard.filter((message) => findSecrets(message.text, [candidate.password.reveal()]).length > 0);
      expect(telling.map((message) => message.type)).toEqual([packetTypes.batch]);
      expect(telling[0]?.text).toContain(`ALTER LOGIN ${quoted(candidate.username ?? '')} WITH PASSWORD = N'`);
      const clear = heard.filter((message) => !message.encrypted).map((message) => message.type);
      expect([...new Set(clear)]).toEqual([packetTypes.prelogin]);
    }
  });

  test('a server whose certificate nobody vouches for gets no login, and that is said as target-tls', async () => {
    const scene = await fixture.scene('single-user');
    const distrustful = await load({ trustedCertificates: [] });
    const from = fixture.heard.length;
    const step = stepOf('single-user', scene);
    const outcome = await distrustful.apply(step, proposed(distrustful.propose(step, scene.current)), scene.current);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'target-tls' });
    expect(await distrustful.verify(step, scene.current)).toMatchObject({ kind: 'failed', code: 'target-tls' });
    expect(fixture.heard.slice(from).some((message) => message.type === packetTypes.login7)).toBe(false);
  });

  test('a server that cannot encrypt gets a password only on loopback, and only when the value does not ask for TLS', async () => {
    const types: number[] = [];
    const plain = await startSqlServer({ saPassword: 'Sa-Password-0001', onMessage: ({ type }) => types.push(type) });
    const scene = await fixture.scene('single-user');
    const current = { username: 'sa', password: new SecretText('Sa-Password-0001') };
    const at = (options: Record<string, string>) => ({ host: '127.0.0.1', port: plain.port, options });
    const asked = stepOf('single-user', scene, { current, endpoint: at({ encrypt: 'true' }) });
    expect(await rotator.verify(asked, current)).toMatchObject({ kind: 'failed', code: 'target-tls' });
    expect(types).toEqual([packetTypes.prelogin]);
    const unasked = stepOf('single-user', scene, { current, endpoint: at({}) });
    expect(await rotator.verify(unasked, current)).toEqual({ kind: 'accepted' });
    await plain.close();
  });

  test('Encrypt=strict speaks TDS 8: no byte before the TLS handshake', async () => {
    const scene = await fixture.scene('single-user');
    const endpoint = { ...scene.endpoint, options: { encrypt: 'strict' } };
    const from = fixture.heard.length;
    expect(await rotator.verify(stepOf('single-user', scene, { endpoint }), scene.current)).toEqual({
      kind: 'accepted',
    });
    expect(fixture.heard.slice(from).filter((message) => !message.encrypted)).toEqual([]);
  });
});

describe('a change that must not be made', () => {
  test('that arrives after its time is refused by the server itself', async () => {
    const scene = await fixture.scene('single-user');
    const step = stepOf('single-user', scene);
    fixture.knobs.listener = (message) => {
      if (message.text.includes('ALTER LOGIN')) fixture.knobs.clockOffsetMs = 60_000;
    };
    const before = await scene.snapshot();
    const outcome = await rotator.apply(step, proposed(rotator.propose(step, scene.current)), scene.current);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'lease-lost', class: 'superseded' });
    expect(await scene.snapshot()).toEqual(before);
  });

  test('whose password the policy refuses leaves everything as it was', async () => {
    const scene = await fixture.scene('single-user');
    const before = await scene.snapshot();
    for (const weak of ['Ab1-', 'onlylowerletters']) {
      const candidate = { username: scene.current.username ?? '', password: new SecretText(weak) };
      const outcome = await rotator.apply(stepOf('single-user', scene), candidate, scene.current);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'candidate-refused', class: 'refused' });
    }
    expect(await scene.snapshot()).toEqual(before);
  });

  test('that waits for a lock too long is tried again', async () => {
    const scene = await fixture.scene('single-user');
    const holder = await fixture.connect({ username: 'sa', password: scene.current.password }).catch(() => undefined);
    expect(holder).toBeUndefined();
    const admin = await fixture.connect(fixture.admin.credential, 'master');
    await admin.request().batch(`BEGIN TRANSACTION; ALTER LOGIN ${quoted(scene.current.username ?? '')} ENABLE`);
    const step = stepOf('single-user', scene, {}, { remainingMs: () => 2_000 });
    const outcome = await rotator.apply(step, proposed(rotator.propose(step, scene.current)), scene.current);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'target-busy', class: 'retry' });
    await admin.close();
    expect(await scene.login(scene.current)).toBe(true);
  });

  test('a login changing its own password compares first: somebody else was quicker, so it is tried again', async () => {
    const scene = await fixture.scene('single-user', { admin: 'self' });
    const theirs = newPassword();
    const step = stepOf('single-user', scene);
    const candidate = proposed(rotator.propose(step, scene.current));
    let changing: Promise<unknown> | undefined;
    fixture.knobs.listener = (message) => {
      if (!message.text.includes('OLD_PASSWORD')) return;
      changing ??= sql(`ALTER LOGIN ${quoted(scene.current.username ?? '')} WITH PASSWORD = ${literal(theirs)}`);
    };
    const outcome = await rotator.apply(step, candidate, scene.current);
    await changing;
    expect(outcome).toMatchObject({ kind: 'failed', code: 'target-busy', class: 'retry' });
    expect(await scene.login({ ...scene.current, password: theirs })).toBe(true);
    expect(await scene.login(candidate)).toBe(false);
  });

  test.each([
    ['sa', 'the administrator of the server'],
    ['captain', 'the server role sysadmin'],
    ['rotation_admin', 'the admin itself'],
  ])('to %s, %s, is refused whatever the secret says', async (username, reason) => {
    if (
      username === 'captain' &&
      (await rowsOf(`SELECT name FROM sys.sql_logins WHERE name = N'captain'`)).length === 0
    ) {
      await sql(
        `CREATE LOGIN captain WITH PASSWORD = N'Pa55-word-long'; ALTER SERVER ROLE sysadmin ADD MEMBER captain`,
      );
    }
    for (const strategy of ['single-user', 'alternating-users'] as const) {
      const scene = await fixture.scene(strategy);
      const current = { username, password: newPassword() };
      const step = stepOf(strategy, scene, { current });
      const before = await scene.snapshot();
      const outcome = await rotator.apply(step, proposed(rotator.propose(step, current)), current);
      expect(outcome).toMatchObject({
        kind: 'failed',
        code: 'login-not-safe',
        message: expect.stringContaining(reason),
      });
      expect(await scene.snapshot()).toEqual(before);
    }
  });

  test('a retirement never closes the published login, nor the admin', async () => {
    const scene = await fixture.scene('alternating-users');
    const step = stepOf('alternating-users', scene);
    expect(await rotator.retire(step, scene.current)).toEqual({ kind: 'retired', sessionsEnded: 0 });
    expect(await scene.login(scene.current)).toBe(true);
    const shouting = { ...scene.current, username: scene.current.username?.toUpperCase() ?? '' };
    await rotator.retire(step, shouting);
    expect(await scene.login(scene.current)).toBe(true);
    const outcome = await rotator.retire(step, fixture.admin.credential);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'login-not-safe' });
  });
});

describe('the second login', () => {
  const rotated = async (scene: Scene<SqlServerTags>, changes: Changes = {}): Promise<Credential> => {
    const step = stepOf('alternating-users', scene, changes);
    const candidate = proposed(rotator.propose(step, scene.current));
    expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({ kind: 'applied' });
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    return candidate;
  };

  test('gets the settings, roles, grants, denials and schemas of the first, in every database', async () => {
    const scene = await fixture.scene('alternating-users');
    const first = quoted(scene.current.username ?? '');
    await sql(
      `ALTER LOGIN ${first} WITH DEFAULT_DATABASE = orders, DEFAULT_LANGUAGE = Deutsch, CHECK_POLICY = OFF; GRANT VIEW ANY DATABASE TO ${first}`,
    );
    await sql(
      `CREATE USER [another name] FOR LOGIN ${first}; ALTER ROLE db_datawriter ADD MEMBER [another name]`,
      'elsewhere',
    );
    const second = await rotated(scene, { admin: identity(appToken) });
    const name = `N'${second.username}'`;
    expect(
      await rowsOf(
        `SELECT default_database_name, default_language_name, is_policy_checked, is_disabled FROM sys.sql_logins WHERE name = ${name}`,
      ),
    ).toEqual([['orders', 'Deutsch', false, false]]);
    const user = `JOIN sys.database_principals AS u ON u.principal_id =`;
    expect(
      await rowsOf(
        `SELECT r.name FROM sys.database_role_members AS m ${user} m.member_principal_id JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id WHERE u.name = ${name}`,
        'elsewhere',
      ),
    ).toEqual([['db_datawriter']]);
    expect(
      await rowsOf(
        `SELECT p.permission_name, p.state FROM sys.database_permissions AS p ${user} p.grantee_principal_id WHERE u.name = ${name}`,
        'orders',
      ),
    ).toEqual(
      expect.arrayContaining([
        ['CONNECT', 'G'],
        ['EXECUTE', 'G'],
        ['UPDATE', 'G'],
        ['SELECT', 'D'],
        ['VIEW DATABASE STATE', 'W'],
      ]),
    );
    expect(
      await rowsOf(`SELECT default_schema_name FROM sys.database_principals WHERE name = ${name}`, 'orders'),
    ).toEqual([['audit']]);
    const roles = `SELECT r.name FROM sys.server_role_members AS m JOIN sys.server_principals AS p ON p.principal_id = m.member_principal_id JOIN sys.server_principals AS r ON r.principal_id = m.role_principal_id WHERE p.name = ${name}`;
    expect(await rowsOf(roles)).toEqual([['monitors']]);
  });

  test('that exists, is enabled and lacks rights is left as it is, and verify names what it lacks', async () => {
    const scene = await fixture.scene('alternating-users');
    const step = stepOf('alternating-users', scene);
    const candidate = proposed(rotator.propose(step, scene.current));
    const second = quoted(candidate.username ?? '');
    await sql(`CREATE LOGIN ${second} WITH PASSWORD = N'Pa55-word-long'`);
    await sql(
      `CREATE USER ${second} FOR LOGIN ${second}; ALTER ROLE db_datareader ADD MEMBER ${second}; DENY SELECT ON OBJECT::audit.trail TO ${second}`,
      'orders',
    );
    expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({ kind: 'applied' });
    const outcome = await rotator.verify(step, candidate);
    expect(outcome).toEqual({
      kind: 'lesser-rights',
      missing: [
        'role monitors on the server',
        'role clerks in orders',
        'UPDATE ON OBJECT::[dbo].[items] ([note]) in orders',
        'EXECUTE ON SCHEMA::[audit] in orders',
        'VIEW DATABASE STATE with grant option in orders',
        'VIEW DATABASE STATE (database)',
      ],
    });
  });

  test('whose rights the admin may not give away stays closed, and the right is named', async () => {
    const scene = await fixture.scene('alternating-users');
    await sql(`GRANT VIEW ANY DATABASE TO ${quoted(scene.current.username ?? '')}`);
    const step = stepOf('alternating-users', scene);
    const candidate = proposed(rotator.propose(step, scene.current));
    expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({
      code: 'permission-missing',
      message: expect.stringMatching(/the right to give .*VIEW ANY DATABASE on the server/),
    });
    expect(await scene.login(candidate)).toBe(false);
    expect(await rowsOf(`SELECT is_disabled FROM sys.sql_logins WHERE name = N'${candidate.username}'`)).toEqual([
      [true],
    ]);
  });

  test('that is disabled and lacks rights is completed', async () => {
    const scene = await fixture.scene('alternating-users');
    const second = quoted(`${scene.current.username}_alt`);
    await sql(`CREATE LOGIN ${second} WITH PASSWORD = N'Pa55-word-long'; ALTER LOGIN ${second} DISABLE`);
    await rotated(scene);
  });

  test('that may do more is refused, untouched, with its right named', async () => {
    const scene = await fixture.scene('alternating-users');
    const second = quoted(`${scene.current.username}_alt`);
    await sql(`CREATE LOGIN ${second} WITH PASSWORD = N'Pa55-word-long'; GRANT CONTROL SERVER TO ${second}`);
    const before = await scene.snapshot();
    const step = stepOf('alternating-users', scene);
    const outcome = await rotator.apply(step, proposed(rotator.propose(step, scene.current)), scene.current);
    expect(outcome).toMatchObject({
      code: 'login-not-safe',
      message: expect.stringContaining('CONTROL SERVER on the server'),
    });
    expect(await scene.snapshot()).toEqual(before);
  });

  test('after a crash at any statement of its making, the next attempt finishes it', async () => {
    for (let crash = 1, done = false; !done; crash += 1) {
      const scene = await fixture.scene('alternating-users');
      const stop = new AbortController();
      let changes = 0;
      fixture.knobs.listener = (message) => {
        if (message.text.includes('SET LOCK_TIMEOUT')) changes += 1;
        if (changes === crash) stop.abort();
      };
      const step = stepOf('alternating-users', scene, {}, { signal: stop.signal });
      const outcome = await rotator.apply(step, proposed(rotator.propose(step, scene.current)), scene.current);
      done = outcome.kind === 'applied';
      fixture.knobs.listener = () => undefined;
      if (!done) expect(outcome).toMatchObject({ kind: 'failed', class: 'retry' });
      await rotated(scene);
      expect(await scene.login(scene.current)).toBe(true);
    }
  });

  test("a database that neither the admin nor the login may enter is nobody's affair", async () => {
    fixture.server.addDatabase('locked');
    const scene = await fixture.scene('alternating-users');
    const step = stepOf('alternating-users', scene);
    const outcome = await rotator.apply(step, proposed(rotator.propose(step, scene.current)), scene.current);
    expect(outcome).toEqual({ kind: 'applied', credential: expect.anything() });
  });
});

describe('the admin', () => {
  test('may be the app itself, with an Entra token for Azure SQL', async () => {
    for (const strategy of ['single-user', 'alternating-users'] as const) {
      const scene = await fixture.scene(strategy);
      const admin = identity(appToken);
      const step = stepOf(strategy, scene, { admin });
      const candidate = proposed(rotator.propose(step, scene.current));
      expect(await rotator.apply(step, candidate, scene.current)).toMatchObject({ kind: 'applied' });
      expect(await scene.login(candidate)).toBe(true);
      expect(new Set(admin.scopes)).toEqual(new Set(['https://database.windows.net/.default']));
    }
  });

  test('that is a contained user logs in to the database that its connection names, and changes a contained user there', async () => {
    await sql(
      `CREATE USER of_orders WITH PASSWORD = N'Pa55-of-9-letters'; GRANT ALTER ANY USER, VIEW DEFINITION TO of_orders;
       CREATE USER contained_app WITH PASSWORD = N'Pa55-of-13-letters'`,
      'orders',
    );
    const current = { username: 'contained_app', password: new SecretText('Pa55-of-13-letters') };
    const scene = { ...(await fixture.scene('single-user')), current };
    const step = stepOf('single-user', scene, { admin: weakAdmin('of_orders') });
    const candidate = proposed(rotator.propose(step, current));
    // Without a database it would be looked for in master, where nobody knows it.
    expect(await rotator.apply(step, candidate, current)).toMatchObject({ code: 'admin-refused' });
    const named = { ...step, adminEndpoint: { ...step.adminEndpoint, database: 'orders' } };
    expect(await rotator.apply(named, candidate, current)).toMatchObject({ kind: 'applied' });
    expect(await scene.login(candidate)).toBe(true);
  });

  test('with a token that neither master nor the database takes is admin-refused', async () => {
    const scene = await fixture.scene('single-user');
    const step = stepOf('single-user', scene, { admin: identity('another token') });
    const from = fixture.heard.length;
    const outcome = await rotator.apply(step, proposed(rotator.propose(step, scene.current)), scene.current);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'admin-refused' });
    // The app may be known in the consumer's database alone, as a contained user.
    const asked = fixture.heard.slice(from).filter(({ type }) => type === packetTypes.login7);
    expect(asked.map(({ text }) => /master|orders/.exec(text)?.[0])).toEqual(['master', 'orders']);
  });

  test('without VIEW SERVER STATE nobody is called idle; in an emergency the login is closed and the missing right named', async () => {
    const admin = weakAdmin('half_blind');
    await sql(
      `CREATE LOGIN half_blind WITH PASSWORD = N'Pa55-of-10-letters'; GRANT ALTER ANY LOGIN, VIEW ANY DEFINITION TO half_blind`,
    );
    const scene = await fixture.scene('alternating-users');
    const published = { username: `${scene.current.username}_alt`, password: newPassword() };
    const step = stepOf('alternating-users', scene, { admin, current: published }, { emergency: true });
    expect(await rotator.inUse(step, scene.current)).toMatchObject({
      kind: 'unknown',
      detail: expect.stringContaining('VIEW SERVER STATE'),
    });
    const outcome = await rotator.retire(step, scene.current);
    expect(outcome).toMatchObject({
      code: 'permission-missing',
      message: expect.stringContaining('VIEW SERVER STATE'),
    });
    expect(await scene.login(scene.current)).toBe(false);
    const checks = await rotator.check(stepOf('alternating-users', scene, { admin }));
    expect(checks.find((check) => check.name === 'sessions')?.state).toBe('unknown');
  });

  test('that may not change logins is told so before and during', async () => {
    const admin = weakAdmin('spectator');
    await sql(`CREATE LOGIN spectator WITH PASSWORD = N'Pa55-of-9-letters'; GRANT VIEW ANY DEFINITION TO spectator`);
    const scene = await fixture.scene('single-user');
    const step = stepOf('single-user', scene, { admin });
    const outcome = await rotator.apply(step, proposed(rotator.propose(step, scene.current)), scene.current);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'permission-missing', class: 'blocked' });
    const checks = await rotator.check(step);
    expect(checks.find((check) => check.name === 'permissions')?.state).toBe('failed');
  });
});

describe('a server that lacks', () => {
  const checked = async (without: readonly string[]) => {
    const lacking = await startFixture({ account: 'login', without });
    const scene = await lacking.scene('alternating-users');
    const step = stepOf('alternating-users', scene);
    const itsRotator = await load({ trustedCertificates: [lacking.ca] });
    const checks = await itsRotator.check(step);
    const candidate = proposed(itsRotator.propose(step, scene.current));
    const applied = await itsRotator.apply(step, candidate, scene.current);
    await lacking.close();
    return { states: Object.fromEntries(checks.map((check) => [check.name, check.state])), applied };
  };

  test('HAS_PERMS_BY_NAME gets "unknown" from the preflight, and the rotation goes on', async () => {
    const { states, applied } = await checked(['has_perms_by_name']);
    expect(states).toMatchObject({ permissions: 'unknown', sessions: 'unknown', login: 'passed' });
    expect(Object.values(states)).not.toContain('failed');
    expect(applied).toMatchObject({ kind: 'applied' });
  });

  test('the views of server roles is rotated, with a warning that nobody compared those', async () => {
    const { states, applied } = await checked([
      'sys.server_role_members',
      'sys.server_permissions',
      'sys.server_principals',
    ]);
    expect(Object.values(states)).not.toContain('failed');
    expect(applied).toMatchObject({ kind: 'applied', warnings: [expect.stringContaining('the server roles')] });
  });

  test('sys.sql_logins gets "unknown", and no change is made without knowing whose login it is', async () => {
    const { states, applied } = await checked(['sys.sql_logins']);
    expect(states).toMatchObject({ login: 'unknown', 'current credential': 'passed' });
    expect(Object.values(states)).not.toContain('failed');
    expect(applied).toMatchObject({ kind: 'failed', code: 'target-refused' });
  });
});

describe('a contained user', () => {
  test('comes before the login of the same name, as it does for the server', async () => {
    const scene = await fixture.scene('single-user');
    const inside = { username: scene.current.username ?? '', password: newPassword() };
    await sql(`DROP USER ${quoted(inside.username)}`, 'orders');
    await sql(`CREATE USER ${quoted(inside.username)} WITH PASSWORD = ${literal(inside.password)}`, 'orders');
    const step = stepOf('single-user', scene, { current: inside });
    const candidate = proposed(rotator.propose(step, inside));
    expect(await rotator.apply(step, candidate, inside)).toMatchObject({ kind: 'applied' });
    expect(await scene.login(candidate)).toBe(true);
    await (await fixture.connect(scene.current, 'master')).close();
  });
});

describe('names and values', () => {
  test('a name the server cannot take is named before anything is asked', async () => {
    const scene = await fixture.scene('single-user');
    for (const username of ['x'.repeat(129), 'DOMAIN\\someone', '', '\ud800']) {
      const current = { username, password: newPassword() };
      const step = stepOf('single-user', scene, { current });
      expect(rotator.propose(step, current)).toMatchObject({ kind: 'failed', code: 'value-unreadable' });
      expect(await rotator.apply(step, current, current)).toMatchObject({ kind: 'failed', code: 'value-unreadable' });
      const checks = await rotator.check(step);
      expect(checks.map((check) => check.state)).toEqual(['failed']);
    }
    const current = { username: 'x'.repeat(126), password: newPassword() };
    expect(rotator.propose(stepOf('alternating-users', scene, { current }), current)).toMatchObject({
      code: 'tag-invalid',
    });
    expect(rotator.propose(stepOf('single-user', scene, { current }), current)).toMatchObject({
      username: current.username,
    });
  });

  test('alternating-users without an admin is not possible, and says what to do', async () => {
    const scene = await fixture.scene('single-user', { admin: 'self' });
    const outcome = rotator.propose(stepOf('alternating-users', scene), scene.current);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'strategy-unsupported',
      message: expect.stringContaining('"admin"'),
    });
  });

  test('doubling is the whole of the quoting', () => {
    expect(quoteName(`a]b[c'd`)).toBe(`[a]]b[c'd]`);
    expect(quoteText(`o'hara ☃`)).toBe(`N'o''hara ☃'`);
    expect(nameFault('größe')).toBeUndefined();
    expect(() => quoteName('x'.repeat(129))).toThrow();
  });

  test('the ending of older clients of Azure SQL belongs to the connection', () => {
    const endpoint = { host: 'shop.database.windows.net', options: {} };
    expect(bareName('app@SHOP', endpoint)).toBe('app');
    expect(bareName('app@other', endpoint)).toBe('app@other');
    expect(bareName('app@shop', { ...endpoint, host: 'shop.example.org' })).toBe('app@shop');
  });

  test('tags that cannot be used say what they take', () => {
    expect(sqlServer.options.safeParse({ users: 'a, b' }).data).toEqual({ users: ['a', 'b'] });
    const wrong = sqlServer.options.safeParse({ users: 'a, a' });
    expect(wrong.error?.issues.map((issue) => issue.message)).toEqual([
      expect.stringContaining('two different logins'),
    ]);
  });

  test('what a server quotes of a statement is taken out of its error', () => {
    const secret = new SecretText("Pa55'word");
    const quotedByServer = Object.assign(new Error(`Incorrect syntax near 'Pa55''word' and Pa55'word.`), {
      number: 102,
      code: 'EREQUEST',
    });
    const fault = faultOf(quotedByServer, [secret, new SecretText("Pa55''word")]);
    expect(fault.kind).toBe('rejected');
    expect(findSecrets(fault, [secret.reveal(), "Pa55''word"])).toEqual([]);
  });
});
