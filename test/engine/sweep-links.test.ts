/** A link on one side only is told by the sweep, whichever side it is and in whichever vault: nobody waits for its rotation to learn of it. */
import { expect, test } from 'vitest';
import type { Notice } from '../../shared/contract/notice.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Found, walk } from '../../shared/engine/sweep/walk.ts';
import { failure } from '../../shared/errors.ts';
import { notificationsQueue } from '../../shared/operations/queues.ts';
import { type SweepAllDependencies, sweepAll } from '../../shared/operations/sweep-all.ts';
import { noLinks, noteLinks } from '../../shared/operations/sweep-links.ts';
import { copiedWorld, watchValues } from './copied-world.ts';
import { MemoryAttention } from './kept.ts';
import { dayMs, makeWorld, type World } from './world.ts';

/** Sweeps both vaults again and again; what each sweep tells, and what it asks for. */
function sweeping(world: World) {
  const told = new Map<string, { kind: 'told'; vault: string; secret: string; what: string }>();
  let sent: { readonly queue: string; readonly body: unknown }[] = [];
  const deps: SweepAllDependencies = {
    ...{ engine: world.deps(), attention: new MemoryAttention(), jitterMs: 0, random: () => 0 },
    freeze: {
      read: async () => ({ kind: 'freeze', frozen: false }),
      set: async () => ({ kind: 'freeze', frozen: false }),
    },
    toldBefore: {
      async *all(vault: string) {
        yield* [...told.values()].filter((one) => one.vault === vault);
      },
      async add(vault: string, secret: string, what: string) {
        told.set(`${vault} ${secret} ${what}`, { kind: 'told', vault, secret, what });
        return { kind: 'kept' };
      },
      async remove(vault: string, secret: string, what: string) {
        told.delete(`${vault} ${secret} ${what}`);
        return { kind: 'kept' };
      },
    },
    queues: {
      enqueue: async (queue: { name: string }, body: unknown) => {
        sent.push({ queue: queue.name, body });
        return { kind: 'enqueued' };
      },
    },
  };
  return async () => {
    sent = [];
    const swept = await sweepAll(deps, AbortSignal.timeout(10_000));
    const news: Notice[] = sent
      .filter(({ queue }) => queue === notificationsQueue.name)
      .map(({ body }) => notificationsQueue.schema.parse(body));
    return { swept, news, asked: sent.filter(({ queue }) => queue !== notificationsQueue.name) };
  };
}

test('a sweep remembers the two ends of links, and nothing of secrets without one', async () => {
  const remembered = async (world: World) => {
    const links = noLinks();
    const act = async (found: readonly Found[], now: Date) => {
      noteLinks(links, world.vault.name, found, now);
      return undefined;
    };
    await walk(world.deps(), world.vault, { known: () => ({}), act }, AbortSignal.timeout(10_000));
    return {
      sources: links.sources.map(({ place }) => place.secret),
      ends: links.ends.map(({ place }) => place.secret),
    };
  };
  expect(await remembered(makeWorld('alternating-users'))).toEqual({ sources: [], ends: [] });
  expect(await remembered(copiedWorld('alternating-users'))).toEqual({
    sources: ['orders-db'],
    ends: ['orders-db-legacy', 'orders-connection'],
  });
});

test('links with the consent of both ends cost a sweep nothing and are not told', async () => {
  const world = copiedWorld('alternating-users');
  let listings = 0;
  for (const vault of [world.vault, world.otherVault]) {
    const versions = vault.versions.bind(vault);
    vault.versions = (name) => {
      listings++;
      return versions(name);
    };
  }
  const { news, swept } = await sweeping(world)();
  expect(news).toEqual([]);
  expect(listings).toBe(0);
  expect(swept.vaults.map(({ outcome }) => outcome)).toMatchObject([{ states: { copy: 2 } }, { states: { copy: 1 } }]);
});

test('a copy in another vault that its source does not list is told once, with the line to paste, and again when it comes back', async () => {
  const world = copiedWorld('alternating-users', { also: 'orders-db-legacy,orders-connection' });
  const seen = watchValues(world);
  const sweep = sweeping(world);
  const { news } = await sweep();
  expect(news).toMatchObject([{ vault: 'eu-vault', secret: 'orders-db', failure: { code: 'copy-link' } }]);
  expect(news[0]?.failure?.hint).toContain('eu-vault/orders-db');
  expect((await sweep()).news).toEqual([]);
  const { tags } = world.vault.newest(world.secret);
  world.vault.newest(world.secret).tags = { ...tags, also: 'eu-vault/orders-*,orders-*' };
  expect((await sweep()).news).toEqual([]);
  world.vault.newest(world.secret).tags = tags;
  expect((await sweep()).news).toHaveLength(1);
  expect(seen).toEqual([]);
});

test.each([
  ['names no source', {}, 'copy-link'],
  ['is in a vault that is not one of the app', undefined, 'vault-unknown'],
] as const)('a source whose copy %s is told, and no value is read', async (_what, tags, code) => {
  const world = makeWorld('alternating-users', { also: tags === undefined ? 'us-vault/x' : 'eu-vault/orders-db' });
  world.otherVault.put('orders-db', { value: new SecretText('x'), tags: tags ?? {} });
  const seen = watchValues(world);
  const { news } = await sweeping(world)();
  expect(news).toMatchObject([{ secret: world.secret, failure: { code } }]);
  expect(seen).toEqual([]);
});

test('a link whose source cannot be looked at just now is not told as one without consent', async () => {
  const world = copiedWorld('alternating-users', { also: 'orders-db-legacy,orders-connection' });
  const { versions } = world.vault;
  const throttled = failure('vault-throttled', { secret: world.secret, vault: 'contoso-kv', detail: 'HTTP 429' });
  Reflect.set(world.vault, 'versions', async () => throttled);
  const sweep = sweeping(world);
  expect((await sweep()).news).toEqual([]);
  world.vault.versions = versions;
  expect((await sweep()).news).toMatchObject([{ vault: 'eu-vault', at: world.vault.now.toISOString() }]);
});

test('a vault that cannot be listed says nothing of the links that lead to it', async () => {
  const world = copiedWorld('alternating-users');
  world.otherVault.list = async function* () {
    yield failure('vault-throttled', { secret: 'all', vault: 'eu-vault', detail: 'HTTP 429' });
  };
  const { news } = await sweeping(world)();
  expect(news).toEqual([]);
});

test('copies that are due are asked for by the sweep, with the end of the old credential where its time has come', async () => {
  const world = copiedWorld('alternating-users');
  const newest = world.vault.newest(world.secret);
  const id = 'a'.repeat(32);
  const expiresAt = new Date(world.vault.now.getTime() + 80 * dayMs);
  const at = (days: number) => new Date(world.vault.now.getTime() + days * dayMs).toISOString();
  const put = (retireBy: string) =>
    world.vault.put(world.secret, {
      ...newest,
      expiresAt,
      tags: { ...newest.tags, rotation: `id=${id};from=${newest.version};copies=due;retire-by=${retireBy}` },
    });
  const sweep = sweeping(world);
  put(at(1));
  expect((await sweep()).asked).toMatchObject([{ body: { secret: world.secret, mode: 'resume' } }]);
  put(at(-1));
  expect((await sweep()).asked).toMatchObject([{ body: { rotationId: id } }, { body: { mode: 'resume' } }]);
});
