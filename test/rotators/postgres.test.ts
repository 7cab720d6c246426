/** What is particular to Postgres; the claims all rotators share are in postgres.conformance.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteText } from '../../rotators/postgres/quote.ts';
import { scramVerifier } from '../../rotators/postgres/scram.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { findSecrets } from '../canary.ts';
import { makeStep } from '../conformance/step.ts';
import { proposed } from '../conformance/workbench.ts';
import { type PostgresFixture, quoted, startFixture } from './postgres-fixture.ts';
import { holdBack } from './postgres-proxy.ts';
import { attempt, pairStep, rotated, rotator, singleStep } from './postgres-rig.ts';

let fixture: PostgresFixture;
beforeAll(async () => {
  fixture = await startFixture({ settings: { scram_iterations: '5432' } });
}, 60_000);
afterAll(() => fixture.close());

const alternating = () => fixture.scene('alternating-users', { admin: 'connection' });
const single = () => fixture.scene('single-user', { admin: 'connection' });

async function storedPassword(login: string | undefined): Promise<unknown> {
  return (await fixture.sql('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [login]))[0]?.['rolpassword'];
}

describe('the password', () => {
  test('reaches the server only in its stored form, with the iterations the server asks for', async () => {
    const scene = await alternating();
    const candidate = await rotated(scene);
    expect(await storedPassword(candidate.username)).toMatch(/^SCRAM-SHA-256\$5432:/);
    expect(fixture.server.log()).toContain(`ALTER ROLE`);
    expect(findSecrets(fixture.server.log(), [candidate.password.reveal()])).toEqual([]);
  });

  test('a password with characters of many alphabets, put back by a rollback, logs in', async () => {
    const scene = await single();
    const candidate = { ...scene.current, password: new SecretText('ﬁne\u00a0pass\u00adword № 1 – ключ\\\'"') };
    expect(await rotator.apply(singleStep(scene), candidate, scene.current)).toMatchObject({ kind: 'applied' });
    expect(await scene.login(candidate)).toBe(true);
    expect(await rotator.verify(singleStep(scene), candidate)).toEqual({ kind: 'accepted' });
  });

  test.each([
    ['plain ASCII', 'correct horse 1!'],
    ['letters that have two forms', 'cafe\u0301 Å'],
    ['a ligature and other blanks', 'ﬁne\u00a0pass\u3000word'],
    ['a blank of no width, which becomes a blank', 'a\u200bb'],
    ['characters that stand for nothing', 'a\u00ad\u2060\ufe0fb'],
    ['nothing but a character that stands for nothing', '\u00ad'],
    ['a control character, which is forbidden', 'ﬁ\u0007'],
    ['an emoji, which the standard does not know yet', 'ﬁ😀'],
    ['Hebrew alone', 'שלום'],
    ['Hebrew and Latin, which must not be mixed', 'שלוםﬁ'],
    ['Hebrew that ends in a digit', 'שלום①'],
  ])('of %s is stored as the server itself would store it', async (_, text) => {
    const login = quoted((await single()).current.username ?? '');
    await fixture.sql(`ALTER ROLE ${login} PASSWORD ${quoteText(text)}`);
    const theirs = String(await storedPassword(login.replaceAll('"', '')));
    const [, iterations = '', salt = ''] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(theirs) ?? [];
    expect(await scramVerifier(new SecretText(text), Number(iterations), Buffer.from(salt, 'base64'))).toBe(theirs);
  });

  test('a server that keeps passwords as MD5 is named, and nothing is touched', async () => {
    const scene = await single();
    await fixture.sql(`ALTER ROLE rotation_admin SET password_encryption TO 'md5'`);
    try {
      const before = await scene.snapshot();
      const step = singleStep(scene);
      const outcome = await attempt(step);
      expect(outcome).toMatchObject({ code: 'target-refused', message: expect.stringContaining('MD5') });
      expect(await scene.snapshot()).toEqual(before);
      const failed = (await rotator.check(step)).filter((line) => line.state === 'failed');
      expect(failed).toEqual([expect.objectContaining({ name: 'password storage', fix: expect.any(String) })]);
    } finally {
      await fixture.sql('ALTER ROLE rotation_admin RESET password_encryption');
    }
  });
});

describe('a change that comes too late', () => {
  test('is refused by the server: a worker frozen before its ALTER changes nothing when it wakes', async () => {
    for (const [strategy, scene] of [
      ['single-user', await single()],
      ['alternating-users', await alternating()],
    ] as const) {
      const until = performance.now() + 1_500;
      const remainingMs = () => until - performance.now();
      // The change leaves the worker in time, and reaches the server when the time is over.
      const proxy = await holdBack(fixture.server.port, 'DO ', () => remainingMs() < -50);
      const adminEndpoint = { ...scene.adminEndpoint, port: proxy.port };
      const before = await scene.snapshot();
      const step = makeStep(strategy, { ...scene, adminEndpoint }, { remainingMs });
      const outcome = await attempt(step);
      expect(proxy.held()).toBe(1);
      expect(outcome).toMatchObject({ code: 'lease-lost', class: 'superseded' });
      expect(await scene.snapshot()).toEqual(before);
      await proxy.close();
    }
  });

  test('is refused by the server too when it came in time and then waited for a lock until its time was over', async () => {
    const scene = await single();
    const session = await fixture.hold(`ALTER ROLE ${quoted(scene.current.username ?? '')} CONNECTION LIMIT 7`);
    const before = await storedPassword(scene.current.username);
    const until = performance.now() + 2_000;
    const remainingMs = () => until - performance.now();
    // The server gives up waiting for a lock after the time that was left at the login. What is sent late waits longer than that.
    const proxy = await holdBack(fixture.server.port, 'DO ', () => remainingMs() < 600);
    const adminEndpoint = { ...scene.adminEndpoint, port: proxy.port };
    const changing = attempt(singleStep(scene, { adminEndpoint }, { remainingMs }));
    await expect.poll(remainingMs, { timeout: 10_000 }).toBeLessThan(-200);
    await session.release();
    expect(await changing).toMatchObject({ code: 'lease-lost', class: 'superseded' });
    expect(proxy.held()).toBe(1);
    expect(await storedPassword(scene.current.username)).toBe(before);
    await proxy.close();
  });

  test('does not even connect when the time is over already', async () => {
    const scene = await single();
    const step = singleStep(scene, {}, { remainingMs: () => 0 });
    const outcome = await attempt(step);
    expect(outcome).toMatchObject({ code: 'lease-lost' });
  });

  test('a change that waits for a lock gives up in time, to be tried again', async () => {
    const scene = await single();
    const session = await fixture.hold(`ALTER ROLE ${quoted(scene.current.username ?? '')} CONNECTION LIMIT 7`);
    const until = performance.now() + 1_000;
    const step = singleStep(scene, {}, { remainingMs: () => until - performance.now() });
    const outcome = await attempt(step);
    await session.release();
    expect(outcome).toMatchObject({ code: 'target-busy', class: 'retry' });
    expect(await scene.login(scene.current)).toBe(true);
  });
});

describe('what a pair shares', () => {
  test('each login uses, alters and drops what the other created, after every switch', async () => {
    const scene = await alternating();
    const first = scene.current;
    await fixture.as(first, 'CREATE TABLE made_by_first (id int)');
    const second = await rotated(scene);
    await fixture.as(second, 'INSERT INTO made_by_first VALUES (1); ALTER TABLE made_by_first ADD COLUMN note text');
    await fixture.as(second, 'CREATE TABLE made_by_second (id int); CREATE FUNCTION f() RETURNS int RETURN 1');
    const third = await rotated(scene, second);
    expect(third.username).toBe(first.username);
    await fixture.as(third, 'ALTER TABLE made_by_second ADD COLUMN more int; INSERT INTO made_by_second VALUES (1, 2)');
    await fixture.as(third, 'DROP FUNCTION f()');
    const fourth = await rotated(scene, third);
    expect(await fixture.as(fourth, 'SELECT * FROM made_by_second')).toEqual([{ id: 1, more: 2 }]);
    await fixture.as(fourth, 'DROP TABLE made_by_first, made_by_second');
  });

  test('what a session creates after DISCARD ALL, as poolers send it, still belongs to both', async () => {
    const scene = await alternating();
    const second = await rotated(scene);
    await fixture.as(second, 'DISCARD ALL');
    const session = await fixture.connect(second);
    await session.query('DISCARD ALL');
    const { rows } = await session.query('SELECT current_user::text AS name');
    await session.end();
    expect(rows).toEqual([{ name: scene.current.username }]);
  });

  test('a right granted to the first login later is there for the second at once', async () => {
    const scene = await alternating();
    const second = await rotated(scene);
    await fixture.sql(`CREATE TABLE late_${second.username} (id int)`);
    await fixture.sql(`GRANT SELECT ON late_${second.username} TO ${quoted(scene.current.username ?? '')}`);
    expect(await fixture.as(second, `SELECT * FROM late_${second.username}`)).toEqual([]);
    await rotated(scene, second);
  });

  test('settings, limit and end of validity follow the login in use', async () => {
    const scene = await alternating();
    const second = await rotated(scene);
    const name = quoted(second.username ?? '');
    await fixture.sql(`ALTER ROLE ${name} SET work_mem TO '9MB'; ALTER ROLE ${name} CONNECTION LIMIT 9`);
    await fixture.sql(`ALTER ROLE ${quoted(scene.current.username ?? '')} VALID UNTIL '2001-01-01'`);
    const third = await rotated(scene, second);
    expect(await fixture.as(third, 'SHOW work_mem')).toEqual([{ work_mem: '9MB' }]);
    const facts = 'SELECT rolconnlimit, rolvaliduntil::text FROM pg_roles WHERE rolname = $1';
    expect(await fixture.sql(facts, [third.username])).toEqual([{ rolconnlimit: 9, rolvaliduntil: 'infinity' }]);
  });

  test('a setting that the admin may not give is named, and no login is left half made', async () => {
    const scene = await alternating();
    await fixture.sql(`ALTER ROLE ${quoted(scene.current.username ?? '')} SET log_min_messages TO 'error'`);
    const step = pairStep(scene);
    const candidate = proposed(rotator.propose(step, scene.current));
    const outcome = await rotator.apply(step, candidate, scene.current);
    expect(outcome).toMatchObject({
      code: 'permission-missing',
      hint: expect.stringContaining('SET ON PARAMETER "log_min_messages"'),
    });
    expect(await storedPassword(candidate.username)).toBeUndefined();
  });
});

describe('sessions on the old login', () => {
  test('whose address the admin may not see name the right that shows it, and then the address', async () => {
    const scene = await alternating();
    const second = await rotated(scene);
    const client = await fixture.connect(scene.current);
    const look = () => rotator.inUse(pairStep(scene, { current: second }), scene.current);
    try {
      const hidden = 'a hidden address (GRANT pg_read_all_stats TO rotation_admin shows it)';
      expect(await look()).toMatchObject({ kind: 'in-use', by: [expect.stringContaining(hidden)] });
      await fixture.sql('GRANT pg_read_all_stats TO rotation_admin');
      expect(await look()).toMatchObject({ kind: 'in-use', by: [expect.stringMatching(/ at (127\.0\.0\.1|::1)$/)] });
    } finally {
      await fixture.sql('REVOKE pg_read_all_stats FROM rotation_admin');
      await client.end();
    }
  });
});
