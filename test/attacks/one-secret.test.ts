/**
 * Whoever may edit one secret, and nothing else, tries to reach another login of the same server. Played on Postgres, MariaDB and Redis, and on
 * SQL Server's stand-in: the other login keeps its password and its rights, and the vault never hands out its credential.
 */
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import type { Target } from '../conformance/harness.ts';
import { servers } from './servers.ts';
import { type AttackStage, junk, madeUp, request, stamp } from './stage.ts';

const cases = servers.flatMap(([name, server]) =>
  server.strategies.map((strategy) => [name, strategy, server] as const),
);

describe.each(cases)('%s, %s', (_name, strategy, server) => {
  let target: Target<unknown>;
  beforeAll(async () => {
    target = await server.start(strategy);
  });
  afterAll(() => target.close());

  /** After the attack: the other login is as it was, and no version of the attacker's secret logs in as it. */
  async function expectUntouched({ vault, theirs, untouched }: AttackStage): Promise<void> {
    expect(await untouched()).toEqual({ logsIn: true, same: true });
    for (const name of [...vault.secrets.keys()].filter((each) => each !== 'billing-db' && each !== 'server-admin')) {
      for (const { value } of vault.secrets.get(name) ?? []) {
        const { username, password } = JSON.parse(value.reveal());
        const credential = {
          ...theirs.current,
          username,
          password: new SecretText(password),
        };
        if (username === theirs.current.username) expect(await theirs.login(credential)).toBe(false);
      }
    }
    expect(vault.count('billing-db')).toBe(1);
  }

  function names(stage: AttackStage) {
    const { mine, theirs } = stage;
    const own = { username: mine.current.username ?? '', password: mine.current.password.reveal() };
    const other = { username: theirs.current.username ?? '', password: junk };
    return { own, other };
  }

  it('a version that names the other login, led to by a forged stamp: nothing is rotated', async () => {
    const stage = await server.stage(strategy, target);
    const { own, other } = names(stage);
    const from = stage.publish(own);
    stage.publish(other, { tags: stamp({ from }) });
    const result = await rotate(stage.deps, { ...request, mode: 'asked', rotationId: 'cd'.repeat(16) });
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'no-live-credential' } });
    await expectUntouched(stage);
  });

  it.each([{}, { port: 1 }, { database: 'nowhere' }])(
    'a forged emergency for a value that names the other login, %j: nothing is rotated',
    async (fields) => {
      const stage = await server.stage(strategy, target);
      const { other } = names(stage);
      const requested = `emergency=${madeUp},2026-01-01T00:00:00Z,key:ops`;
      stage.publish(other, { tags: { requested }, fields });
      for (const mode of ['scheduled', 'resume', 'asked'] as const) {
        const result = await rotate(stage.deps, { ...request, mode, rotationId: 'cd'.repeat(16) });
        expect(result.kind).toBe('failed');
      }
      await expectUntouched(stage);
    },
  );

  it.each(['scheduled', 'emergency'] as const)(
    'a forged version of the other login whose time is over (%s): the other login is not ended',
    async (mode) => {
      const stage = await server.stage(strategy, target);
      const { own, other } = names(stage);
      const from = stage.publish(other);
      stage.publish(own, { tags: stamp({ from, 'retire-by': '2020-01-01T00:00:00Z' }) });
      await retire(stage.deps, { ...request, rotationId: madeUp, mode });
      await expectUntouched(stage);
      expect(await stage.mine.login(stage.mine.current)).toBe(true);
    },
  );

  it.each(['scheduled', 'emergency'] as const)(
    'two forged versions of the other login, and a stamp that revokes the first (%s): nothing of the other login is ended',
    async (mode) => {
      const stage = await server.stage(strategy, target);
      const { other } = names(stage);
      const from = stage.publish({ ...other, password: `${other.password}1` });
      stage.publish(other, { tags: stamp({ from, 'retire-by': '2020-01-01T00:00:00Z', revoke: 'key:ops' }) });
      const result = await retire(stage.deps, { ...request, rotationId: madeUp, mode });
      expect(result).toMatchObject({ kind: 'failed', failure: { code: 'credential-drifted' } });
      await expectUntouched(stage);
    },
  );

  it('a roll-back to a version that names the other login: refused', async () => {
    const stage = await server.stage(strategy, target);
    const { own, other } = names(stage);
    const to = stage.publish(other);
    stage.publish(own);
    const back = { ...request, mode: 'roll-back', to, force: true, rotationId: 'cd'.repeat(16) } as const;
    expect(await rotate(stage.deps, back)).toMatchObject({ kind: 'failed', failure: { code: 'roll-back-impossible' } });
    await expectUntouched(stage);
  });

  if (strategy === 'alternating-users') {
    it('the admin named as the second login in “users”, with a forged version of it: neither changed nor closed', async () => {
      const stage = await server.stage(strategy, target);
      const { own } = names(stage);
      const { admin } = stage.mine;
      if (admin.kind !== 'connection') throw new Error('the attacks borrow an admin');
      const username = admin.credential.username ?? '';
      const users = `${own.username},${username}`;
      const from = stage.publish({ username, password: junk }, { tags: { users } });
      stage.publish(own, { tags: { users, ...stamp({ from, 'retire-by': '2020-01-01T00:00:00Z' }) } });
      for (const mode of ['scheduled', 'emergency'] as const) {
        await retire(stage.deps, { ...request, rotationId: madeUp, mode });
        await rotate(stage.deps, { ...request, mode: 'asked', rotationId: 'cd'.repeat(16) });
        expect(await stage.theirs.login(admin.credential)).toBe(true);
      }
      expect(stage.vault.newest('shop-db').value.reveal()).not.toContain(username);
      await expectUntouched(stage);
    });
  }

  it('tags on somebody’s admin secret, with format=raw and an admin at a host of the attacker: its value goes nowhere', async () => {
    const stage = await server.stage(strategy, target);
    const trap = await listen();
    const { value } = stage.vault.newest('server-admin');
    const evil = JSON.stringify({ username: 'x', password: junk, host: '127.0.0.1', port: trap.port });
    stage.vault.put('evil-admin', { value: new SecretText(evil), tags: { serves: '*' } });
    const tags = { rotator: stage.rotator, strategy, admin: 'evil-admin', format: 'raw', users: 'x,y' };
    const expiresAt = new Date(stage.vault.now.getTime() + 86_400_000);
    stage.vault.put('server-admin', { value, tags: { ...tags, serves: '*-db' }, expiresAt });
    for (const mode of ['scheduled', 'forced'] as const) {
      const asked = { ...request, secret: 'server-admin', mode, rotationId: 'cd'.repeat(16) };
      expect(await rotate(stage.deps, asked)).toMatchObject({ kind: 'failed', failure: { class: 'config' } });
    }
    expect(trap.heard()).toBe('');
    await trap.close();
  });
});

interface Trap {
  readonly port: number;
  readonly heard: () => string;
  readonly close: () => Promise<void>;
}

/** Keeps what is sent to it. */
async function listen(): Promise<Trap> {
  const heard: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => heard.push(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    heard: () => Buffer.concat(heard).toString('latin1'),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
