/** What Redis was told, it keeps: every node that has a file to write to has written it before anything is published or called retired. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import { newPassword } from '../conformance/step.ts';
import { asOwner, loadRedis, logsInAt, owner, users } from './redis-bench.ts';
import { applied, makeUser, stepAt } from './redis-rig.ts';

const running: RedisServer[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
});

const kinds = {
  'an ACL file': { options: { acl: users }, save: ['ACL', 'SAVE'], file: 'users.acl' },
  'a configuration file': {
    options: { configFile: true, settings: users.slice(1) },
    save: ['CONFIG', 'REWRITE'],
    file: 'redis.conf',
  },
} as const;

async function start(kind: keyof typeof kinds, replicaOf?: RedisServer): Promise<RedisServer> {
  const server = await startRedis({
    ...kinds[kind].options,
    replicateAs: owner,
    ...(replicaOf === undefined ? {} : { replicaOf }),
  });
  running.push(server);
  return server;
}

/** In place of the file there is a folder, which no server can write over. */
async function spoil(server: RedisServer, kind: keyof typeof kinds): Promise<void> {
  const file = join(server.folder, kinds[kind].file);
  await rm(file);
  await mkdir(join(file, 'in-the-way'), { recursive: true });
}

async function saved(server: RedisServer, kind: keyof typeof kinds): Promise<void> {
  await asOwner(server, kinds[kind].save[0], kinds[kind].save[1]);
}

const strategies = ['dual-password', 'single-user'] as const;
const cases = strategies.flatMap((strategy) =>
  (['an ACL file', 'a configuration file'] as const).map((kind) => ({ strategy, kind })),
);

describe.each(cases)('$strategy on a node with $kind', ({ strategy, kind }) => {
  test('a crash between the change and its save is healed: the candidate, applied again, outlives a restart', async () => {
    const server = await start(kind);
    const current = await makeUser([server]);
    await saved(server, kind);
    const candidate = { ...current, password: newPassword() };
    await asOwner(server, 'ACL', 'SETUSER', current.username, `>${candidate.password.reveal()}`);
    const rotator = await loadRedis();
    const step = stepAt(server, current, strategy);
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    expect(await rotator.apply(step, candidate, candidate)).toEqual({ kind: 'applied', credential: candidate });
    await server.restart();
    expect(await logsInAt([server], candidate)).toBe(true);
    expect(await logsInAt([server], current)).toBe(strategy === 'dual-password');
  });

  test('that cannot be written fails before anything is published, by the node’s name, and the old password works on', async () => {
    const primary = await start(kind);
    const replica = await start(kind, primary);
    const current = await makeUser([primary, replica]);
    await expect.poll(async () => String(await asOwner(primary, 'INFO', 'replication'))).toContain('state=online');
    await spoil(replica, kind);
    const rotator = await loadRedis();
    const outcome = await rotator.apply(
      stepAt(primary, current, strategy),
      { ...current, password: newPassword() },
      current,
    );
    expect(outcome).toMatchObject({
      code: 'target-refused',
      class: 'blocked',
      message: expect.stringMatching(new RegExp(`${replica.port}.*${kinds[kind].save.join(' ')}`)),
    });
    expect(await logsInAt([primary, replica], current)).toBe(true);
  });

  test('a save that the admin may not make fails before anything is published, with the right to grant', async () => {
    const server = await start(kind);
    const current = await makeUser([server]);
    await asOwner(server, 'ACL', 'SETUSER', 'rotation-admin', '-acl|save', '-config|rewrite');
    const outcome = await (await loadRedis()).apply(
      stepAt(server, current, strategy),
      { ...current, password: newPassword() },
      current,
    );
    expect(outcome).toMatchObject({
      code: 'permission-missing',
      hint: expect.stringContaining(kinds[kind].save.join(' ')),
    });
    expect(await logsInAt([server], current)).toBe(true);
  });
});

describe.each(['an ACL file', 'a configuration file'] as const)('a retirement on a node with %s', (kind) => {
  test('that cannot be written is no success: the old password would be back after a restart', async () => {
    const server = await start(kind);
    const current = await makeUser([server]);
    const rotator = await loadRedis();
    const second = await applied(rotator, stepAt(server, current));
    await spoil(server, kind);
    for (const emergency of [false, true]) {
      const outcome = await rotator.retire(stepAt(server, second, 'dual-password', {}, { emergency }), current);
      expect(outcome).toMatchObject({
        code: 'target-refused',
        message: expect.stringContaining('a restart would undo the change'),
      });
      expect(await logsInAt([server], current)).toBe(false);
    }
    await rm(join(server.folder, kinds[kind].file), { recursive: true });
    if (kind === 'an ACL file')
      expect(await rotator.retire(stepAt(server, second), current)).toMatchObject({ kind: 'retired' });
  });
});

test('a node that has no file is named in the result, every time, and in plan', async () => {
  const server = await startRedis({ settings: users.slice(1, 3) });
  running.push(server);
  const current: Credential = await makeUser([server]);
  const rotator = await loadRedis();
  const step = stepAt(server, current);
  const candidate = { ...current, password: newPassword() };
  for (let attempt = 0; attempt < 2; attempt++) {
    const outcome = await rotator.apply(step, candidate, current);
    expect(outcome).toMatchObject({ kind: 'applied', warnings: [expect.stringContaining(`${server.port}`)] });
  }
  const failed = (await rotator.check(step)).filter((line) => line.state === 'failed');
  expect(failed).toEqual([expect.objectContaining({ name: 'persistence' })]);
});
