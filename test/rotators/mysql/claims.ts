/** What holds on MySQL and on MariaDB, beyond the claims of the conformance suite. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { makeCertificates } from '../../../local/certificates.ts';
import { newPassword } from '../../conformance/step.ts';
import { admin, connectAs, type Flavour, host, loadMysql, powerless, snapshot } from './bench.ts';
import { claimsOfEmergency } from './claims-emergency.ts';
import { claimsOfFirst } from './claims-first.ts';
import { claimsOfHosts } from './claims-hosts.ts';
import { claimsOfPlan } from './claims-plan.ts';
import { claimsOfReadOnly } from './claims-read-only.ts';
import { claimsOfLifetime } from './claims-rules.ts';
import { type Rig, useRig } from './rig.ts';

/** Declares the claims on one server of its own, and what else `more` declares on it. */
export function describeServer(flavour: Flavour, more: (rig: Rig) => void): void {
  describe(flavour.name, () => {
    const certificates = makeCertificates({ hosts: ['localhost', '127.0.0.1'] });
    // The modes in which a quote or a backslash means something else than by default.
    const settings = ['--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES'];
    const rig = useRig(flavour, async () => ({ tls: await certificates, settings }));
    test.each(['dual-password', 'alternating-users', 'single-user'] as const)(
      '%s: names and passwords are quoted for our own SQL mode, whatever the server is set to',
      async (strategy) => {
        const current = await rig.bench.makeLogin({ name: `o'b"r\\i\`e;n ${strategy.slice(0, 8)}` });
        const candidate = await rig.applied(rig.stepFor(current, strategy));
        expect(await rig.rotator.verify(rig.stepFor(current, strategy), candidate)).toEqual({ kind: 'accepted' });
        const log = await readFile(rig.bench.server.generalLog, 'utf8');
        expect(log).not.toContain(candidate.password.reveal());
      },
    );

    test('an account of the same name for other hosts is left alone, and named by the check', async () => {
      const current = await rig.bench.makeLogin();
      await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [
        current.username,
        '10.%',
        'another-secret-of-somebody',
      ]);
      const elsewhere = () => rig.bench.asOwner('SHOW CREATE USER ?@?', [current.username, '10.%']);
      const before = await elsewhere();
      const step = rig.stepFor(current, 'dual-password');
      const candidate = await rig.applied(step);
      expect(await rig.bench.logsIn(candidate)).toBe(true);
      await rig.rotator.retire(rig.stepFor(candidate, 'dual-password'), current);
      expect(await rig.bench.logsIn(current)).toBe(false);
      expect(await elsewhere()).toEqual(before);
      const checks = await rig.rotator.check(rig.stepFor(candidate, 'dual-password'));
      const named = checks.find((check) => check.name === 'other hosts');
      expect(named).toMatchObject({ state: 'unknown', detail: expect.stringContaining(`${current.username}@10.%`) });
    });

    test('several accounts of one name, none of which a known password opens: nobody guesses', async () => {
      const current = await rig.bench.makeLogin();
      await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ?', [
        current.username,
        '10.%',
        'another-secret-of-somebody',
      ]);
      const before = await snapshot(rig.bench);
      const unknown = { ...current, password: newPassword() };
      const step = rig.stepFor(unknown, 'single-user');
      expect(await rig.rotator.apply(step, { ...current, password: newPassword() }, unknown)).toMatchObject({
        kind: 'failed',
        code: 'target-refused',
      });
      expect(await snapshot(rig.bench)).toEqual(before);
    });

    test('crash after the second login was created, before it got its rights: the next attempt completes it', async () => {
      const current = await rig.bench.makeLogin();
      const name = `${current.username}_alt`;
      await rig.bench.asOwner('CREATE USER ?@? IDENTIFIED BY ? ACCOUNT LOCK', [name, host, 'nobody-knows-this-one']);
      const step = rig.stepFor(current, 'alternating-users');
      const candidate = await rig.applied(step);
      expect(await rig.rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    });

    test('a second login in use that may do less is not handed out, and keeps its password', async () => {
      const current = await rig.bench.makeLogin();
      const second = await rig.bench.makeLogin({ name: `${current.username}_alt` });
      await rig.bench.asOwner('REVOKE INSERT ON orders.* FROM ?@?', [second.username, host]);
      const candidate = { ...second, password: newPassword() };
      expect(await rig.rotator.apply(rig.stepFor(current, 'alternating-users'), candidate, current)).toMatchObject({
        kind: 'failed',
        code: 'lesser-rights',
        message: expect.stringContaining('INSERT ON `orders`.*'),
      });
      expect(await rig.bench.logsIn(second)).toBe(true);
    });

    test('a retired second login is locked, and opened again by the rotation after next', async () => {
      const first = await rig.bench.makeLogin();
      const second = await rig.applied(rig.stepFor(first, 'alternating-users'));
      await rig.rotator.retire(rig.stepFor(second, 'alternating-users'), first);
      const locked = () => rig.bench.asOwner(flavour.locked, [first.username]);
      expect(await locked()).toEqual([{ locked: 1 }]);
      const third = await rig.applied(rig.stepFor(second, 'alternating-users'));
      expect(third.username).toBe(first.username);
      expect(await locked()).toEqual([{ locked: 0 }]);
      expect(await rig.bench.logsIn(third)).toBe(true);
    });

    test('a login without a password of its own is not touched: the strategy is not possible', async () => {
      const current = await rig.bench.makeLogin();
      await rig.bench.asOwner(`ALTER USER ?@? ${flavour.withoutPassword}`, [current.username, host]);
      const before = await snapshot(rig.bench);
      for (const strategy of ['dual-password', 'single-user'] as const) {
        const outcome = await rig.rotator.apply(
          rig.stepFor(current, strategy),
          { ...current, password: newPassword() },
          current,
        );
        expect(outcome).toMatchObject({ kind: 'failed', code: 'strategy-unsupported', class: 'config' });
      }
      expect(await snapshot(rig.bench)).toEqual(before);
    });

    test('a powerful login whose password nobody knew is not taken over, and neither is the admin', async () => {
      const root = await rig.bench.makeLogin({ powerful: true });
      const before = await snapshot(rig.bench);
      for (const strategy of ['dual-password', 'single-user'] as const) {
        for (const username of [root.username, admin.username]) {
          const guessed = { username: username ?? '', password: newPassword() };
          const outcome = await rig.rotator.apply(
            rig.stepFor(guessed, strategy),
            { ...guessed, password: newPassword() },
            guessed,
          );
          expect(outcome).toMatchObject({ kind: 'failed', code: 'login-not-safe' });
        }
      }
      const guessed = { ...root, password: newPassword() };
      const second = { username: `${root.username}_alt`, password: newPassword() };
      expect(await rig.rotator.apply(rig.stepFor(guessed, 'alternating-users'), second, guessed)).toMatchObject({
        kind: 'failed',
        code: 'login-not-safe',
      });
      expect(await snapshot(rig.bench)).toEqual(before);
      await rig.applied(rig.stepFor(root, 'single-user'));
    });

    test('an admin without the right is told which one, and nothing is changed', async () => {
      const current = await rig.bench.makeLogin();
      const before = await snapshot(rig.bench);
      const step = rig.stepFor(current, 'dual-password');
      const weak = { ...step, admin: { kind: 'connection', secret: 'mariadb-admin', credential: powerless } } as const;
      const outcome = await rig.rotator.apply(weak, { ...current, password: newPassword() }, current);
      expect(outcome).toMatchObject({
        kind: 'failed',
        code: 'permission-missing',
        hint: expect.stringContaining('CREATE USER'),
      });
      expect(await snapshot(rig.bench)).toEqual(before);
    });

    test('an admin that may not see sessions says unknown, never idle', async () => {
      const current = await rig.bench.makeLogin();
      const step = rig.stepFor(current, 'alternating-users');
      const weak = { ...step, admin: { kind: 'connection', secret: 'mariadb-admin', credential: powerless } } as const;
      expect(await rig.rotator.inUse(weak, current)).toMatchObject({
        kind: 'unknown',
        detail: expect.stringContaining('PROCESS'),
      });
    });

    test('a server that is full says nothing about a password, and is tried again', async () => {
      const current = await rig.bench.makeLogin();
      await rig.bench.asOwner('SET GLOBAL max_connections = 10');
      const crowd: Awaited<ReturnType<typeof connectAs>>[] = [];
      let full = false;
      while (!full) {
        await connectAs(rig.bench.server, powerless).then(
          (connection) => crowd.push(connection),
          () => {
            full = true;
          },
        );
      }
      const outcome = await rig.rotator.verify(rig.stepFor(current, 'dual-password'), current);
      await rig.bench.asOwner('SET GLOBAL max_connections = 150');
      for (const connection of crowd) connection.destroy();
      expect(outcome).toMatchObject({ kind: 'failed', code: 'target-busy', class: 'retry' });
    });

    test('TLS is verified when it is asked for, on loopback too', async () => {
      const current = await rig.bench.makeLogin();
      const step = rig.stepFor(current, 'dual-password');
      const wanting = { ...step, endpoint: { ...step.endpoint, options: { sslmode: 'VERIFY_IDENTITY' } } };
      expect(await rig.rotator.verify(wanting, current)).toMatchObject({ kind: 'failed', code: 'target-tls' });
      const trusting = await loadMysql({ trustedCertificates: [(await certificates).ca] });
      expect(await trusting.verify(wanting, current)).toEqual({ kind: 'accepted' });
      const stranger = await loadMysql({
        trustedCertificates: [(await makeCertificates({ hosts: ['localhost'] })).ca],
      });
      expect(await stranger.verify(wanting, current)).toMatchObject({ kind: 'failed', code: 'target-tls' });
    });

    test('a database the login may not enter is named as a missing right', async () => {
      const current = await rig.bench.makeLogin();
      const step = rig.stepFor(current, 'dual-password');
      const outcome = await rig.rotator.verify({ ...step, endpoint: { ...step.endpoint, database: 'mysql' } }, current);
      expect(outcome).toMatchObject({ kind: 'lesser-rights', missing: [expect.stringContaining('mysql')] });
    });
    claimsOfFirst(rig);
    claimsOfEmergency(rig);
    claimsOfHosts(rig);
    claimsOfLifetime(rig);
    claimsOfPlan(rig);
    claimsOfReadOnly(rig);
    more(rig);
  });
}
