/** A world whose secret has a copy in another vault, one in its own, and a derived secret. */
import { expect } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Strategy } from '../../shared/contract/strategy.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { credentialIn, type MemoryVault, makeWorld, type World } from './world.ts';

export const also = 'eu-vault/orders-db, orders-db-legacy, orders-connection';

const connection = (key: string): string =>
  `Endpoint=sb://orders.contoso.test/;SharedAccessKeyName=root;SharedAccessKey=${key};EntityPath=orders`;

/** What its copies hold besides the credential stays as it is. */
export function copiedWorld(strategy: Strategy, tags: Readonly<Record<string, string>> = {}): World {
  const world = makeWorld(strategy, { also, ...tags });
  const { vault, otherVault, firstPassword } = world;
  const { value, contentType = '' } = vault.newest(world.secret);
  const { now } = vault;
  vault.now = new Date(now.getTime() - 60_000);
  const text = value.reveal();
  otherVault.put('orders-db', { value, contentType, tags: { 'copy-of': 'contoso-kv/orders-db', region: 'eu' } });
  const spaced = new SecretText(text.replace('{', '{ "kept": [1,  2], '));
  vault.put('orders-db-legacy', { value: spaced, contentType, tags: { 'copy-of': 'orders-db' } });
  const derived = new SecretText(connection(firstPassword));
  vault.put('orders-connection', { value: derived, tags: { 'derived-from': 'orders-db' } });
  vault.now = now;
  return world;
}

/** Which secrets are read, written or changed with their values, as `read eu-vault/orders-db`. Listings show no value. */
export function watchValues({ vault, otherVault }: World): string[] {
  const seen: string[] = [];
  for (const each of [vault, otherVault]) {
    const { read, write, change } = {
      read: each.read.bind(each),
      write: each.write.bind(each),
      change: each.change.bind(each),
    };
    each.read = (name, options) => {
      seen.push(`read ${each.name}/${name}`);
      return read(name, options);
    };
    each.write = (name, version) => {
      seen.push(`write ${each.name}/${name}`);
      return write(name, version);
    };
    each.change = (name, version, what) => {
      seen.push(`change ${each.name}/${name}`);
      return change(name, version, what);
    };
  }
  return seen;
}

export interface At {
  readonly vault: MemoryVault;
  readonly name: string;
}

export function copiesOf({ vault, otherVault }: World): readonly At[] {
  return [
    { vault: otherVault, name: 'orders-db' },
    { vault, name: 'orders-db-legacy' },
    { vault, name: 'orders-connection' },
  ];
}

/** The password that a copy holds. */
export function heldBy({ vault, name }: At): string {
  const text = vault.newest(name).value.reveal();
  return text.startsWith('{')
    ? credentialIn(vault.newest(name).value).password.reveal()
    : (/SharedAccessKey=([^;]*)/.exec(text)?.[1] ?? '');
}

/** Every copy holds what the source holds, in a version made for the same rotation, and nothing else of it has changed. */
export function expectCopied(world: World, versions: number, derived = versions): void {
  const { vault, secret, otherVault } = world;
  const stamp = readStamp(vault.newest(secret).tags);
  expect(stamp?.copiesDue, 'copies are due').toBeUndefined();
  for (const copy of copiesOf(world)) {
    const { name } = copy;
    expect(heldBy(copy), `the credential of ${copy.name}`).toBe(world.current().password.reveal());
    const count = name === 'orders-connection' ? derived : versions;
    expect(copy.vault.count(name), `versions of ${name}`).toBe(count);
    expect(readStamp(copy.vault.newest(copy.name).tags)?.rotationId).toBe(stamp?.rotationId);
  }
  expect(otherVault.newest('orders-db').value.reveal()).toBe(vault.newest(secret).value.reveal());
  const { tags, expiresAt, contentType } = otherVault.newest('orders-db');
  expect(tags['region']).toBe('eu');
  expect(expiresAt, 'the expiry is that of the source').toEqual(vault.newest(secret).expiresAt);
  expect(contentType).toBe('application/json');
  const [legacy, own] = [vault.newest('orders-db-legacy').value.reveal(), vault.newest(secret).value.reveal()];
  expect(legacy).toContain('{ "kept": [1,  2], ');
  // A part that is added is written as the copy itself is.
  const isAdded = own.includes('"previous"');
  if (isAdded) expect(JSON.parse(legacy)).toEqual({ kept: [1, 2], ...JSON.parse(own) });
  else expect(legacy).toBe(own.replace('{', '{ "kept": [1,  2], '));
  expect(vault.newest('orders-connection').value.reveal()).toBe(connection(world.current().password.reveal()));
}
