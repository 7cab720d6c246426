/** What an open dashboard lives on: all secrets in one answer, listed once for everybody, and 304 while nothing has changed. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { authenticator } from '../../shared/api/auth/authenticate.ts';
import { overviewLine } from '../../shared/api/overview/overview.ts';
import { allRoutes } from '../../shared/api/routes.ts';
import { makeApi } from '../../shared/api/serve.ts';
import { apiKeys } from '../../shared/config/access.ts';
import type { SecretsPage, Vault } from '../../shared/contract/ports.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { hear } from '../fuzz/heard.ts';
import { inMemory } from '../fuzz/in-memory.ts';
import { keyOf } from './backend.ts';

const hashOf = (name: string) => createHash('sha256').update(keyOf(name)).digest('hex');

/** An app in memory whose vault counts how often it is listed. */
function looking() {
  const { app, world } = inMemory();
  let elapsed = 0;
  let listings = 0;
  let broken: Failure | undefined;
  const vault: Vault = {
    name: world.vault.name,
    read: (name, options) => world.vault.read(name, options),
    write: (name, version) => world.vault.write(name, version),
    change: (name, version, change) => world.vault.change(name, version, change),
    versions: (name) => world.vault.versions(name),
    async *list(): AsyncGenerator<SecretsPage | Failure> {
      listings += 1;
      if (broken === undefined) yield* world.vault.list();
      else yield broken;
    },
  };
  const engine = { ...app.engine, vaults: new Map([[vault.name, vault]]), elapsedMs: () => elapsed };
  const keys = apiKeys(`all:reader:${hashOf('all')},few:reader@*/no-such-*:${hashOf('few')}`);
  if (keys.kind !== 'read') throw new Error('the keys cannot be read');
  const access = { keys: keys.value, scopes: new Map(), consumers: new Map(), platformVouches: false };
  const api = makeApi(allRoutes({ ...app, engine }), authenticator(access, undefined));
  const ask = async (as: string | undefined = 'all', etag?: string) => {
    const headers: Record<string, string | undefined> = {
      'x-keyturn-key': as === undefined ? undefined : keyOf(as),
      'if-none-match': etag,
    };
    const answer = await api.handle(
      {
        method: 'GET',
        url: 'https://app.test/api/v1/overview',
        header: (name) => headers[name],
        body: async () => ({ kind: 'bytes', bytes: new Uint8Array() }),
      },
      hear().log,
    );
    let text = '';
    for await (const line of answer.lines ?? []) text += line;
    const lines = text.split('\n').filter((line) => line !== '');
    return { status: answer.status, text, lines: lines.map((line) => overviewLine.parse(JSON.parse(line))) };
  };
  return {
    ask,
    world,
    listings: () => listings,
    pass: (ms: number) => {
      elapsed += ms;
    },
    breakVault: () => {
      broken = failure('vault-unreachable', { secret: '', vault: vault.name, detail: 'down' });
    },
  };
}

type Lines = Awaited<ReturnType<ReturnType<typeof looking>['ask']>>['lines'];
const rowsOf = (lines: Lines) => lines.flatMap((line) => (line.kind === 'rows' ? line.rows : []));
const etagOf = (lines: Lines) => lines.flatMap((line) => (line.kind === 'end' ? line.etag : []))[0];

test('a reader gets every secret with its state, since when, and no value, and the end says its tag', async () => {
  const { ask, world } = looking();
  const { status, lines, text } = await ask();
  expect(status).toBe(200);
  expect(rowsOf(lines).find(({ secret }) => secret === world.secret)).toMatchObject({
    state: 'due',
    since: expect.stringMatching(/^20\d\d-/),
  });
  expect(lines.at(-1)).toMatchObject({ kind: 'end', warnings: [] });
  const read = await world.vault.read(world.secret, {});
  if (read.kind !== 'found') throw new Error('the secret is gone');
  expect(text).not.toContain(read.secret.value.reveal());
});

test('whoever asks again with the tag gets 304 while nothing has changed, and the vault is not listed for it', async () => {
  const { ask, listings, pass } = looking();
  const etag = etagOf((await ask()).lines);
  pass(9_000);
  expect(await ask('all', etag)).toMatchObject({ status: 304, text: '' });
  expect(listings()).toBe(1);
});

test('a listing is believed for 10 s, and what changed in the vault is seen after it', async () => {
  const { ask, listings, pass, world } = looking();
  const etag = etagOf((await ask()).lines);
  world.vault.put('another', { value: new SecretText('value-of-another'), tags: {} });
  expect((await ask('all', etag)).status).toBe(304);
  pass(10_001);
  const { status, lines } = await ask('all', etag);
  expect(status).toBe(200);
  expect(rowsOf(lines).map(({ secret }) => secret)).toContain('another');
  expect(listings()).toBe(2);
});

test('several who ask at the same moment are answered from one listing', async () => {
  const { ask, listings } = looking();
  const all = await Promise.all([ask(), ask(), ask()]);
  expect(new Set(all.map(({ lines }) => etagOf(lines))).size).toBe(1);
  expect(listings()).toBe(1);
});

test('a vault that cannot be listed is named with the next step, and is asked again at once', async () => {
  const { ask, breakVault, listings } = looking();
  breakVault();
  const { lines } = await ask();
  expect(lines.find(({ kind }) => kind === 'vault-failed')).toMatchObject({ code: 'vault-unreachable' });
  await ask();
  expect(listings()).toBe(2);
});

test('a reader with bounds sees nothing beyond them, and whoever is not known gets nothing at all', async () => {
  const { ask } = looking();
  const { lines, status } = await ask('few');
  expect(status).toBe(200);
  expect(rowsOf(lines)).toEqual([]);
  expect(await ask('stranger')).toMatchObject({ status: 401, text: '' });
});
