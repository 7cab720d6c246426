import { describe, expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { strategies } from '../../shared/contract/strategy.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { isRetirementOpen, readStamp } from '../../shared/engine/policy/stamp.ts';
import type { RetirementRequest } from '../../shared/engine/retirement/request.ts';
import { retire } from '../../shared/engine/retirement/retire.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { judge } from '../../shared/engine/sweep/judge.ts';
import { failure } from '../../shared/errors.ts';
import { copiedWorld, copiesOf, expectCopied, heldBy } from './copied-world.ts';
import { Crash, dayMs, type MemoryVault, type World } from './world.ts';

const id = (letter: string): string => letter.repeat(32);

function ask(world: World, mode: RotationRequest['mode'] = 'scheduled', more: Partial<RotationRequest> = {}) {
  const { vault, secret } = world;
  return rotate(world.deps(), { vault: vault.name, secret, mode, requestedBy: 'sweep', ...more });
}

function end(world: World, mode: RetirementRequest['mode'] = 'scheduled') {
  const { vault, secret } = world;
  const { rotationId = '' } = readStamp(vault.newest(secret).tags) ?? {};
  return retire(world.deps(), { vault: vault.name, secret, rotationId, mode, requestedBy: 'overlap' });
}

function pass(world: World, ms: number): void {
  world.vault.now = new Date(world.vault.now.getTime() + ms);
  world.leases.expire();
}

/** What the vault answers to whoever writes to it: throttled, read-only after a fail-over, forbidden. */
const answers = {
  throttled: failure('vault-throttled', { secret: 'orders-db', vault: 'eu-vault', detail: 'HTTP 429' }),
  'read-only': failure('vault-forbidden', { secret: 'orders-db', vault: 'eu-vault', detail: 'HTTP 403 read-only' }),
  'not to be reached': failure('vault-unreachable', { secret: 'orders-db', vault: 'eu-vault', detail: 'ECONNRESET' }),
};

/** Takes no writes until the function that is given back is called. */
function closed(vault: MemoryVault, answer: keyof typeof answers = 'throttled'): () => void {
  const write = vault.write.bind(vault);
  vault.write = async () => answers[answer];
  return () => {
    vault.write = write;
  };
}

const oldLives = (world: World): boolean =>
  [...world.target.logins.values()].some((passwords) => passwords.has(world.firstPassword));

test.each(strategies)(
  '%s: a rotation publishes to every copy and derived secret, each edited byte for byte',
  async (strategy) => {
    const world = copiedWorld(strategy);
    expect(await ask(world)).toMatchObject({ kind: 'rotated' });
    expectCopied(world, 2);
  },
);

test('consumers of the source and of each copy are told of their own version, once', async () => {
  const world = copiedWorld('alternating-users');
  world.otherVault.newest('orders-db').tags = { 'copy-of': 'contoso-kv/orders-db', consumers: 'eu-shop', notify: 'eu' };
  await ask(world);
  await ask(world, 'scheduled', { version: world.firstVersion });
  const told = world.published.filter(({ published }) => published.vault === 'eu-vault');
  expect(new Set(told.map(({ published }) => published.to)).size).toBe(1);
  expect(told[0]?.published).toMatchObject({ consumers: ['eu-shop'], notify: ['eu'], isCopy: true });
  expect(told[0]?.published.retireBy).toBeUndefined();
});

test('self-issued: the end of the old key publishes once more to each copy, and is marked there as it is on the source', async () => {
  const world = copiedWorld('self-issued');
  await ask(world);
  const copies = () => copiesOf(world).slice(0, 2);
  const marks = () => copies().map(({ vault, name }) => readStamp(vault.newest(name).tags)?.retired);
  expect(marks()).toEqual([undefined, undefined]);
  pass(world, 2 * dayMs);
  expect(await end(world)).toMatchObject({ kind: 'retired' });
  expectCopied(world, 3, 2);
  expect(marks()).toEqual([true, true]);
});

test('a copy in another format is edited byte for byte, and one without a place for the credential stops everything', async () => {
  const world = copiedWorld('alternating-users', { also: 'eu-vault/orders-net?format=ado-net' });
  const text = (user: string, password: string): string =>
    `Server=eu.contoso.test ; User Id=${user};Password=${password}; Encrypt = true`;
  const tags = { 'copy-of': 'contoso-kv/orders-db' };
  world.otherVault.put('orders-net', { value: new SecretText(text('app', 'old')), tags });
  expect(await ask(world)).toMatchObject({ kind: 'rotated' });
  const { username = '', password } = world.current();
  expect(world.otherVault.newest('orders-net').value.reveal()).toBe(text(username, password.reveal()));

  const unfit = copiedWorld('alternating-users', { also: 'eu-vault/orders-net?format=ado-net' });
  unfit.otherVault.put('orders-net', { value: new SecretText('# to be filled\n'), tags });
  expect(await ask(unfit)).toMatchObject({ kind: 'failed', failure: { code: 'copy-unfit', class: 'config' } });
  expect(unfit.target.touched).toEqual([]);
  expect(unfit.otherVault.newest('orders-net').value.reveal()).toBe('# to be filled\n');
});

test('a copy that is written otherwise than its source is not overwritten, and the entry to write is named', async () => {
  const world = copiedWorld('alternating-users', { also: 'orders-db-legacy' });
  const value = new SecretText('postgres://app:old@db.contoso.test/orders');
  world.vault.put('orders-db-legacy', { value, tags: { 'copy-of': 'orders-db' } });
  const result = await ask(world);
  expect(result).toMatchObject({ kind: 'failed', failure: { code: 'copy-unfit' } });
  expect(result.kind === 'failed' && result.failure.message).toContain('?format=uri');
  expect(world.vault.newest('orders-db-legacy').value).toBe(value);
  expect(world.target.touched).toEqual([]);
});

test('a derived secret that holds the key of somebody else is left as it is, and nothing is touched', async () => {
  const world = copiedWorld('dual-key');
  const text = 'Endpoint=sb://x.contoso.test/;SharedAccessKeyName=root;SharedAccessKey=c29tZWJvZHkgZWxzZQ==';
  world.vault.newest('orders-connection').tags = {};
  world.vault.put('orders-connection', { value: new SecretText(text), tags: { 'derived-from': 'orders-db' } });
  expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'copy-unfit' } });
  expect(world.vault.newest('orders-connection').value.reveal()).toBe(text);
  expect(world.target.touched).toEqual([]);
});

