/** What the simulator found in the engine with other writers about, each as the shortest story that shows it. */
import { expect, test } from 'vitest';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { RotationRequest } from '../../shared/engine/policy/request.ts';
import { readStamp } from '../../shared/engine/policy/stamp.ts';
import { rotate } from '../../shared/engine/rotation/rotate.ts';
import { failure } from '../../shared/errors.ts';
import { copiedWorld, heldBy } from './copied-world.ts';
import type { World } from './world.ts';

const id = (letter: string): string => letter.repeat(32);

function ask(world: World, mode: RotationRequest['mode'], letter: string) {
  const { vault, secret } = world;
  vault.now = new Date(vault.now.getTime() + 60_000);
  return rotate(world.deps(), { vault: vault.name, secret, mode, rotationId: id(letter), requestedBy: 'ann' });
}

async function throttled(secret: string) {
  return failure('vault-throttled', { secret, vault: 'eu-vault', detail: 'HTTP 429' });
}

test('a version without a credential in between does not keep a derived secret from being renewed', async () => {
  const world = copiedWorld('issue-revoke');
  const { vault, secret } = world;
  const derived = { vault, name: 'orders-connection' };
  const write = vault.write.bind(vault);
  vault.write = (name, version) => (name === derived.name ? throttled(name) : write(name, version));
  expect(await ask(world, 'asked', '1')).toMatchObject({ failure: { code: 'copy-behind' } });
  vault.write = write;
  vault.put(secret, { ...vault.newest(secret), value: new SecretText('LOG=1'), contentType: 'text/plain' });
  expect(await ask(world, 'repair', '2')).toMatchObject({ kind: 'rotated' });
  expect(heldBy(derived)).toBe(world.current().password.reveal());
});

test('a version that somebody writes with all tags at the end of an emergency is brought to no copy without a proof', async () => {
  const world = copiedWorld('dual-password');
  const { vault, secret, otherVault } = world;
  const wrong = new SecretText('{"username":"app","host":"db.contoso.test","password":"wrong"}');
  const change = vault.change.bind(vault);
  const write = otherVault.write.bind(otherVault);
  let written = false;
  otherVault.write = (name, version) => (written ? write(name, version) : throttled(name));
  vault.change = async (name, version, what) => {
    const outcome = await change(name, version, what);
    // The mark that the old credential is dead: nothing comes after it but the copies.
    if (readStamp(what.tags ?? {})?.retired !== true || written) return outcome;
    written = true;
    vault.put(secret, { ...vault.newest(secret), value: wrong });
    return outcome;
  };
  const held = () => heldBy({ vault: otherVault, name: 'orders-db' });
  await ask(world, 'emergency', 'e');
  expect(written).toBe(true);
  expect(held()).not.toBe('wrong');
});

test('copies that are due hold no repair of a version that holds no credential, or one that does not log in', async () => {
  for (const value of ['LOG=1', '{"username":"app","host":"db.contoso.test","password":"wrong"}']) {
    const world = copiedWorld('dual-password');
    const { vault, secret, otherVault } = world;
    otherVault.write = throttled;
    expect(await ask(world, 'asked', '1')).toMatchObject({ failure: { code: 'copy-behind' } });
    const good = world.current().password.reveal();
    vault.put(secret, { ...vault.newest(secret), value: new SecretText(value) });
    await ask(world, 'repair', '2');
    expect(world.current().password.reveal(), value).toBe(good);
  }
});
