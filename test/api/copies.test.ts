/** What people see of copies over HTTP: the copy names its source, the source its copies, and nothing is rotated by asking for a copy. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apiKeySetting } from '../../local/api-keys.ts';
import { type Backend, callers, keyOf, problemCode, startBackend, textOf } from './backend.ts';

let backend: Backend;
const place = '/vaults/eu-vault/secrets/shop-copy';

beforeAll(async () => {
  const hash = createHash('sha256').update(keyOf('eu-only')).digest('hex');
  const settings = { KEYTURN_API_KEYS: `${apiKeySetting(callers)},eu-only:operator@eu-vault/*:${hash}` };
  backend = await startBackend(settings, { secondVault: 'eu-vault' });
  const { stage } = backend;
  const eu = stage.azure.secondVault;
  const tags = { also: 'eu-vault/shop-copy,shop-missing', 'owned-by': 'the-shop-team' };
  const { url } = await stage.plant('shop', { days: 80, tags });
  for (const name of ['shop-copy', 'not-listed'])
    eu?.put(name, {
      value: url,
      contentType: 'text/plain',
      tags: { 'copy-of': 'local/shop', consumers: 'orders-app' },
    });
});
afterAll(() => backend?.close());

const ask = (path: string, as: 'reader' | 'operator' = 'reader') => backend.call('GET', path, { as });
const rotate = (path: string, headers = {}) =>
  backend.call('POST', `${path}/rotate`, { as: 'operator', body: { reason: 'try' }, headers });

it('a list shows a copy as one, with its source; the source shows its copies', async () => {
  const copies = await ask('/secrets?vault=eu-vault&state=copy');
  expect(copies.body).toMatchObject({
    secrets: [
      { secret: 'shop-copy', source: { vault: 'local', secret: 'shop', derived: false } },
      { secret: 'not-listed' },
    ],
  });
  expect((await ask('/vaults/local/secrets/shop')).body).toMatchObject({
    copies: ['eu-vault/shop-copy', 'local/shop-missing'],
  });
});

it('one that its source does not list is shown as invalid, with the line to paste', async () => {
  const shown = await ask('/vaults/eu-vault/secrets/not-listed');
  expect(shown.body).toMatchObject({ state: 'invalid' });
  expect(textOf(shown, 'detail')).toContain('one side only');
  expect((await ask(place)).body).toMatchObject({ state: 'copy' });
});

it('the plan of the source has a check for each copy, and fails where one is missing', async () => {
  const { body } = await ask('/vaults/local/secrets/shop/plan');
  expect(body).toMatchObject({ outcome: 'would-fail' });
  expect(body).toMatchObject({
    checks: expect.arrayContaining([
      expect.objectContaining({ name: 'eu-vault/shop-copy', state: 'passed' }),
      expect.objectContaining({
        name: 'local/shop-missing',
        state: 'failed',
        fix: expect.stringContaining('copy-of=shop'),
      }),
    ]),
  });
});

it('whoever asks to rotate or plan a copy is told which secret to ask for, and nothing is made', async () => {
  for (const called of [await rotate(place), await ask(`${place}/plan`)]) {
    expect(called.status).toBe(409);
    expect(called.body).toMatchObject({ code: 'not-now', reason: 'copy' });
    expect(textOf(called, 'detail')).toContain('ask for local/shop');
  }
  expect(problemCode(await rotate('/vaults/eu-vault/secrets/not-listed'))).toBe('copy-link');
  expect(backend.stage.azure.secondVault?.versions('shop-copy')).toHaveLength(1);
});

it('a role that is bounded to the copies sees nothing of a source beyond its bounds', async () => {
  const headers = { 'x-keyturn-key': keyOf('eu-only') };
  const looks = [
    await backend.call('GET', '/vaults/eu-vault/secrets/not-listed', { headers }),
    await backend.call('GET', '/vaults/eu-vault/secrets/not-listed/plan', { headers }),
    await rotate('/vaults/eu-vault/secrets/not-listed', headers),
  ];
  for (const { status, text } of looks) {
    expect([200, 409]).toContain(status);
    expect(text).not.toContain('the-shop-team');
  }
});

it('a consumer of a copy acknowledges the version of the copy', async () => {
  const version = backend.stage.azure.secondVault?.versions('shop-copy').at(-1)?.id ?? '';
  const called = await backend.call('POST', `${place}/versions/${version}/acknowledgements`, {
    as: 'orders-app',
    body: {},
  });
  expect(called.status).toBeLessThan(300);
  expect((await ask(place)).body).toMatchObject({ acknowledgements: { complete: true } });
});