describe('a derived secret that holds a key of the source from before the last rotation', () => {
  /** Its link is back after two emergencies; the versions of the source, oldest first. */
  async function linkedAgain() {
    const world = copiedWorld('dual-key', { also: 'orders-connection' });
    const link = world.vault.newest('orders-connection');
    const { tags } = link;
    link.tags = {};
    for (const letter of ['1', '2']) {
      pass(world, 60_000);
      await ask(world, 'emergency', { rotationId: id(letter) });
    }
    pass(world, 60_000);
    link.tags = tags;
    const [first, second, third, ...more] = world.vault.secrets.get(world.secret) ?? [];
    if (first === undefined || second === undefined || third === undefined) throw new Error('three versions are made');
    expect(more).toEqual([]);
    expect([first.enabled, second.enabled]).toEqual([false, false]);
    return { world, first, second, link };
  }

  test('gets the key that is published now, and the disabled versions that were read for it are disabled again', async () => {
    const { world, first, second } = await linkedAgain();
    await ask(world, 'resume');
    expect(heldBy({ vault: world.vault, name: 'orders-connection' })).toBe(world.current().password.reveal());
    expect([first.enabled, second.enabled]).toEqual([false, false]);
  });

  test('gets it although a version in between holds no credential', async () => {
    const { world, second } = await linkedAgain();
    Object.assign(second, { value: new SecretText('see the wiki') });
    await ask(world, 'resume');
    expect(heldBy({ vault: world.vault, name: 'orders-connection' })).toBe(world.current().password.reveal());
  });

  test('is left as it is where the version that held its key holds no credential any more, and that version is named', async () => {
    const { world, first, link } = await linkedAgain();
    Object.assign(first, { value: new SecretText('see the wiki') });
    const result = await ask(world, 'resume');
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'copy-unfit' } });
    expect(result.kind === 'failed' && result.failure.message).toContain(first.version);
    expect(world.vault.newest('orders-connection')).toBe(link);
    expect(first.enabled).toBe(false);
  });

  test.each(Object.values(answers))(
    'is left as it is where the vault answers $code for an earlier version, and the failure says so',
    async (answer) => {
      const { world, second, link } = await linkedAgain();
      const change = world.vault.change.bind(world.vault);
      world.vault.change = async (name, version, what) =>
        version === second.version ? answer : change(name, version, what);
      expect(await ask(world, 'resume')).toMatchObject({ kind: 'failed', failure: { code: answer.code } });
      expect(world.vault.newest('orders-connection')).toBe(link);
      Object.assign(world.vault, { change });
      await ask(world, 'resume');
      expect(heldBy({ vault: world.vault, name: 'orders-connection' })).toBe(world.current().password.reveal());
    },
  );

  test('a worker that dies while it looks leaves no old version open for good', async () => {
    const { world, second } = await linkedAgain();
    const { read } = world.vault;
    world.vault.read = async (name, options) => {
      if (second.enabled && options.version === second.version) throw new Crash();
      return read.call(world.vault, name, options);
    };
    await expect(ask(world, 'resume')).rejects.toThrow(Crash);
    expect(second.enabled, 'while the worker is dead').toBe(true);
    Object.assign(world.vault, { read });
    pass(world, 60_000);
    await ask(world, 'resume');
    expect(second.enabled).toBe(false);
  });
});

