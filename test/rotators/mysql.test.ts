import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { lacking, parseGrant } from '../../rotators/mysql/grants.ts';
import { parseAccount } from '../../rotators/mysql/quote.ts';
import { serverOf } from '../../rotators/mysql/session.ts';
import type { MysqlTags } from '../../rotators/mysql/tags.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Rotator, Step } from '../../shared/contract/rotator.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { makeStep, newPassword, type StepExtras } from '../conformance/step.ts';
import { admin, connectAs, loadMysql, type MariadbBench, powerless, snapshot, startBench } from './mariadb-bench.ts';
import { logsIn, makeLogin, standInAdmin, standInTarget } from './mysql-stand-in/bench.ts';

const host = '127.%';

describe('MariaDB', () => {
  const certificates = makeCertificates({ hosts: ['localhost', '127.0.0.1'] });
  let bench: MariadbBench;
  let rotator: Rotator<MysqlTags>;
  beforeAll(async () => {
    // The modes in which a quote or a backslash means something else than by default.
    bench = await startBench({ tls: await certificates, settings: ['--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES'] });
    rotator = await loadMysql();
  }, 60_000);
  afterAll(() => bench.close());

  function stepFor(current: Credential, strategy: Strategy, extras: StepExtras = {}): Step<MysqlTags> {
    const adminEndpoint = { ...bench.endpoint, options: {} };
    const connection = { kind: 'connection', secret: 'mariadb-admin', credential: admin } as const;
    return makeStep<MysqlTags>(
      strategy,
      { current, endpoint: bench.endpoint, adminEndpoint, admin: connection, options: {} },
      extras,
    );
  }

  async function applied(step: Step<MysqlTags>): Promise<Credential> {
    const candidate = rotator.propose(step, step.current);
    if ('kind' in candidate) throw new Error(candidate.message);
    expect(await rotator.apply(step, candidate, step.current)).toMatchObject({ kind: 'applied' });
    return candidate;
  }

  test.each(['dual-password', 'alternating-users', 'single-user'] as const)(
    '%s: names and passwords are quoted for our own SQL mode, whatever the server is set to',
    async (strategy) => {
      const current = await bench.makeLogin({ name: `o'b"r\\i\`e;n ${strategy}` });
      const candidate = await applied(stepFor(current, strategy));
      expect(await rotator.verify(stepFor(current, strategy), candidate)).toEqual({ kind: 'accepted' });
      const log = await readFile(bench.server.generalLog, 'utf8');
      expect(log).not.toContain(candidate.password.reveal());
    },
  );

  test.each(['dual-password', 'single-user', 'alternating-users'] as const)(
    '%s: a change that reaches the server after its time is refused by the server',
    async (strategy) => {
      const current = await bench.makeLogin();
      const before = await snapshot(bench);
      // Time enough to send everything, and none by the clock of the server.
      const late = stepFor(current, strategy, { remainingMs: () => 0.000_001 });
      const candidate = rotator.propose(late, current);
      if ('kind' in candidate) throw new Error(candidate.message);
      expect(await rotator.apply(late, candidate, current)).toMatchObject({ kind: 'failed', code: 'lease-lost' });
      expect(await snapshot(bench)).toEqual(before);
    },
  );

  test('an account of the same name for other hosts is left alone, and named by the check', async () => {
    const current = await bench.makeLogin();
    await bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [current.username, '10.%', 'another-secret-of-somebody']);
    const elsewhere = () => bench.asOwner('SHOW CREATE USER ?@?', [current.username, '10.%']);
    const before = await elsewhere();
    const step = stepFor(current, 'dual-password');
    const candidate = await applied(step);
    expect(await bench.logsIn(candidate)).toBe(true);
    await rotator.retire(stepFor(candidate, 'dual-password'), current);
    expect(await bench.logsIn(current)).toBe(false);
    expect(await elsewhere()).toEqual(before);
    const checks = await rotator.check(stepFor(candidate, 'dual-password'));
    const named = checks.find((check) => check.name === 'other hosts');
    expect(named).toMatchObject({ state: 'unknown', detail: expect.stringContaining(`${current.username}@10.%`) });
  });

  test('several accounts of one name, none of which a known password opens: nobody guesses', async () => {
    const current = await bench.makeLogin();
    await bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [current.username, '10.%', 'another-secret-of-somebody']);
    const before = await snapshot(bench);
    const unknown = { ...current, password: newPassword() };
    const step = stepFor(unknown, 'single-user');
    expect(await rotator.apply(step, { ...current, password: newPassword() }, unknown)).toMatchObject({
      kind: 'failed',
      code: 'target-refused',
    });
    expect(await snapshot(bench)).toEqual(before);
  });

  test('the second login is made with the limits, the host part and the default role of the first', async () => {
    const current = await bench.makeLogin();
    await bench.asOwner('ALTER USER ?@? WITH MAX_QUERIES_PER_HOUR 5000 MAX_USER_CONNECTIONS 7', [
      current.username,
      host,
    ]);
    const candidate = await applied(stepFor(current, 'alternating-users'));
    const shape = async (user: string | undefined) => {
      const columns = 'Host, max_questions, max_user_connections, default_role, plugin';
      return bench.asOwner(`SELECT ${columns} FROM mysql.user WHERE User = ?`, [user]);
    };
    expect(await shape(candidate.username)).toEqual(await shape(current.username));
    expect((await shape(candidate.username))[0]).toMatchObject({ max_user_connections: 7, default_role: 'reporting' });
  });

  test('crash after the second login was created, before it got its rights: the next attempt completes it', async () => {
    const current = await bench.makeLogin();
    const name = `${current.username}_alt`;
    await bench.asOwner('CREATE USER ?@? IDENTIFIED BY ? ACCOUNT LOCK', [name, host, 'nobody-knows-this-one']);
    const step = stepFor(current, 'alternating-users');
    const candidate = await applied(step);
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  });

  test('a second login in use that may do less is not handed out, and keeps its password', async () => {
    const current = await bench.makeLogin();
    const second = await bench.makeLogin({ name: `${current.username}_alt` });
    await bench.asOwner('REVOKE INSERT ON orders.* FROM ?@?', [second.username, host]);
    const candidate = { ...second, password: newPassword() };
    expect(await rotator.apply(stepFor(current, 'alternating-users'), candidate, current)).toMatchObject({
      kind: 'failed',
      code: 'lesser-rights',
      message: expect.stringContaining('INSERT ON `orders`.*'),
    });
    expect(await bench.logsIn(second)).toBe(true);
  });

  test('a retired second login is locked, and opened again by the rotation after next', async () => {
    const first = await bench.makeLogin();
    const second = await applied(stepFor(first, 'alternating-users'));
    await rotator.retire(stepFor(second, 'alternating-users'), first);
    const locked = () =>
      bench.asOwner("SELECT JSON_VALUE(Priv, '$.account_locked') AS locked FROM mysql.global_priv WHERE User = ?", [
        first.username,
      ]);
    expect(await locked()).toEqual([{ locked: '1' }]);
    const third = await applied(stepFor(second, 'alternating-users'));
    expect(third.username).toBe(first.username);
    expect(await locked()).toEqual([{ locked: '0' }]);
    expect(await bench.logsIn(third)).toBe(true);
  });

  test('another way in, beside the password, stays', async () => {
    const current = await bench.makeLogin();
    const show = async () => {
      const [row = {}] = await bench.asOwner('SHOW CREATE USER ?@?', [current.username, host]);
      return String(Object.values(row)[0]);
    };
    const hash = /USING '(\*[0-9A-F]{40})'|PASSWORD '(\*[0-9A-F]{40})'/.exec(await show());
    const text = `ALTER USER ?@? IDENTIFIED VIA unix_socket OR mysql_native_password USING '${hash?.[1] ?? hash?.[2]}'`;
    await bench.asOwner(text, [current.username, host]);
    const candidate = await applied(stepFor(current, 'dual-password'));
    expect(await show()).toContain('unix_socket');
    expect(await bench.logsIn(candidate)).toBe(true);
    expect(await bench.logsIn(current)).toBe(true);
  });

  test('a login without a password of its own is not touched: the strategy is not possible', async () => {
    const current = await bench.makeLogin();
    await bench.asOwner('ALTER USER ?@? IDENTIFIED VIA unix_socket', [current.username, host]);
    const before = await snapshot(bench);
    for (const strategy of ['dual-password', 'single-user'] as const) {
      const outcome = await rotator.apply(stepFor(current, strategy), { ...current, password: newPassword() }, current);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'strategy-unsupported', class: 'config' });
    }
    expect(await snapshot(bench)).toEqual(before);
  });

  test('a powerful login whose password nobody knew is not taken over, and neither is the admin', async () => {
    const root = await bench.makeLogin({ powerful: true });
    const before = await snapshot(bench);
    for (const strategy of ['dual-password', 'single-user'] as const) {
      for (const username of [root.username, admin.username]) {
        const guessed = { username: username ?? '', password: newPassword() };
        const outcome = await rotator.apply(
          stepFor(guessed, strategy),
          { ...guessed, password: newPassword() },
          guessed,
        );
        expect(outcome).toMatchObject({ kind: 'failed', code: 'login-not-safe' });
      }
    }
    const guessed = { ...root, password: newPassword() };
    const second = { username: `${root.username}_alt`, password: newPassword() };
    expect(await rotator.apply(stepFor(guessed, 'alternating-users'), second, guessed)).toMatchObject({
      kind: 'failed',
      code: 'login-not-safe',
    });
    expect(await snapshot(bench)).toEqual(before);
    await applied(stepFor(root, 'single-user'));
  });

  test('an admin without the right is told which one, and nothing is changed', async () => {
    const current = await bench.makeLogin();
    const before = await snapshot(bench);
    const step = stepFor(current, 'dual-password');
    const weak = { ...step, admin: { kind: 'connection', secret: 'mariadb-admin', credential: powerless } } as const;
    const outcome = await rotator.apply(weak, { ...current, password: newPassword() }, current);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'permission-missing',
      hint: expect.stringContaining('CREATE USER'),
    });
    expect(await snapshot(bench)).toEqual(before);
  });

  test('an admin that may not see sessions says unknown, never idle', async () => {
    const current = await bench.makeLogin();
    const step = stepFor(current, 'alternating-users');
    const weak = { ...step, admin: { kind: 'connection', secret: 'mariadb-admin', credential: powerless } } as const;
    expect(await rotator.inUse(weak, current)).toMatchObject({
      kind: 'unknown',
      detail: expect.stringContaining('PROCESS'),
    });
  });

  test('a server that is full says nothing about a password, and is tried again', async () => {
    const current = await bench.makeLogin();
    await bench.asOwner('SET GLOBAL max_connections = 10');
    const crowd: Awaited<ReturnType<typeof connectAs>>[] = [];
    let full = false;
    while (!full) {
      await connectAs(bench.server, powerless).then(
        (connection) => crowd.push(connection),
        () => {
          full = true;
        },
      );
    }
    const outcome = await rotator.verify(stepFor(current, 'dual-password'), current);
    await bench.asOwner('SET GLOBAL max_connections = 150');
    for (const connection of crowd) connection.destroy();
    expect(outcome).toMatchObject({ kind: 'failed', code: 'target-busy', class: 'retry' });
  });

  test('TLS is verified when it is asked for, on loopback too', async () => {
    const current = await bench.makeLogin();
    const step = stepFor(current, 'dual-password');
    const wanting = { ...step, endpoint: { ...step.endpoint, options: { sslmode: 'VERIFY_IDENTITY' } } };
    expect(await rotator.verify(wanting, current)).toMatchObject({ kind: 'failed', code: 'target-tls' });
    const trusting = await loadMysql({ trustedCertificates: [(await certificates).ca] });
    expect(await trusting.verify(wanting, current)).toEqual({ kind: 'accepted' });
    const stranger = await loadMysql({ trustedCertificates: [(await makeCertificates({ hosts: ['localhost'] })).ca] });
    expect(await stranger.verify(wanting, current)).toMatchObject({ kind: 'failed', code: 'target-tls' });
  });

  test('a database the login may not enter is named as a missing right', async () => {
    const current = await bench.makeLogin();
    const step = stepFor(current, 'dual-password');
    const outcome = await rotator.verify({ ...step, endpoint: { ...step.endpoint, database: 'mysql' } }, current);
    expect(outcome).toMatchObject({ kind: 'lesser-rights', missing: [expect.stringContaining('mysql')] });
  });
});

