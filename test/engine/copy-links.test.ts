/** Both ends consent to a copy: whoever may edit one of them alone gets nothing. */
import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { lookAtSource } from '../../shared/engine/copies/link.ts';
import { readLinkedEnd } from '../../shared/engine/policy/links.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { also, copiedWorld, expectCopied, watchValues } from './copied-world.ts';
import { dayMs, makeWorld, type World } from './world.ts';

function ask(world: World, secret = world.secret, more: Partial<RotationRequest> = {}, vault = world.vault.name) {
  const request = { vault, secret, mode: 'asked' as const, rotationId: '1'.repeat(32), requestedBy: 'Anna' };
  return rotate(world.deps(), { ...request, ...more });
}

const failureOf = (result: Awaited<ReturnType<typeof ask>>) => (result.kind === 'failed' ? result.failure : undefined);

const victim = {
  value: new SecretText('{"username":"billing","password":"victims-own"}'),
  contentType: 'application/json',
};

test.each(['copy-of', 'derived-from'])(
  'whoever writes %s into a secret of their own gets nothing: the source is rotated without it, and its value is not read for it',
  async (tag) => {
    const world = makeWorld('alternating-users');
    world.vault.put('mine', { ...victim, tags: { [tag]: 'orders-db' } });
    world.otherVault.put('mine', { ...victim, tags: { [tag]: 'contoso-kv/orders-db' } });
    expect(await ask(world)).toMatchObject({ kind: 'rotated' });
    for (const vault of [world.vault, world.otherVault]) {
      expect(vault.count('mine')).toBe(1);
      const seen = watchValues(world);
      const failed = failureOf(await ask(world, 'mine', {}, vault.name));
      expect(failed).toMatchObject({ code: 'copy-link', class: 'config' });
      const entry = vault === world.vault ? 'also=mine' : 'also=eu-vault/mine';
      expect(failed?.hint).toContain('az keyvault secret set-attributes --vault-name contoso-kv -n orders-db --tags ');
      expect(failed?.hint).toContain(entry);
      expect(failed?.hint, 'tags that are there are carried').toContain('team=orders');
      expect(seen.filter((call) => call.includes('orders-db'))).toEqual([]);
    }
  },
);

test.each([
  [{}, 'has no tag "copy-of"'],
  [{ 'copy-of': 'billing-admin' }, 'names contoso-kv/billing-admin'],
  [{ 'copy-of': 'eu-vault/orders-db' }, 'names eu-vault/orders-db'],
  [{ 'copy-of': 'orders-db', rotator: 'memory' }, 'contradict'],
  [{ 'copy-of': 'orders-db', 'derived-from': 'orders-db' }, 'contradict'],
])(
  'whoever lists the secret of somebody else (with the tags %o) gets nothing: it is neither read nor written, and nothing is rotated',
  async (tags, says) => {
    const world = makeWorld('alternating-users', { also: 'billing-db' });
    world.vault.put('billing-db', { ...victim, tags: { owner: "it's ours", ...tags } });
    const seen = watchValues(world);
    const failed = failureOf(await ask(world));
    expect(failed).toMatchObject({ code: 'copy-link', class: 'config' });
    expect(failed?.message).toContain(says);
    expect(failed?.hint).toContain('az keyvault secret set-attributes --vault-name contoso-kv -n billing-db --tags ');
    expect(failed?.hint).toMatch(/(?:copy-of|derived-from)=orders-db/);
    expect(failed?.hint).toContain("'owner=it'\\''s ours'");
    expect(seen.filter((call) => call.includes('billing-db'))).toEqual([]);
    expect(world.vault.count('billing-db')).toBe(1);
    expect(world.vault.count(world.secret)).toBe(1);
    expect(world.target.touched).toEqual([]);
  },
);

test('the line to paste puts the link right', async () => {
  const world = makeWorld('alternating-users', { also: 'eu-vault/orders-db' });
  const { vault, otherVault, secret } = world;
  const { value, contentType = '' } = vault.newest(secret);
  otherVault.put('orders-db', { value, contentType, tags: { region: 'eu' } });
  const hint = failureOf(await ask(world))?.hint ?? '';
  const pasted = /--tags (.*)$/.exec(hint)?.[1] ?? '';
  otherVault.newest('orders-db').tags = Object.fromEntries(pasted.split(' ').map((tag) => tag.split('=')));
  expect(await ask(world)).toMatchObject({ kind: 'rotated' });
  expect(otherVault.newest('orders-db').value.reveal()).toBe(vault.newest(secret).value.reveal());
  expect(otherVault.newest('orders-db').tags['region']).toBe('eu');
});

test('a pattern means the secrets that name the source, and no other', async () => {
  const world = copiedWorld('alternating-users', { also: 'eu-vault/orders-*,orders-*' });
  const { vault } = world;
  vault.put('orders-other', { ...victim, tags: { 'copy-of': 'billing-db' } });
  vault.put('orders-plain', { ...victim, tags: {} });
  const seen = watchValues(world);
  expect(await ask(world)).toMatchObject({ kind: 'rotated' });
  expectCopied(world, 2);
  expect(
    seen.filter((call) => /orders-(?:other|plain|admin)/.test(call) && !call.includes('read contoso-kv/orders-admin')),
  ).toEqual([]);
});

test.each([
  ['a vault that is not one of the app', 'us-vault/orders-db', 'vault-unknown'],
  ['the secret itself', 'orders-db', 'copy-unfit'],
  ['a secret that is not there', 'eu-vault/orders-db', 'copy-link'],
])('an entry that leads to %s is a fault of the configuration, and nothing is touched', async (_what, entry, code) => {
  const world = makeWorld('alternating-users', { also: entry });
  expect(failureOf(await ask(world))).toMatchObject({ code, class: 'config' });
  expect(world.target.touched).toEqual([]);
  expect(world.vault.count(world.secret)).toBe(1);
});

