/** A list, one secret and a plan say the same of it: they ask one function, with the same facts. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { authenticator } from '../../shared/api/auth/authenticate.ts';
import { allRoutes } from '../../shared/api/routes.ts';
import { makeApi } from '../../shared/api/serve.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { pendingOfTag, withStamp } from '../../shared/engine/policy/stamp.ts';
import { failure } from '../../shared/errors.ts';
import { MemoryAttention } from '../engine/kept.ts';
import type { World } from '../engine/world.ts';
import { hear } from '../fuzz/heard.ts';
import { inMemory } from '../fuzz/in-memory.ts';
import { keyOf } from './backend.ts';

const view = z.object({ secret: z.string(), state: z.string(), detail: z.string() });

/** An app in memory, and how each way of looking says that the secret stands. */
function looking() {
  const { app, world } = inMemory();
  const attention = new MemoryAttention();
  const leased = new Set<string>();
  const leasesHeld = { held: async () => ({ kind: 'held' as const, secrets: leased }) };
  const sha256 = createHash('sha256').update(keyOf('reader')).digest('hex');
  const keys = [{ name: 'reader', role: 'reader' as const, sha256 }];
  const access = authenticator({ keys, scopes: new Map(), consumers: new Map(), platformVouches: false }, undefined);
  const api = makeApi(allRoutes({ ...app, attention, leasesHeld }), access);
  const get = async (path: string): Promise<unknown> => {
    const url = `https://app.test/api/v1${path}`;
    const header = (name: string) => (name === 'x-keyturn-key' ? keyOf('reader') : undefined);
    const none = async () => ({ kind: 'bytes' as const, bytes: new Uint8Array() });
    return (await api.handle({ method: 'GET', url, header, body: none }, hear().log)).body;
  };
  const one = `/vaults/${world.vault.name}/secrets/${world.secret}`;
  const states = async () => {
    const { secrets } = z.object({ secrets: z.array(view) }).parse(await get('/secrets'));
    const planned = z.object({ state: z.string() }).parse(await get(`${one}/plan`));
    return {
      listed: secrets.find(({ secret }) => secret === world.secret)?.state,
      shown: view.parse(await get(one)).state,
      planned: planned.state,
    };
  };
  return { world, attention, leased, states };
}

const same = (state: string) => ({ listed: state, shown: state, planned: state });

/** Somebody died between the store and the publish. */
function store(
  { vault, secret, firstVersion }: World,
  tags: Record<string, string> = { [pendingOfTag]: secret },
): void {
  const stamp = { rotationId: 'a'.repeat(32), from: firstVersion };
  vault.put(pendingNameOf(secret), { value: new SecretText('candidate'), tags: withStamp(tags, stamp) });
}

test('a secret that nobody is at stands the same in a list, alone and in a plan', async () => {
  const { states } = looking();
  expect(await states()).toEqual(same('due'));
});

test('a worker that is at it is seen by all of them', async () => {
  const { world, leased, states } = looking();
  leased.add(world.secret);
  expect(await states()).toEqual(same('in-flight'));
});

test('a candidate that is stored, with nobody at it, is in flight for all of them', async () => {
  const { world, states } = looking();
  store(world);
  expect(await states()).toEqual(same('in-flight'));
});

test('what is retried with its candidate stored is retried for all of them', async () => {
  const { world, attention, states } = looking();
  store(world);
  const { code, message, hint } = failure('target-unreachable', { secret: world.secret, target: 'db', detail: 'down' });
  const failed = { code, message, hint, at: world.vault.now, counts: false, unpublished: false };
  const next = () => ({ at: new Date(world.vault.now.getTime() + 5_000), paused: false });
  await attention.failed(world.vault.name, world.secret, 'rotation', failed, next);
  expect(await states()).toEqual(same('retrying'));
});

test('a name like that of its candidate, without what Keyturn writes there, says nothing of it', async () => {
  const { world, states } = looking();
  store(world, { [pendingOfTag]: 'another' });
  expect(await states()).toEqual(same('due'));
});
