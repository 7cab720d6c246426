/** Copies follow a version of their source that somebody else made, once it was proven: as they follow a rotation, and no sooner. */
import { describe, expect, test } from 'vitest';
import { checkOf } from '../../functions/check.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { isRetirementOpen, readStamp, stampTag } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { judge } from '../../shared/engine/sweep/judge.ts';
import { failure } from '../../shared/errors.ts';
import { rotationsQueue } from '../../shared/operations/queues.ts';
import { rememberedVersions } from '../../shared/operations/seen-versions.ts';
import { copiedWorld, copiesOf, heldBy } from './copied-world.ts';
import { MemoryAttention, MemoryHistory, MemoryIrregularities, MemoryToldBefore } from './kept.ts';
import { dayMs, type World } from './world.ts';

const id = (letter: string): string => letter.repeat(32);
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

function playing(strategy: Strategy = 'alternating-users') {
  const world = copiedWorld(strategy);
  const messages: { readonly queue: string; readonly body: unknown }[] = [];
  const history = new MemoryHistory();
  const check = checkOf({
    engine: world.deps(),
    ...{ history, attention: new MemoryAttention(), seenVersions: rememberedVersions() },
    ...{ irregularities: new MemoryIrregularities(), toldBefore: new MemoryToldBefore() },
    freeze: {
      read: async () => ({ kind: 'freeze', frozen: false }),
      set: async () => ({ kind: 'freeze', frozen: false }),
    },
    queues: {
      enqueue: async (queue, body) => {
        messages.push({ queue: queue.name, body });
        return { kind: 'enqueued' };
      },
    },
    ...{ pauseAfter: 5, random: () => 0, now: () => world.vault.now },
  });
  const { vault, secret } = world;
  const arrive = (version?: string) =>
    check({ vault: vault.name, secret, ...(version === undefined ? {} : { version }) }, log);
  /** Works off what the look at the version asked for. */
  const workOff = async () => {
    const asked = messages.splice(0).filter(({ queue }) => queue === rotationsQueue.name);
    const results = [];
    for (const { body } of asked) results.push(await rotate(world.deps(), rotationsQueue.schema.parse(body)));
    return results;
  };
  return { world, arrive, workOff };
}

function pass(world: World, ms = 60_000): void {
  world.vault.now = new Date(world.vault.now.getTime() + ms);
}

/** A person gives the login in use another password and publishes it, with all tags or those of the policy. */
function replaceByHand(world: World, tags: 'all' | 'policy' = 'policy'): string {
  const { vault, secret, target } = world;
  pass(world);
  const { username = '' } = world.current();
  target.logins.set(username, new Set(['by-hand']));
  const { [stampTag]: stamp = '', ...policy } = vault.newest(secret).tags;
  const kept = tags === 'all' && stamp !== '' ? { ...policy, [stampTag]: stamp } : policy;
  const value = new SecretText(`{"username":"${username}","host":"db.contoso.test","password":"by-hand"}`);
  return vault.put(secret, { value, tags: kept, contentType: 'application/json' });
}

function ask(world: World, letter: string) {
  const { vault, secret } = world;
  pass(world);
  return rotate(world.deps(), { vault: vault.name, secret, mode: 'asked', rotationId: id(letter), requestedBy: 'ann' });
}

const held = (world: World) => copiesOf(world).map(heldBy);
const byHand = ['by-hand', 'by-hand', 'by-hand'];

describe.each(['single-user', 'alternating-users', 'dual-password'] as const)('%s', (strategy) => {
  test.each(['policy', 'all'] as const)(
    'a version that a person made, with the tags of the %s: every copy holds it after its proof, in one version each',
    async (tags) => {
      const { world, arrive, workOff } = playing(strategy);
      await ask(world, '1');
      const counts = copiesOf(world).map(({ vault, name }) => vault.count(name));
      const version = replaceByHand(world, tags);
      await arrive(version);
      await workOff();
      expect(held(world)).toEqual(byHand);
      expect(readStamp(world.vault.newest(world.secret).tags)?.copiesDue).toBeUndefined();
      await arrive(version);
      await workOff();
      expect(copiesOf(world).map(({ vault, name }) => vault.count(name))).toEqual(counts.map((count) => count + 1));
    },
  );

  test('one whose event was lost is found by the daily check', async () => {
    const { world, arrive, workOff } = playing(strategy);
    await ask(world, '1');
    replaceByHand(world);
    pass(world, dayMs);
    await arrive();
    await workOff();
    expect(held(world)).toEqual(byHand);
  });

  test('one that does not log in is brought to no copy', async () => {
    const { world, arrive, workOff } = playing(strategy);
    await ask(world, '1');
    const before = held(world);
    const version = replaceByHand(world, 'all');
    world.target.logins.set('app', new Set());
    world.target.logins.set('app_alt', new Set());
    await arrive(version);
    await workOff();
    expect(held(world)).toEqual(before);
  });
});

test('the sweep finds from the source alone that copies are due, where the message was lost', async () => {
  const { world, arrive } = playing();
  await ask(world, '1');
  pass(world, dayMs + 1_000);
  await arrive(replaceByHand(world));
  const { vault, secret } = world;
  const finding = judge(world.deps(), { name: secret, ...vault.newest(secret) }, vault.now);
  expect(finding.kind === 'copies-due' || (finding.kind === 'retirement-due' && finding.copies)).toBe(true);
});

test('a copy that is behind holds the end of the overlap that the version goes on with', async () => {
  const { world, arrive, workOff } = playing();
  await ask(world, '1');
  const { rotationId = '' } = readStamp(world.vault.newest(world.secret).tags) ?? {};
  await arrive(replaceByHand(world));
  expect(isRetirementOpen(readStamp(world.vault.newest(world.secret).tags))).toBe(true);
  const write = world.otherVault.write.bind(world.otherVault);
  world.otherVault.write = () => readOnly(world);
  const results = await workOff();
  expect(results).toMatchObject([{ kind: 'failed', failure: { code: 'copy-behind' } }]);
  pass(world, dayMs + 1_000);
  const request = { vault: world.vault.name, secret: world.secret, requestedBy: 'overlap', mode: 'scheduled' as const };
  expect(await retire(world.deps(), { ...request, rotationId })).toMatchObject({ failure: { code: 'copy-behind' } });
  expect(world.target.logins.get('app')?.size).toBe(1);
  world.otherVault.write = write;
  expect(await retire(world.deps(), { ...request, rotationId })).toMatchObject({ kind: 'retired' });
  expect(held(world)).toEqual(byHand);
});

async function readOnly(world: World) {
  return failure('vault-unreachable', { secret: world.secret, vault: 'eu-vault', detail: 'read-only' });
}

test('the same credential saved once more is no news for copies, and keeps what was due', async () => {
  for (const isDue of [false, true]) {
    const { world, arrive, workOff } = playing('single-user');
    const write = world.otherVault.write.bind(world.otherVault);
    if (isDue) world.otherVault.write = () => readOnly(world);
    await ask(world, '1');
    world.otherVault.write = write;
    pass(world);
    const { value, tags } = world.vault.newest(world.secret);
    const { [stampTag]: _stamp, ...policy } = tags;
    const version = world.vault.put(world.secret, { value, tags: policy, contentType: 'application/json' });
    const legacy = world.vault.count('orders-db-legacy');
    await arrive(version);
    await workOff();
    expect(held(world)).toEqual(held(world).map(() => world.current().password.reveal()));
    expect(world.vault.count('orders-db-legacy'), isDue ? 'due' : 'not due').toBe(legacy);
  }
});
