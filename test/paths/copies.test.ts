/** A credential in two vaults, on the wire: with a second vault that takes no writes, a storage account that is lost, and consumers of both. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VaultEmulator } from '../../local/vault/index.ts';
import { logsIn } from './logs-in.ts';
import { type Planted, type Stage, startStage } from './stage.ts';

let stage: Stage;
let eu: VaultEmulator;
beforeAll(async () => {
  stage = await startStage({ secondVault: 'eu-vault' });
  const { secondVault } = stage.azure;
  if (secondVault === undefined) throw new Error('these tests need the second vault');
  eu = secondVault;
});
afterAll(() => stage.close());

/** A secret with a copy in the other vault, stored before the secret falls due. */
async function plantWithCopy(name: string, tags: Readonly<Record<string, string>>): Promise<Planted> {
  return stage.plant(name, {
    strategy: 'alternating-users',
    tags: { also: `eu-vault/${name}`, ...tags },
    value: (url) => {
      eu.put(name, {
        value: `${url}?sslmode=disable`,
        contentType: 'text/plain',
        tags: { 'copy-of': `local/${name}` },
      });
      return url;
    },
  });
}

const copyOf = (name: string): string => eu.versions(name).at(-1)?.value ?? '';

test('a copy in another vault logs in after the rotation, keeps what is its own, and its old version ends with the old credential', async () => {
  const { name, url } = await plantWithCopy('copies-shop', { overlap: 'PT1S' });
  await stage.said('retired', name);
  await stage.settled();
  const copied = copyOf(name);
  expect(copied).toBe(`${stage.newest(name).value}?sslmode=disable`);
  expect(await logsIn(copied)).toBe(true);
  expect(await logsIn(url)).toBe(false);
  expect(eu.versions(name).map(({ enabled }) => enabled)).toEqual([false, true]);
  stage.expectNoSecretAnywhere();
});

test('the copy cannot be written: the old credential outlives its deadline until the copy is current', async () => {
  const rule = eu.faults.add({
    match: { operation: 'set' },
    effect: { kind: 'status', status: 403, code: 'Forbidden', message: 'the vault is in read-only mode' },
  });
  const { name, url } = await plantWithCopy('copies-read-only', { overlap: 'PT1S' });
  const [line] = await stage.said('rotation-delayed', name);
  expect(line).toMatchObject({ code: 'copy-behind' });
  expect(line?.['detail']).toContain('eu-vault/copies-read-only');
  const [held] = await stage.said('retirement-delayed', name);
  expect(held).toMatchObject({ code: 'copy-behind' });
  expect(await logsIn(url), 'what the copy still holds').toBe(true);
  expect(copyOf(name)).toBe(`${url}?sslmode=disable`);
  rule.remove();
  await stage.said('retired', name);
  expect(copyOf(name)).toBe(`${stage.newest(name).value}?sslmode=disable`);
  expect(await logsIn(url)).toBe(false);
});