describe('MySQL 8', () => {
  test('a crash left an unpublished password first and the published one second: the published one works at every statement', async () => {
    const { server, close } = await standInTarget('dual-password');
    const { credential: current, account } = makeLogin(server);
    const endpoint = { host: '127.0.0.1', port: server.port, options: {} };
    const connection = { kind: 'connection', secret: 'mysql-admin', credential: standInAdmin } as const;
    const step = makeStep<MysqlTags>('dual-password', {
      current,
      endpoint,
      adminEndpoint: endpoint,
      admin: connection,
      options: {},
    });
    const rotator = await loadMysql();
    const propose = () => ({ ...current, password: newPassword() });
    const lost = propose();
    await rotator.apply(step, lost, current);
    const from = server.statements.length;
    const candidate = propose();
    expect(await rotator.apply(step, candidate, current)).toMatchObject({ kind: 'applied' });
    const changes = server.statements.slice(from).filter((statement) => statement.startsWith('ALTER USER'));
    expect(changes).toEqual([
      expect.stringMatching(/BY '[^']+'$/),
      expect.stringMatching(/BY '[^']+' RETAIN CURRENT PASSWORD$/),
    ]);
    expect(changes[0]).toContain(current.password.reveal());
    for (const [credential, expected] of [
      [current, true],
      [candidate, true],
      [lost, false],
    ] as const) {
      expect(await logsIn(server, credential)).toBe(expected);
    }
    expect(await rotator.retire({ ...step, current: candidate }, current)).toMatchObject({ kind: 'retired' });
    expect(account.secondary).toBeUndefined();
    expect(await logsIn(server, candidate)).toBe(true);
    await close();
  });

  test('a server before 8.0.14 is said to keep one password only', async () => {
    expect(serverOf('5.7.44-log')).toMatchObject({ flavour: 'MySQL', version: 50_744 });
    expect(serverOf('5.5.5-10.11.6-MariaDB-1:10.11.6+maria~deb12')).toMatchObject({
      flavour: 'MariaDB',
      version: 101_106,
    });
    expect(serverOf('8.0.36-28')).toMatchObject({ flavour: 'MySQL', version: 80_036 });
  });
});