describe.each(['throttled', 'read-only', 'not to be reached'] as const)('a copy whose vault is %s', (why) => {
  test('is named and tried again, while the source is published and the other copies are written', async () => {
    const world = copiedWorld('alternating-users');
    const open = closed(world.otherVault, why);
    const request = { version: world.firstVersion };
    const result = await ask(world, 'scheduled', request);
    expect(result).toMatchObject({ kind: 'failed', failure: { code: 'copy-behind', class: 'retry' } });
    expect(result.kind === 'failed' && result.failure.message).toContain('eu-vault/orders-db');
    expect(result.kind === 'failed' && result.published?.to).toBe(world.vault.newest(world.secret).version);
    expect(world.published.some(({ published }) => published.secret === world.secret && published.unfinished)).toBe(
      true,
    );
    expect(world.vault.count('orders-db-legacy')).toBe(2);
    expect(world.otherVault.count('orders-db')).toBe(1);
    pass(world, 60_000);
    open();
    expect(await ask(world, 'scheduled', request)).toMatchObject({ kind: 'rotated', found: 'finished' });
    expectCopied(world, 2);
  });

  test('keeps the old credential alive past its deadline, and it ends when the copy is current', async () => {
    const world = copiedWorld('alternating-users');
    const open = closed(world.otherVault, why);
    await ask(world);
    pass(world, 2 * dayMs);
    expect(await end(world)).toMatchObject({ kind: 'failed', failure: { code: 'copy-behind', class: 'retry' } });
    expect(await end(world, 'asked')).toMatchObject({ kind: 'failed', failure: { code: 'copy-behind' } });
    expect(oldLives(world), 'what the copy holds logs in').toBe(true);
    pass(world, 60_000);
    open();
    expect(await end(world)).toMatchObject({ kind: 'retired', evidence: 'deadline' });
    expectCopied(world, 2);
    expect(oldLives(world)).toBe(false);
  });

  test('holds the next scheduled rotation, which would take away what it holds', async () => {
    const world = copiedWorld('alternating-users');
    closed(world.otherVault, why);
    await ask(world);
    pass(world, 65 * dayMs);
    expect(await ask(world)).toMatchObject({ kind: 'failed', failure: { code: 'copy-behind' } });
    expect(world.vault.count(world.secret)).toBe(2);
    expect(oldLives(world)).toBe(true);
  });

  test('is no obstacle to an emergency: what leaked dies, and the copy is brought up to date afterwards', async () => {
    const world = copiedWorld('alternating-users');
    const open = closed(world.otherVault, why);
    const request = { rotationId: id('e') };
    expect(await ask(world, 'emergency', request)).toMatchObject({ kind: 'failed', failure: { code: 'copy-behind' } });
    expect(oldLives(world), 'the leaked credential').toBe(false);
    expect(isRetirementOpen(readStamp(world.vault.newest(world.secret).tags))).toBe(false);
    pass(world, 60_000);
    open();
    expect(await ask(world, 'emergency', request)).toMatchObject({ kind: 'rotated' });
    expectCopied(world, 2);
  });
});