test.each(['eu-vault/', 'a/b/c', 'orders_db', 'orders-db?format=xml', 'orders-db?form=uri', 'https://x/y'])(
  'the entry "%s" is refused with the tag and what it takes',
  async (entry) => {
    const failed = failureOf(await ask(makeWorld('alternating-users', { also: entry })));
    expect(failed).toMatchObject({ code: 'tag-invalid' });
    expect(failed?.message).toContain('"also"');
  },
);

test('a copy without room for the stamp is named before anything is touched', async () => {
  const world = copiedWorld('alternating-users');
  const own = Object.fromEntries(Array.from({ length: 14 }, (_, at) => [`t${at}`, 'x']));
  world.otherVault.newest('orders-db').tags = { ...own, 'copy-of': 'contoso-kv/orders-db' };
  expect(failureOf(await ask(world))).toMatchObject({ code: 'tags-full' });
  expect(world.target.touched).toEqual([]);
});

test('the link is withdrawn while the old credential lives: it is kept until its deadline and no longer', async () => {
  const world = copiedWorld('alternating-users');
  await ask(world);
  world.otherVault.newest('orders-db').tags = {};
  const { rotationId = '' } = readStamp(world.vault.newest(world.secret).tags) ?? {};
  const request = {
    vault: 'contoso-kv',
    secret: world.secret,
    rotationId,
    mode: 'scheduled' as const,
    requestedBy: 'x',
  };
  const seen = watchValues(world);
  expect(await retire(world.deps(), request)).toMatchObject({ kind: 'failed', failure: { code: 'copy-link' } });
  world.vault.now = new Date(world.vault.now.getTime() + 2 * dayMs);
  expect(await retire(world.deps(), request)).toMatchObject({ kind: 'retired' });
  expect(seen.filter((call) => call.includes('eu-vault/orders-db'))).toEqual([]);
});

describe('whoever asks for a copy', () => {
  test.each(['asked', 'scheduled', 'emergency', 'forced'] as const)(
    '(%s) is told which secret to ask for, and nothing is done',
    async (mode) => {
      const world = copiedWorld('alternating-users');
      const result = await ask(world, 'orders-db', { mode }, 'eu-vault');
      expect(result).toMatchObject({ kind: 'skipped', reason: 'copy' });
      expect(result.kind === 'skipped' && result.detail).toContain('ask for contoso-kv/orders-db');
      expect(world.otherVault.count('orders-db')).toBe(1);
      expect(world.target.touched).toEqual([]);
    },
  );
});

test('whoever asks for the end of what a copy held before is told which secret to ask for', async () => {
  const world = copiedWorld('alternating-users');
  await ask(world);
  const { rotationId = '' } = readStamp(world.otherVault.newest('orders-db').tags) ?? {};
  const request = { vault: 'eu-vault', secret: 'orders-db', rotationId, mode: 'emergency' as const, requestedBy: 'x' };
  const result = await retire(world.deps(), request);
  expect(result).toMatchObject({ kind: 'skipped', reason: 'copy' });
  expect(result.kind === 'skipped' && result.detail).toContain('contoso-kv/orders-db');
  expect(world.otherVault.secrets.get('orders-db')?.map(({ enabled }) => enabled)).toEqual([true, true]);
});

test('the source is found to list the copy by its own entry, by a pattern, and inside the tag "policy"', async () => {
  for (const tags of [{ also }, { also: 'eu-vault/*' }, { policy: 'overlap=PT1H; also=eu-vault/orders-db' }]) {
    const { also: _also, ...world } = { also, ...makeWorld('alternating-users', tags) };
    const end = readLinkedEnd({ 'copy-of': 'contoso-kv/orders-db' });
    if (end?.kind !== 'linked') throw new Error('no link');
    const place = { vault: 'eu-vault', secret: 'orders-db' };
    expect(await lookAtSource(world.deps(), place, end, AbortSignal.timeout(1_000))).toMatchObject({ kind: 'source' });
  }
});

test.each([
  ['beside its other tags', { team: 'orders' }, 'also=eu-vault/mine'],
  ['behind what it lists', { also: 'orders-db-legacy' }, 'also=orders-db-legacy,eu-vault/mine'],
  [
    'into the tag "policy" that lists others',
    { policy: 'overlap=PT1H; also=x' },
    "'policy=overlap=PT1H; also=eu-vault/mine,x'",
  ],
  [
    'into the tag "policy" where there is no room for another tag',
    { policy: 'overlap=PT1H', ...Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`t${at}`, 'x'])) },
    "'policy=overlap=PT1H; also=eu-vault/mine'",
  ],
])('the line for a source puts the copy %s, and pasted it makes the link stand', async (_where, tags, expected) => {
  const world = makeWorld('alternating-users', tags);
  const { vault, otherVault, secret } = world;
  otherVault.put('mine', { ...victim, tags: { 'copy-of': 'contoso-kv/orders-db' } });
  const hint = failureOf(await ask(world, 'mine', {}, 'eu-vault'))?.hint ?? '';
  expect(hint).toContain(expected);
  const pasted = [...hint.slice(hint.indexOf('--tags ') + 7).matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain,
  );
  vault.newest(secret).tags = Object.fromEntries(
    pasted.map((text = '') => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
  expect(await ask(world, 'mine', {}, 'eu-vault')).toMatchObject({ kind: 'skipped', reason: 'copy' });
});
