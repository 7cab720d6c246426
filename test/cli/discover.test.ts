/** `keyturn discover` against vault emulators, and a stand-in for Resource Manager and Graph. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Estate, resourceIdOf, startEstate } from '../../local/estate.ts';
import { startVaultEmulator, type VaultEmulator } from '../../local/vault/index.ts';
import { findSecrets } from '../canary.ts';
import { keyturn } from './harness.ts';

const token = 'token-of-the-signed-in-person';
const canary = 'canaryvalue5f3a9c01d2e4b6a8';
const storage = { name: 'shopstorage', type: 'Microsoft.Storage/storageAccounts' };
const unheld = { name: 'forgotten', type: 'Microsoft.ServiceBus/namespaces' };
const appId = '11111111-aaaa-bbbb-cccc-000000000001';

let vaults: readonly VaultEmulator[];
let estate: Estate;
let tools: string;

const day = 86_400;
const soon = () => Math.floor(Date.now() / 1000) + 5 * day;
const far = () => Math.floor(Date.now() / 1000) + 200 * day;

beforeAll(async () => {
  vaults = await Promise.all(['shop', 'closed'].map((name) => startVaultEmulator({ name })));
  const [shop, closed] = vaults;
  if (shop === undefined || closed === undefined) throw new Error('two vaults');
  shop.put('orders-db', { value: `postgres://orders:${canary}@db.test/orders`, expiresSeconds: soon() });
  shop.put('orders-copy', { value: `postgres://orders:${canary}@db.test/orders`, expiresSeconds: far() });
  shop.put('bus', { value: `AccountName=${storage.name};AccountKey=${canary}`, expiresSeconds: far() });
  shop.put('billing-db', { value: canary, tags: { Rotator: 'postgres' }, expiresSeconds: far() });
  shop.put('settings', { value: `MODE=fast\nTOKEN=${canary}\n`, expiresSeconds: far() });
  shop.put('managed', { value: canary, tags: { rotator: 'manual', owner: 'ops' } });
  shop.shelf.keys.push({ name: 'sign', expiresSeconds: soon(), rotates: true }, { name: 'wrap' });
  shop.shelf.certificates.push(
    { name: 'www', expiresSeconds: far(), issuer: 'DigiCert', action: 'AutoRenew' },
    { name: 'old', expiresSeconds: Math.floor(Date.now() / 1000) - day, issuer: 'Unknown', action: 'AutoRenew' },
  );
  closed.faults.add({ match: { operation: 'list' }, effect: { kind: 'status', status: 403 } });
  closed.shelf.closed = true;
  const applications = [
    {
      ...{ appId, displayName: 'shop <b>' },
      secrets: [{ keyId: 'k1', displayName: 'one', endsAt: new Date(Date.now() + 3 * day * 1000).toISOString() }],
    },
  ];
  // More entries than one page, so that the links are followed.
  const more = Array.from({ length: 12 }, (_, at) => ({ name: `site${at}`, type: 'Microsoft.Web/sites' }));
  estate = await startEstate({ vaults, applications, resources: [...more, storage, unheld] }, token);
  tools = await mkdtemp(join(tmpdir(), 'keyturn-discover-'));
  const said = JSON.stringify({
    accessToken: token,
    expires_on: 4_070_908_800,
    expiresOn: '2099-01-01 00:00:00.000000',
  });
  await writeFile(join(tools, 'az'), `#!/bin/sh\necho '${said}'\n`);
  await chmod(join(tools, 'az'), 0o755);
  vi.stubEnv('PATH', `${tools}:${process.env['PATH']}`);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([...vaults.map((vault) => vault.close()), estate.close(), rm(tools, { recursive: true })]);
});

const discover = (...words: readonly string[]) =>
  keyturn(['discover', ...words], {
    env: { AZURE_RESOURCE_MANAGER_URL: estate.url, AZURE_GRAPH_URL: estate.url },
  });

interface Found {
  readonly what: string;
  readonly name: string;
  readonly risks: readonly string[];
  readonly renewedBy: string;
  readonly rotator?: string;
  readonly notes: readonly string[];
}

async function found(...words: readonly string[]) {
  const outcome = await discover('--json', ...words);
  const all: {
    readonly findings: readonly Found[];
    readonly blind: readonly { readonly what: string; readonly fix?: string }[];
  } = JSON.parse(outcome.out);
  const named = (name: string) => all.findings.find((one) => one.name.includes(name));
  return { ...outcome, ...all, named };
}

describe('keyturn discover', () => {
  it('names every secret, key, certificate, application and resource with its end, who renews it, and its risks', async () => {
    const { named, findings } = await found();
    expect(named('orders-db')).toMatchObject({ risks: ['soon'], renewedBy: 'nobody' });
    expect(named('managed')).toMatchObject({ risks: ['no-expiry'], renewedBy: 'ops' });
    expect(named('sign')).toMatchObject({ what: 'key', renewedBy: 'its rotation policy' });
    expect(named('wrap')).toMatchObject({ what: 'key', renewedBy: 'nobody', risks: ['no-expiry'] });
    expect(named('www')).toMatchObject({ what: 'certificate', renewedBy: 'its policy (DigiCert)' });
    expect(named('old')).toMatchObject({ what: 'certificate', renewedBy: 'nobody', risks: ['expired'] });
    expect(named('shop <b>')).toMatchObject({ what: 'application', risks: ['soon', 'in-no-vault'] });
    expect(named('/forgotten')).toMatchObject({ what: 'resource', risks: ['in-no-vault'] });
    expect(named('site1')).toBeUndefined();
    expect(findings[0]).toMatchObject({ name: 'old' });
    expect(named('billing-db')?.notes.join()).toContain('did you mean "rotator"?');
  });

  it('reads no value unless asked; with --read it tells kinds and shared values, and no value is in anything that it writes', async () => {
    const before = vaults[0]?.calls.count('get') ?? 0;
    const unread = await found();
    expect(vaults[0]?.calls.count('get')).toBe(before);
    expect(unread.named(storage.name)).toMatchObject({ what: 'resource' });
    const page = join(tools, 'page.html');
    const { named, out, err } = await found('--read', '--html', page);
    expect(named('orders-db')).toMatchObject({ rotator: 'postgres', risks: ['soon', 'shared'] });
    expect(named('orders-copy')?.notes).toEqual(['The same value is in shop/orders-db.']);
    expect(named('settings')).toMatchObject({
      risks: ['odd'],
      notes: [expect.stringContaining('No credential was found')],
    });
    expect(named(resourceIdOf(storage))).toBeUndefined();
    const html = await readFile(page, 'utf8');
    expect(html).toContain('shop &lt;b&gt;');
    const table = await discover('--read');
    expect(table.out).toContain('orders-copy');
    expect(findSecrets({ out, err, html, table }, [canary, token])).toEqual([]);
  });

  it('names a vault that may not be listed, with the line that helps, goes on with the rest, and exits with 1', async () => {
    const { exit, blind, findings } = await found();
    expect(exit).toBe(1);
    expect(blind.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['the secrets of closed', 'the keys of closed', 'the certificates of closed']),
    );
    expect(blind[0]?.fix).toContain('az role assignment create --role "Key Vault Reader"');
    expect(findings.length).toBeGreaterThan(8);
  });

  it('names values that cannot be read, and tells the rest', async () => {
    const fault = vaults[0]?.faults.add({
      match: { operation: 'get', name: '^orders-db$' },
      effect: { kind: 'status', status: 403 },
    });
    const { blind, named } = await found('--read');
    fault?.remove();
    expect(blind.map(({ what }) => what)).toContain('the value of shop/orders-db');
    expect(named('orders-copy')).toMatchObject({ rotator: 'postgres' });
  });

  it('of one vault looks at nothing around it', async () => {
    const { findings } = await found('--vault', 'shop');
    expect(new Set(findings.map(({ what }) => what))).toEqual(new Set(['secret', 'key', 'certificate']));
  });

  it('sends its token over TLS, or to this machine alone', async () => {
    const env = { AZURE_RESOURCE_MANAGER_URL: estate.url, AZURE_GRAPH_URL: 'http://graph.contoso.test' };
    expect(await keyturn(['discover'], { env })).toMatchObject({ exit: 2 });
  });
});