test('every message is lost after a crash between two copies: the sweep finds it from the vault alone, and a resume finishes it', async () => {
  const world = copiedWorld('alternating-users');
  const open = closed(world.otherVault);
  await ask(world);
  open();
  pass(world, 60_000);
  const look = () => judge(world.deps(), { name: world.secret, ...world.vault.newest(world.secret) }, world.vault.now);
  expect(look()).toEqual({ kind: 'copies-due' });
  await ask(world, 'resume');
  expectCopied(world, 2);
  expect(look()).toEqual({ kind: 'healthy' });
});

test('a lost answer to the write of a copy makes no second version', async () => {
  const world = copiedWorld('alternating-users');
  world.otherVault.loseWrites = 1;
  expect(await ask(world)).toMatchObject({ kind: 'rotated' });
  expectCopied(world, 2);
});

test('a consumer of a copy that has not acknowledged keeps the old credential alive until the deadline', async () => {
  const world = copiedWorld('alternating-users');
  world.otherVault.newest('orders-db').tags = { 'copy-of': 'contoso-kv/orders-db', consumers: 'eu-shop' };
  await ask(world);
  pass(world, 3_600_000);
  expect(await end(world)).toMatchObject({
    kind: 'waiting',
    holding: { consumers: ['eu-shop of eu-vault/orders-db'] },
  });
  world.acknowledged.add('eu-shop');
  expect(await end(world)).toMatchObject({ kind: 'retired', evidence: 'free' });
  expect(oldLives(world)).toBe(false);
});

test('a roll-back carries the copies along', async () => {
  const world = copiedWorld('alternating-users');
  await ask(world);
  pass(world, 60_000);
  expect(await ask(world, 'roll-back', { rotationId: id('b') })).toMatchObject({ kind: 'rotated' });
  expect(world.current().password.reveal()).toBe(world.firstPassword);
  expectCopied(world, 3);
});

test('somebody writes the old value to a copy again: it is named, not overwritten, and the old credential lives until a person rotates', async () => {
  const world = copiedWorld('alternating-users');
  const { otherVault } = world;
  const { value, tags } = otherVault.newest('orders-db');
  await ask(world);
  pass(world, 60_000);
  otherVault.put('orders-db', { value, tags });
  pass(world, 2 * dayMs);
  const held = await end(world);
  expect(held).toMatchObject({ kind: 'failed', failure: { code: 'copy-overwritten', class: 'blocked' } });
  expect(held.kind === 'failed' && held.failure.message).toContain(otherVault.newest('orders-db').version);
  expect(otherVault.count('orders-db')).toBe(3);
  expect(oldLives(world)).toBe(true);
  pass(world, 60_000);
  expect(await ask(world, 'asked', { rotationId: id('2') })).toMatchObject({ kind: 'rotated' });
  for (const copy of copiesOf(world)) expect(heldBy(copy)).toBe(world.current().password.reveal());
});

test('a person carries the tags of a version over to a value of their own that does not log in: no copy gets it', async () => {
  const world = copiedWorld('alternating-users');
  const open = closed(world.otherVault);
  await ask(world);
  open();
  const { tags, value } = world.vault.newest(world.secret);
  const dead = value.reveal().replace(world.current().password.reveal(), 'not-the-password-of-anybody');
  pass(world, 60_000);
  world.vault.put(world.secret, { value: new SecretText(dead), tags, contentType: 'application/json' });
  const before = copiesOf(world).map(heldBy);
  expect(await ask(world, 'resume')).toMatchObject({ kind: 'failed' });
  expect(copiesOf(world).map(heldBy)).toEqual(before);
});

test('no failure of a copy shows a value', async () => {
  const world = copiedWorld('alternating-users');
  world.vault.put('orders-connection', {
    value: new SecretText('AccountKey=;;broken,canary-7f'),
    tags: { 'derived-from': 'orders-db' },
  });
  const result = await ask(world);
  expect(result).toMatchObject({ kind: 'failed', failure: { code: 'copy-unfit' } });
  expect(JSON.stringify(result)).not.toContain('canary-7f');
  expect(JSON.stringify(result)).not.toContain(world.firstPassword);
});