describe('lines of SHOW GRANTS', () => {
  const account = { user: 'o`brien', host: '10.%' };
  const shown = '`o``brien`@`10.%`';
  const other = { user: `x'y`, host: '%' };

  test.each([
    [`GRANT USAGE ON *.* TO ${shown} IDENTIFIED BY PASSWORD '*ABC'`, [], "GRANT USAGE ON *.* TO 'x''y'@'%'"],
    [
      `GRANT SELECT, INSERT (\`a\`, \`b\`) ON \`odd, ON \`.\`t\` TO ${shown}`,
      ['SELECT ON `odd, ON `.`t`', 'INSERT (`a`, `b`) ON `odd, ON `.`t`'],
      "GRANT SELECT, INSERT (`a`, `b`) ON `odd, ON `.`t` TO 'x''y'@'%'",
    ],
    [
      `GRANT SELECT ON \`d\`.* TO ${shown} REQUIRE SUBJECT 'WITH GRANT OPTION'`,
      ['SELECT ON `d`.*'],
      "GRANT SELECT ON `d`.* TO 'x''y'@'%'",
    ],
    [
      `GRANT SELECT ON \`d\`.* TO ${shown} WITH GRANT OPTION MAX_QUERIES_PER_HOUR 5`,
      ['SELECT ON `d`.*', 'SELECT ON `d`.* WITH GRANT OPTION'],
      "GRANT SELECT ON `d`.* TO 'x''y'@'%' WITH GRANT OPTION",
    ],
    [`GRANT \`r\`@\`%\` TO ${shown}`, ['ROLE `r`@`%`'], "GRANT `r`@`%` TO 'x''y'@'%'"],
    [`REVOKE INSERT ON \`d\`.* FROM ${shown}`, ['NOT INSERT ON `d`.*'], "REVOKE INSERT ON `d`.* FROM 'x''y'@'%'"],
  ])('%s', (line, rights, statement) => {
    const grant = parseGrant(line, account);
    expect(grant?.rights).toEqual(rights);
    expect(grant?.statementFor(other)).toBe(statement);
  });

  test('of another account are none of this one', () => {
    expect(parseGrant('GRANT SELECT ON *.* TO `o`@`10.%`', account)).toBeUndefined();
  });

  test('ALL PRIVILEGES on an object holds every other right on it, and not the right to pass it on', () => {
    const all = parseGrant(`GRANT ALL PRIVILEGES ON \`d\`.* TO ${shown}`, account);
    const some = parseGrant(`GRANT SELECT ON \`d\`.* TO ${shown} WITH GRANT OPTION`, account);
    if (all === undefined || some === undefined) throw new Error('not read');
    expect(lacking([some], [all])).toEqual(['SELECT ON `d`.* WITH GRANT OPTION']);
    expect(lacking([all], [some])).toEqual(['ALL PRIVILEGES ON `d`.*']);
  });

  test('an account is cut at its last sign, since a name may hold one', () => {
    expect(parseAccount('a@b@10.%')).toEqual({ user: 'a@b', host: '10.%' });
  });
});
