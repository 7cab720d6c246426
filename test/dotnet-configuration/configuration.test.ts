/** What docs/dotnet.md says, by a .NET program with the code of the page and Microsoft's own vault client. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Clock, createClock, startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { pendingNameOf } from '../../shared/engine/policy/identifiers.ts';
import { type Reader, startReader } from './run.ts';

const secret = 'ConnectionStrings--Orders';
const key = 'ConnectionStrings:Orders';
const candidate = pendingNameOf(secret);

/** Time stands still until it is moved. */
let stoppedMs = Date.parse('2030-01-01T00:00:00Z');
const clock: Clock = {
  ...createClock(),
  now: () => new Date(stoppedMs),
  nowMs: () => stoppedMs,
  nowSeconds: () => Math.floor(stoppedMs / 1000),
};

let vault: VaultEmulator;
let folder: string;
let reader: Reader;
beforeAll(async () => {
  vault = await startVaultEmulator({ clock });
  vault.put(secret, { value: 'one' });
  vault.put(candidate, { value: 'not proven' });
  folder = await mkdtemp(join(tmpdir(), 'keyturn-dotnet-'));
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, vault.certificate);
  reader = await startReader(vault.httpsUrl, authority);
}, 180_000);
afterAll(async () => {
  await reader.close();
  await vault.close();
  await rm(folder, { recursive: true, force: true });
});

test('a program that loads the whole vault finds a candidate under a key of its own, and with the manager of the page not at all', async () => {
  const { whole, page } = await reader.read();
  expect(whole).toEqual({ ConnectionStrings: null, [key]: 'one', [candidate]: 'not proven' });
  expect(page).toEqual({ ConnectionStrings: null, [key]: 'one' });
});

test('of two changes within one second the program keeps the first, and sees one in the next second', async () => {
  stoppedMs += 1_000;
  vault.put(secret, { value: 'two' });
  expect((await reader.read()).page[key]).toBe('two');
  vault.put(secret, { value: 'lost' });
  expect((await reader.read()).page[key]).toBe('two');
  stoppedMs += 1_000;
  vault.put(secret, { value: 'three' });
  expect((await reader.read()).page[key]).toBe('three');
});
